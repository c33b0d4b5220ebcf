package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

// The goals of a soak: by how much the fitted line may rise over the time that is
// judged, as a share of its middle.
const (
	goalMemoryGrowth    = 0.10
	goalGoroutineGrowth = 0.05
	soakRate            = 500 // requests a second
	looksDuringSoak     = 120
)

// gauge is something that must not grow while the load stays the same.
type gauge struct {
	name  string
	goal  float64
	words func(float64) string
	read  func(*stack, samples) (float64, error)
}

var gauges = []gauge{
	{"resident memory", goalMemoryGrowth, inMegabytes, func(st *stack, _ samples) (float64, error) {
		now, _, err := st.resident()
		return float64(now), err
	}},
	{"heap", goalMemoryGrowth, inMegabytes, sampled("go_memstats_heap_alloc_bytes")},
	{"goroutines", goalGoroutineGrowth, count, sampled("go_goroutines")},
	{"open files", goalGoroutineGrowth, count, sampled("process_open_fds")},
}

func inMegabytes(n float64) string { return fmt.Sprintf("%.1f MiB", n/megabyte) }

func sampled(name string) func(*stack, samples) (float64, error) {
	return func(_ *stack, s samples) (float64, error) {
		value, ok := s[name]
		if !ok {
			return 0, fmt.Errorf("the metrics have no %s", name)
		}
		return value, nil
	}
}

// soaking loads the whole stack for a time, always with the same rate, and judges by
// lines through what was seen whether anything grows.
func (r *run) soaking(ctx context.Context, d time.Duration) error {
	return r.runStack(ctx, "soak", func(st *stack) error { return r.soak(ctx, st, d) })
}

func (r *run) soak(ctx context.Context, st *stack, d time.Duration) error {
	r.sayf("loading with %d requests/s for %s", soakRate, d)
	type result struct {
		report *loaded
		err    error
	}
	ended := make(chan result, 1)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		report, err := st.load(asking, "--rate", fmt.Sprint(soakRate), "--duration", d.String())
		ended <- result{report, err}
	}()
	seen := make([][]float64, len(gauges))
	clock := time.NewTicker(max(d/looksDuringSoak, 100*time.Millisecond))
	defer clock.Stop()
	for {
		select {
		case end := <-ended:
			if end.err != nil {
				return end.err
			}
			r.soaked(end.report)
			return r.judgeSoak(seen)
		case <-clock.C:
		}
		scraped, err := st.metrics(ctx)
		if err != nil {
			return err
		}
		for i, g := range gauges {
			value, err := g.read(st, scraped)
			if err != nil {
				return err
			}
			seen[i] = append(seen[i], value)
		}
	}
}

// soaked makes the row of the requests.
func (r *run) soaked(report *loaded) {
	good := met
	if report.Total.Failures > 0 {
		good = missedGoal
	}
	r.row(fmt.Sprintf("%s requests at %d/s", humanize.Comma(report.Total.Requests), soakRate),
		fmt.Sprintf("p50 %s, p99 %s, at most %s ms; %s", report.Total.P50, report.Total.P99, report.Total.Max, failuresOf(report)), "none failed", good)
}

// judgeSoak makes a row of each gauge. The first quarter is left out: caches fill, and
// the heap finds its size.
func (r *run) judgeSoak(seen [][]float64) error {
	for i, g := range gauges {
		values := seen[i][len(seen[i])/4:]
		if len(values) < 10 {
			return fmt.Errorf("%d looks at the %s are too few to judge by", len(values), g.name)
		}
		growth := trend(values) * float64(len(values)-1)
		middle := median(values)
		r.row(fmt.Sprintf("%s over the last three quarters, by the line through %d looks", g.name, len(values)),
			fmt.Sprintf("%+.1f %% (%s at the beginning, median %s, %s at the end)", 100*growth/middle, g.words(values[0]), g.words(middle), g.words(values[len(values)-1])),
			fmt.Sprintf("≤ %+.0f %%", 100*g.goal), atMost(growth/middle, g.goal))
	}
	return nil
}

// trend is by how much values grow from one to the next: the median of the slopes
// between any two (Theil and Sen), which no single peak moves.
func trend(values []float64) float64 {
	var slopes []float64
	for i, from := range values {
		for j := i + 1; j < len(values); j++ {
			slopes = append(slopes, (values[j]-from)/float64(j-i))
		}
	}
	slices.Sort(slopes)
	if len(slopes) == 0 {
		return 0
	}
	return slopes[len(slopes)/2]
}
