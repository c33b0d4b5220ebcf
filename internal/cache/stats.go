package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// level is where a value was found.
type level int

const (
	nowhere level = iota
	nearLevel
	farLevel
)

// counts count what a cache does, from its making on.
type counts struct {
	invalidations atomic.Int64 // asked for in this process
	heard         atomic.Int64 // asked for in others
	uses          sync.Map     // of *useCounts by name
}

// useCounts count for one use.
type useCounts struct {
	nearHits, farHits, misses, loads, invalidations, errors atomic.Int64
}

func (c *counts) of(use string) *useCounts {
	u, _ := c.uses.LoadOrStore(use, &useCounts{})
	return u.(*useCounts)
}

func (u *useCounts) count(from level) {
	switch from {
	case nearLevel:
		u.nearHits.Add(1)
	case farLevel:
		u.farHits.Add(1)
	default:
		u.misses.Add(1)
	}
}

// Stats tell what a cache did in this process since it was made, in the form of
// /api/v1/monitoring/azure-cache-stats.
type Stats struct {
	Enabled bool   `json:"enabled"`
	Backend string `json:"backend"` // memory or redis
	Hits    int64  `json:"hits"`    // in either level; that something is known not to be there is a hit
	Misses  int64  `json:"misses"`  // whoever waited for another's load among them
	// HitRate is a percentage, 0 to 100; nil before anybody asked.
	HitRate       *float64                  `json:"hit_rate" nullable:"true"`
	Invalidations int64                     `json:"invalidations"` // of keys and tags, by this process
	Entries       int64                     `json:"entries"`       // in this process
	SizeBytes     int64                     `json:"size_bytes"`    // in this process
	PerOperation  map[string]OperationStats `json:"per_operation"`
	Far           *FarStats                 `json:"far,omitempty"` // nil: there is no far level
}

// OperationStats are the statistics of one use.
type OperationStats struct {
	Hits          int64    `json:"hits"`
	FarHits       int64    `json:"far_hits"` // those of the hits that the near level hadn't
	Misses        int64    `json:"misses"`
	HitRate       *float64 `json:"hit_rate" nullable:"true"`
	Loads         int64    `json:"loads"`
	Invalidations int64    `json:"invalidations"`
	Entries       int64    `json:"entries"`
	SizeBytes     int64    `json:"size_bytes"`
	// Errors are faults of the far level, values that it wasn't given for want of
	// room or time, and such as couldn't be read.
	Errors int64 `json:"errors"`
}

// FarStats are the statistics of the level that processes share.
type FarStats struct {
	Breaker   string `json:"breaker"`   // closed, open or half-open
	Listening bool   `json:"listening"` // other processes' invalidations reach this one
	Heard     int64  `json:"heard"`     // marks that others invalidated
	Failures  int64  `json:"failures"`  // no answer, or none in time
	Refusals  int64  `json:"refusals"`  // such as of a store that is full
	Openings  int64  `json:"openings"`  // of the breaker
	Owed      int64  `json:"owed"`      // invalidations that it hasn't heard of yet
}

// Stats returns the statistics. It asks nobody.
func (c *Cache) Stats() Stats {
	usage := c.near.Usage()
	s := Stats{
		Enabled: true, Backend: c.Backend(), Invalidations: c.counts.invalidations.Load(),
		Entries: usage.Entries, SizeBytes: usage.Bytes, PerOperation: map[string]OperationStats{},
	}
	c.counts.uses.Range(func(name, counted any) bool {
		one := counted.(*useCounts).stats(usage.PerUse[name.(string)])
		s.PerOperation[name.(string)] = one
		s.Hits += one.Hits
		s.Misses += one.Misses
		return true
	})
	s.HitRate = rate(s.Hits, s.Misses)
	if g := c.far; g != nil {
		s.Far = &FarStats{
			Breaker: g.state(), Listening: c.hearing.Load(), Heard: c.counts.heard.Load(),
			Failures: g.failures.Load(), Refusals: g.refusals.Load(), Openings: g.openings.Load(), Owed: g.owed.count.Load(),
		}
	}
	return s
}

func (u *useCounts) stats(held UseUsage) OperationStats {
	s := OperationStats{
		FarHits: u.farHits.Load(), Misses: u.misses.Load(), Loads: u.loads.Load(), Invalidations: u.invalidations.Load(),
		Entries: held.Entries, SizeBytes: held.Bytes, Errors: u.errors.Load(),
	}
	s.Hits = u.nearHits.Load() + s.FarHits
	s.HitRate = rate(s.Hits, s.Misses)
	return s
}

func rate(hits, misses int64) *float64 {
	if hits+misses == 0 {
		return nil
	}
	r := 100 * float64(hits) / float64(hits+misses)
	return &r
}

const (
	// healthEvery is how often the far level is asked at most.
	healthEvery = time.Second
	// healthTimeout is how long that may take.
	healthTimeout = 500 * time.Millisecond
)

// Health is whether the cache's far level answers, or the only one.
type Health struct {
	Status  string        // "ok" or "no answer"
	Latency time.Duration // of the answer, or until none was waited for any more
	AskedAt time.Time
}

type health struct {
	lock sync.Mutex
	last Health
}

// Health asks the far level, at most once a second: within it the last answer is
// given again. It takes half a second at most.
func (c *Cache) Health(ctx context.Context) Health {
	c.health.lock.Lock()
	defer c.health.lock.Unlock()
	now := time.Now()
	if last := c.health.last; !last.AskedAt.IsZero() && now.Sub(last.AskedAt) < healthEvery {
		return last
	}
	// The answer is for all who ask within the second, so that no one's end spoils it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
	defer cancel()
	h := Health{Status: "ok", AskedAt: now}
	if c.Ping(ctx) != nil {
		h.Status = "no answer"
	}
	h.Latency = time.Since(now)
	c.health.last = h
	return h
}
