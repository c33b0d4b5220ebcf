package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
)

// guarded runs a test in a bubble of its own time, with a far level that fails as
// it is told to and hardly any memory before it where that is asked for.
func guarded(t *testing.T, nearBytes int64, test func(t *testing.T, c *cache.Cache, f *far)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar()
		c := cache.New(memory.Open(memory.Options{Bytes: nearBytes}), f, cache.Options{})
		defer c.Close()
		test(t, c, f)
	})
}

const nothingNear = 1 // byte of memory

// number loads a number that tells how often it was loaded, and how long it took.
func number(t *testing.T, c *cache.Cache, item cache.Item, source *int) (got int, took time.Duration) {
	t.Helper()
	start := time.Now()
	got, err := cache.For[int](c, cache.Use{Name: "number", TTL: time.Hour}).Load(t.Context(), item, func(context.Context) (int, error) {
		return *source, nil
	})
	if err != nil {
		t.Errorf("Load: %v", err)
	}
	took = time.Since(start)
	synctest.Wait() // what is written behind
	return got, took
}

func TestDeadStoreCostsOnce(t *testing.T) {
	for name, with := range map[string]fault{"silent": silent, "slow": slow(500 * time.Millisecond)} {
		t.Run(name, func(t *testing.T) {
			guarded(t, 0, func(t *testing.T, c *cache.Cache, f *far) {
				source := 1
				f.fail(with)
				if got, took := number(t, c, cache.Item{Name: "first"}, &source); got != 1 || took != cache.DefaultTimeout {
					t.Errorf("the first got %d after %s", got, took)
				}
				for i := range 600 { // ten minutes, in which it is probed all the time
					if got, took := number(t, c, cache.Item{Name: fmt.Sprint(i)}, &source); got != 1 || took != 0 {
						t.Fatalf("after %d s: %d after %s", i, got, took)
					}
					time.Sleep(time.Second)
				}
				if far := c.Stats().Far; far.Breaker != "open" || far.Failures != 1 || far.Openings != 1 {
					t.Errorf("Stats: %+v", far)
				}
				f.fail(nil)
				time.Sleep(2 * time.Second)
				if far := c.Stats().Far; far.Breaker != "closed" {
					t.Errorf("two seconds after it came back: %+v", far)
				}
			})
		})
	}
}

// All who are under way when the store dies wait at the same time.
func TestDeadStoreCostsAllAtOnce(t *testing.T) {
	guarded(t, 0, func(t *testing.T, c *cache.Cache, f *far) {
		f.fail(silent)
		start := time.Now()
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				use := cache.For[int](c, cache.Use{Name: "number", TTL: time.Hour})
				if _, err := use.Load(t.Context(), cache.Item{Name: fmt.Sprint(i)}, func(context.Context) (int, error) { return i, nil }); err != nil {
					t.Errorf("Load: %v", err)
				}
			})
		}
		group.Wait()
		if took := time.Since(start); took != cache.DefaultTimeout {
			t.Errorf("they waited for %s", took)
		}
	})
}

func TestSlowButInTime(t *testing.T) {
	guarded(t, nothingNear, func(t *testing.T, c *cache.Cache, f *far) {
		f.fail(slow(20 * time.Millisecond))
		source := 1
		for i := range 3 {
			if _, took := number(t, c, cache.Item{Name: "a"}, &source); took != 20*time.Millisecond {
				t.Errorf("it took %s", took)
			}
			if i == 0 {
				time.Sleep(time.Second) // for what is written behind
			}
		}
		if s := c.Stats(); s.Far.Breaker != "closed" || s.PerOperation["number"].FarHits != 2 {
			t.Errorf("Stats: %+v, %+v", s, s.Far)
		}
	})
}

// A store that is full can be read, and is.
func TestFullStore(t *testing.T) {
	guarded(t, nothingNear, func(t *testing.T, c *cache.Cache, f *far) {
		source := 1
		number(t, c, cache.Item{Name: "from before"}, &source)
		f.fail(refusing("Set"))
		source = 2
		for range 3 {
			if got, _ := number(t, c, cache.Item{Name: "from before"}, &source); got != 1 {
				t.Errorf("what is there from before is %d", got)
			}
			if got, _ := number(t, c, cache.Item{Name: "new"}, &source); got != 2 {
				t.Errorf("what is new is %d", got)
			}
		}
		s := c.Stats()
		if s.Far.Breaker != "closed" || s.Far.Refusals != 3 || s.Far.Failures != 0 || s.PerOperation["number"].Errors != 3 {
			t.Errorf("Stats: %+v, %+v", s, s.Far)
		}
	})
}

