package cache_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
)

var errNone = errors.New("there is none")

// thing is what is kept.
type thing struct {
	Name  string
	Count int
	At    time.Time
}

func things(c *cache.Cache) *cache.Of[thing] {
	return cache.For[thing](c, cache.Use{Name: "thing", Shape: 1, TTL: time.Hour, Absent: errNone, AbsentTTL: 10 * time.Second})
}

// in runs a test in a bubble of its own time, with a cache of memory alone.
func in(t *testing.T, test func(t *testing.T, c *cache.Cache)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
		defer c.Close()
		test(t, c)
	})
}

// loading counts loads and gives a thing that tells how many there were.
func loading(n *atomic.Int64) func(context.Context) (thing, error) {
	return func(context.Context) (thing, error) {
		return thing{Name: "loaded", Count: int(n.Add(1)), At: time.Unix(1, 0).UTC()}, nil
	}
}

func TestLoadOnce(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		var loads atomic.Int64
		for range 3 {
			got, err := things(c).Load(t.Context(), cache.Item{Name: "a", Tags: []string{"x"}}, loading(&loads))
			want := thing{Name: "loaded", Count: 1, At: time.Unix(1, 0).UTC()}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("Load: %v (-want +got):\n%s", err, diff)
			}
		}
		if got, err := things(c).Load(t.Context(), cache.Item{Name: "b"}, loading(&loads)); err != nil || got.Count != 2 {
			t.Errorf("Load of another: %+v, %v", got, err)
		}
	})
}

func TestStampede(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		var loads atomic.Int64
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				got, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, func(context.Context) (thing, error) {
					time.Sleep(time.Second)
					return loading(&loads)(t.Context())
				})
				if err != nil || got.Count != 1 {
					t.Errorf("Load: %+v, %v", got, err)
				}
			})
		}
		group.Wait()
		if loads.Load() != 1 {
			t.Errorf("%d loads", loads.Load())
		}
		if s := c.Stats().PerOperation["thing"]; s.Loads != 1 || s.Misses != 100 || s.Hits != 0 {
			t.Errorf("Stats: %+v", s)
		}
	})
}

func TestCancelledCaller(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		var loads atomic.Int64
		started, release := make(chan struct{}), make(chan struct{})
		load := func(ctx context.Context) (thing, error) {
			close(started)
			select {
			case <-release:
			case <-ctx.Done():
				return thing{}, ctx.Err()
			}
			return loading(&loads)(ctx)
		}
		first, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := things(c).Load(first, cache.Item{Name: "a"}, load)
			left <- err
		}()
		<-started
		stayed := make(chan error, 1)
		go func() {
			got, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, loading(&loads))
			if got.Count != 1 {
				t.Errorf("the one who stayed got %+v", got)
			}
			stayed <- err
		}()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("the one who left: %v", err)
		}
		close(release)
		if err := <-stayed; err != nil {
			t.Errorf("the one who stayed: %v", err)
		}
		if loads.Load() != 1 {
			t.Errorf("%d loads", loads.Load())
		}
	})
}

func TestLoadTimeout(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		use := cache.For[thing](c, cache.Use{Name: "slow", TTL: time.Hour, LoadTimeout: 3 * time.Second})
		start := time.Now()
		_, err := use.Load(t.Context(), cache.Item{Name: "a"}, func(ctx context.Context) (thing, error) {
			<-ctx.Done()
			return thing{}, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		broken := errors.New("broken")
		if _, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, func(context.Context) (thing, error) { return thing{}, broken }); !errors.Is(err, broken) {
			t.Errorf("Load: %v, want the loader's error", err)
		}
		_, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, func(context.Context) (thing, error) { panic("oh") })
		if err == nil || !strings.Contains(err.Error(), "panic: oh") {
			t.Errorf("Load that panics: %v", err)
		}
		var loads atomic.Int64
		if got, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, loading(&loads)); err != nil || got.Count != 1 {
			t.Errorf("then: %+v, %v", got, err)
		}
	})
}

func TestAbsent(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		var asked int
		ask := func() {
			t.Helper()
			_, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, func(context.Context) (thing, error) {
				asked++
				return thing{}, fmt.Errorf("looking for a: %w", errNone)
			})
			if !errors.Is(err, errNone) {
				t.Errorf("Load: %v, want that there is none", err)
			}
		}
		ask()
		time.Sleep(8 * time.Second)
		ask()
		if asked != 1 {
			t.Errorf("asked %d times, want once: that there is none is known", asked)
		}
		time.Sleep(3 * time.Second)
		ask()
		if asked != 2 {
			t.Errorf("asked %d times, want twice: it is known for ten seconds", asked)
		}
		things(c).Invalidate(t.Context(), "a")
		var loads atomic.Int64
		if got, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, loading(&loads)); err != nil || got.Count != 1 {
			t.Errorf("after it came: %+v, %v", got, err)
		}
	})
}

