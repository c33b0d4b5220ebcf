package memory_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	t.Parallel()
	cachetest.Exercise(t, func(t *testing.T) cache.Store { return open(t, memory.Options{}) })
}

func open(t *testing.T, opts memory.Options) *memory.Store {
	t.Helper()
	s := memory.Open(opts)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if u := s.Usage(); u.Entries != 0 || u.Bytes != 0 {
			t.Errorf("closed, it still counts %+v", u)
		}
	})
	return s
}

func key(name string) cache.Key {
	return cache.Key{Use: "test", Shape: "1", Name: name, Tags: []string{"tag of " + name}}
}

func put(t *testing.T, s *memory.Store, k cache.Key, value string, ttl time.Duration) {
	t.Helper()
	answer, err := s.Get(t.Context(), k)
	if err != nil {
		t.Error(err)
	}
	if err := s.Set(t.Context(), k, []byte(value), ttl, answer.Claim); err != nil {
		t.Error(err)
	}
}

func found(t *testing.T, s *memory.Store, k cache.Key) (value string, ttl time.Duration, ok bool) {
	t.Helper()
	answer, err := s.Get(t.Context(), k)
	if err != nil {
		t.Error(err)
	}
	return string(answer.Value), answer.TTL, answer.Found
}

// inBubble runs a test in a bubble of its own time.
func inBubble(t *testing.T, test func(t *testing.T, s *memory.Store)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory.Open(memory.Options{})
		defer s.Close()
		test(t, s)
	})
}

func TestLifetime(t *testing.T) {
	inBubble(t, func(t *testing.T, s *memory.Store) {
		put(t, s, key("a"), "x", time.Minute)
		put(t, s, key("b"), "y", 1000*time.Hour)
		time.Sleep(59 * time.Second)
		if value, ttl, ok := found(t, s, key("a")); !ok || value != "x" || ttl != time.Second {
			t.Errorf("after 59 s: %q for %s (%t)", value, ttl, ok)
		}
		if _, ttl, ok := found(t, s, key("b")); !ok || ttl != cache.MaxTTL-59*time.Second {
			t.Errorf("the long one ends in %s (%t)", ttl, ok)
		}
		time.Sleep(time.Second)
		if _, _, ok := found(t, s, key("a")); ok {
			t.Error("after a minute it is there")
		}
		put(t, s, key("a"), "again", time.Hour)
		time.Sleep(59 * time.Minute)
		if value, _, ok := found(t, s, key("a")); !ok || value != "again" {
			t.Errorf("what was put again: %q (%t)", value, ok)
		}
		time.Sleep(24 * time.Hour)
		if u := s.Usage(); u.Entries != 0 {
			t.Errorf("after a day it holds %+v", u)
		}
	})
}

func TestUsage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *memory.Store) {
		other := key("a")
		other.Use = "other"
		put(t, s, key("a"), strings.Repeat("x", 1000), time.Hour)
		put(t, s, key("b"), strings.Repeat("x", 1000), time.Hour)
		put(t, s, other, strings.Repeat("x", 5000), time.Hour)
		u := s.Usage()
		if u.Entries != 3 || u.PerUse["test"].Entries != 2 || u.PerUse["other"].Entries != 1 {
			t.Errorf("entries: %+v", u)
		}
		if one := u.PerUse["test"].Bytes; one < 2000 || one > 3000 || u.PerUse["other"].Bytes < 5000 || u.Bytes < 7000 || u.Bytes > 10_000 {
			t.Errorf("bytes: %+v", u)
		}
		if err := s.Invalidate(t.Context(), key("a").Mark(), cache.TagMark("tag of b")); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"a", "b"} { // what can't be read any more goes when somebody looks
			if _, _, ok := found(t, s, key(name)); ok {
				t.Errorf("%s is there", name)
			}
		}
		if u := s.Usage(); u.Entries != 1 || u.PerUse["test"] != (cache.UseUsage{}) {
			t.Errorf("after the invalidation: %+v", u)
		}
	})
}

// However much is put, what is held stays within its bound, and what is asked for
// again and again stays in it.
func TestBound(t *testing.T) {
	t.Parallel()
	const bound = 256 << 10
	s := open(t, memory.Options{Bytes: bound})
	const workers, each = 4, 3000
	var lost atomic.Int64
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := range each {
				put(t, s, key(fmt.Sprintf("%d/%d", worker, i)), strings.Repeat("x", i%1000), time.Hour)
				if _, _, ok := found(t, s, key("loved")); !ok {
					lost.Add(1)
					put(t, s, key("loved"), "x", time.Hour)
				}
			}
		})
	}
	group.Wait()
	if lost.Load() > workers*each/20 {
		t.Errorf("what is asked for most was lost %d times of %d", lost.Load(), workers*each)
	}
	put(t, s, key("too large"), strings.Repeat("x", bound), time.Hour)
	testenv.Eventually(t, 30*time.Second, "it holds what it may", func() bool {
		u := s.Usage()
		return u.Bytes <= bound && u.Bytes > bound/2 && u.Entries > 0
	})
	if _, _, ok := found(t, s, key("too large")); ok {
		t.Error("what is larger than all was kept")
	}
	if err := s.Invalidate(t.Context(), cache.All); err != nil {
		t.Error(err)
	}
	if u := s.Usage(); u.Entries != 0 || u.Bytes != 0 {
		t.Errorf("emptied, it counts %+v", u)
	}
}

func TestHardlyAnyRoom(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int64{1, 7, 100, 1000} {
		s := open(t, memory.Options{Bytes: bytes})
		for i := range 100 {
			put(t, s, key(fmt.Sprint(i)), "x", time.Hour)
		}
		testenv.Eventually(t, 30*time.Second, "it holds next to nothing", func() bool { return s.Usage().Bytes <= bytes })
	}
}

func BenchmarkGet(b *testing.B) {
	s := memory.Open(memory.Options{})
	defer s.Close()
	k := key("a")
	answer, err := s.Get(b.Context(), k)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Set(b.Context(), k, []byte("value"), time.Hour, answer.Claim); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if answer, err := s.Get(b.Context(), k); err != nil || !answer.Found {
			b.Fatal(answer, err)
		}
	}
}