// What a store couldn't be told to forget isn't read from it, even if it could be,
// and it is told later.
func TestOwedInvalidations(t *testing.T) {
	for name, with := range map[string]fault{"gone": gone, "silent": silent, "read only": refusing("Set", "Invalidate")} {
		t.Run(name, func(t *testing.T) {
			guarded(t, nothingNear, func(t *testing.T, c *cache.Cache, f *far) {
				item, other, source := cache.Item{Name: "a", Tags: []string{"x"}}, cache.Item{Name: "b"}, 1
				number(t, c, item, &source)
				number(t, c, other, &source)
				f.fail(with)
				source = 2
				ended, cancel := context.WithCancel(t.Context())
				cancel() // what happened isn't undone by somebody's going away
				c.InvalidateTags(ended, "x")
				if owed := c.Stats().Far.Owed; owed != 1 {
					t.Errorf("%d are owed, want 1", owed)
				}
				for range 100 {
					if got, took := number(t, c, item, &source); got != 2 || took != 0 {
						t.Fatalf("%d is read after %s, which was changed", got, took)
					}
					time.Sleep(100 * time.Millisecond)
				}
				f.fail(nil)
				time.Sleep(2 * time.Second)
				source = 3
				if got, _ := number(t, c, item, &source); got != 3 {
					t.Errorf("afterwards %d is found: the store wasn't told", got)
				}
				if got, _ := number(t, c, other, &source); got != 1 {
					t.Errorf("afterwards another is %d: the store was told too much", got)
				}
				if far := c.Stats().Far; far.Owed != 0 || far.Breaker != "closed" {
					t.Errorf("Stats: %+v", far)
				}
			})
		})
	}
}

func TestOwedTooMany(t *testing.T) {
	guarded(t, nothingNear, func(t *testing.T, c *cache.Cache, f *far) {
		source := 1
		number(t, c, cache.Item{Name: "a"}, &source)
		f.fail(gone)
		for i := range 10_001 {
			c.InvalidateTags(t.Context(), fmt.Sprint(i))
		}
		if owed := c.Stats().Far.Owed; owed != 1 {
			t.Errorf("%d are owed, want one for all", owed)
		}
		f.fail(nil)
		time.Sleep(2 * time.Second)
		source = 2
		if got, _ := number(t, c, cache.Item{Name: "a"}, &source); got != 2 {
			t.Errorf("afterwards %d is found", got)
		}
	})
}

// Who goes away says nothing about the store.
func TestCallerGoesAway(t *testing.T) {
	guarded(t, nothingNear, func(t *testing.T, c *cache.Cache, f *far) {
		f.fail(slow(20 * time.Millisecond))
		for name, leave := range map[string]func() (context.Context, context.CancelFunc){
			"cancelled": func() (context.Context, context.CancelFunc) { return withCancelAfter(t.Context(), 10*time.Millisecond) },
			"out of time": func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 10*time.Millisecond)
			},
			"gone from the": func() (context.Context, context.CancelFunc) { return withCancelAfter(t.Context(), 0) },
		} {
			ctx, cancel := leave()
			if _, err := c.Get(ctx, cache.Key{Use: "test", Shape: "1", Name: "a"}); !errors.Is(err, ctx.Err()) || err == nil {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
		if far := c.Stats().Far; far.Breaker != "closed" || far.Failures != 0 {
			t.Errorf("Stats: %+v", far)
		}
	})
}

func withCancelAfter(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if after == 0 {
		cancel()
		return ctx, cancel
	}
	time.AfterFunc(after, cancel)
	return ctx, cancel
}

// Writing to the far level takes nobody's time, and is bounded.
func TestWritesBehind(t *testing.T) {
	guarded(t, 0, func(t *testing.T, c *cache.Cache, f *far) {
		f.fail(func(ctx context.Context, method string) error {
			if method == "Set" {
				return slow(40*time.Millisecond)(ctx, method)
			}
			return nil
		})
		source := 1
		for i := range 20 {
			if _, took := number(t, c, cache.Item{Name: fmt.Sprint(i)}, &source); took != 0 {
				t.Errorf("a load took %s", took)
			}
		}
		time.Sleep(time.Second)
		if s := c.Stats(); s.PerOperation["number"].Errors != 4 || s.Far.Failures != 0 {
			t.Errorf("Stats: %+v, want 4 of 20 not written, which were more than 16 at once", s.PerOperation)
		}
		if entries := f.Usage().Entries; entries != 16 {
			t.Errorf("%d are in the far level, want 16", entries)
		}
	})
}

func TestOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := newFar()
		c := cache.New(memory.Open(memory.Options{}), f, cache.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		source := 1
		f.fail(gone)
		for i := range 100 {
			number(t, c, cache.Item{Name: fmt.Sprint(i)}, &source)
			time.Sleep(100 * time.Millisecond)
		}
		f.fail(nil)
		time.Sleep(2 * time.Second)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], cache.ErrUnavailable.Error()) || !strings.Contains(lines[1], "level=INFO") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestHealth(t *testing.T) {
	guarded(t, 0, func(t *testing.T, c *cache.Cache, f *far) {
		asked := 0
		f.fail(func(ctx context.Context, method string) error {
			asked++
			return slow(10*time.Millisecond)(ctx, method)
		})
		for range 3 {
			if h := c.Health(t.Context()); h.Status != "ok" || h.Latency != 10*time.Millisecond {
				t.Errorf("Health: %+v", h)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times within a second, want once", asked)
		}
		time.Sleep(time.Second)
		f.fail(silent)
		start := time.Now()
		for range 3 {
			if h := c.Health(t.Context()); h.Status != "no answer" {
				t.Errorf("Health: %+v", h)
			}
		}
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("to find out took %s", took)
		}
		source := 1
		if got, took := number(t, c, cache.Item{Name: "what nobody asked for yet"}, &source); got != 1 || took != 0 || c.Stats().Far.Breaker != "open" {
			t.Errorf("who asks after health did got %d after %s: %+v", got, took, c.Stats().Far)
		}
		time.Sleep(time.Second)
		f.fail(nil)
		time.Sleep(2 * time.Second)
		if far := c.Stats().Far; far.Breaker != "closed" {
			t.Errorf("two seconds after it came back: %+v", far)
		}
		if h := c.Health(t.Context()); h.Status != "ok" {
			t.Errorf("Health: %+v", h)
		}
	})
	t.Run("memory alone", func(t *testing.T) {
		in(t, func(t *testing.T, c *cache.Cache) {
			if h := c.Health(t.Context()); h.Status != "ok" {
				t.Errorf("Health: %+v", h)
			}
		})
	})
}

// heard is a far level that tells of invalidations.
type heard struct {
	*far
	events chan cache.Events
}

func (h *heard) Watch(ctx context.Context, events cache.Events) {
	h.events <- events
	<-ctx.Done()
}

// While other processes aren't heard, the near level keeps what it has for a second
// only, and nothing from before.
func TestDeafness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{newFar(), make(chan cache.Events, 1)}
		c := cache.New(memory.Open(memory.Options{}), h, cache.Options{NearTTL: 30 * time.Second})
		defer c.Close()
		events, item, source := <-h.events, cache.Item{Name: "a", Tags: []string{"x"}}, 1
		farHits := func() int64 {
			before := c.Stats().PerOperation["number"].FarHits
			number(t, c, item, &source)
			return c.Stats().PerOperation["number"].FarHits - before
		}
		number(t, c, item, &source)
		check := func(what string, wants ...int64) {
			t.Helper()
			for i, want := range wants {
				if got := farHits(); got != want {
					t.Errorf("%s, question %d: %d were found in the far level, want %d", what, i, got, want)
				}
			}
		}
		check("deaf at first", 0)
		time.Sleep(1100 * time.Millisecond)
		check("deaf for a second", 1, 0)
		events.Listening(true)
		check("listening from now on", 1, 0)
		time.Sleep(20 * time.Second)
		check("listening", 0)
		time.Sleep(11 * time.Second)
		check("after the near level's time", 1, 0)
		events.Invalidated([]cache.Mark{cache.TagMark("y")})
		check("another invalidated", 0)
		events.Invalidated([]cache.Mark{cache.TagMark("x")})
		check("it was invalidated", 1, 0)
		events.Listening(false)
		check("deaf again", 1, 0)
		time.Sleep(1100 * time.Millisecond)
		check("deaf for another second", 1)
		if far := c.Stats().Far; far.Listening || far.Heard != 2 {
			t.Errorf("Stats: %+v", far)
		}
	})
}
