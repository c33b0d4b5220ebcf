// Package memory keeps a cache's values in the process: the whole of an embedded
// service's cache, and the first level of one with Redis. It is bounded by bytes;
// what is asked for seldom goes first (W-TinyLFU, by otter).
//
// It knows nothing of what the values are, nor of other processes.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/crownsafe/api/internal/cache"
)

// DefaultBytes is the bound unless another is given.
const DefaultBytes = 64 << 20

// What a value and a generation weigh besides their bytes: the entry, its node in
// the table and its place in the queues, as measured.
const (
	valueOverhead      = 256
	generationOverhead = 160
)

// Options say how a store is to be.
type Options struct {
	// Bytes bounds what is held, keys and bookkeeping included; 0: DefaultBytes. A
	// quarter of it is for the generations of marks.
	Bytes int64
}

// Store is a cache.Store in the process.
//
// Every mark has a generation: a number that no other has had. A value holds
// those of its marks from when it was claimed and can be read while they are the
// same. To invalidate a mark is to drop its generation, and one that was pushed
// out for want of room has the same effect.
type Store struct {
	values      *otter.Cache[string, *entry]
	generations *otter.Cache[cache.Mark, uint64]
	all         atomic.Uint64 // the generation of cache.All
	last        atomic.Uint64 // the generation that was given last
	uses        sync.Map      // of *held by use
}

type entry struct {
	value   []byte
	claim   cache.Claim
	ttl     time.Duration
	expires time.Time
	weight  uint32
	held    *held
}

// held counts what is there of one use.
type held struct{ entries, bytes atomic.Int64 }

// Open makes an empty store.
func Open(opts Options) *Store {
	bytes := uint64(cmp.Or(max(opts.Bytes, 0), DefaultBytes))
	s := &Store{
		values: otter.Must(&otter.Options[string, *entry]{
			MaximumWeight:    max(bytes-bytes/4, 1),
			Weigher:          func(_ string, e *entry) uint32 { return e.weight },
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *entry]) time.Duration { return e.Value.ttl }),
			OnAtomicDeletion: func(e otter.DeletionEvent[string, *entry]) { e.Value.held.add(-1, e.Value.weight) },
			Logger:           &otter.NoopLogger{},
		}),
		generations: otter.Must(&otter.Options[cache.Mark, uint64]{
			MaximumWeight: max(bytes/4, 1),
			Weigher:       func(m cache.Mark, _ uint64) uint32 { return uint32(min(len(m), math.MaxInt32)) + generationOverhead },
			Logger:        &otter.NoopLogger{},
		}),
	}
	s.all.Store(s.last.Add(1))
	return s
}

func (h *held) add(entries int64, bytes uint32) {
	h.entries.Add(entries)
	h.bytes.Add(entries * int64(bytes))
}

// Get is cache.Store's.
func (s *Store) Get(ctx context.Context, key cache.Key) (cache.Answer, error) {
	if err := ctx.Err(); err != nil {
		return cache.Answer{}, err
	}
	marks, path := key.Marks(), key.Path()
	if e, ok := s.values.GetIfPresent(path); ok {
		if ttl := time.Until(e.expires); ttl > 0 && s.holds(marks, e.claim) {
			return cache.Answer{Found: true, Value: e.value, TTL: ttl}, nil
		}
		s.drop(path, e)
	}
	return cache.Answer{Claim: s.claim(marks)}, nil
}

// holds reports whether a claim is good.
func (s *Store) holds(marks []cache.Mark, claim cache.Claim) bool {
	if len(claim) != len(marks) {
		return false
	}
	for i, mark := range marks {
		if now, ok := s.generation(mark); !ok || now != claim[i] {
			return false
		}
	}
	return true
}

func (s *Store) generation(mark cache.Mark) (uint64, bool) {
	if mark == cache.All {
		return s.all.Load(), true
	}
	return s.generations.GetIfPresent(mark)
}

func (s *Store) claim(marks []cache.Mark) cache.Claim {
	claim := make(cache.Claim, len(marks))
	for i, mark := range marks {
		if now, ok := s.generation(mark); ok {
			claim[i] = now
			continue
		}
		claim[i], _ = s.generations.SetIfAbsent(mark, s.last.Add(1))
	}
	return claim
}

// drop removes a value that can't be read any more, unless another has taken its
// place meanwhile.
func (s *Store) drop(path string, e *entry) {
	s.values.ComputeIfPresent(path, func(now *entry) (*entry, otter.ComputeOp) {
		if now == e {
			return nil, otter.InvalidateOp
		}
		return nil, otter.CancelOp
	})
}

// Set is cache.Store's.
func (s *Store) Set(ctx context.Context, key cache.Key, value []byte, ttl time.Duration, claim cache.Claim) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := key.Path()
	weight := len(path) + len(value) + valueOverhead
	if ttl <= 0 || weight > math.MaxInt32 || !s.holds(key.Marks(), claim) {
		return nil
	}
	ttl = min(ttl, cache.MaxTTL)
	e := &entry{
		value: value, claim: claim, ttl: ttl, expires: time.Now().Add(ttl), weight: uint32(weight), held: s.heldOf(key.Use),
	}
	e.held.add(1, e.weight) // before it is there, for it may be pushed out at once
	s.values.Set(path, e)
	return nil
}

func (s *Store) heldOf(use string) *held {
	if h, ok := s.uses.Load(use); ok {
		return h.(*held)
	}
	h, _ := s.uses.LoadOrStore(use, &held{})
	return h.(*held)
}

// Invalidate is cache.Store's.
func (s *Store) Invalidate(_ context.Context, marks ...cache.Mark) error {
	for _, mark := range marks {
		if mark != cache.All {
			s.generations.Invalidate(mark)
			continue
		}
		s.all.Store(s.last.Add(1))
		s.values.InvalidateAll()
		s.generations.InvalidateAll()
	}
	return nil
}

// Usage is cache.Store's.
func (s *Store) Usage() cache.Usage {
	u := cache.Usage{Bytes: int64(s.generations.WeightedSize()), PerUse: map[string]cache.UseUsage{}}
	s.uses.Range(func(use, h any) bool {
		one := cache.UseUsage{Entries: h.(*held).entries.Load(), Bytes: h.(*held).bytes.Load()}
		u.PerUse[use.(string)] = one
		u.Entries += one.Entries
		u.Bytes += one.Bytes
		return true
	})
	return u
}

// Ping is cache.Store's: what is in the process answers.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// Backend is cache.Store's.
func (s *Store) Backend() string { return "memory" }

// Close drops everything.
func (s *Store) Close() error {
	s.values.StopAllGoroutines()
	if err := s.Invalidate(context.Background(), cache.All); err != nil {
		return fmt.Errorf("emptying the cache: %w", err)
	}
	return nil
}
