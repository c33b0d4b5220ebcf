package api

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/traffic"
	"github.com/crownsafe/api/internal/web"
)

// fixedBoard is a dashboard with a source past its objective.
type fixedBoard struct{}

func (fixedBoard) Dashboard() health.Dashboard {
	d := health.Score(health.Subsystems{RecallData: health.RecallData{Loaded: true, Sources: []health.SourceAge{{Agency: "us-cpsc", State: "stale"}}}})
	d.At = time.Now()
	return d
}

func TestTheDashboardHasTheContractsFields(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(d *Dependencies) { d.Board, d.Operators = fixedBoard{}, Operators{Token: showing(operatorsToken)} })
	const away, target = "203.0.113.9:5000", "/api/v1/monitoring/system-health-dashboard"
	if r := b.from(t, away, target); r.StatusCode != 401 {
		t.Errorf("it answers %d to anybody", r.StatusCode)
	}
	got := decode[map[string]json.RawMessage](t, b.from(t, away, target, "Authorization: Bearer "+operatorsToken), 200)
	fields := func(raw json.RawMessage) []string {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(raw, &object); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		return slices.Sorted(maps.Keys(object))
	}
	want := []string{"health_score", "penalties", "status", "subsystems", "timestamp", "uptime_seconds"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"azure_storage", "cache", "connection_pool", "database", "recall_data", "security"}, fields(got["subsystems"])); diff != "" {
		t.Error(diff)
	}
	var subsystems map[string]json.RawMessage
	if err := json.Unmarshal(got["subsystems"], &subsystems); err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string][]string{
		"security": nil, "azure_storage": {"latency_ms"}, "cache": {"hit_rate"}, "connection_pool": {"reuse_rate"},
		"database": {"connections"}, "recall_data": {"notices", "serial", "sources"},
	} {
		has := fields(subsystems[name])
		for _, field := range append(more, "status", "issues") {
			if !slices.Contains(has, field) {
				t.Errorf("%s has no %s: %s", name, field, subsystems[name])
			}
		}
	}
	var penalties []map[string]any
	if err := json.Unmarshal(got["penalties"], &penalties); err != nil {
		t.Fatal(err)
	}
	if string(got["health_score"]) != "90" || len(penalties) != 1 || penalties[0]["points"] != 10.0 || penalties[0]["reason"] != "stale_source" {
		t.Errorf("%s %v", got["health_score"], penalties)
	}
}

// counted notes what is told of requests.
type counted struct {
	lock sync.Mutex
	list []traffic.Answer
}

func (c *counted) Answered(a traffic.Answer) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.list = append(c.list, a)
}

func TestEveryRequestIsCounted(t *testing.T) {
	seen := &counted{}
	b := newBench(t, func(d *Dependencies) { d.Traffic = seen })
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, target := range []string{"/api/v1/sources", "/api/v1/sources", "/nowhere", "/api/v1/recalls/us-cpsc:0"} {
		b.get(t, target, "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	}
	want := []traffic.Answer{
		{At: start, Status: 200, Route: "GET /api/v1/sources", TraceID: trace}, {At: start, Status: 200, Route: "GET /api/v1/sources", TraceID: trace},
		{At: start, Status: 404, Code: "not_found", TraceID: trace}, {At: start, Status: 404, Route: "GET /api/v1/recalls/{id}", Code: "not_found", TraceID: trace},
	}
	if diff := cmp.Diff(want, seen.list); diff != "" {
		t.Error(diff)
	}
}

// opsBench is an API with the real pages, those of operators among them.
func opsBench(t *testing.T, o Operators, seen Traffic) *bench {
	t.Helper()
	return newBench(t, func(d *Dependencies) {
		pages, err := web.New(web.Dependencies{
			Catalogue: d.Catalogue, Lookup: d.Lookup, Sources: &fixedSources{now: d.Now, polled: start, state: source.OK}, OpenAPI: OpenAPI("test"),
			Board: fixedBoard{}, Traffic: &traffic.Recorder{},
		})
		if err != nil {
			t.Fatal(err)
		}
		d.Board, d.Operators, d.Pages, d.Traffic = fixedBoard{}, o, pages, seen
	})
}

func TestTheOperatorsPageIsForOperators(t *testing.T) {
	b := opsBench(t, Operators{Token: showing(operatorsToken)}, nil)
	const away = "203.0.113.9:5000"
	for _, target := range []string{"/ops", "/ops/events"} {
		browser := b.from(t, away, target, "Accept: text/html")
		if browser.StatusCode != 401 || browser.Header.Get("Www-Authenticate") == "" || !strings.Contains(string(browser.body), "for operators") || strings.Contains(string(browser.body), "us-cpsc") {
			t.Errorf("%s to a browser: %d %s", target, browser.StatusCode, browser.body)
		}
		if p := decode[Problem](t, b.from(t, away, target), 401); p.Code != "unauthorized" {
			t.Errorf("%s to a program: %+v", target, p)
		}
	}
	if r := b.from(t, away, "/ops", "Authorization: Bearer "+operatorsToken); r.StatusCode != 200 || !strings.Contains(string(r.body), "us-cpsc") {
		t.Errorf("to an operator: %d", r.StatusCode)
	}
	if r := b.from(t, away, "/status"); r.StatusCode != 200 {
		t.Errorf("the public page: %d", r.StatusCode)
	}
	local := opsBench(t, Operators{Loopback: true}, nil)
	if r := local.from(t, "127.0.0.1:5000", "/ops"); r.StatusCode != 200 {
		t.Errorf("on a developer's machine: %d", r.StatusCode)
	}
}

// TestEventsOutliveTheServersTimeouts: a stream goes on when the time that other
// answers have is long over, and isn't counted as a slow answer.
func TestEventsOutliveTheServersTimeouts(t *testing.T) {
	t.Parallel()
	seen := &counted{}
	s := httptest.NewUnstartedServer(opsBench(t, Operators{Loopback: true}, seen))
	s.Config.ReadTimeout, s.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	s.Start()
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/ops/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("%d %s", res.StatusCode, got)
	}
	// The page shows when the subsystems were asked, which changes every second.
	events := 0
	for lines := bufio.NewScanner(res.Body); events < 2 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: ") || lines.Text() == ":" {
			events++
		}
	}
	if events < 2 {
		t.Errorf("the stream ended after %d events", events)
	}
	cancel()
	s.Close()
	seen.lock.Lock()
	defer seen.lock.Unlock()
	if len(seen.list) != 0 {
		t.Errorf("the stream was counted: %+v", seen.list)
	}
}
