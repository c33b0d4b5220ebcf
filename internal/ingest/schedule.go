package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/store"
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
	// storeRetry is the pause after a poll that the store didn't let begin or end:
	// the agency isn't asked meanwhile, and it is no fault of the agency's.
	storeRetry = 30 * time.Second
	// asidePause is the pause while another process is at work on the agency. With
	// a lease's time it makes up how long the agency waits when that process dies.
	asidePause = 7500 * time.Millisecond
)

func (r *Runner) pollForever(ctx context.Context, a agency.Agency, firstDelay time.Duration, polled func()) {
	d := a.Describe()
	s := scheduled{runner: r, agency: d}
	wait := r.untilDue(ctx, d) + firstDelay
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		// Another process may have been here meanwhile: what it did counts.
		if wait = r.untilDue(ctx, d); wait > d.Interval/jitterShare {
			continue
		}
		if wait = r.untilRetry(ctx, d); wait > 0 && !first {
			continue
		}
		run, err := r.Poll(ctx, a, nil)
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return
		}
		wait = s.next(run, err)
		if polled != nil && !errors.Is(err, ErrElsewhere) {
			polled()
		}
	}
}

// scheduled is one agency in the schedule.
type scheduled struct {
	runner   *Runner
	agency   agency.Description
	failures int   // in a row, of the agency
	outage   error // of the store, which was logged; nil: there is none
}

// next tells the log what came of a poll, and returns how long to wait.
func (s *scheduled) next(run store.Run, err error) time.Duration {
	d, logger := s.agency, s.runner.Logger
	before := s.outage
	s.outage = nil
	switch {
	case errors.Is(err, ErrElsewhere), errors.Is(err, ErrLeaseLost):
		logger.Debug("stepping aside: another process polls the agency", "agency", d.Code, "reason", err)
		return asidePause + time.Duration((rand.Float64()-0.5)*float64(5*time.Second))
	case isOutage(err) && run.ID == 0: // nothing was asked of the agency yet
		if s.outage = err; before == nil {
			logger.Warn("no poll while the store can't be used", "agency", d.Code, "error", err)
		}
		return jittered(storeRetry)
	case err != nil:
		s.failures++
		wait := jittered(min(firstRetry<<min(s.failures-1, 10), d.Interval))
		if errors.Is(err, ErrGuarded) {
			wait = jittered(d.Interval) // it would be the same dump
		}
		logger.Warn("poll failed", "agency", d.Code, "error", err, "read", run.Read, "next_in", wait.Round(time.Second).String())
		return wait
	}
	s.failures = 0
	wait := jittered(d.Interval)
	logger.Info("polled", "agency", d.Code, "read", run.Read, "added", run.Added, "revised", run.Revised,
		"unchanged", run.Unchanged, "rejected", run.Rejected, "next_in", wait.Round(time.Second).String())
	return wait
}

// isOutage tells a store that can't be used now from an agency that can't.
func isOutage(err error) bool {
	for _, sentinel := range []error{store.ErrUnavailable, store.ErrNotMigrated, store.ErrBusy, store.ErrReadOnly, store.ErrFull} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// untilDue is how long the agency's interval has still to run since its last
// success, so that neither restarts nor other processes poll again and again.
func (r *Runner) untilDue(ctx context.Context, d agency.Description) time.Duration {
	record, err := r.record(ctx, d.Code)
	if err != nil || record.LastSuccess.IsZero() {
		return 0
	}
	return max(0, record.LastSuccess.Add(d.Interval).Sub(r.Now()))
}

// untilRetry is how long the agency is to be left alone after a poll that failed,
// whichever process's it was.
func (r *Runner) untilRetry(ctx context.Context, d agency.Description) time.Duration {
	record, err := r.record(ctx, d.Code)
	if err != nil || record.LastPoll == nil || record.LastPoll.State == store.RunDone {
		return 0
	}
	return max(0, record.LastPoll.FinishedAt.Add(firstRetry-firstRetry/jitterShare).Sub(r.Now()))
}

// jitterShare: one in so many of a pause is how much it may be shorter or longer.
const jitterShare = 10

// jittered spreads polls by a tenth either way, so that many processes that
// started together don't ask together.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)*2/jitterShare*float64(d))
}
