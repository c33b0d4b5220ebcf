package web_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/traffic"
	"github.com/crownsafe/api/internal/web"
)

// fixedBoard is a board that a test can change.
type fixedBoard struct {
	facts atomic.Pointer[health.Subsystems]
}

func newBoard() *fixedBoard {
	b := &fixedBoard{}
	b.facts.Store(&health.Subsystems{
		Storage: health.Storage{Backend: "azure", LatencyMS: new(3.5)}, Database: health.Database{Backend: "postgres", Connections: 8},
		RecallData: health.RecallData{Loaded: true, Notices: 1234, Sources: []health.SourceAge{
			{Agency: "us-fresh", State: "ok", Age: new(int64(3600)), Objective: 86400},
			{Agency: "us-old", State: "stale", Age: new(int64(90000)), Objective: 86400, Reason: "last fetched <long> ago"},
		}},
	})
	return b
}

func (b *fixedBoard) Dashboard() health.Dashboard {
	d := health.Score(*b.facts.Load())
	d.At = now
	return d
}

// opsSite has an operators' page over a board, and traffic of which one answer
// failed.
func opsSite(t testing.TB, b *fixedBoard, change ...func(*web.Dependencies)) *web.Site {
	t.Helper()
	seen := &traffic.Recorder{}
	seen.Answered(traffic.Answer{At: now.Add(-time.Second), Took: 3 * time.Millisecond, Status: 503, Route: "GET /api/v1/<b>", Code: "unavailable", TraceID: "4bf92f3577b34da6"})
	return newSiteOver(t, oneAgency{}, notices(), append([]func(*web.Dependencies){func(d *web.Dependencies) {
		d.Board, d.Traffic, d.Now = b, seen, func() time.Time { return now }
		d.Audit = func() *health.Audit {
			return &health.Audit{RunAt: now, Worst: "HIGH", Findings: []health.Finding{{ID: "tls", Severity: "HIGH", Detail: "The database <is> asked in the clear.", Remedy: "Set sslmode."}}}
		}
	}}, change...)...)
}

func TestOpsShowsEverything(t *testing.T) {
	t.Parallel()
	p := get(t, opsSite(t, newBoard()), "/ops")
	for _, want := range []string{
		"Healthy", "−10", "1 source is past the freshness objective: us-old.", "1,234", "3.5 ms", "us-fresh", "25 hours old, of 24 hours at most.",
		"Last fetched <long> ago.", "503", "GET /api/v1/<b>", "unavailable", "4bf92f3577b34da6", "The database <is> asked in the clear.", "Set sslmode.", "no traffic yet",
	} {
		if !strings.Contains(p.text(), want) {
			t.Errorf("doesn't say %q: %s", want, p.text())
		}
	}
	// What is past its objective comes first.
	if a, b := strings.Index(p.source, "us-old</strong>"), strings.Index(p.source, "us-fresh</strong>"); a > b || a < 0 {
		t.Errorf("us-old stands at %d, us-fresh at %d", a, b)
	}
}

func TestWithoutABoardThereIsNoOperatorsPage(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/ops", "/ops/events"} {
		if p := get(t, newSite(t, notices()), path); p.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.StatusCode)
		}
	}
}

// TestTheRefusalSaysHowToGetIn: the page to sign in is linked to where there is one.
func TestTheRefusalSaysHowToGetIn(t *testing.T) {
	t.Parallel()
	for _, signIn := range []string{"", "/signin"} {
		site := opsSite(t, newBoard(), func(d *web.Dependencies) { d.SignIn = signIn })
		rec := httptest.NewRecorder()
		site.Error(rec, httptest.NewRequest(http.MethodGet, "/ops", nil), http.StatusUnauthorized, "r1")
		body := rec.Body.String()
		if !strings.Contains(body, "for operators") || strings.Contains(body, `href="/signin"`) != (signIn != "") {
			t.Errorf("with %q: %s", signIn, body)
		}
	}
	rec := httptest.NewRecorder()
	opsSite(t, newBoard()).Error(rec, httptest.NewRequest(http.MethodGet, "/ops", nil), http.StatusForbidden, "r1")
	if body := rec.Body.String(); rec.Code != http.StatusForbidden || !strings.Contains(body, "not one of theirs") {
		t.Errorf("%d %s", rec.Code, body)
	}
}

// listener reads a stream of events from a site.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
}

// listen opens a stream. In a bubble of synctest no network may be used, so the
// answer goes through a pipe.
func listen(t *testing.T, site *web.Site) (l *listener, ended <-chan struct{}, leave func()) {
	t.Helper()
	r, w := io.Pipe()
	done := make(chan struct{})
	rec := &piped{ResponseRecorder: httptest.NewRecorder(), out: w}
	go func() {
		defer close(done)
		site.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/ops/events", nil).WithContext(t.Context()))
		w.Close()
	}()
	return &listener{t, bufio.NewScanner(r)}, done, func() { r.Close() }
}

// piped is an answer whose body is read while it is written.
type piped struct {
	*httptest.ResponseRecorder
	out *io.PipeWriter
}

func (p *piped) Write(b []byte) (int, error) { return p.out.Write(b) }
func (p *piped) Flush()                      {}

// event returns the next event's sections; nil: the stream has ended.
func (l *listener) event() (sections map[string]string) {
	l.t.Helper()
	for l.lines.Scan() {
		if data, ok := strings.CutPrefix(l.lines.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &sections); err != nil {
				l.t.Fatalf("%v in %s", err, data)
			}
			return sections
		}
	}
	return nil
}

func TestTheStreamSendsWhatChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, ending := newBoard(), make(chan struct{})
		l, ended, leave := listen(t, opsSite(t, b, func(d *web.Dependencies) { d.Ending = ending }))
		defer leave()
		first := l.event()
		if len(first) != 7 || !strings.Contains(first["ops-score"], "Healthy") {
			t.Fatalf("the first event has %d sections: %v", len(first), first)
		}
		broken := *b.facts.Load()
		broken.Database.Failing = "no answer"
		b.facts.Store(&broken)
		began := time.Now()
		second := l.event()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the change came after %s", took)
		}
		if len(second) != 2 || !strings.Contains(second["ops-score"], "−25") || !strings.Contains(second["ops-subsystems"], "unhealthy") {
			t.Errorf("the change is told by %v", second)
		}
		// While nothing changes, a sign of life comes often enough for proxies.
		began = time.Now()
		for l.lines.Scan() && l.lines.Text() != ":" {
		}
		if took := time.Since(began); took > 15*time.Second || took < time.Second {
			t.Errorf("the sign of life came after %s", took)
		}
		close(ending)
		for l.lines.Scan() { // the rest of what is on its way
		}
		<-ended
	})
}

func TestAStreamEndsWithItsListener(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, ended, leave := listen(t, opsSite(t, newBoard()))
		l.event()
		leave()
		<-ended
	})
}

func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		site := opsSite(t, newBoard())
		var last <-chan struct{}
		var leaveLast func()
		for range 16 {
			l, ended, leave := listen(t, site)
			defer leave()
			l.event()
			last, leaveLast = ended, leave
		}
		refused := get(t, site, "/ops/events")
		if refused.StatusCode != http.StatusServiceUnavailable || refused.Header.Get("Retry-After") == "" {
			t.Errorf("the 17th listener gets %d", refused.StatusCode)
		}
		leaveLast()
		<-last
		l, _, leave := listen(t, site)
		defer leave()
		if l.event() == nil {
			t.Error("a listener's place isn't given back")
		}
	})
}
