package loadtest

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// mostInFlight is how many requests of the open loop may wait for answers at once.
// Further ones are sent when one of these has ended, and their time goes on.
const mostInFlight = 10_000

// lookEvery is how often progress is told, and how far apart the timeline's moments are.
const lookEvery = time.Second

// Progress is how far a run has come.
type Progress struct {
	// WarmingUp: nothing is being measured yet.
	WarmingUp bool
	// Elapsed is since the measurement began, of the plan's duration.
	Elapsed, Of time.Duration
	// Rate is requests a second since the last time, and so are the percentiles.
	Rate          float64
	P50, P95, P99 Figure
	// Requests and Failures are of all that was measured, Limited the failures among
	// them that the target's limits made.
	Requests, Failures, Limited int64
}

// Run carries the plan out and tells once a second how far it has come. When ctx
// ends before, the report is of what was measured until then, and Interrupted.
func (t *Test) Run(ctx context.Context, progress func(Progress)) *Report {
	defer t.client.CloseIdleConnections()
	before := t.cacheCounts(ctx)
	began := time.Now()
	records := newRecords(len(t.endpoints), began.Add(t.plan.WarmUp), began.Add(t.plan.WarmUp+t.plan.Duration))
	told := make(chan struct{})
	asking, done := context.WithCancel(ctx)
	go func() { defer close(told); t.tell(asking, records, progress) }()
	if t.plan.Rate > 0 {
		t.open(ctx, began, records)
	} else {
		t.closed(ctx, records)
	}
	ended := time.Now()
	done()
	<-told
	interrupted, measured := ctx.Err() != nil, t.plan.Duration
	if interrupted && ended.Before(records.end) {
		measured = max(0, ended.Sub(records.begin))
	}
	report := t.report(records, began, measured)
	report.Interrupted = interrupted
	report.Cache = t.cacheCounts(ctx).since(before)
	return report
}

// tell looks once a second until all is done.
func (t *Test) tell(ctx context.Context, r *records, progress func(Progress)) {
	clock := time.NewTicker(lookEvery)
	defer clock.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		}
		now := time.Now()
		p := r.look(now, now.Sub(last))
		p.WarmingUp, p.Elapsed, p.Of = now.Before(r.begin), max(0, min(now.Sub(r.begin), t.plan.Duration)), t.plan.Duration
		last = now
		progress(p)
	}
}

// do sends one request and records it. What is given up because the run was
// interrupted is nobody's failure.
func (t *Test) do(ctx context.Context, records *records, endpoint int, r *request, due, sent time.Time, scratch []byte) {
	failed := t.send(ctx, r, scratch)
	if failed != nil && ctx.Err() != nil {
		return
	}
	records.add(&result{endpoint: endpoint, due: due, late: sent.Sub(due), took: time.Since(due), failed: failed})
}

// scratchSize is what an asker reads answers into.
const scratchSize = 16 << 10

// closed lets users ask, each for one thing after the other, until the end.
func (t *Test) closed(ctx context.Context, records *records) {
	var users sync.WaitGroup
	for i := range t.plan.Users {
		users.Go(func() {
			choice, scratch := t.picker(uint64(i)), make([]byte, scratchSize)
			for ctx.Err() == nil {
				sent := time.Now()
				if !sent.Before(records.end) {
					return
				}
				endpoint, r := choice.next()
				t.do(ctx, records, endpoint, r, sent, sent, scratch)
			}
		})
	}
	users.Wait()
}

// arrival is a request that is due.
type arrival struct {
	endpoint int
	request  *request
	due      time.Time
}

// open sends requests when they are due, each by whoever is free or else by a
// newcomer, and waits for the last answers.
func (t *Test) open(ctx context.Context, began time.Time, records *records) {
	var askers sync.WaitGroup
	arrivals := make(chan arrival)
	defer askers.Wait()
	defer close(arrivals)
	ask := func() {
		scratch := make([]byte, scratchSize)
		for a := range arrivals {
			t.do(ctx, records, a.endpoint, a.request, a.due, time.Now(), scratch)
		}
	}
	pace := newPacer()
	defer pace.close()
	choice, waiting := t.picker(0), 0
	gap := float64(time.Second) / t.plan.Rate
	// Who can't be sent for so long after the end never will be.
	givenUp := time.NewTimer(time.Until(records.end) + t.plan.Timeout)
	defer givenUp.Stop()
	for n := 0; ; n++ {
		due := began.Add(time.Duration(float64(n) * gap))
		if !due.Before(records.end) || !pace.until(ctx, due) {
			return
		}
		a := arrival{due: due}
		a.endpoint, a.request = choice.next()
		select {
		case arrivals <- a:
			continue
		default:
		}
		if waiting < t.inFlight {
			waiting++
			askers.Go(ask)
		}
		select {
		case arrivals <- a:
		case <-ctx.Done():
			return
		case <-givenUp.C:
			t.giveUp(records, choice, n, began, gap)
			return
		}
	}
}

// giveUp records what was due and could not be sent.
func (t *Test) giveUp(records *records, choice *picker, n int, began time.Time, gap float64) {
	for ; ; n++ {
		due := began.Add(time.Duration(float64(n) * gap))
		if !due.Before(records.end) {
			return
		}
		endpoint, _ := choice.next()
		records.add(&result{endpoint: endpoint, due: due, late: time.Since(due), took: time.Since(due), failed: &Cause{0, causeUnsent}})
	}
}

// String says in a line what a plan does.
func (p *Plan) String() string {
	if p.Rate > 0 {
		return fmt.Sprintf("%g requests/s for %s after %s of warming up", p.Rate, p.Duration, p.WarmUp)
	}
	return fmt.Sprintf("%d users for %s after %s of warming up", p.Users, p.Duration, p.WarmUp)
}
