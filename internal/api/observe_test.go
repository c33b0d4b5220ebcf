package api

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// witness is an Observer that remembers.
type witness struct {
	mu                         sync.Mutex
	routes, requests, verdicts []string
}

func (w *witness) note(list *[]string, what ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*list = append(*list, strings.Join(what, " "))
}

func (w *witness) Route(method, endpoint string) { w.note(&w.routes, method, endpoint) }

func (w *witness) Request(method, endpoint string, status int, _ time.Duration, traceID string) {
	w.note(&w.requests, method, endpoint, http.StatusText(status))
	if len(traceID) != 32 {
		w.note(&w.requests, "with the trace", traceID)
	}
}

func (w *witness) Verdict(verdict string) { w.note(&w.verdicts, verdict) }

// breaking is a Lookup that panics.
type breaking struct{ Lookup }

// TestRequestsAreObservedOnce however they end, by the template of their route.
func TestRequestsAreObservedOnce(t *testing.T) {
	t.Parallel()
	w := &witness{}
	b := newBench(t, func(d *Dependencies) { d.Observer = w })
	for _, c := range []struct{ method, target, has, want string }{
		{"GET", "/api/v1/recalls?q=snoozle", "", "GET /api/v1/recalls OK"},
		{"GET", "/api/v1/recalls?q=snoozle", "", "GET /api/v1/recalls OK"}, // from memory
		{"GET", "/api/v1/recalls?q=snoozle", "*", "GET /api/v1/recalls Not Modified"},
		{"HEAD", "/api/v1/recalls?q=snoozle", "", "HEAD /api/v1/recalls OK"},
		{"GET", "/api/v1/recalls/us-cpsc:nothing", "", "GET /api/v1/recalls/{id} Not Found"},
		{"GET", "/api/v1/recalls?limit=0", "", "GET /api/v1/recalls Unprocessable Entity"},
		{"GET", "/nowhere", "", "GET none Not Found"},
		{"PUT", "/api/v1/recalls", "", "PUT none Method Not Allowed"},
	} {
		before := len(w.requests)
		b.do(t, c.method, c.target, "", "If-None-Match", c.has)
		if got := w.requests[before:]; !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s %s is observed as %q, want %q", c.method, c.target, got, c.want)
		}
	}
	for _, want := range []string{"GET /api/v1/recalls", "POST /api/v1/verdict", "GET /metrics", "GET /openapi.json"} {
		if !slices.Contains(w.routes, want) {
			t.Errorf("the route %s isn't announced", want)
		}
	}
}

// TestPanicsAreObserved as the 500 that they become.
func TestPanicsAreObserved(t *testing.T) {
	t.Parallel()
	w := &witness{}
	b := newBench(t, func(d *Dependencies) { d.Observer, d.Lookup = w, breaking{} })
	b.do(t, "GET", "/api/v1/barcode/036000291452", "")
	if want := []string{"GET /api/v1/barcode/{code} Internal Server Error"}; !slices.Equal(w.requests, want) {
		t.Errorf("observed: %q", w.requests)
	}
}

// TestVerdictsFromMemoryAreTold, and no others: the lookup tells of those itself.
func TestVerdictsFromMemoryAreTold(t *testing.T) {
	t.Parallel()
	w := &witness{}
	b := newBench(t, func(d *Dependencies) { d.Observer = w })
	const target = "/api/v1/barcode/036000291452"
	verdict := decode[recall.Verdict](t, b.get(t, target), 200)
	if len(w.verdicts) != 0 {
		t.Errorf("of a verdict that was found anew it is told: %q", w.verdicts)
	}
	b.get(t, target)
	b.do(t, "HEAD", target, "")
	b.get(t, target, "If-None-Match", "*")
	b.get(t, "/api/v1/sources")
	b.get(t, "/api/v1/sources")
	if want := []string{string(verdict.Verdict)}; !slices.Equal(w.verdicts, want) {
		t.Errorf("told of %q, want %q", w.verdicts, want)
	}
}

// TestMetricsWithoutAny: nothing is measured, and the answer says so.
func TestMetricsWithoutAny(t *testing.T) {
	t.Parallel()
	const token = "operators"
	b := newBench(t, func(d *Dependencies) { d.Operators = Operators{Token: func() string { return token }} })
	if r := b.from(t, "203.0.113.9:5000", "/metrics", "Authorization: Bearer "+token); r.StatusCode != http.StatusNotFound {
		t.Errorf("/metrics answers %d", r.StatusCode)
	}
}
