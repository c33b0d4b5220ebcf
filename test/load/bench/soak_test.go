package main

import (
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestSoakFindsLeaks: what grows is found whatever the noise, and what doesn't is not.
func TestSoakFindsLeaks(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	series := func(start, growth, noise float64, peak bool) (list []float64) {
		for i := range looksDuringSoak {
			list = append(list, start*(1+growth*float64(i)/looksDuringSoak)+noise*start*(random.Float64()-0.5))
		}
		if peak {
			list[looksDuringSoak-2] *= 3
		}
		return list
	}
	flat := series(100<<20, 0, 0.4, true) // a collector's saw, and one peak at the end
	for name, c := range map[string]struct {
		gauge  int
		values []float64
		want   outcome
	}{
		"flat memory":         {0, flat, met},
		"memory that leaks":   {0, series(100<<20, 0.3, 0.4, false), missedGoal},
		"memory that shrinks": {0, series(100<<20, -0.5, 0.1, false), met},
		"flat goroutines":     {2, series(300, 0, 0.05, true), met},
		"goroutines leak":     {2, series(300, 0.2, 0.05, false), missedGoal},
	} {
		r := &run{progress: io.Discard}
		seen := make([][]float64, len(gauges))
		for i := range seen {
			seen[i] = flat
		}
		seen[c.gauge] = c.values
		if err := r.judgeSoak(seen); err != nil {
			t.Fatal(err)
		}
		if got := r.rows[c.gauge].outcome; got != c.want {
			t.Errorf("%s: %s: %s", name, got, r.rows[c.gauge].measured)
		}
	}
	if err := (&run{progress: io.Discard}).judgeSoak([][]float64{{1, 2, 3}, nil, nil, nil}); err == nil {
		t.Error("three looks are enough to judge by")
	}
	if got := trend([]float64{1, 3, 5, 700, 9}); math.Abs(got-2) > 0.1 {
		t.Errorf("the trend is %g", got)
	}
}

func TestReadWrk(t *testing.T) {
	t.Parallel()
	const said = `Running 5s test @ http://127.0.0.1:8001
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.12ms    2.60ms  41.43ms   80.00%
    Req/Sec    10.52k     1.10k   13.02k    70.00%
  Latency Distribution
     50%    2.60ms
     75%    4.01ms
     90%    6.20ms
     99%   12.50ms
  104729 requests in 5.01s, 99.01MB read
Requests/sec:  20903.99
Transfer/sec:     19.76MB
`
	got, err := readWrk(said)
	if want := (wrkResult{rate: 20903.99, median: 2600 * time.Microsecond, p99: 12500 * time.Microsecond}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := readWrk(said + "  Non-2xx or 3xx responses: 12\n"); err != nil || !got.failed {
		t.Errorf("failures: %+v, %v", got, err)
	}
	for _, text := range []string{"", "Requests/sec: 1", "unable to connect"} {
		if _, err := readWrk(text); err == nil {
			t.Errorf("%q passes for wrk's words", text)
		}
	}
}

func TestQueryTimes(t *testing.T) {
	t.Parallel()
	read := func(text string) samples {
		t.Helper()
		s, err := readSamples(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := read("# HELP x y\nother 3\n" + `database_query_duration_seconds_bucket{operation="ping",le="0.01"} 7
database_query_duration_seconds_bucket{operation="ping",le="+Inf"} 7
`)
	after := read(`database_query_duration_seconds_bucket{operation="ping",le="0.01"} 97
database_query_duration_seconds_bucket{operation="ping",le="0.1"} 99
database_query_duration_seconds_bucket{operation="ping",le="+Inf"} 101
database_query_duration_seconds_bucket{operation="serial",le="0.01"} 6
database_query_duration_seconds_bucket{operation="serial",le="0.1"} 6
database_query_duration_seconds_bucket{operation="serial",le="+Inf"} 6
`)
	if within, n := queryTimes(before, after, 0.95); within != 10*time.Millisecond || n != 100 {
		t.Errorf("%s of %g", within, n)
	}
	if within, _ := queryTimes(before, after, 0.97); within != 100*time.Millisecond {
		t.Errorf("97 of 100 within %s", within)
	}
	if _, err := readSamples(strings.NewReader("name one")); err == nil {
		t.Error("a word passes for a value")
	}
}
