package cache_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

// patience is how long a test waits for what is to happen soon.
const patience = 30 * time.Second

func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	cachetest.Pair(t, func(t *testing.T) (a, b *cache.Cache) {
		address, prefix := testenv.Redis(t)
		return open(t, openRedis(t, address, prefix)), open(t, openRedis(t, address, prefix))
	})
}

// talk sends a Redis a command.
func talk(t *testing.T, r *server.Redis, args ...any) any {
	t.Helper()
	client := driver.NewClient(&driver.Options{Addr: r.Addr()})
	defer client.Close()
	answer, err := client.Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// load is requests that go on while a store has its troubles: each reads a value
// through the cache and has to get the right one.
type traffic struct {
	requests, wrong, failed atomic.Int64
	stop                    chan struct{}
	group                   sync.WaitGroup
}

const trafficWorkers = 4

func startTraffic(t *testing.T, c *cache.Cache) *traffic {
	t.Helper()
	tr := &traffic{stop: make(chan struct{})}
	use := cache.For[string](c, cache.Use{Name: "traffic", TTL: time.Hour})
	for worker := range trafficWorkers {
		tr.group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-tr.stop:
					return
				case <-time.After(time.Millisecond):
				}
				name := fmt.Sprintf("%d/%d", worker, i)
				if i%2 == 0 {
					name = fmt.Sprintf("common %d", i%20)
				}
				got, err := use.Load(context.Background(), cache.Item{Name: name, Tags: []string{"x"}}, func(context.Context) (string, error) {
					return "value of " + name, nil
				})
				tr.requests.Add(1)
				if err != nil {
					tr.failed.Add(1)
				} else if got != "value of "+name {
					tr.wrong.Add(1)
				}
			}
		})
	}
	return tr
}

// end stops the requests and holds what became of them to the promise.
func (tr *traffic) end(t *testing.T) {
	t.Helper()
	close(tr.stop)
	tr.group.Wait()
	if tr.failed.Load() > 0 || tr.wrong.Load() > 0 {
		t.Errorf("of %d requests %d failed and %d got a wrong answer", tr.requests.Load(), tr.failed.Load(), tr.wrong.Load())
	}
}

func (tr *traffic) wait(t *testing.T, more int64) {
	t.Helper()
	until := tr.requests.Load() + more
	testenv.Eventually(t, patience, "requests go on", func() bool { return tr.requests.Load() >= until })
}

// working waits until a cache has all of its far level, and proves it: what one
// process loads another finds, and what one invalidates the other forgets.
func working(t *testing.T, c *cache.Cache, address, prefix string) {
	t.Helper()
	testenv.Eventually(t, patience, "the far level is in use again", func() bool {
		far := c.Stats().Far
		return far.Breaker == "closed" && far.Listening && far.Owed == 0
	})
	other := open(t, openRedis(t, address, prefix))
	testenv.Eventually(t, patience, "another process hears", func() bool { return other.Stats().Far.Listening })
	name, loads := fmt.Sprint("shared ", time.Now().UnixNano()), 0
	item := cache.Item{Name: name, Tags: []string{"shared"}}
	read := func(c *cache.Cache) string {
		got, err := cache.For[string](c, cache.Use{Name: "shared", TTL: time.Hour}).Load(t.Context(), item, func(context.Context) (string, error) {
			loads++
			return fmt.Sprint("load ", loads), nil
		})
		if err != nil {
			t.Errorf("Load: %v", err)
		}
		return got
	}
	first := read(c)
	testenv.Eventually(t, patience, "the other finds what this one loaded", func() bool {
		if read(other) == first {
			return true
		}
		c.InvalidateTags(t.Context(), "shared")
		first = read(c)
		return false
	})
	other.InvalidateTags(t.Context(), "shared")
	testenv.Eventually(t, patience, "this one forgets what the other invalidated", func() bool { return read(c) != first })
}

