package traffic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func TestSummaryAndRates(t *testing.T) {
	t.Parallel()
	var r Recorder
	answered := func(before time.Duration, status, times int) {
		for range times {
			r.Answered(Answer{At: noon.Add(-before), Took: time.Millisecond, Status: status})
		}
	}
	answered(0, 200, 50)              // this second isn't over
	answered(time.Second, 200, 30)    // the last whole one
	answered(time.Minute, 404, 20)    // the first of the last minute
	answered(61*time.Second, 500, 10) // before it
	got := r.Summary(noon, time.Minute)
	if diff := cmp.Diff(Summary{Requests: 50, Refused: 20, PerSecond: 50.0 / 60, P50: 1024 * time.Microsecond, P95: 1024 * time.Microsecond, P99: 1024 * time.Microsecond}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []Point{{Requests: 1, Failing: 1}, {Requests: 2, Refused: 2}, {}, {}, {}, {}, {Requests: 3}}
	if diff := cmp.Diff(want, r.Rates(noon, 70*time.Second, 10*time.Second)); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
}

func TestWhatIsTenMinutesOldIsForgotten(t *testing.T) {
	t.Parallel()
	var r Recorder
	for i := range 2 * int(seconds) {
		r.Answered(Answer{At: noon.Add(time.Duration(i) * time.Second), Status: 200})
	}
	end := noon.Add(time.Duration(2*seconds) * time.Second)
	if got := r.Summary(end, time.Hour).Requests; got != seconds-1 {
		t.Errorf("%d requests are remembered, want %d", got, seconds-1)
	}
	if got := r.Summary(end.Add(time.Hour), Kept).Requests; got != 0 {
		t.Errorf("an hour later %d requests are remembered", got)
	}
}

func TestNoRequestIsLost(t *testing.T) {
	t.Parallel()
	var r Recorder
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 1000 {
				r.Answered(Answer{At: noon.Add(time.Duration(j/10) * time.Second), Took: time.Duration(i) * time.Millisecond, Status: 200})
			}
		})
	}
	all.Wait()
	if got := r.Summary(noon.Add(100*time.Second), 100*time.Second).Requests; got != 8000 {
		t.Errorf("%d of 8000 requests were counted", got)
	}
}

func TestSpansHoldTheirDurations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(0, 200e6).Draw(t, "microseconds")
		d := time.Duration(us) * time.Microsecond
		span := spanOf(d)
		if end := spanEnd(span); d >= end {
			t.Errorf("%s is in a span that ends at %s", d, end)
		} else if us >= perDoubling && 5*(end-d) > end {
			t.Errorf("%s is told as %s", d, end)
		}
		if span > 0 && spanEnd(span-1) > d {
			t.Errorf("%s isn't in the first span that it fits in", d)
		}
	})
	if spanOf(time.Hour) != spans-1 || spanOf(-time.Second) != 0 {
		t.Error("durations out of range are lost")
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var r Recorder
	for i := range 100 {
		took := time.Millisecond
		if i >= 98 {
			took = time.Second
		}
		r.Answered(Answer{At: noon, Took: took, Status: 200})
	}
	got := r.Summary(noon.Add(time.Second), time.Minute)
	if got.P50 > 2*time.Millisecond || got.P95 > 2*time.Millisecond || got.P99 < time.Second || got.P99 > 1300*time.Millisecond {
		t.Errorf("%+v", got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var r Recorder
	if got := r.Faults(10); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	var log bytes.Buffer
	logger := slog.New(r.Logged(slog.NewTextHandler(&log, nil), "trace_id"))
	r.Answered(Answer{At: noon, Status: 503, Route: "GET /a/{id}", Code: "unavailable", TraceID: "t1"})
	r.Answered(Answer{At: noon, Status: 404, Route: "GET /b"})
	logger.Error(AccessMessage, "status", 503, "trace_id", "t1") // counted already
	logger.With("trace_id", "t2").WithGroup("more").Error("the database fails", "error", errors.New("user hunter2"))
	logger.Error("another fault", "trace_id", "t3")
	logger.Warn("no fault")
	got := r.Faults(10)
	for i := range got {
		if got[i].At.IsZero() {
			t.Errorf("%+v has no time", got[i])
		}
		got[i].At = time.Time{}
	}
	want := []Fault{
		{Message: "another fault", TraceID: "t3"}, {Message: "the database fails", TraceID: "t2"},
		{Status: 503, Route: "GET /a/{id}", Code: "unavailable", TraceID: "t1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 4 || !strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log itself has %d lines: %s", lines, &log)
	}
	for i := range 3 * keptFaults {
		r.note(Fault{Message: fmt.Sprint(i)})
	}
	if got := r.Faults(1000); len(got) != keptFaults || got[0].Message != fmt.Sprint(3*keptFaults-1) || got[keptFaults-1].Message != fmt.Sprint(2*keptFaults) {
		t.Errorf("%d faults are kept, from %s to %s", len(got), got[len(got)-1].Message, got[0].Message)
	}
	if got := r.Faults(1); len(got) != 1 {
		t.Errorf("%d faults instead of 1", len(got))
	}
	if !logger.Handler().Enabled(context.Background(), slog.LevelInfo) || logger.Handler().Enabled(context.Background(), slog.LevelDebug) {
		t.Error("the handler's level isn't that of the one behind it")
	}
}

func BenchmarkAnswered(b *testing.B) {
	var r Recorder
	a := Answer{At: time.Now(), Took: 3 * time.Microsecond, Status: 200, Route: "GET /api/v1/barcode/{code}"}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r.Answered(a)
		}
	})
}

// TestAClockSetBack: what is counted then isn't of a second to come.
func TestAClockSetBack(t *testing.T) {
	t.Parallel()
	var r Recorder
	r.Answered(Answer{At: noon.Add(Kept), Status: 200})
	r.Answered(Answer{At: noon, Status: 200})
	r.Answered(Answer{At: noon, Status: 200})
	if got := r.Summary(noon.Add(time.Second), time.Minute).Requests; got != 2 {
		t.Errorf("%d requests of the present are remembered, want 2", got)
	}
	if got := r.Summary(noon.Add(Kept+time.Second), time.Second).Requests; got != 0 {
		t.Errorf("%d requests are of the future", got)
	}
}
