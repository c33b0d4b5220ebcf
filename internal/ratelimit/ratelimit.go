// Package ratelimit is the port to limits on how often somebody may do something:
// the rule, which is GCRA (the generic cell rate algorithm of ITU-T I.371, a leaky
// bucket that keeps one time for each caller), where its times are kept, and a
// Limiter over a source in the process and one that all processes share.
//
// It knows nothing of who calls, of what is limited, or of HTTP. Costs are whole
// numbers. Adapters are ratelimit/memory and ratelimit/redis; they pass one suite,
// ratelimittest.
package ratelimit

import (
	"context"
	"errors"
	"math"
	"time"
)

// ErrUnavailable says that a source can't be asked now; tested with errors.Is.
var ErrUnavailable = errors.New("the source of limits doesn't answer")

// Limit is how much may be done: Burst at once, and after that as much as comes
// back, which is Count in each Per.
type Limit struct {
	Name  string // of the policy; part of what its callers are kept under
	Count int64
	Per   time.Duration
	Burst int64
	// Strict: each decision is the shared source's, and without it the process's
	// own. Others may be decided before the shared source was asked, while much is
	// left, and without it everything is allowed.
	Strict bool
}

// Spacing is how long it takes until one more may be done.
func (l Limit) Spacing() time.Duration { return l.Per / time.Duration(l.Count) }

// Window is how long an empty bucket takes to be full.
func (l Limit) Window() time.Duration { return l.span(l.Burst) }

// span is how long it takes until a cost has come back. It doesn't overflow.
func (l Limit) span(cost int64) time.Duration {
	if spacing := l.Spacing(); cost < math.MaxInt64/4/int64(max(spacing, 1)) {
		return spacing * time.Duration(cost)
	}
	return math.MaxInt64 / 4
}

// Ask is one question to a source.
type Ask struct {
	Key   string // of whom
	Limit Limit
	Cost  int64 // to be taken if it is there, else nothing is; 0 only looks
	Spent int64 // was done already and is taken whatever is there
}

// Decision is what became of a question.
type Decision struct {
	Allowed bool
	// Never: the cost is more than the burst, so that no waiting helps.
	Never bool
	// Bypassed: nobody could decide, and so it was allowed.
	Bypassed   bool
	Limit      Limit
	Remaining  int64         // what may be done at once after this
	RetryAfter time.Duration // until the cost would be there; 0 when allowed or never
	Reset      time.Duration // until the bucket is full
}

// Source keeps the buckets. One that nobody asked of is full, and so is one that
// was forgotten.
type Source interface {
	// Take answers questions in order, each after the ones before. ErrUnavailable
	// when it can't; some may have been taken then.
	Take(ctx context.Context, asks []Ask) ([]Decision, error)
}

// Decide is the rule. debt is how long the bucket would take to be full before the
// question, owed how long after it.
func Decide(debt time.Duration, a Ask) (d Decision, owed time.Duration) {
	tolerance := a.Limit.Window()
	owed = max(debt, 0) + a.Limit.span(a.Spent)
	d.Limit, d.Never = a.Limit, a.Cost > a.Limit.Burst
	after := owed + a.Limit.span(a.Cost)
	switch {
	case d.Never:
	case after <= tolerance:
		d.Allowed, owed = true, after
	default:
		d.RetryAfter = after - tolerance
	}
	d.Reset = owed
	d.Remaining = max(0, int64((tolerance-owed)/max(a.Limit.Spacing(), 1)))
	return d, owed
}
