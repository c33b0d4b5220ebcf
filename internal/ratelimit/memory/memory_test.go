package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/ratelimittest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	ratelimittest.Exercise(t, func(*testing.T) ratelimit.Source { return Open(Options{}) })
}

// TestMemoryIsBounded: who sends from ever new addresses takes no more memory, and
// one whose bucket is emptier than theirs isn't forgotten for them.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const callers = 64 * 50
	b := Open(Options{Callers: callers})
	limit := ratelimittest.Slow(10)
	b.One(ratelimit.Ask{Key: "the worst", Limit: limit, Cost: 10})
	for i := range 20 * callers {
		b.One(ratelimit.Ask{Key: fmt.Sprint(i), Limit: limit, Cost: 1})
	}
	if n := b.Len(); n > callers || n < callers/2 {
		t.Errorf("%d buckets, at most %d may be", n, callers)
	}
	if d := b.One(ratelimit.Ask{Key: "the worst", Limit: limit, Cost: 1}); d.Allowed {
		t.Error("who had used up all was forgotten")
	}
}

func TestFullBucketsMakeRoomFirst(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := Open(Options{Callers: 64 * 8, Now: func() time.Time { return now }})
	limit := ratelimit.Limit{Name: "a", Count: 1, Per: time.Second, Burst: 100}
	for i := range 64 * 8 * 4 {
		b.One(ratelimit.Ask{Key: fmt.Sprint("early ", i), Limit: limit, Cost: 1})
	}
	now = now.Add(2 * time.Second)
	for i := range 64 {
		b.One(ratelimit.Ask{Key: fmt.Sprint("late ", i), Limit: limit, Cost: 50})
	}
	for i := range 64 {
		if d := b.One(ratelimit.Ask{Key: fmt.Sprint("late ", i), Limit: limit}); d.Remaining != 50 {
			t.Errorf("%d was forgotten while others were full: %+v", i, d)
		}
	}
}

func TestRaise(t *testing.T) {
	t.Parallel()
	b := Open(Options{})
	limit := ratelimittest.Slow(10)
	b.Raise("a", 4*time.Hour)
	b.Raise("a", time.Hour) // says less than is known
	if d := b.One(ratelimit.Ask{Key: "a", Limit: limit}); d.Remaining != 6 {
		t.Errorf("%+v", d)
	}
	b.Raise("b", -time.Hour)
	b.Raise("b", 0)
	if b.Len() != 1 {
		t.Errorf("%d buckets", b.Len())
	}
}

func BenchmarkTake(b *testing.B) {
	buckets := Open(Options{})
	limit := ratelimit.Limit{Name: "a", Count: 60_000_000, Per: time.Minute, Burst: 60_000_000}
	ask := ratelimit.Ask{Key: "lookups 192.0.2.1", Limit: limit, Cost: 1}
	for b.Loop() {
		buckets.One(ask)
	}
}
