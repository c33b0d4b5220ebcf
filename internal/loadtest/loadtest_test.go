package loadtest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serving starts a server and returns its address.
func serving(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// well answers as a healthy service does.
func well(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}`))
}

// simple is a plan that asks for health only.
func simple(target string) Plan {
	return Plan{Target: target, Users: 2, Duration: 100 * time.Millisecond, Timeout: 10 * time.Second, Only: []string{"health"}, Seed: 1}
}

func prepared(t *testing.T, p Plan) *Test {
	t.Helper()
	test, err := Prepare(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(test.client.CloseIdleConnections)
	return test
}

func quiet(Progress) {}

// stalling answers at once but for the nth request, with which it stalls for a time:
// everybody else waits too.
func stalling(nth int64, stall time.Duration) http.HandlerFunc {
	var asked atomic.Int64
	var lock sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		if asked.Add(1) == nth {
			time.Sleep(stall) // the fault itself
		}
		lock.Unlock()
		well(w, r)
	}
}

// slower counts a report's requests that took longer than a time, by its distribution.
func slower(e *Endpoint, than Figure) float64 {
	for _, s := range e.Distribution {
		if s.Within > than {
			return float64(e.Requests) * (100 - s.Percent) / 100
		}
	}
	return 0
}

// TestOpenLoopChargesAStallToEverybody: with a server that stalls for 400 ms, those who
// were due in its first 300 ms have waited for 100 ms and more, though only one request
// was under way and the others could not even be sent.
func TestOpenLoopChargesAStallToEverybody(t *testing.T) {
	t.Parallel()
	p := simple(serving(t, stalling(50, 400*time.Millisecond)))
	p.Rate, p.Duration = 200, time.Second
	test := prepared(t, p)
	test.inFlight = 1
	r := test.Run(t.Context(), quiet)
	if r.Total.Requests != 200 || r.Total.Failures != 0 {
		t.Fatalf("%d requests and %d failures, of 200: %+v", r.Total.Requests, r.Total.Failures, r.Total.Causes)
	}
	if n := slower(&r.Total, 100); n < 40 {
		t.Errorf("%.0f requests took longer than 100 ms; 60 were due while nobody was answered: %+v", n, r.Total)
	}
	if r.SentLate.Max < 100 || len(r.Notes) != 1 {
		t.Errorf("sent late by %s ms at most; the stall kept them for longer, which deserves a note: %q", r.SentLate.Max, r.Notes)
	}
}

// TestClosedLoopWaits: the one user of a closed loop sees a stall once.
func TestClosedLoopWaits(t *testing.T) {
	t.Parallel()
	p := simple(serving(t, stalling(10, 200*time.Millisecond)))
	p.Users, p.Duration = 1, 400*time.Millisecond
	r := prepared(t, p).Run(t.Context(), quiet)
	if r.Total.Max < 200 || r.Total.Requests < 10 || r.Loop != "closed" {
		t.Errorf("%+v", r.Total)
	}
}

// TestUsersAskAtTheSameTime: the server answers nobody before all are there.
func TestUsersAskAtTheSameTime(t *testing.T) {
	t.Parallel()
	const users = 7
	var there sync.WaitGroup
	there.Add(users)
	var first atomic.Int64
	p := simple(serving(t, func(w http.ResponseWriter, r *http.Request) {
		if first.Add(1) <= users {
			there.Done()
		}
		there.Wait()
		well(w, r)
	}))
	p.Users = users
	if r := prepared(t, p).Run(t.Context(), quiet); r.Total.Requests < users || r.Total.Failures > 0 {
		t.Errorf("%+v", r.Total)
	}
}

// TestWarmUpIsNotMeasured: of 100 requests a second, those of the first half second
// fail, and nobody hears of it.
func TestWarmUpIsNotMeasured(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	p := simple(serving(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 20 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		well(w, r)
	}))
	p.Rate, p.WarmUp, p.Duration = 100, 500*time.Millisecond, 500*time.Millisecond
	r := prepared(t, p).Run(t.Context(), quiet)
	if r.Total.Requests != 50 || r.Total.Failures != 0 || r.Total.RPS != 100 {
		t.Errorf("%+v", r.Total)
	}
	if n := asked.Load(); n != 100 {
		t.Errorf("%d requests came, of 100", n)
	}
}

// TestInterrupted: what was measured until then is reported, and nothing that was
// given up counts as a failure.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for name, rate := range map[string]float64{"open": 100, "closed": 0} {
		ctx, interrupt := context.WithCancel(t.Context())
		var asked atomic.Int64
		p := simple(serving(t, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 20 {
				interrupt()
			}
			well(w, r)
		}))
		p.Rate, p.Duration = rate, time.Hour
		r := prepared(t, p).Run(ctx, quiet)
		if !r.Interrupted || r.Total.Failures != 0 || r.Total.Requests < 10 || r.Seconds > 3000 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestWhatCannotBeSentCounts: a server that never answers keeps the one connection, and
// those who were due meanwhile are failures too.
func TestWhatCannotBeSentCounts(t *testing.T) {
	t.Parallel()
	p := simple(serving(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	p.Rate, p.Duration, p.Timeout = 100, 300*time.Millisecond, 200*time.Millisecond
	test := prepared(t, p)
	test.inFlight = 1
	r := test.Run(t.Context(), quiet)
	if r.Total.Requests != 30 || r.Total.Failures != 30 {
		t.Errorf("%d requests and %d failures, of 30", r.Total.Requests, r.Total.Failures)
	}
	if r.Total.P50 < 100 {
		t.Errorf("the median is %s ms, though nobody was answered within 200", r.Total.P50)
	}
}

// TestProgress is told while a run goes on, and makes the timeline.
func TestProgress(t *testing.T) {
	t.Parallel()
	p := simple(serving(t, well))
	p.Rate, p.Duration = 50, 2200*time.Millisecond
	var told []Progress
	r := prepared(t, p).Run(t.Context(), func(p Progress) { told = append(told, p) })
	if len(told) < 2 || told[0].Rate < 25 || told[0].Requests == 0 || told[0].Of != p.Duration || len(r.Timeline) != len(told) {
		t.Errorf("told %+v, timeline %+v", told, r.Timeline)
	}
}

func TestPlansThatNobodyCanCarryOut(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Plan){
		"no address":            func(p *Plan) { p.Target = "crownsafe" },
		"another scheme":        func(p *Plan) { p.Target = "ftp://127.0.0.1" },
		"a password":            func(p *Plan) { p.Target = "http://a:b@127.0.0.1" },
		"nobody":                func(p *Plan) { p.Users = 0 },
		"too many":              func(p *Plan) { p.Users = mostUsers + 1 },
		"a negative rate":       func(p *Plan) { p.Rate = -1 },
		"no time":               func(p *Plan) { p.Duration = 0 },
		"an unknown endpoint":   func(p *Plan) { p.Without = []string{"helth"} },
		"nothing left":          func(p *Plan) { p.Without = []string{"health"} },
		"operators, no token":   func(p *Plan) { p.Only = []string{"dashboard"} },
		"no patience":           func(p *Plan) { p.Timeout = 0 },
		"a warm-up before time": func(p *Plan) { p.WarmUp = -1 },
	} {
		p := simple("http://127.0.0.1:1")
		spoil(&p)
		if _, err := Prepare(t.Context(), p); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPacer never comes too early, and at once when it is interrupted.
func TestPacer(t *testing.T) {
	t.Parallel()
	pace := newPacer()
	defer pace.close()
	for _, wait := range []time.Duration{0, 300 * time.Microsecond, 5 * time.Millisecond} {
		at := time.Now().Add(wait)
		if !pace.until(t.Context(), at) || time.Now().Before(at) {
			t.Errorf("came too early for %s", wait)
		}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if pace.until(ctx, time.Now().Add(time.Hour)) {
		t.Error("waited though it was interrupted")
	}
}
