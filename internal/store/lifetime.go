package store

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that the store was closed, by this process.
var ErrClosed = errors.New("the store is closed")

// Lifetime is how long an adapter's store is open: calls that last, such as
// Watch, end with it.
type Lifetime struct {
	lock  sync.Mutex // held to begin a use and to end them all
	ended context.Context
	end   context.CancelFunc
	uses  sync.WaitGroup
}

// NewLifetime begins one.
func NewLifetime() *Lifetime {
	l := &Lifetime{}
	l.ended, l.end = context.WithCancel(context.Background())
	return l
}

// Use begins a use of the store. Its context ends with ctx or with the lifetime;
// done is called at its end. ErrClosed when the lifetime is over.
func (l *Lifetime) Use(ctx context.Context) (use context.Context, done func(), err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.ended.Err() != nil {
		return nil, nil, ErrClosed
	}
	l.uses.Add(1)
	use, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ended, cancel)
	return use, func() {
		stop()
		cancel()
		l.uses.Done()
	}, nil
}

// Because returns why a use ended: ctx, which it was begun with, or ErrClosed.
func (l *Lifetime) Because(ctx context.Context) error {
	if ctx.Err() == nil && l.ended.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// End ends every use and waits for them. It may be called again.
func (l *Lifetime) End() {
	l.lock.Lock()
	l.end()
	l.lock.Unlock()
	l.uses.Wait()
}
