package cache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// The defaults of Options.
const (
	DefaultTimeout = 50 * time.Millisecond
	DefaultNearTTL = time.Minute
)

const (
	// deafTTL is how long the first level keeps a value while other processes'
	// invalidations may not reach it: as long as they may take otherwise.
	deafTTL = time.Second
	// jitter is the part of a lifetime that chance takes away, so that what was
	// stored together doesn't end together.
	jitter = 0.1
	// writesAtOnce bounds how many values are on their way to the second level
	// behind the answers that they were made for; of more some aren't stored.
	writesAtOnce = 16
)

// Options say how the levels work together. The zero value is good.
type Options struct {
	// Timeout is how long a request waits for the far level, all in all: for a
	// place in its pool, a connection and the answers; 0: DefaultTimeout.
	Timeout time.Duration
	// NearTTL is how long the near level keeps a value at most when there is a far
	// one: what it missed of other processes' invalidations is gone by then; 0:
	// DefaultNearTTL.
	NearTTL time.Duration
	Logger  *slog.Logger // nil: nothing is logged
}

// Cache is one level in the process, and one behind it that processes share, or
// none. It is a Store itself; For gives typed access that loads what isn't there.
//
// The far level is never waited for longer than Options.Timeout, and not at all
// from then on until it answers again. Its errors are counted and not returned.
type Cache struct {
	near    Store
	far     *guard // nil: there is none
	nearTTL time.Duration
	// hearing says that other processes' invalidations reach this one.
	hearing atomic.Bool
	flights singleflight.Group
	writes  chan struct{} // holds one for each write behind
	counts  counts
	health  health

	stop    context.CancelFunc
	working sync.WaitGroup
	closing sync.Once
}

// New makes a cache of its levels, which it closes in Close; far is nil where
// there is none. It doesn't wait for the far level, which may be down.
func New(near, far Store, opts Options) *Cache {
	ctx, stop := context.WithCancel(context.Background())
	c := &Cache{
		near: near, nearTTL: cmp.Or(opts.NearTTL, DefaultNearTTL), writes: make(chan struct{}, writesAtOnce), stop: stop,
	}
	if far == nil {
		return c
	}
	logger := cmp.Or(opts.Logger, slog.New(slog.DiscardHandler))
	c.far = newGuard(far, cmp.Or(opts.Timeout, DefaultTimeout), logger)
	c.working.Go(func() { c.far.probe(ctx) })
	if watcher, ok := far.(Watcher); ok {
		c.working.Go(func() { watcher.Watch(ctx, Events{Invalidated: c.heard, Listening: c.listening}) })
	}
	return c
}

// heard forgets what another process invalidated.
func (c *Cache) heard(marks []Mark) {
	c.counts.heard.Add(int64(len(marks)))
	c.forget(marks)
}

// listening notes whether other processes are heard. What is in the near level
// may be out of date then: nobody has told it meanwhile.
func (c *Cache) listening(now bool) {
	if !now {
		c.hearing.Store(false)
	}
	c.forget([]Mark{All})
	if now {
		c.hearing.Store(true)
	}
}

func (c *Cache) forget(marks []Mark) {
	_ = c.near.Invalidate(context.Background(), marks...) // what is in the process can't fail
}

// Get is Store's: from the near level, or else from the far one.
func (c *Cache) Get(ctx context.Context, key Key) (Answer, error) {
	answer, err := c.near.Get(ctx, key)
	if err != nil || answer.Found {
		return answer, err
	}
	answer, _, err = c.behind(ctx, key, answer.Claim)
	return answer, err
}

