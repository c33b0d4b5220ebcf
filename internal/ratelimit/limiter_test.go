package ratelimit_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shared is a source that all limiters of a test ask, as processes ask a server. It
// counts how often.
type shared struct {
	*memory.Buckets
	mu    sync.Mutex
	trips int
	slow  time.Duration // what a round trip takes
}

func (s *shared) Take(ctx context.Context, asks []ratelimit.Ask) ([]ratelimit.Decision, error) {
	s.mu.Lock()
	s.trips++
	s.mu.Unlock()
	time.Sleep(s.slow)
	return s.Buckets.Take(ctx, asks)
}

func (s *shared) Ping(context.Context) error { return nil }

// TestMostRequestsWaitForNobody: while more than half of a burst is left, what is
// allowed reaches the shared source behind the request.
func TestMostRequestsWaitForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		far := &shared{Buckets: memory.Open(memory.Options{}), slow: 10 * time.Millisecond}
		l := ratelimit.New(memory.Open(memory.Options{}), far, ratelimit.Options{})
		defer l.Close()
		limit := ratelimit.Limit{Name: "a", Count: 1, Per: time.Hour, Burst: 100}
		began := time.Now()
		for range 50 {
			if d := l.Take(t.Context(), limit, "who", 1); !d.Allowed {
				t.Fatalf("%+v", d)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("50 requests waited %s", took)
		}
		time.Sleep(time.Second)
		if d := far.One(ratelimit.Ask{Key: "a who", Limit: limit}); d.Remaining != 50 || far.trips > 2 {
			t.Errorf("the shared source knows of %d, by %d trips", 100-d.Remaining, far.trips)
		}
		before := time.Now()
		if d := l.Take(t.Context(), limit, "who", 1); !d.Allowed || d.Remaining != 49 || time.Since(before) != far.slow {
			t.Errorf("the next: %+v after %s", d, time.Since(before))
		}
		for range 49 {
			l.Take(t.Context(), limit, "who", 1)
		}
		before, trips := time.Now(), far.trips
		if d := l.Take(t.Context(), limit, "who", 1); d.Allowed || d.RetryAfter <= 0 || time.Since(before) != 0 || far.trips != trips {
			t.Errorf("who has nothing left is refused without asking: %+v after %s", d, time.Since(before))
		}
	})
}

// TestExcessIsBoundedAndPaid: however requests come to several processes, no more is
// allowed than the burst and half a burst for each, and the excess is owed.
func TestExcessIsBoundedAndPaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		pods := rapid.IntRange(1, 4).Draw(rt, "processes")
		burst := rapid.Int64Range(2, 60).Draw(rt, "burst")
		order := rapid.SliceOfN(rapid.IntRange(0, pods-1), 300, 300).Draw(rt, "order")
		pauses := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, 0, time.Millisecond, 20 * time.Millisecond}), 300, 300).Draw(rt, "pauses")
		synctest.Test(t, func(*testing.T) {
			far := &shared{Buckets: memory.Open(memory.Options{}), slow: 100 * time.Microsecond}
			limit := ratelimit.Limit{Name: "a", Count: 1, Per: time.Hour, Burst: burst}
			var limiters []*ratelimit.Limiter
			for range pods {
				limiters = append(limiters, ratelimit.New(memory.Open(memory.Options{}), far, ratelimit.Options{}))
			}
			allowed := int64(0)
			for i, pod := range order {
				time.Sleep(pauses[i])
				if limiters[pod].Take(context.Background(), limit, "who", 1).Allowed {
					allowed++
				}
			}
			for _, l := range limiters {
				l.Close()
			}
			if most := burst + int64(pods-1)*((burst+1)/2); allowed > most || allowed < min(burst, 300) {
				rt.Errorf("%d were allowed of a burst of %d by %d processes, at most %d may be", allowed, burst, pods, most)
			}
			// Nothing came back meanwhile but what a second gives: all is owed.
			if owed := far.One(ratelimit.Ask{Key: "a who", Limit: limit}).Reset; owed <= time.Duration(allowed)*time.Hour-time.Minute {
				rt.Errorf("%d were allowed, and %s is owed", allowed, owed)
			}
		})
	})
}
