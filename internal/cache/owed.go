package cache

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// mostOwed bounds how many marks are kept for a store that can't be told of
// them; of more it is told to forget everything.
const mostOwed = 10_000

// owed keeps the invalidations that a store hasn't heard of.
type owed struct {
	lock  sync.Mutex
	marks map[Mark]uint64 // with the number of the last time that each was added
	last  uint64
	count atomic.Int64
}

func (o *owed) none() bool { return o.count.Load() == 0 }

func (o *owed) add(marks []Mark) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.marks == nil {
		o.marks = map[Mark]uint64{}
	}
	o.last++
	for _, mark := range marks {
		o.marks[mark] = o.last
	}
	if len(o.marks) > mostOwed {
		o.marks = map[Mark]uint64{All: o.last}
	}
	o.count.Store(int64(len(o.marks)))
}

// due is what is owed now.
func (o *owed) due() map[Mark]uint64 {
	o.lock.Lock()
	defer o.lock.Unlock()
	return maps.Clone(o.marks)
}

// settle takes away what was paid, but for what was added again since: that may
// have happened after the store forgot.
func (o *owed) settle(paid map[Mark]uint64) {
	o.lock.Lock()
	defer o.lock.Unlock()
	maps.DeleteFunc(o.marks, func(mark Mark, number uint64) bool {
		paidAt, ok := paid[mark]
		return ok && paidAt == number
	})
	o.count.Store(int64(len(o.marks)))
}

func marksOf(due map[Mark]uint64) []Mark { return slices.Collect(maps.Keys(due)) }
