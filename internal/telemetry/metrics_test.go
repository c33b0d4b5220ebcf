package telemetry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

func newTestMetrics() *Metrics {
	return NewMetrics(NewRegistry(), Options{Version: "v1", Agencies: []string{"us-cpsc", "uk-fsa"}, Operations: []string{"notice", "apply"}, Backend: "disk"})
}

// scrape returns what a scrape answers, line by line.
func scrape(t testing.TB, m *Metrics, accept string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	m.Handler(io.Discard).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("a scrape answers %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

const text, openMetrics = "text/plain", "application/openmetrics-text; version=1.0.0"

func mustHave(t *testing.T, scraped string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(scraped, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			var like []string
			for l := range strings.Lines(scraped) {
				if strings.HasPrefix(l, name) {
					like = append(like, strings.TrimSpace(l))
				}
			}
			t.Errorf("no line %s; there are %q", line, like)
		}
	}
}

// TestKnownSeriesBeginAtZero: an increase from nothing to 1 is none to Prometheus.
func TestKnownSeriesBeginAtZero(t *testing.T) {
	t.Parallel()
	m := newTestMetrics()
	m.Route(http.MethodGet, "/api/v1/recalls/{id}")
	mustHave(t, scrape(t, m, text),
		`http_requests_total{endpoint="/api/v1/recalls/{id}",method="GET",status_code="200"} 0`,
		`http_requests_total{endpoint="/api/v1/recalls/{id}",method="GET",status_code="500"} 0`,
		`http_request_duration_seconds_count{endpoint="/api/v1/recalls/{id}",method="GET",status_code="200"} 0`,
		`verdicts_total{verdict="cannot_tell"} 0`,
		`database_query_duration_seconds_count{operation="notice"} 0`,
		`database_errors_total{operation="apply"} 0`,
		`azure_blob_uploads_total{backend="disk",result="failed"} 0`,
		`azure_blob_upload_duration_seconds_count{backend="disk",result="stored"} 0`,
		`recall_ingest_rejected_total{agency="uk-fsa"} 0`,
		`crownsafe_recall_polls_total{agency="us-cpsc",state="failed"} 0`,
		`security_audit_failures_total{severity="CRITICAL"} 0`,
		`crownsafe_security_findings{severity="LOW"} 0`,
		`crownsafe_rate_limit_decisions_total{decision="limited"} 0`,
		`crownsafe_connections_refused_total 0`,
		`crownsafe_logins_total{outcome="refused"} 0`,
		`crownsafe_build_info{version="v1"} 1`,
	)
}

// TestWhatHappensIsCounted calls everything that counts, once, and once with a
// value that nobody knows.
func TestWhatHappensIsCounted(t *testing.T) {
	t.Parallel()
	m := newTestMetrics()
	for _, strange := range []string{"", "strange"} {
		either := func(known string) string {
			if strange != "" {
				return strange
			}
			return known
		}
		m.Request(either("GET"), "/here", 404, 2*time.Millisecond, "")
		m.Verdict(either("affected"))
		m.Query(either("apply"), time.Millisecond, true)
		m.Object(either("put"), time.Millisecond, true)
		m.Upload(either("exists"), time.Millisecond)
		m.Poll(either("uk-fsa"), either("partial"), 3)
		m.RateLimited(either("limited"))
		m.Login(either("locked"))
	}
	m.ConnectionRefused()
	m.Audited(map[string]int{"HIGH": 2, "LOW": 1})
	m.Audited(map[string]int{"HIGH": 1, "strange": 5})
	m.CertificateSeen("database", time.Unix(1_800_000_000, 0))
	scraped := scrape(t, m, text)
	for _, label := range []string{"other", ""} {
		either := func(known string) string {
			if label != "" {
				return label
			}
			return known
		}
		mustHave(t, scraped,
			fmt.Sprintf(`http_requests_total{endpoint="/here",method="%s",status_code="404"} 1`, either("GET")),
			fmt.Sprintf(`http_request_duration_seconds_bucket{endpoint="/here",method="%s",status_code="404",le="0.0025"} 1`, either("GET")),
			fmt.Sprintf(`verdicts_total{verdict="%s"} 1`, either("affected")),
			fmt.Sprintf(`database_query_duration_seconds_count{operation="%s"} 1`, either("apply")),
			fmt.Sprintf(`database_errors_total{operation="%s"} 1`, either("apply")),
			fmt.Sprintf(`crownsafe_storage_operation_duration_seconds_count{backend="disk",operation="%s"} 1`, either("put")),
			fmt.Sprintf(`crownsafe_storage_errors_total{backend="disk",operation="%s"} 1`, either("put")),
			fmt.Sprintf(`azure_blob_uploads_total{backend="disk",result="%s"} 1`, either("exists")),
			fmt.Sprintf(`crownsafe_recall_polls_total{agency="%s",state="%s"} 1`, either("uk-fsa"), either("partial")),
			fmt.Sprintf(`recall_ingest_rejected_total{agency="%s"} 3`, either("uk-fsa")),
			fmt.Sprintf(`crownsafe_rate_limit_decisions_total{decision="%s"} 1`, either("limited")),
			fmt.Sprintf(`crownsafe_logins_total{outcome="%s"} 1`, either("locked")),
		)
	}
	mustHave(t, scraped,
		`crownsafe_connections_refused_total 1`,
		`security_audit_failures_total{severity="HIGH"} 3`, `security_audit_failures_total{severity="LOW"} 1`,
		`crownsafe_security_findings{severity="HIGH"} 1`, `crownsafe_security_findings{severity="LOW"} 0`,
		`crownsafe_tls_peer_certificate_expiry_timestamp_seconds{peer="database"} 1.8e+09`,
	)
	if strings.Contains(scraped, "strange") {
		t.Error("a label has a value that nobody knows")
	}
}

// TestStateIsMeasuredAtEachScrape with what is absent and what isn't known.
func TestStateIsMeasuredAtEachScrape(t *testing.T) {
	t.Parallel()
	m := newTestMetrics()
	state := State{UptimeSeconds: 1, HealthScore: Unknown(), Storage: Storage{Breaker: "closed", StoredBytes: 7, QueuedBytes: 3},
		Caches:  []Cache{{Name: "photo", NearHits: 5, FarHits: 2, Lost: 4, Bytes: 9}},
		Sources: []Source{{Agency: "us-cpsc", State: "never", AgeSeconds: Unknown(), Objective: 60, Guarded: true}}}
	m.Follow(func() State { return state })
	before := scrape(t, m, text)
	mustHave(t, before, "app_uptime_seconds 1", "app_health_score NaN", `recall_source_age_seconds{agency="us-cpsc"} NaN`,
		`crownsafe_recall_source_state{agency="us-cpsc",state="never"} 1`, `crownsafe_recall_source_state{agency="us-cpsc",state="ok"} 0`,
		`crownsafe_recall_shrink_guard_tripped{agency="us-cpsc"} 1`,
		`azure_blob_storage_bytes{backend="disk",result="stored"} 7`, `azure_blob_storage_bytes{backend="disk",result="queued"} 3`,
		`cache_hits_total{cache="photo",level="near"} 5`, `cache_misses_total{cache="photo",level="near"} 6`, `cache_size_bytes{cache="photo",level="near"} 9`)
	for _, absent := range []string{`level="far"`, "crownsafe_cache_failures_total", "crownsafe_backup_age_seconds", `breaker="cache"`} {
		if strings.Contains(before, absent) {
			t.Errorf("there is %s, of what isn't there", absent)
		}
	}
	state.UptimeSeconds, state.HealthScore, state.FarCache = 2, 85, &FarCache{Breaker: "half_open", Failures: 3}
	state.Backups = &Backups{AgeSeconds: 90, Unrestorable: true, Bytes: 12, Seconds: 1.5, Failures: 4}
	mustHave(t, scrape(t, m, text), "app_uptime_seconds 2", "app_health_score 85", "crownsafe_backup_age_seconds 90",
		"crownsafe_backup_unrestorable 1", "crownsafe_backup_size_bytes 12", "crownsafe_backup_duration_seconds 1.5", "crownsafe_backup_failures_total 4",
		`cache_hits_total{cache="photo",level="far"} 2`, `cache_misses_total{cache="photo",level="far"} 4`,
		"crownsafe_cache_failures_total 3", `crownsafe_breaker_state{breaker="cache",state="half_open"} 1`)
	state.Backups = &Backups{AgeSeconds: Unknown()}
	if after := scrape(t, m, text); strings.Contains(after, "crownsafe_backup_age_seconds") || !strings.Contains(after, "crownsafe_backup_unrestorable 0") {
		t.Errorf("of a backup that nobody tried to restore: %s", after)
	}
}

// TestExemplarsNameTraces in OpenMetrics, one for each bucket and second.
func TestExemplarsNameTraces(t *testing.T) {
	t.Parallel()
	m := newTestMetrics()
	m.Request("GET", "/here", 200, 2*time.Millisecond, "4bf92f3577b34da6a3ce929d0e0e4736")
	m.Request("GET", "/here", 200, 3*time.Second, "00f067aa0ba902b7a3ce929d0e0e4736")
	m.Request("GET", "/here", 200, 20*time.Millisecond, "")
	scraped := scrape(t, m, openMetrics)
	for _, want := range []string{
		`le="0.0025"} 1 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.002`,
		`le="10.0"} 3 # {trace_id="00f067aa0ba902b7a3ce929d0e0e4736"} 3.0`,
	} {
		if !strings.Contains(scraped, want) {
			t.Errorf("no exemplar %s", want)
		}
	}
	if n := strings.Count(scraped, "# {"); n != 2 {
		t.Errorf("there are %d exemplars of two requests with a trace", n)
	}
	if !strings.HasSuffix(scraped, "# EOF\n") {
		t.Error("it is no OpenMetrics")
	}
}

// TestHistogramsAreNativeToo: every one of the program's has both kinds of buckets.
func TestHistogramsAreNativeToo(t *testing.T) {
	t.Parallel()
	m := newTestMetrics()
	m.Request("GET", "/here", 200, 2*time.Millisecond, "")
	m.Query("apply", time.Millisecond, false)
	m.Object("put", time.Millisecond, false)
	m.Upload("stored", time.Millisecond)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM || strings.HasPrefix(f.GetName(), "go_") {
			continue
		}
		seen++
		native := false
		for _, one := range f.GetMetric() {
			h := one.GetHistogram()
			native = native || len(h.GetPositiveSpan()) > 0
			if len(h.GetBucket()) == 0 {
				t.Errorf("%s has no classic buckets", f.GetName())
			}
		}
		if !native {
			t.Errorf("%s has no native buckets", f.GetName())
		}
	}
	if seen != 4 {
		t.Errorf("%d histograms, want 4", seen)
	}
}

