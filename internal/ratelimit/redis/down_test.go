package redis_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/memory"
	"github.com/crownsafe/api/internal/ratelimit/ratelimittest"
	"github.com/crownsafe/api/internal/ratelimit/redis"
	"github.com/crownsafe/api/internal/testenv"
)

// inTurn asks one source after the other.
type inTurn struct {
	sources []ratelimit.Source
	asked   atomic.Uint64
}

func (s *inTurn) Take(ctx context.Context, asks []ratelimit.Ask) ([]ratelimit.Decision, error) {
	return s.sources[s.asked.Add(1)%uint64(len(s.sources))].Take(ctx, asks)
}

func limiter(t *testing.T, far ratelimit.Far, opts ratelimit.Options) *ratelimit.Limiter {
	t.Helper()
	l := ratelimit.New(memory.Open(memory.Options{}), far, opts)
	t.Cleanup(l.Close)
	return l
}

// TestProcessesShareALimit lets three limiters, each with its own memory, decide in
// turn on one caller.
func TestProcessesShareALimit(t *testing.T) {
	t.Parallel()
	address, prefix := testenv.Redis(t)
	for _, strict := range []bool{false, true} {
		limit := ratelimittest.Slow(100)
		limit.Strict, limit.Name = strict, "shared"
		if strict {
			limit.Name = "strictly shared"
		}
		var pods []*ratelimit.Limiter
		for range 3 {
			// A long timeout: this is not about a machine that is busy.
			pods = append(pods, limiter(t, open(t, redis.Options{URL: address, Prefix: prefix}), ratelimit.Options{Timeout: testenv.Patience}))
		}
		allowed, most := 0, 100
		if !strict {
			most += 3 * 50 // what three can allow before they hear of each other
		}
		for i := range 600 {
			if pods[i%3].Take(t.Context(), limit, "one", 1).Allowed {
				allowed++
			}
		}
		if allowed < 100 || allowed > most {
			t.Errorf("strict %t: %d of 600 were allowed", strict, allowed)
		}
		t.Logf("strict %t: %d of 600 were allowed over three processes; the limit is 100", strict, allowed)
		// Whatever was too much is paid: nobody gets any more, whichever process he asks.
		for _, pod := range pods {
			if d := pod.Take(t.Context(), limit, "one", 1); d.Allowed {
				t.Errorf("strict %t: still %+v", strict, d)
			}
		}
	}
}

// TestRedisThatIsGone: lookups are open and counted, sign-ins have the process's own
// limit, and when Redis is back it decides again.
func TestRedisThatIsGone(t *testing.T) {
	t.Parallel()
	r := testenv.OwnRedis(t)
	var bypassed atomic.Int64
	far := open(t, redis.Options{URL: "redis://" + r.Addr()})
	l := limiter(t, far, ratelimit.Options{Decided: func(d ratelimit.Decision) {
		if d.Bypassed {
			bypassed.Add(1)
		}
	}})
	other := limiter(t, open(t, redis.Options{URL: "redis://" + r.Addr()}), ratelimit.Options{})
	lookups, logins := ratelimittest.Slow(8), ratelimittest.Slow(3)
	lookups.Name, logins.Name, logins.Strict = "lookups", "sign-in", true
	testenv.Eventually(t, testenv.Patience, "Redis decides", func() bool {
		d := l.Take(t.Context(), logins, "warm", 1)
		return l.Shared() && !d.Bypassed
	})
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if d := l.Take(t.Context(), lookups, "one", 1); !d.Allowed {
			t.Errorf("lookup %d: %+v", i, d)
		}
	}
	if bypassed.Load() == 0 || l.Shared() {
		t.Errorf("%d lookups were counted as bypassed, shared %t", bypassed.Load(), l.Shared())
	}
	allowed := 0
	for range 10 {
		if l.Take(t.Context(), logins, "one", 1).Allowed {
			allowed++
		}
	}
	if allowed != 3 {
		t.Errorf("%d of 10 sign-ins were allowed, want 3", allowed)
	}
	if _, err := far.Take(t.Context(), []ratelimit.Ask{{Key: "a", Limit: logins, Cost: 1}}); !errors.Is(err, ratelimit.ErrUnavailable) {
		t.Errorf("without a server: %v", err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, testenv.Patience, "the limits are shared again", l.Shared)
	testenv.Eventually(t, testenv.Patience, "by the other too", other.Shared)
	limit := ratelimittest.Slow(4)
	limit.Name, limit.Strict = "after", true
	allowed = 0
	for i := range 12 {
		if []*ratelimit.Limiter{l, other}[i%2].Take(t.Context(), limit, "one", 1).Allowed {
			allowed++
		}
	}
	if allowed != 4 {
		t.Errorf("%d were allowed by two processes, want 4", allowed)
	}
}

// TestADeadRedisCostsOneRequestTheTimeout: the others don't ask it.
func TestADeadRedisCostsOneRequestTheTimeout(t *testing.T) {
	t.Parallel()
	far := &hanging{}
	l := limiter(t, far, ratelimit.Options{Timeout: 20 * time.Millisecond})
	limit := ratelimittest.Slow(10)
	limit.Strict = true
	for range 50 {
		l.Take(t.Context(), limit, "one", 1)
	}
	if n := far.asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

// hanging never answers.
type hanging struct{ asked atomic.Int64 }

func (h *hanging) Take(ctx context.Context, _ []ratelimit.Ask) ([]ratelimit.Decision, error) {
	h.asked.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (h *hanging) Ping(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
