// Package ratelimittest is the conformance suite of package ratelimit: what every
// source has to do. It knows nothing of any of them, and nothing of their clocks:
// limits whose spacing is an hour stand still, and short ones are waited for.
package ratelimittest

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/testenv"
)

// Slow is a limit from which nothing comes back while a test runs.
func Slow(burst int64) ratelimit.Limit {
	return ratelimit.Limit{Name: "slow", Count: 1, Per: time.Hour, Burst: burst}
}

// Exercise holds a source to the contract. open returns one for a test; it may be
// the same that other tests have.
func Exercise(t *testing.T, open func(t *testing.T) ratelimit.Source) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s ratelimit.Source)
	}{
		{"a burst, and then no more", burst},
		{"what costs more than the burst never fits", never},
		{"to look takes nothing", look},
		{"what was spent is taken whatever is there", spent},
		{"callers have buckets of their own", apart},
		{"one call decides in order", order},
		{"what was taken comes back", refill},
		{"a refusal takes nothing, and says when to come again", retry},
		{"many at once get what there is and no more", together},
		{"whatever is asked, it is as the model says", model},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func take(t rapid.TB, s ratelimit.Source, asks ...ratelimit.Ask) []ratelimit.Decision {
	t.Helper()
	decisions, err := s.Take(context.Background(), asks)
	if err != nil || len(decisions) != len(asks) {
		t.Fatalf("%d decisions on %d questions: %v", len(decisions), len(asks), err)
	}
	return decisions
}

func one(t rapid.TB, s ratelimit.Source, a ratelimit.Ask) ratelimit.Decision {
	t.Helper()
	return take(t, s, a)[0]
}

// near reports whether a duration is what it should be, but for the time that the
// test itself takes.
func near(got, want time.Duration) bool { return got <= want+time.Second && got > want-time.Minute }

func burst(t *testing.T, s ratelimit.Source) {
	limit := Slow(5)
	a := ratelimit.Ask{Key: rand.Text(), Limit: limit, Cost: 1}
	for i := range int64(5) {
		d := one(t, s, a)
		if !d.Allowed || d.Never || d.RetryAfter != 0 || d.Remaining != 4-i || !near(d.Reset, time.Duration(i+1)*time.Hour) || d.Limit != limit {
			t.Errorf("the %d. is %+v", i+1, d)
		}
	}
	if d := one(t, s, a); d.Allowed || d.Never || d.Remaining != 0 || !near(d.RetryAfter, time.Hour) || !near(d.Reset, 5*time.Hour) {
		t.Errorf("one too many is %+v", d)
	}
}

func never(t *testing.T, s ratelimit.Source) {
	a := ratelimit.Ask{Key: rand.Text(), Limit: Slow(5), Cost: 6}
	if d := one(t, s, a); d.Allowed || !d.Never || d.RetryAfter != 0 || d.Remaining != 5 {
		t.Errorf("%+v", d)
	}
	a.Cost = 5
	if d := one(t, s, a); !d.Allowed || d.Remaining != 0 {
		t.Errorf("the whole burst: %+v", d)
	}
}

func look(t *testing.T, s ratelimit.Source) {
	a := ratelimit.Ask{Key: rand.Text(), Limit: Slow(3)}
	for range 10 {
		if d := one(t, s, a); !d.Allowed || d.Remaining != 3 || d.Reset != 0 {
			t.Fatalf("%+v", d)
		}
	}
	a.Cost = 2
	one(t, s, a)
	a.Cost = 0
	if d := one(t, s, a); !d.Allowed || d.Remaining != 1 || !near(d.Reset, 2*time.Hour) {
		t.Errorf("after two: %+v", d)
	}
}

func spent(t *testing.T, s ratelimit.Source) {
	a := ratelimit.Ask{Key: rand.Text(), Limit: Slow(5), Spent: 3, Cost: 1}
	if d := one(t, s, a); !d.Allowed || d.Remaining != 1 {
		t.Errorf("3 spent and 1 taken of 5: %+v", d)
	}
	if d := one(t, s, a); d.Allowed || d.Remaining != 0 || !near(d.Reset, 7*time.Hour) || !near(d.RetryAfter, 3*time.Hour) {
		t.Errorf("3 more spent: %+v", d)
	}
}

func apart(t *testing.T, s ratelimit.Source) {
	first, second := ratelimit.Ask{Key: rand.Text(), Limit: Slow(1), Cost: 1}, ratelimit.Ask{Key: rand.Text(), Limit: Slow(1), Cost: 1}
	if !one(t, s, first).Allowed || one(t, s, first).Allowed || !one(t, s, second).Allowed {
		t.Error("two callers share a bucket, or one has two")
	}
}

func order(t *testing.T, s ratelimit.Source) {
	a := ratelimit.Ask{Key: rand.Text(), Limit: Slow(2), Cost: 1}
	other := ratelimit.Ask{Key: rand.Text(), Limit: Slow(1), Cost: 1}
	got := take(t, s, a, other, a, a, other)
	for i, want := range []bool{true, true, true, false, false} {
		if got[i].Allowed != want {
			t.Errorf("%d is %+v", i, got[i])
		}
	}
	if got := take(t, s); len(got) != 0 {
		t.Errorf("no question has answers: %+v", got)
	}
	many := make([]ratelimit.Ask, 1234)
	for i := range many {
		many[i] = ratelimit.Ask{Key: a.Key + " many", Limit: Slow(1000), Cost: 1}
	}
	for i, d := range take(t, s, many...) {
		if d.Allowed != (i < 1000) {
			t.Fatalf("of many, %d is %+v", i, d)
		}
	}
}

func refill(t *testing.T, s ratelimit.Source) {
	limit := ratelimit.Limit{Name: "quick", Count: 1000, Per: time.Second, Burst: 20}
	a := ratelimit.Ask{Key: rand.Text(), Limit: limit, Cost: 20}
	one(t, s, a)
	testenv.Eventually(t, testenv.Patience, "the bucket is full again", func() bool {
		d := one(t, s, ratelimit.Ask{Key: a.Key, Limit: limit})
		return d.Remaining == 20 && d.Reset == 0
	})
	if d := one(t, s, a); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

func retry(t *testing.T, s ratelimit.Source) {
	limit := ratelimit.Limit{Name: "seconds", Count: 1, Per: 100 * time.Millisecond, Burst: 3}
	a := ratelimit.Ask{Key: rand.Text(), Limit: limit, Cost: 3}
	one(t, s, a)
	d := one(t, s, a)
	if d.Allowed || d.RetryAfter <= 0 || d.RetryAfter > 300*time.Millisecond {
		t.Fatalf("%+v", d)
	}
	<-time.After(d.RetryAfter) // what the source itself said
	if again := one(t, s, a); !again.Allowed {
		t.Errorf("after %s: %+v", d.RetryAfter, again)
	}
}

func together(t *testing.T, s ratelimit.Source) {
	a := ratelimit.Ask{Key: rand.Text(), Limit: Slow(50), Cost: 1}
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 20 {
				if d, err := s.Take(t.Context(), []ratelimit.Ask{a}); err != nil {
					t.Error(err)
				} else if d[0].Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 50 {
		t.Errorf("%d of 200 were allowed, want 50", allowed.Load())
	}
}

// model compares with the simplest thing that could be right: a count of what is
// left. Nothing comes back meanwhile.
func model(t *testing.T, s ratelimit.Source) {
	rapid.Check(t, func(t *rapid.T) {
		limit := Slow(rapid.Int64Range(1, 40).Draw(t, "burst"))
		keys := []string{rand.Text(), rand.Text()}
		left := map[string]int64{keys[0]: limit.Burst, keys[1]: limit.Burst}
		for range rapid.IntRange(1, 20).Draw(t, "questions") {
			a := ratelimit.Ask{
				Key: rapid.SampledFrom(keys).Draw(t, "key"), Limit: limit,
				Cost: rapid.Int64Range(0, 45).Draw(t, "cost"), Spent: rapid.SampledFrom([]int64{0, 0, 0, 1, 7, 50}).Draw(t, "spent"),
			}
			left[a.Key] -= a.Spent
			allowed := a.Cost <= left[a.Key]
			if allowed {
				left[a.Key] -= a.Cost
			}
			d := one(t, s, a)
			if d.Allowed != allowed || d.Never != (a.Cost > limit.Burst) || d.Remaining != max(0, left[a.Key]) ||
				!near(d.Reset, time.Duration(limit.Burst-left[a.Key])*time.Hour) && d.Reset != 0 {
				t.Fatalf("%+v gave %+v; %d are left", a, d, left[a.Key])
			}
			if wait := time.Duration(a.Cost-left[a.Key]) * time.Hour; !allowed && !d.Never && !near(d.RetryAfter, wait) {
				t.Fatalf("%+v says to come again after %s, want %s", a, d.RetryAfter, wait)
			}
		}
	})
}
