package cache_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

// Two levels keep what one promises, whatever they are.
func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("memory alone", func(t *testing.T) {
		t.Parallel()
		cachetest.Exercise(t, func(t *testing.T) cache.Store { return open(t, nil) })
	})
	t.Run("memory before memory", func(t *testing.T) {
		t.Parallel()
		cachetest.Exercise(t, func(t *testing.T) cache.Store { return open(t, memory.Open(memory.Options{})) })
	})
	t.Run("memory before Redis", func(t *testing.T) {
		t.Parallel()
		cachetest.Exercise(t, func(t *testing.T) cache.Store {
			address, prefix := testenv.Redis(t)
			return open(t, openRedis(t, address, prefix))
		})
	})
	t.Run("Redis behind hardly any memory", func(t *testing.T) {
		t.Parallel()
		cachetest.Exercise(t, func(t *testing.T) cache.Store {
			address, prefix := testenv.Redis(t)
			c := cache.New(memory.Open(memory.Options{Bytes: 4 << 10}), openRedis(t, address, prefix), options())
			closeAtEnd(t, c)
			return c
		})
	})
}

// options have time enough for machines that are busy.
func options() cache.Options {
	return cache.Options{Timeout: 10 * time.Second, NearTTL: time.Hour}
}

func open(t *testing.T, far cache.Store) *cache.Cache {
	t.Helper()
	c := cache.New(memory.Open(memory.Options{}), far, options())
	closeAtEnd(t, c)
	return c
}

func openRedis(t *testing.T, address, prefix string) *redis.Store {
	t.Helper()
	s, err := redis.Open(redis.Options{URL: address, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeAtEnd(t *testing.T, c *cache.Cache) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// far is a store in this process that fails as a test wants it to.
type far struct {
	*memory.Store
	fault atomic.Pointer[fault]
}

// fault is what a call of a method meets before it is done, or instead.
type fault func(ctx context.Context, method string) error

func newFar() *far { return &far{Store: memory.Open(memory.Options{})} }

// fail makes every call from now on meet a fault; nil: none.
func (f *far) fail(with fault) { f.fault.Store(&with) }

func (f *far) meet(ctx context.Context, method string) error {
	if with := f.fault.Load(); with != nil && *with != nil {
		return (*with)(ctx, method)
	}
	return nil
}

func (f *far) Get(ctx context.Context, key cache.Key) (cache.Answer, error) {
	if err := f.meet(ctx, "Get"); err != nil {
		return cache.Answer{}, err
	}
	return f.Store.Get(ctx, key)
}

func (f *far) Set(ctx context.Context, key cache.Key, value []byte, ttl time.Duration, claim cache.Claim) error {
	if err := f.meet(ctx, "Set"); err != nil {
		return err
	}
	return f.Store.Set(ctx, key, value, ttl, claim)
}

func (f *far) Invalidate(ctx context.Context, marks ...cache.Mark) error {
	if err := f.meet(ctx, "Invalidate"); err != nil {
		return err
	}
	return f.Store.Invalidate(ctx, marks...)
}

func (f *far) Ping(ctx context.Context) error {
	if err := f.meet(ctx, "Ping"); err != nil {
		return err
	}
	return f.Store.Ping(ctx)
}

func (f *far) Backend() string { return "redis" }

// The ways in which a store fails.
func gone(context.Context, string) error { return cache.ErrUnavailable }

func silent(ctx context.Context, _ string) error {
	<-ctx.Done()
	return errors.Join(cache.ErrUnavailable, ctx.Err())
}

func slow(by time.Duration) fault {
	return func(ctx context.Context, _ string) error {
		select {
		case <-ctx.Done():
			return errors.Join(cache.ErrUnavailable, ctx.Err())
		case <-time.After(by):
			return nil
		}
	}
}

// refusing answers and doesn't do what these methods ask for.
func refusing(methods ...string) fault {
	return func(_ context.Context, method string) error {
		if slices.Contains(methods, method) {
			return cache.ErrRefused
		}
		return nil
	}
}
