package blob

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"
)

// What Health says of a store.
const (
	Healthy   = "healthy"   // it answers
	Degraded  = "degraded"  // it answers again, and is about to be used again
	Unhealthy = "unhealthy" // it doesn't answer, or not us
)

// Health is how a store is.
type Health struct {
	Status    string
	Backend   string
	LatencyMS *float64          // of the last answer; nil when there was none
	Checks    map[string]string // "account": ok or what is wrong; "breaker": closed, open or half_open
	Pool      PoolStats
}

// PoolStats are the operations of a Guarded store. The counts are since the start.
type PoolStats struct {
	Size        int
	InUse       int
	Idle        int
	Waits       int64    // operations that had to wait for their turn and got it
	Timeouts    int64    // operations that waited in vain: ErrBusy
	Exhaustions int64    // operations that found all in use
	ReuseRate   *float64 // percent of requests on a connection that was open already, with two decimals; nil before the first
}

// counters are what a pool counts.
type counters struct{ waits, timeouts, exhaustions atomic.Int64 }

// connected is a store that has connections.
type connected interface {
	Connections() (requests, reused int64)
}

// Pool returns the operations in flight and the counts so far.
func (g *Guarded) Pool() PoolStats {
	inUse := len(g.slots)
	stats := PoolStats{
		Size: cap(g.slots), InUse: inUse, Idle: cap(g.slots) - inUse,
		Waits: g.pool.waits.Load(), Timeouts: g.pool.timeouts.Load(), Exhaustions: g.pool.exhaustions.Load(),
	}
	if requests, reused := g.Connections(); requests > 0 {
		stats.ReuseRate = new(math.Round(1e4*float64(reused)/float64(requests)) / 100)
	}
	return stats
}

// Connections counts the requests to the backend since the start, and those that
// found a connection open already; both are 0 for one that nobody connects to.
func (g *Guarded) Connections() (requests, reused int64) {
	if c, ok := g.store.(connected); ok {
		return c.Connections()
	}
	return 0, 0
}

// Breaker is the state of the breaker: "closed", "open" or "half_open".
func (g *Guarded) Breaker() string {
	switch {
	case g.breaker.IsOpen():
		return "open"
	case g.breaker.IsHalfOpen():
		return "half_open"
	}
	return "closed"
}

// healthAge is how long one answer is good for: whoever asks for health, how
// often ever, costs the backend one question a second.
const healthAge = time.Second

// lastAnswer is what the backend answered when it was last asked.
type lastAnswer struct {
	at      time.Time
	err     error
	latency time.Duration
}

// Health tells how the store is. It asks the backend, but at most once a second,
// and waits until ctx ends and not longer than HealthTimeout, whatever the backend
// does; it asks beside the operations in flight: a busy store is not an unhealthy
// one. Its asking is also what closes the breaker when
// nobody else uses the store.
func (g *Guarded) Health(ctx context.Context) Health {
	latency, err := g.ask(ctx)
	health := Health{
		Status: Healthy, Backend: g.options.Backend, Pool: g.Pool(),
		Checks: map[string]string{"account": "ok", "breaker": g.Breaker()},
	}
	switch {
	case err != nil:
		health.Status, health.Checks["account"] = Unhealthy, reason(err)
		return health
	case g.Breaker() != "closed":
		health.Status = Degraded
	}
	health.LatencyMS = new(float64(latency.Microseconds()) / 1000)
	return health
}

// ask asks the backend, unless it was asked just now or is being asked. A backend
// that hangs for good is asked once, and the others wait for that answer in vain.
func (g *Guarded) ask(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, g.options.HealthTimeout)
	defer cancel()
	last := g.fresh()
	if last == nil {
		answer := g.asking.DoChan("", func() (any, error) {
			if last := g.fresh(); last != nil { // somebody's question may just have ended
				return last, nil
			}
			return g.renew(ctx), nil
		})
		select {
		case a := <-answer:
			last = a.Val.(*lastAnswer)
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return last.latency, last.err
}

// fresh returns the last answer while it is good; else nil.
func (g *Guarded) fresh() *lastAnswer {
	if last := g.asked.Load(); last != nil && time.Since(last.at) < healthAge {
		return last
	}
	return nil
}

// renew asks. The answer is for all who ask within the second, so one who goes
// away doesn't spoil it.
func (g *Guarded) renew(ctx context.Context) *lastAnswer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.options.HealthTimeout)
	defer cancel()
	permitted := g.breaker.TryAcquirePermit()
	start := time.Now()
	err := g.store.Ping(ctx)
	last := &lastAnswer{time.Now(), err, time.Since(start)}
	if permitted {
		g.record(err)
	}
	g.asked.Store(last)
	return last
}

// reason is an error in few words that tell nothing of the inside.
func reason(err error) string {
	for _, known := range []error{ErrUnavailable, ErrDenied, ErrReadOnly, ErrFull} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return ErrUnavailable.Error()
}
