package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/boombuler/barcode/ean"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// contractMetrics are the names of the contract, each with labels that it must
// have a sample for from the first scrape on.
var contractMetrics = []string{
	`http_requests_total{endpoint="/api/v1/recalls/{id}",method="GET",status_code="200"}`,
	`http_requests_total{endpoint="/",method="GET",status_code="200"}`,
	`http_requests_total{endpoint="/blobs/",method="GET",status_code="500"}`,
	`http_request_duration_seconds_count{endpoint="/api/v1/verdict",method="POST",status_code="200"}`,
	"database_connections_active",
	`database_query_duration_seconds_count{operation="apply"}`, `database_errors_total{operation="notice_as_of"}`, `database_errors_total{operation="rotate_secret"}`,
	`cache_hits_total{cache="photo",level="near"}`, `cache_misses_total{cache="photo",level="near"}`, `cache_size_bytes{cache="photo",level="near"}`,
	`azure_blob_uploads_total{backend="disk",result="stored"}`, `azure_blob_uploads_total{backend="disk",result="failed"}`,
	`azure_blob_upload_duration_seconds_count{backend="disk",result="stored"}`,
	`azure_blob_storage_bytes{backend="disk",result="stored"}`, `azure_blob_storage_bytes{backend="disk",result="queued"}`,
	"app_health_score", "app_uptime_seconds",
	`security_audit_failures_total{severity="CRITICAL"}`, `security_audit_failures_total{severity="HIGH"}`,
	`security_audit_failures_total{severity="MEDIUM"}`, `security_audit_failures_total{severity="LOW"}`,
	`verdicts_total{verdict="affected"}`, `verdicts_total{verdict="need_code"}`, `verdicts_total{verdict="not_affected"}`,
	`verdicts_total{verdict="no_match"}`, `verdicts_total{verdict="cannot_tell"}`,
	"catalogue_serial",
	"go_goroutines", "process_open_fds", "process_start_time_seconds", "process_resident_memory_bytes",
}

// TestMetricsOnTheEmbeddedDefault: every name of the contract is there from the
// first scrape on, for every agency, as Prometheus wants it.
func TestMetricsOnTheEmbeddedDefault(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir())
	first := s.Metrics()
	for _, series := range contractMetrics {
		if _, there := first[series]; !there {
			t.Errorf("the first scrape has no %s", series)
		}
	}
	var list sources
	s.Get("/api/v1/sources", &list)
	for _, src := range list.Items {
		for _, name := range []string{"recall_source_age_seconds", "recall_source_notices", "recall_ingest_lag_seconds", "recall_ingest_rejected_total"} {
			if _, there := first[name+`{agency="`+src.Agency+`"}`]; !there {
				t.Errorf("%s tells nothing of %s", name, src.Agency)
			}
		}
	}
	if score := first["app_health_score"]; score < 90 {
		t.Errorf("the embedded default scores %v", score)
	}
	_, body := s.Scrape("text/plain")
	if said := testenv.Promtool(t, t.TempDir(), body, "check", "metrics"); said != "" {
		t.Errorf("promtool says: %s", said)
	}
}

// TestMetricsCountEachAnswerOnce: whatever way an answer took.
func TestMetricsCountEachAnswerOnce(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir())
	const code = "4006381333931"
	before := s.Metrics()
	var one struct{ Verdict string }
	s.Get("/api/v1/barcode/"+code, &one)
	for range 3 { // from memory, as far as it is the same second
		s.Get("/api/v1/barcode/"+code, nil)
	}
	s.Do(http.MethodPost, "/api/v1/verdict", `{"gtin":"`+code+`"}`, nil)
	s.Do(http.MethodPost, "/api/v1/verdict/batch", `{"units":[{"gtin":"`+code+`"},{"gtin":"1"},{"gtin":"`+code+`"}]}`, nil)
	answer, err := http.Post(s.Base+"/api/v1/barcode/image", "image/png", strings.NewReader(picture(t, code)))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	s.Do(http.MethodPost, "/api/v1/verdict", `{}`, nil)
	s.Get("/nowhere", nil)
	s.Do("BREW", "/coffee", "", nil)
	after := s.Metrics()
	for series, want := range map[string]float64{
		`verdicts_total{verdict="` + one.Verdict + `"}`:                                                         4 + 1 + 2 + 1,
		`http_requests_total{endpoint="/api/v1/barcode/{code}",method="GET",status_code="200"}`:                 4,
		`http_request_duration_seconds_count{endpoint="/api/v1/barcode/{code}",method="GET",status_code="200"}`: 4,
		`http_requests_total{endpoint="/api/v1/verdict",method="POST",status_code="200"}`:                       1,
		`http_requests_total{endpoint="/api/v1/verdict",method="POST",status_code="422"}`:                       1,
		`http_requests_total{endpoint="/api/v1/verdict/batch",method="POST",status_code="200"}`:                 1,
		`http_requests_total{endpoint="/api/v1/barcode/image",method="POST",status_code="200"}`:                 1,
		`http_requests_total{endpoint="none",method="GET",status_code="404"}`:                                   1,
		`http_requests_total{endpoint="none",method="other",status_code="404"}`:                                 1,
		`http_requests_total{endpoint="/metrics",method="GET",status_code="200"}`:                               1,
	} {
		if got := after[series] - before[series]; got != want {
			t.Errorf("%s grew by %v, want %v", series, got, want)
		}
	}
	var sum float64
	for series, value := range after {
		if strings.HasPrefix(series, "verdicts_total") {
			sum += value - before[series]
		}
	}
	if sum != 8 {
		t.Errorf("%v verdicts were counted of 8", sum)
	}
}

