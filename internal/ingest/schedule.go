package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Schedule polls every agency at its own interval until ctx is done. The first
// polls start within moments, spread out; an agency that was polled recently
// waits its turn. A failed poll is tried again sooner than the interval, with
// growing pauses; nothing that an agency does ends the schedule. An agency that
// is withheld is left alone.
func (r *Runner) Schedule(ctx context.Context, polled func()) {
	var wg sync.WaitGroup
	for i, a := range r.Agencies {
		if d := a.Describe(); d.Withheld != "" {
			r.Logger.Info("an agency is not polled", "agency", d.Code, "reason", d.Withheld)
			continue
		}
		wg.Go(func() { r.pollForever(ctx, a, time.Duration(i)*firstPollSpread, polled) })
	}
	wg.Wait()
}

const (
	firstPollSpread = 2 * time.Second
	firstRetry      = 5 * time.Minute
)

func (r *Runner) pollForever(ctx context.Context, a agency.Agency, firstDelay time.Duration, polled func()) {
	d := a.Describe()
	wait, failures := r.untilDue(ctx, d)+firstDelay, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		run, err := r.Poll(ctx, a, nil)
		switch {
		case errors.Is(err, context.Canceled) && ctx.Err() != nil:
			return
		case err != nil:
			failures++
			wait = jittered(min(firstRetry<<min(failures-1, 10), d.Interval))
			if errors.Is(err, ErrGuarded) {
				wait = jittered(d.Interval) // it would be the same dump
			}
			r.Logger.Warn("poll failed", "agency", d.Code, "error", err, "read", run.Read, "next_in", wait.Round(time.Second).String())
		default:
			failures = 0
			wait = jittered(d.Interval)
			r.Logger.Info("polled", "agency", d.Code, "read", run.Read, "added", run.Added, "revised", run.Revised,
				"unchanged", run.Unchanged, "rejected", run.Rejected, "next_in", wait.Round(time.Second).String())
		}
		if polled != nil {
			polled()
		}
	}
}

// untilDue is how long the agency's interval has still to run since its last
// success, so that restarts don't poll again and again.
func (r *Runner) untilDue(ctx context.Context, d agency.Description) time.Duration {
	record, err := r.record(ctx, d.Code)
	if err != nil || record.LastSuccess.IsZero() {
		return 0
	}
	return max(0, record.LastSuccess.Add(d.Interval).Sub(r.Now()))
}

// jittered spreads polls by a tenth either way, so that many processes that
// started together don't ask together.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)*0.2*float64(d))
}
