package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAsk_countsWhatFailsAndGoesOn(t *testing.T) {
	t.Parallel()
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var served atomic.Int64
	address := play(t, func() {
		if served.Add(1) == 2000 {
			enough()
		}
	})
	var given atomic.Int64
	got := ask(ctx, address, numbered(func(n uint64) question {
		given.Add(1)
		if n%100 == 0 {
			return question{get("/fail"), expectation{}}
		}
		return question{get("/ok"), expectation{begins: []byte("ok"), length: 2}}
	}))
	asked := int(given.Load())
	if want := (asked + 99) / 100; got.failures != want || got.requests != asked || len(got.latencies) != asked {
		t.Errorf("%d of %d requests failed (%d latencies), want %d of %d; the first: %v", got.failures, got.requests, len(got.latencies), want, asked, got.first)
	}
	if got.first == nil || !strings.Contains(got.first.Error(), "500") {
		t.Errorf("the first failure is %v", got.first)
	}
}

func TestAsk_givesUpOnAServerThatIsGone(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	address := s.Listener.Addr().String()
	s.Close()
	if got := ask(t.Context(), address, inTurn([]question{{get("/"), expectation{}}})); got.failures != connections*mostFailures || got.requests != 0 {
		t.Errorf("%d failures in %d requests, want %d in none", got.failures, got.requests, connections*mostFailures)
	}
}

func TestQuestions_noNumberComesTwice(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[uint64]bool{}
	next := numbered(func(n uint64) question {
		mu.Lock()
		defer mu.Unlock()
		if seen[n] {
			t.Errorf("number %d twice", n)
		}
		seen[n] = true
		return question{}
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				next()
			}
		})
	}
	wg.Wait()
	if len(seen) != 800 {
		t.Errorf("%d numbers, want 800", len(seen))
	}
}

func own(t *testing.T, address string) *server {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("old lines"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &server{cmd: &exec.Cmd{Process: self, Path: "test"}, address: address, log: log}
}

func TestCompare_asksBothTheSame(t *testing.T) {
	t.Parallel()
	var bare, ours atomic.Int64
	b := own(t, play(t, func() { bare.Add(1) }))
	o := own(t, play(t, func() { ours.Add(1) }))
	s := settings{rounds: 3, round: 400 * time.Millisecond} // long enough for a busy machine to answer in
	ratio, bc, oc, err := compare(t.Context(), s, b, o, inTurn([]question{{get("/x"), expectation{length: 1}}}))
	if err != nil {
		t.Fatal(err)
	}
	if ratio <= 0 || len(bc.rates) != s.rounds || len(oc.rates) != s.rounds {
		t.Errorf("ratio %g of %v by %v", ratio, oc.rates, bc.rates)
	}
	if bc.total.requests == 0 || int64(bc.total.requests) > bare.Load() || oc.total.requests == 0 || int64(oc.total.requests) > ours.Load() {
		t.Errorf("%d and %d requests counted, %d and %d served", bc.total.requests, oc.total.requests, bare.Load(), ours.Load())
	}
	if text, err := os.ReadFile(o.log); err != nil || len(text) != 0 {
		t.Errorf("the log holds %q, %v", text, err)
	}
}

func TestCompare_aFailedRequestIsNoResult(t *testing.T) {
	t.Parallel()
	b, o := own(t, play(t, nil)), own(t, play(t, nil))
	_, _, _, err := compare(t.Context(), settings{rounds: 1, round: 20 * time.Millisecond}, b, o, inTurn([]question{{get("/fail"), expectation{}}}))
	if err == nil || !strings.Contains(err.Error(), "status 500") {
		t.Errorf("error %v, want the status", err)
	}
}
