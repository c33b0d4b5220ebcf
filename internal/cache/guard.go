package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

const (
	// probeFirst and probeMost bound the time between two probes of a store that
	// doesn't answer; it doubles from one to the other.
	probeFirst = 100 * time.Millisecond
	probeMost  = time.Second
	// patience is how long a probe waits, who has nobody waiting for it: long enough
	// for a new connection over TLS and for a store that is slow.
	patience = 2 * time.Second
)

// guard stands before a store in another process. It gives up on the store after
// a short time, and after the first time that it had to it keeps away from it
// until a probe of its own was answered in time: so a store that is slow or gone
// costs a request that short time once and the others nothing.
//
// What the store couldn't be told to forget is kept and told as soon as it can
// be. Until then nothing is read from it, whatever the breaker says: it would be
// out of date.
type guard struct {
	store   Store
	timeout time.Duration
	breaker circuitbreaker.CircuitBreaker[any]
	owed    owed // invalidations that the store hasn't heard of
	wake    chan struct{}
	logger  *slog.Logger

	failures, refusals, openings atomic.Int64
	fault                        atomic.Pointer[error] // the last one
}

func newGuard(store Store, timeout time.Duration, logger *slog.Logger) *guard {
	g := &guard{store: store, timeout: timeout, wake: make(chan struct{}, 1), logger: logger}
	g.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(1).
		WithSuccessThreshold(1).
		WithDelay(MaxTTL). // it is the probe that closes it, never a request that tries its luck
		OnOpen(func(circuitbreaker.StateChangedEvent) { g.openings.Add(1) }).
		Build()
	return g
}

// usable reports whether the store can be read.
func (g *guard) usable() bool { return g.breaker.IsClosed() && g.owed.none() }

// state names the breaker's state for people.
func (g *guard) state() string {
	switch {
	case g.usable():
		return "closed"
	case g.breaker.IsHalfOpen():
		return "half-open"
	}
	return "open"
}

// get looks for a value; where the store is of no use now it finds nothing and
// claims nothing.
func (g *guard) get(ctx context.Context, key Key) (Answer, error) {
	var answer Answer
	err := g.try(ctx, func(ctx context.Context) (err error) {
		answer, err = g.store.Get(ctx, key)
		return err
	})
	return answer, err
}

// set stores a value, or doesn't.
func (g *guard) set(ctx context.Context, key Key, value []byte, ttl time.Duration, claim Claim) error {
	if len(claim) == 0 {
		return nil
	}
	return g.try(ctx, func(ctx context.Context) error { return g.store.Set(ctx, key, value, ttl, claim) })
}

// try asks the store, if it can be asked, and learns from what becomes of it.
func (g *guard) try(ctx context.Context, ask func(context.Context) error) error {
	if !g.usable() {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	err := ask(limited)
	if ctx.Err() == nil { // whoever goes away himself says nothing about the store
		g.learn(err)
	}
	return err
}

// ping asks whether the store answers, usable or not. Where it doesn't, requests need
// not find that out at their own cost.
func (g *guard) ping(ctx context.Context) error {
	err := g.store.Ping(ctx)
	if !errors.Is(ctx.Err(), context.Canceled) { // as above; who lost his patience does say something
		g.learn(err)
	}
	return err
}

func (g *guard) learn(err error) {
	if err == nil {
		return
	}
	g.fault.Store(&err)
	if errors.Is(err, ErrRefused) {
		g.refusals.Add(1)
		return
	}
	g.failures.Add(1)
	g.breaker.RecordFailure()
	g.rouse()
}

// invalidate tells the store what to forget, now or later: an end of ctx doesn't
// undo what happened.
func (g *guard) invalidate(ctx context.Context, marks []Mark) error {
	if !g.usable() {
		g.owed.add(marks)
		g.rouse()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.timeout)
	defer cancel()
	err := g.store.Invalidate(ctx, marks...)
	if err != nil {
		g.owed.add(marks)
		g.rouse()
	}
	g.learn(err)
	return err
}

// rouse wakes the prober.
func (g *guard) rouse() {
	select {
	case g.wake <- struct{}{}:
	default: // it is awake already
	}
}

// probe waits until the store is of no use and asks it until it is again, and so
// on until ctx ends.
func (g *guard) probe(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		}
		if !g.usable() {
			g.recover(ctx)
		}
	}
}

func (g *guard) recover(ctx context.Context) {
	since, log := time.Now(), g.logger.With("backend", g.store.Backend())
	log.Warn("going on without the cache's store", "error", g.lastFault())
	for wait := probeFirst; !g.usable(); wait = min(2*wait, probeMost) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		g.tryAgain(ctx)
	}
	log.Info("the cache's store is in use again", "after", time.Since(since).Round(time.Millisecond).String())
}

func (g *guard) lastFault() error {
	if fault := g.fault.Load(); fault != nil {
		return *fault
	}
	return nil
}

// tryAgain pays what is owed to the store and closes the breaker if the store
// answers within the time that requests have.
func (g *guard) tryAgain(ctx context.Context) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if g.store.Ping(patient) != nil || g.pay(patient) != nil {
		return
	}
	quick, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if g.store.Ping(quick) == nil {
		g.breaker.HalfOpen()
		g.breaker.RecordSuccess()
	}
}

func (g *guard) pay(ctx context.Context) error {
	due := g.owed.due()
	if len(due) == 0 {
		return nil
	}
	if err := g.store.Invalidate(ctx, marksOf(due)...); err != nil {
		return err
	}
	g.owed.settle(due)
	return nil
}
