package ratelimit

import (
	"context"
	"time"
)

const (
	// probeFirst and probeMost bound the time between two probes of a shared source
	// that doesn't answer; it doubles from one to the other.
	probeFirst = 100 * time.Millisecond
	probeMost  = time.Second
	// patience is how long what nobody waits for may take.
	patience = 2 * time.Second
)

// fail keeps away from the shared source until a probe was answered in time.
func (l *Limiter) fail(err error) {
	if l.down.CompareAndSwap(false, true) {
		l.options.Logger.Warn("limiting without the source that is shared: lookups are open, sign-ins are limited in each process", "error", err)
		l.probe <- struct{}{} // empty: there was no failure since the last recovery
	}
}

// recover waits until the shared source is given up and probes it until it answers,
// and so on until ctx ends.
func (l *Limiter) recover(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.probe:
		}
		since := time.Now()
		for wait := probeFirst; l.down.Load(); wait = min(2*wait, probeMost) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			if l.answers(ctx) {
				l.down.Store(false)
			}
		}
		l.options.Logger.Info("the source of limits is shared again", "after", time.Since(since).Round(time.Millisecond).String())
	}
}

// answers reports whether the shared source answers within the time that requests
// have. The first question may take longer: it may need a new connection.
func (l *Limiter) answers(ctx context.Context) bool {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if l.far.Ping(patient) != nil {
		return false
	}
	quick, cancel := context.WithTimeout(ctx, l.options.Timeout)
	defer cancel()
	return l.far.Ping(quick) == nil
}

// Shared reports whether limits are held over all processes at the moment; false
// too where each has its own.
func (l *Limiter) Shared() bool { return l.far != nil && !l.down.Load() }
