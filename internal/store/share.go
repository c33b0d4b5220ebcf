package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// How adapters ask for their Condition.
const (
	conditionReuse  = time.Second     // how long an answer is given again
	conditionWithin = 2 * time.Second // how long a question may take
)

// SharedCondition keeps Conditions' promise for an adapter: any number of askers
// share one question at a time, and its answer for a second.
type SharedCondition struct {
	ask    func(ctx context.Context) (Condition, error)
	flight singleflight.Group

	lock   sync.Mutex
	closed bool
	last   Condition
	err    error
}

// ShareCondition makes a SharedCondition of what asks the store.
func ShareCondition(ask func(ctx context.Context) (Condition, error)) *SharedCondition {
	return &SharedCondition{ask: ask}
}

// Close lets every Get fail from now on.
func (s *SharedCondition) Close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.closed = true
}

// Get returns the last answer, or asks. The end of ctx ends the waiting and not
// the question, for which others may wait too.
func (s *SharedCondition) Get(ctx context.Context) (Condition, error) {
	if c, err, ok := s.fresh(); ok {
		return c, err
	}
	answer := s.flight.DoChan("", func() (any, error) {
		if _, _, ok := s.fresh(); !ok { // somebody's question may just have ended
			s.renew(context.WithoutCancel(ctx))
		}
		return nil, nil
	})
	select {
	case <-answer:
		c, err, _ := s.fresh()
		return c, err
	case <-ctx.Done():
		return Condition{}, fmt.Errorf("asking the store how it does: %w", ctx.Err())
	}
}

// fresh returns the last answer, and whether it may be given again.
func (s *SharedCondition) fresh() (Condition, error, bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.closed {
		return Condition{}, ErrClosed, true
	}
	return s.last, s.err, !s.last.AskedAt.IsZero() && time.Since(s.last.AskedAt) < conditionReuse
}

func (s *SharedCondition) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, conditionWithin)
	defer cancel()
	c, err := s.ask(ctx)
	c.AskedAt = time.Now()
	s.lock.Lock()
	defer s.lock.Unlock()
	s.last, s.err = c, err
}
