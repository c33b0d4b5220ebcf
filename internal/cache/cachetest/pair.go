package cachetest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/testenv"
)

// freshWithin is how soon an invalidation reaches other processes.
const freshWithin = time.Second

// Pair holds two caches that share a far level, as two processes would, to what
// they promise each other. open returns two whose near levels keep what they have
// for long; they are closed by the test that opened them.
func Pair(t *testing.T, open func(t *testing.T) (a, b *cache.Cache)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, a, b *cache.Cache)
	}{
		{"what one loads the other finds", shared},
		{"what one invalidates the other forgets", invalidatedThere},
		{"what one invalidates while the other loads it is not kept", invalidatedWhileLoadingThere},
		{"that there is nothing is shared and forgotten", absenceShared},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, b := open(t)
			for _, c := range []*cache.Cache{a, b} {
				testenv.Eventually(t, 30*time.Second, "it hears the other", func() bool { return c.Stats().Far.Listening })
			}
			test.run(t, a, b)
		})
	}
}

type errAbsent struct{}

func (errAbsent) Error() string { return "absent" }

func numbers(c *cache.Cache) *cache.Of[int64] {
	return cache.For[int64](c, cache.Use{Name: "number", TTL: time.Hour, Absent: errAbsent{}, AbsentTTL: time.Hour})
}

// source is what is loaded: a number above zero, or nothing.
type source struct {
	now   atomic.Int64
	loads atomic.Int64
}

func (s *source) load(context.Context) (int64, error) {
	s.loads.Add(1)
	if n := s.now.Load(); n > 0 {
		return n, nil
	}
	return 0, errAbsent{}
}

// read reads through a cache; 0: there is nothing.
func (s *source) read(t *testing.T, c *cache.Cache, item cache.Item) int64 {
	t.Helper()
	n, err := numbers(c).Load(t.Context(), item, s.load)
	if err != nil && err != (errAbsent{}) {
		t.Errorf("Load: %v", err)
	}
	return n
}

// inNear waits until a cache answers by itself, which it does when what was
// written behind has arrived, and nothing more is heard of it.
func (s *source) inNear(t *testing.T, c *cache.Cache, item cache.Item) {
	t.Helper()
	testenv.Eventually(t, 30*time.Second, "the near level has it", func() bool {
		before, loads := c.Stats().PerOperation["number"].FarHits, s.loads.Load()
		s.read(t, c, item)
		return c.Stats().PerOperation["number"].FarHits == before && s.loads.Load() == loads
	})
}

func shared(t *testing.T, a, b *cache.Cache) {
	var s source
	s.now.Store(1)
	item := cache.Item{Name: "a", Tags: []string{"x"}}
	s.read(t, a, item)
	testenv.Eventually(t, 30*time.Second, "the other finds it", func() bool {
		loads := s.loads.Load()
		if got := s.read(t, b, item); got != 1 {
			t.Fatalf("read %d", got)
		}
		defer b.Invalidate(t.Context(), cache.TagMark("nothing")) //nolint:errcheck // has no errors
		return s.loads.Load() == loads
	})
}

func invalidatedThere(t *testing.T, a, b *cache.Cache) {
	var s source
	s.now.Store(1)
	item := cache.Item{Name: "a", Tags: []string{"x", "\xff\x00"}}
	var took []time.Duration
	for round := range 24 {
		from, to := a, b
		if round%2 == 1 {
			from, to = b, a
		}
		s.inNear(t, from, item)
		s.inNear(t, to, item)
		changed := s.now.Add(1)
		start := time.Now()
		switch round % 4 {
		case 0:
			numbers(from).Invalidate(t.Context(), "other", "a")
		case 1:
			numbers(from).InvalidateTags(t.Context(), "x")
		case 2:
			from.InvalidateTags(t.Context(), "other", "\xff\x00")
		case 3:
			from.Clear(t.Context())
		}
		if got := s.read(t, from, item); got != changed {
			t.Errorf("who invalidated reads %d, want %d", got, changed)
		}
		testenv.Eventually(t, 30*time.Second, fmt.Sprintf("the other reads %d", changed), func() bool { return s.read(t, to, item) == changed })
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	if middle := took[len(took)/2]; middle > freshWithin { // the worst is the machine's
		t.Errorf("half of them took longer than %s; all: %s", middle, took)
	}
}

func invalidatedWhileLoadingThere(t *testing.T, a, b *cache.Cache) {
	item := cache.Item{Name: "a", Tags: []string{"x"}}
	for i, invalidate := range []func(){
		func() { numbers(a).Invalidate(t.Context(), "a") },
		func() { a.InvalidateTags(t.Context(), "x") },
		func() { a.Clear(t.Context()) },
	} {
		b.Clear(t.Context())
		var s source
		s.now.Store(1)
		got, err := numbers(b).Load(t.Context(), item, func(ctx context.Context) (int64, error) {
			before, err := s.load(ctx)
			s.now.Store(2)
			invalidate()
			return before, err
		})
		if err != nil || got != 1 {
			t.Errorf("%d: the load itself: %d, %v", i, got, err)
		}
		// Whatever was kept is the new value in the end, in both levels of both.
		testenv.Eventually(t, 30*time.Second, "the one who loaded reads the new value", func() bool { return s.read(t, b, item) == 2 })
		if got := s.read(t, a, item); got != 2 {
			t.Errorf("%d: who invalidated reads %d", i, got)
		}
	}
}

func absenceShared(t *testing.T, a, b *cache.Cache) {
	var s source
	item := cache.Item{Name: "a"}
	s.inNear(t, a, item)
	s.inNear(t, b, item)
	if got := s.read(t, b, item); got != 0 {
		t.Errorf("read %d, want nothing", got)
	}
	s.now.Store(1)
	numbers(a).Invalidate(t.Context(), "a")
	if got := s.read(t, a, item); got != 1 {
		t.Errorf("who put it there reads %d", got)
	}
	testenv.Eventually(t, 30*time.Second, "the other reads it too", func() bool { return s.read(t, b, item) == 1 })
}