// picture is a barcode as a PNG.
func picture(t *testing.T, code string) string {
	t.Helper()
	bars, err := ean.Encode(code)
	if err != nil {
		t.Fatal(err)
	}
	const scale, height, margin = 4, 200, 60
	width := bars.Bounds().Dx()*scale + 2*margin
	img := image.NewGray(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			shade := color.Gray{Y: 255}
			if at := (x - margin) / scale; x >= margin && at < bars.Bounds().Dx() {
				shade = color.GrayModel.Convert(bars.At(at, 0)).(color.Gray)
			}
			img.SetGray(x, y, shade)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestMetricsInEveryFormat that a scraper may ask for.
func TestMetricsInEveryFormat(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir())
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	s.Do(http.MethodGet, "/api/v1/sources", "", nil, "Traceparent: 00-"+trace+"-00f067aa0ba902b7-01")
	for accept, want := range map[string]struct{ mediaType, says string }{
		"":    {"text/plain; version=0.0.4", "# TYPE verdicts_total counter\n"},
		"*/*": {"text/plain; version=0.0.4", "# TYPE http_request_duration_seconds histogram\n"},
		"application/openmetrics-text;version=1.0.0,text/plain;q=0.5":                                {"application/openmetrics-text; version=1.0.0", `# {trace_id="` + trace + `"}`},
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": {"application/vnd.google.protobuf", "verdicts_total"},
	} {
		answer, body := s.Scrape(accept)
		if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, want.mediaType) {
			t.Errorf("who accepts %q gets %s", accept, got)
		}
		if !strings.Contains(body, want.says) {
			t.Errorf("who accepts %q isn't told %s", accept, want.says)
		}
	}
}

// TestMetricsAreForOperators who show the token, once there is one.
func TestMetricsAreForOperators(t *testing.T) {
	t.Parallel()
	const token = "a-token-for-operators-of-this-test"
	s := program.Serve(t, t.TempDir(), "CROWNSAFE_OPS_TOKEN="+token)
	for authorization, want := range map[string]int{"": 401, "Bearer something-else": 401, "Bearer " + token: 200} {
		if answer, body := s.Scrape("text/plain", "Authorization: "+authorization); answer.StatusCode != want || (want == 401) == strings.Contains(body, "verdicts_total") {
			t.Errorf("with %q a scrape answers %d", authorization, answer.StatusCode)
		}
	}
}

// TestMetricsOfSources: what a poll does shows, in the process that polled and, of
// the guard, in every one.
func TestMetricsOfSources(t *testing.T) {
	t.Parallel()
	data, f := t.TempDir(), newFeed(t)
	var seats []any
	for i := range 40 {
		seats = append(seats, map[string]any{
			"nhtsa_id": "20C" + strings.Repeat("0", 4) + string(rune('0'+i/10)) + string(rune('0'+i%10)), "recall_type": "Child Seat", "manufacturer": "Vantor",
			"subject": "Buckle may open", "component": "CHILD SEAT", "report_received_date": "2020-05-02T00:00:00.000",
		})
	}
	sync := func(rows []any) {
		t.Helper()
		f.says(http.StatusOK, program.Encoded(t, rows))
		program.Run(t, []string{"CROWNSAFE_FEED_US_NHTSA=" + f.URL}, "sync", "us-nhtsa", "--data", data)
	}
	sync(seats)
	polling := []string{"CROWNSAFE_OFFLINE=0"}
	for _, agency := range []string{"AU_ACCC", "CA_HC", "DE_LMW", "EU_SAFETY_GATE", "FR_RAPPELCONSO", "KR_KATS", "NZ_MBIE", "UK_FSA", "UK_OPSS", "US_CPSC", "US_FDA", "US_FSIS", "US_NHTSA"} {
		polling = append(polling, "CROWNSAFE_FEED_"+agency+"="+f.URL)
	}
	s := program.Serve(t, data, polling...)
	const guard, failed, polled = `crownsafe_recall_shrink_guard_tripped{agency="us-nhtsa"}`, `crownsafe_recall_polls_total{agency="au-accc",state="failed"}`, `crownsafe_recall_source_polled{agency="kr-kats"}`
	first := s.Metrics()
	if first[guard] != 0 || first[`recall_source_notices{agency="us-nhtsa"}`] != 40 || !(first[`recall_source_age_seconds{agency="us-nhtsa"}`] < 3600) || first[polled] != 0 {
		t.Errorf("of sources it tells: %v notices, %v s old, guard %v", first[`recall_source_notices{agency="us-nhtsa"}`], first[`recall_source_age_seconds{agency="us-nhtsa"}`], first[guard])
	}
	sync(seats[:30])
	testenv.Eventually(t, program.Patience, "the guard shows", func() bool { return s.Metrics()[guard] == 1 })
	testenv.Eventually(t, program.Patience, "a poll that fails is counted", func() bool { return s.Metrics()[failed] >= 1 })
	sync(seats)
	testenv.Eventually(t, program.Patience, "the guard is over", func() bool { return s.Metrics()[guard] == 0 })
}

// TestMetricsCountObjects: how much they take is counted beside requests.
func TestMetricsCountObjects(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if got := program.Run(t, nil, "import", program.CPSCFile(t, 20), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	s := program.Serve(t, data, "CROWNSAFE_BLOB_COUNT_EVERY=1s")
	testenv.Eventually(t, program.Patience, "the payload that was archived is counted", func() bool {
		return s.Metrics()[`azure_blob_storage_bytes{backend="disk",result="stored"}`] > 500
	})
}
