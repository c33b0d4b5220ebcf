// Package memory keeps rate limits in the process: for one process, or as what it
// knows by itself of limits that several share.
package memory

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/ratelimit"
)

// DefaultCallers is how many callers are told apart at the same time unless the
// options say otherwise. Each takes some 150 bytes.
const DefaultCallers = 500_000

const (
	shards = 64
	// look is how many buckets are looked at when a new one comes to a shard that is full.
	look = 8
)

// Options bound the memory. All have defaults.
type Options struct {
	Callers int              // most buckets; 0: DefaultCallers
	Now     func() time.Time // nil: time.Now
}

// Buckets is a ratelimit.Source. A bucket that is full again is forgotten when its
// place is needed; when none is, the one of several that is full soonest goes, so
// that who sends from many addresses can win some of his own patience back, and
// never more memory.
type Buckets struct {
	now    func() time.Time
	origin time.Time // of the times that are kept
	seed   maphash.Seed
	most   int // in a shard
	shards [shards]shard
}

// shard is a part of the buckets with a lock of its own. until is when a bucket is
// full, since the origin.
type shard struct {
	mu    sync.Mutex
	until map[string]time.Duration
	_     [40]byte // so that two locks don't share a line of the processor's cache
}

// Open makes empty buckets.
func Open(opts Options) *Buckets {
	if opts.Callers <= 0 {
		opts.Callers = DefaultCallers
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	b := &Buckets{now: opts.Now, origin: opts.Now(), seed: maphash.MakeSeed(), most: max(1, opts.Callers/shards)}
	for i := range b.shards {
		b.shards[i].until = map[string]time.Duration{}
	}
	return b
}

// Take is ratelimit.Source's; it never fails.
func (b *Buckets) Take(_ context.Context, asks []ratelimit.Ask) ([]ratelimit.Decision, error) {
	decisions := make([]ratelimit.Decision, len(asks))
	for i, a := range asks {
		decisions[i] = b.One(a)
	}
	return decisions, nil
}

// One answers one question.
func (b *Buckets) One(a ratelimit.Ask) ratelimit.Decision {
	now := b.now().Sub(b.origin)
	s := b.shard(a.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.until[a.Key]
	d, owed := ratelimit.Decide(until-now, a)
	if d.Allowed && a.Cost > 0 || a.Spent > 0 {
		b.put(s, a.Key, now+owed, known, now)
	}
	return d
}

// Raise makes a bucket take at least so long to be full.
func (b *Buckets) Raise(key string, reset time.Duration) {
	now := b.now().Sub(b.origin)
	s := b.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, known := s.until[key]; now+reset > until && reset > 0 {
		b.put(s, key, now+reset, known, now)
	}
}

func (b *Buckets) shard(key string) *shard {
	return &b.shards[maphash.String(b.seed, key)%shards]
}

func (b *Buckets) put(s *shard, key string, until time.Duration, known bool, now time.Duration) {
	if !known && len(s.until) >= b.most {
		s.makeRoom(now)
	}
	s.until[key] = until
}

// makeRoom forgets those of some buckets that are full, or else the one that is
// soonest. The order of a map is random enough to look at others each time.
func (s *shard) makeRoom(now time.Duration) {
	var soonest string
	looked, full := 0, 0
	for key, until := range s.until {
		if until <= now {
			delete(s.until, key)
			full++
		} else if soonest == "" || until < s.until[soonest] {
			soonest = key
		}
		if looked++; looked == look {
			break
		}
	}
	if full == 0 {
		delete(s.until, soonest)
	}
}

// Len returns how many buckets are kept.
func (b *Buckets) Len() int {
	n := 0
	for i := range b.shards {
		b.shards[i].mu.Lock()
		n += len(b.shards[i].until)
		b.shards[i].mu.Unlock()
	}
	return n
}