// behind looks for a value that the near level hasn't, and keeps it there. The
// claim is that of both levels, the near one's first. A fault of the far level is
// told to be counted; the error is the end of ctx only.
func (c *Cache) behind(ctx context.Context, key Key, near Claim) (answer Answer, fault, err error) {
	if c.far == nil {
		return Answer{Claim: near}, nil, nil
	}
	answer, fault = c.far.get(ctx, key)
	if err := ctx.Err(); err != nil {
		return Answer{}, nil, err
	}
	if fault != nil || !answer.Found {
		return Answer{Claim: append(near[:len(near):len(near)], answer.Claim...)}, fault, nil
	}
	return answer, nil, c.keepNear(ctx, key, answer.Value, answer.TTL, near)
}

func (c *Cache) keepNear(ctx context.Context, key Key, value []byte, ttl time.Duration, claim Claim) error {
	switch {
	case c.far == nil:
	case c.hearing.Load():
		ttl = min(ttl, c.nearTTL)
	default:
		ttl = min(ttl, deafTTL)
	}
	return c.near.Set(ctx, key, value, ttl, claim)
}

// Set is Store's: in both levels before it returns.
func (c *Cache) Set(ctx context.Context, key Key, value []byte, ttl time.Duration, claim Claim) error {
	near, far := split(key, claim)
	if err := c.keepNear(ctx, key, value, ttl, near); err != nil {
		return err
	}
	_ = c.setFar(ctx, key, value, ttl, far) // the near level has it
	return ctx.Err()
}

func (c *Cache) setFar(ctx context.Context, key Key, value []byte, ttl time.Duration, claim Claim) error {
	if c.far == nil {
		return nil
	}
	return c.far.set(ctx, key, value, ttl, claim)
}

// split takes a claim apart into those of the levels.
func split(key Key, claim Claim) (near, far Claim) {
	n := min(len(key.Tags)+2, len(claim))
	return claim[:n], claim[n:]
}

// Invalidate is Store's: it holds for this process when it returns, and for every
// other within a second if the far level answers, or soon after it does again; if
// this process ends before that, others find out when what they have ends. An end
// of ctx doesn't undo what happened: it is never an error.
func (c *Cache) Invalidate(ctx context.Context, marks ...Mark) error {
	if len(marks) == 0 {
		return nil
	}
	c.counts.invalidations.Add(int64(len(marks)))
	if c.far != nil {
		_ = c.far.invalidate(ctx, marks) // it will be told
	}
	c.forget(marks) // after the far level, from which it could be filled again
	return nil
}

// InvalidateTags invalidates what has one of the tags, whatever its use.
func (c *Cache) InvalidateTags(ctx context.Context, tags ...string) {
	marks := make([]Mark, len(tags))
	for i, tag := range tags {
		marks[i] = TagMark(tag)
	}
	_ = c.Invalidate(ctx, marks...) // has no errors
}

// Clear invalidates everything, of all releases, in every process.
func (c *Cache) Clear(ctx context.Context) {
	_ = c.Invalidate(ctx, All) // has no errors
}

// Usage is Store's: what is in this process.
func (c *Cache) Usage() Usage { return c.near.Usage() }

// Ping is Store's: it asks the far level, past the breaker, which learns when there
// is no answer.
func (c *Cache) Ping(ctx context.Context) error {
	if c.far == nil {
		return c.near.Ping(ctx)
	}
	return c.far.ping(ctx)
}

// Backend is Store's: that of the far level, if there is one.
func (c *Cache) Backend() string {
	if c.far == nil {
		return c.near.Backend()
	}
	return c.far.store.Backend()
}

// Close ends what runs in the background and closes the levels. Loads that are
// under way are finished by those who wait for them. It may be repeated.
func (c *Cache) Close() (err error) {
	c.closing.Do(func() {
		c.stop()
		c.working.Wait()
		for range writesAtOnce { // the places of the writes that are under way, and then none is left
			c.writes <- struct{}{}
		}
		err = c.near.Close()
		if c.far != nil {
			err = errors.Join(err, c.far.store.Close())
		}
	})
	return err
}

// vary takes a random part off a lifetime.
func vary(ttl time.Duration) time.Duration {
	return ttl - time.Duration(jitter*rand.Float64()*float64(ttl)) //nolint:gosec // no secret
}