func TestLifetimes(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		const many = 200
		var loads atomic.Int64
		load := func() {
			for i := range many {
				if _, err := things(c).Load(t.Context(), cache.Item{Name: fmt.Sprint(i)}, loading(&loads)); err != nil {
					t.Error(err)
				}
			}
		}
		load()
		time.Sleep(54 * time.Minute)
		load()
		if loads.Load() != many {
			t.Errorf("after nine tenths of their time %d were loaded again", loads.Load()-many)
		}
		time.Sleep(3 * time.Minute)
		load()
		if again := loads.Load() - many; again < many/5 || again > many*4/5 {
			t.Errorf("in the middle of the last tenth %d of %d had ended; chance should end about half", again, many)
		}
		// One that isn't to be kept for as long as the others.
		load = func() {
			if _, err := things(c).Load(t.Context(), cache.Item{Name: "brief", TTL: time.Minute}, loading(&loads)); err != nil {
				t.Error(err)
			}
		}
		before := loads.Load()
		load()
		time.Sleep(50 * time.Second)
		load()
		time.Sleep(11 * time.Second)
		load()
		if loads.Load()-before != 2 {
			t.Errorf("the brief one was loaded %d times, want 2", loads.Load()-before)
		}
	})
}

// An invalidation in the middle of a load: what is loaded isn't kept, and who asks
// afterwards doesn't get it.
func TestInvalidatedWhileLoading(t *testing.T) {
	for name, invalidate := range map[string]func(ctx context.Context, c *cache.Cache){
		"by name": func(ctx context.Context, c *cache.Cache) { things(c).Invalidate(ctx, "a") },
		"by tag":  func(ctx context.Context, c *cache.Cache) { things(c).InvalidateTags(ctx, "x") },
		"all":     func(ctx context.Context, c *cache.Cache) { c.Clear(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, c *cache.Cache) {
				item := cache.Item{Name: "a", Tags: []string{"x"}}
				started, release := make(chan struct{}), make(chan struct{})
				before := make(chan thing)
				go func() {
					got, _ := things(c).Load(t.Context(), item, func(context.Context) (thing, error) {
						close(started)
						<-release
						return thing{Name: "before"}, nil
					})
					before <- got
				}()
				<-started
				invalidate(t.Context(), c)
				after := func(context.Context) (thing, error) { return thing{Name: "after"}, nil }
				if got, err := things(c).Load(t.Context(), item, after); err != nil || got.Name != "after" {
					t.Errorf("who came after the invalidation got %+v, %v", got, err)
				}
				close(release)
				if got := <-before; got.Name != "before" {
					t.Errorf("who came before it got %+v", got)
				}
				never := func(context.Context) (thing, error) { return thing{Name: "never"}, nil }
				if got, err := things(c).Load(t.Context(), item, never); err != nil || got.Name != "after" {
					t.Errorf("what is kept is %+v, %v", got, err)
				}
			})
		})
	}
}

func TestBytes(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		use := cache.For[[]byte](c, cache.Use{Name: "bytes", TTL: time.Hour})
		for _, value := range []string{"", "a", "\x00\xff"} {
			for range 2 {
				got, err := use.Load(t.Context(), cache.Item{Name: value}, func(context.Context) ([]byte, error) { return []byte(value), nil })
				if err != nil || string(got) != value {
					t.Errorf("Load: %q, %v, want %q", got, err, value)
				}
			}
		}
		if s := c.Stats().PerOperation["bytes"]; s.Loads != 3 || s.Hits != 3 {
			t.Errorf("Stats: %+v", s)
		}
	})
}

func TestStats(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		encoded, err := json.Marshal(c.Stats())
		if err != nil {
			t.Fatal(err)
		}
		const empty = `{"enabled":true,"backend":"memory","hits":0,"misses":0,"hit_rate":null,"invalidations":0,"entries":0,"size_bytes":0,"per_operation":{}}`
		if string(encoded) != empty {
			t.Errorf("of a new cache:\n%s\nwant\n%s", encoded, empty)
		}
		var loads atomic.Int64
		for range 4 {
			if _, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, loading(&loads)); err != nil {
				t.Error(err)
			}
		}
		if _, err := cache.For[int](c, cache.Use{Name: "number", TTL: time.Hour}).Load(t.Context(), cache.Item{Name: "a"},
			func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Error(err)
		}
		s := c.Stats()
		if s.Hits != 3 || s.Misses != 2 || s.HitRate == nil || *s.HitRate != 60 || s.Entries != 2 || s.SizeBytes <= 0 {
			t.Errorf("Stats: %+v", s)
		}
		if one := s.PerOperation["thing"]; one.Hits != 3 || one.Misses != 1 || *one.HitRate != 75 || one.Entries != 1 || one.SizeBytes <= 0 || one.SizeBytes >= s.SizeBytes {
			t.Errorf("of things: %+v", one)
		}
		things(c).Invalidate(t.Context(), "a", "b")
		c.InvalidateTags(t.Context(), "x")
		if s := c.Stats(); s.Invalidations != 3 || s.PerOperation["thing"].Invalidations != 2 {
			t.Errorf("then: %+v", s)
		}
		c.Clear(t.Context())
		if s := c.Stats(); s.Entries != 0 || s.SizeBytes != 0 || s.PerOperation["thing"].SizeBytes != 0 {
			t.Errorf("after Clear: %+v", s)
		}
	})
}

// A cache that is closed, even twice, keeps nothing and still answers.
func TestClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), newFar(), cache.Options{})
		var loads atomic.Int64
		for range 2 {
			if _, err := things(c).Load(t.Context(), cache.Item{Name: "a"}, loading(&loads)); err != nil {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if loads.Load() != 2 {
			t.Errorf("%d loads", loads.Load())
		}
	})
}