// TestRequestsFromManyAtOnce loses none.
func TestRequestsFromManyAtOnce(t *testing.T) {
	t.Parallel()
	m := newTestMetrics()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				m.Request("GET", "/here", 200+i%50, time.Duration(i)*time.Microsecond, "4bf92f3577b34da6a3ce929d0e0e4736")
			}
		})
	}
	wg.Wait()
	scraped := scrape(t, m, text)
	for status := range 50 {
		mustHave(t, scraped, fmt.Sprintf(`http_requests_total{endpoint="/here",method="GET",status_code="%d"} 80`, 200+status))
	}
}

// TestARequestMakesNoGarbage: it is counted in the time of an answer from memory.
func TestARequestMakesNoGarbage(t *testing.T) {
	m := newTestMetrics()
	m.Request("GET", "/here", 200, time.Millisecond, "")
	if allocs := testing.AllocsPerRun(1000, func() { m.Request("GET", "/here", 200, time.Millisecond, "4bf92f3577b34da6a3ce929d0e0e4736") }); allocs > 0 {
		t.Errorf("a request makes %v objects", allocs)
	}
}

func BenchmarkRequest(b *testing.B) {
	m := newTestMetrics()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Request("GET", "/api/v1/barcode/{code}", 200, 40*time.Microsecond, "4bf92f3577b34da6a3ce929d0e0e4736")
		}
	})
}