// Whatever happens to Redis, no request fails, none gets a wrong answer, few of
// them wait, and everything is as before when Redis is.
func TestRedisInTrouble(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		settings []string
		harm     func(t *testing.T, r *server.Redis, l *testenv.Way)
		heal     func(t *testing.T, r *server.Redis, l *testenv.Way)
		goneAt   bool // Redis is of no use in between
	}{
		{
			name:   "cut",
			harm:   func(_ *testing.T, _ *server.Redis, l *testenv.Way) { l.Cut() },
			heal:   func(_ *testing.T, _ *server.Redis, l *testenv.Way) { l.Heal() },
			goneAt: true,
		},
		{
			name:   "slow",
			harm:   func(_ *testing.T, _ *server.Redis, l *testenv.Way) { l.Slow(500 * time.Millisecond) },
			heal:   func(_ *testing.T, _ *server.Redis, l *testenv.Way) { l.Heal() },
			goneAt: true,
		},
		{
			name:   "a black hole",
			harm:   func(_ *testing.T, _ *server.Redis, l *testenv.Way) { l.Hang() },
			heal:   func(_ *testing.T, _ *server.Redis, l *testenv.Way) { l.Heal() },
			goneAt: true,
		},
		{
			name:   "killed and started again",
			harm:   func(t *testing.T, r *server.Redis, _ *testenv.Way) { try(t, r.Kill()) },
			heal:   func(t *testing.T, r *server.Redis, _ *testenv.Way) { try(t, r.Start(t.Context())) },
			goneAt: true,
		},
		{
			name:   "it doesn't move",
			harm:   func(t *testing.T, r *server.Redis, _ *testenv.Way) { talk(t, r, "client", "pause", "600000", "all") },
			heal:   func(t *testing.T, r *server.Redis, _ *testenv.Way) { try(t, r.Kill()); try(t, r.Start(t.Context())) },
			goneAt: true,
		},
		{
			name: "flushed",
			harm: func(t *testing.T, r *server.Redis, _ *testenv.Way) { talk(t, r, "flushall") },
			heal: func(*testing.T, *server.Redis, *testenv.Way) {},
		},
		{
			name:     "full",
			settings: []string{"--maxmemory-policy", "noeviction"},
			harm:     func(t *testing.T, r *server.Redis, _ *testenv.Way) { talk(t, r, "config", "set", "maxmemory", "1mb") },
			heal:     func(t *testing.T, r *server.Redis, _ *testenv.Way) { talk(t, r, "config", "set", "maxmemory", "0") },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := testenv.OwnRedis(t, test.settings...)
			l := testenv.NewWay(t, r.Addr())
			address := "redis://" + l.Addr() + "/0"
			c := cache.New(memory.Open(memory.Options{Bytes: 256 << 10}), openRedis(t, address, ""), cache.Options{})
			closeAtEnd(t, c)
			working(t, c, address, "")
			tr := startTraffic(t, c)
			tr.wait(t, 100)
			refused := c.Stats().Far.Refusals
			test.harm(t, r, l)
			if test.goneAt {
				testenv.Eventually(t, patience, "the breaker opens", func() bool { return c.Stats().Far.Breaker == "open" })
				testenv.Eventually(t, patience, "it is noticed that nothing is heard", func() bool { return !c.Stats().Far.Listening || test.name == "slow" })
			}
			tr.wait(t, 1000)
			if test.goneAt {
				far := c.Stats().Far
				if far.Openings == 0 || far.Failures > (trafficWorkers+writesAtOnce)*far.Openings {
					t.Errorf("the breaker opened %d times, and %d waited", far.Openings, far.Failures)
				}
			}
			if test.name == "full" && c.Stats().Far.Refusals == refused {
				t.Error("nothing was refused")
			}
			test.heal(t, r, l)
			working(t, c, address, "")
			tr.wait(t, 100)
			tr.end(t)
		})
	}
}

// writesAtOnce is how many writes may be on their way besides the requests.
const writesAtOnce = 16

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// A Redis that comes after the service is used when it comes.
func TestRedisComesLater(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	try(t, r.Stop())
	c := cache.New(memory.Open(memory.Options{}), openRedis(t, r.URL(), ""), cache.Options{})
	closeAtEnd(t, c)
	if h := c.Health(t.Context()); h.Status != "no answer" {
		t.Errorf("Health: %+v", h)
	}
	tr := startTraffic(t, c)
	tr.wait(t, 100)
	try(t, r.Start(t.Context()))
	working(t, c, r.URL(), "")
	tr.end(t)
}

// A full Redis still forgets what it is told to forget.
func TestFullRedisForgets(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t, "--maxmemory-policy", "noeviction")
	c := cache.New(memory.Open(memory.Options{Bytes: nothingNear}), openRedis(t, r.URL(), ""), options())
	closeAtEnd(t, c)
	k := cache.Key{Use: "test", Shape: "1", Name: "a", Tags: []string{"x"}}
	answer, err := c.Get(t.Context(), k)
	try(t, err)
	try(t, c.Set(t.Context(), k, []byte("value"), time.Hour, answer.Claim))
	talk(t, r, "config", "set", "maxmemory", "1mb")
	if answer, err := c.Get(t.Context(), k); err != nil || !answer.Found {
		t.Errorf("a full one: %+v, %v, want what is there", answer, err)
	}
	c.InvalidateTags(t.Context(), "x")
	if answer, err := c.Get(t.Context(), k); err != nil || answer.Found {
		t.Errorf("after it was invalidated: %+v, %v", answer, err)
	}
	if far := c.Stats().Far; far.Owed != 0 || far.Breaker != "closed" || far.Refusals == 0 {
		t.Errorf("Stats: %+v", far)
	}
}

// Who was cut off from the others' invalidations, and not from Redis, doesn't give
// out what he had when he hears them again, nor for longer than a second before.
func TestLostSubscription(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	a, b := open(t, openRedis(t, r.URL(), "")), open(t, openRedis(t, r.URL(), ""))
	for _, c := range []*cache.Cache{a, b} {
		testenv.Eventually(t, patience, "it hears the other", func() bool { return c.Stats().Far.Listening })
	}
	var now atomic.Int64
	read := func(c *cache.Cache) int64 {
		got, err := cache.For[int64](c, cache.Use{Name: "number", TTL: time.Hour}).Load(t.Context(), cache.Item{Name: "a", Tags: []string{"x"}},
			func(context.Context) (int64, error) { return now.Load(), nil })
		try(t, err)
		return got
	}
	cut := int64(0)
	for round := range int64(5) {
		now.Store(round)
		a.InvalidateTags(t.Context(), "x")
		testenv.Eventually(t, patience, "both read the same", func() bool { return read(a) == round && read(b) == round })
		// All subscriptions are cut, or still are from the round before: what is told
		// now is heard by nobody.
		cut += talk(t, r, "client", "kill", "type", "pubsub").(int64)
		now.Store(round + 100)
		a.InvalidateTags(t.Context(), "x")
		testenv.Eventually(t, patience, "the other finds out", func() bool { return read(b) == round+100 })
		testenv.Eventually(t, patience, "it hears again", func() bool { return b.Stats().Far.Listening && a.Stats().Far.Listening })
	}
	if cut == 0 {
		t.Error("no subscription was ever cut")
	}
}