// BenchmarkScrape answers a scrape of ten thousand series, those of the Go runtime
// among them.
func BenchmarkScrape(b *testing.B) {
	for _, accept := range []string{text, openMetrics} {
		b.Run(strings.TrimPrefix(strings.Split(accept, ";")[0], "application/"), func(b *testing.B) {
			m := newTestMetrics()
			series := 0
			for i := 0; series < 10_000; i++ {
				m.Request("GET", fmt.Sprintf("/here/%d", i), 200, 40*time.Microsecond, "4bf92f3577b34da6a3ce929d0e0e4736")
				if i%20 == 0 {
					series = seriesIn(scrape(b, m, text))
				}
			}
			b.ReportMetric(float64(series), "series")
			handler, r := m.Handler(io.Discard), httptest.NewRequest(http.MethodGet, "/metrics", nil)
			r.Header.Set("Accept", accept)
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(discarding{http.Header{}}, r)
			}
		})
	}
}

func seriesIn(scraped string) (series int) {
	for line := range strings.Lines(scraped) {
		if !strings.HasPrefix(line, "#") {
			series++
		}
	}
	return series
}

// discarding is an answer that nobody reads.
type discarding struct{ header http.Header }

func (d discarding) Header() http.Header       { return d.header }
func (discarding) Write(b []byte) (int, error) { return len(b), nil }
func (discarding) WriteHeader(int)             {}
