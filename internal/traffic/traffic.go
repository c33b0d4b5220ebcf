// Package traffic remembers, for whoever looks at the process now, how many
// requests it answered in the last ten minutes, how fast, and what went wrong
// lately. It is a view of one process since its start; metrics are what is kept.
//
// It knows nothing of HTTP but status codes, and nothing of who asked: neither
// addresses nor what somebody asked about ever get here.
package traffic

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Kept is how far back requests are remembered, second by second.
const Kept = 10 * time.Minute

const seconds = int64(Kept / time.Second)

// Recorder remembers. It is safe for concurrent use, and counting waits for
// nobody. The zero value is ready.
type Recorder struct {
	slots [seconds]atomic.Pointer[second]

	lock   sync.Mutex
	faults [keptFaults]Fault
	next   int // where the next fault is written
	noted  int // how many are there
}

// second is what happened in one second.
type second struct {
	at                         int64 // Unix time
	requests, refused, failing atomic.Int64
	took                       [spans]atomic.Uint32
}

// Answer is one request that was answered.
type Answer struct {
	At      time.Time // of the end
	Took    time.Duration
	Status  int
	Route   string // the route's pattern, never the path
	Code    string // of the problem, if it was one
	TraceID string
}

// Answered counts a request; an answer that says that the fault is ours is kept
// among the faults too.
func (r *Recorder) Answered(a Answer) {
	s := r.at(a.At.Unix())
	s.requests.Add(1)
	s.took[spanOf(a.Took)].Add(1)
	switch {
	case a.Status >= 500:
		s.failing.Add(1)
		r.note(Fault{At: a.At, Status: a.Status, Route: a.Route, Code: a.Code, TraceID: a.TraceID})
	case a.Status >= 400:
		s.refused.Add(1)
	}
}

// at returns the second to count in. A slot whose second is another one gets a new
// one: it is ten minutes old, or was counted before the clock was set back. Of
// several who find it so, one is first.
func (r *Recorder) at(now int64) *second {
	slot := &r.slots[now%seconds]
	for {
		s := slot.Load()
		if s != nil && s.at == now {
			return s
		}
		fresh := &second{at: now}
		if slot.CompareAndSwap(s, fresh) {
			return fresh
		}
	}
}

// Durations are counted by spans: four to each doubling of microseconds. A percentile
// is told as its span's end, and lies at most a fifth of that below it.
const (
	perDoubling = 4
	spans       = 27 * perDoubling // the last begins above three minutes
)

// spanOf returns the span that a duration falls into.
func spanOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < perDoubling {
		return int(us) //nolint:gosec // below 4
	}
	doubling := bits.Len64(us) - 1
	quarter := int(us>>(doubling-2)) & (perDoubling - 1) //nolint:gosec // below 4
	return min((doubling-1)*perDoubling+quarter, spans-1)
}

// spanEnd is the duration that a span ends before.
func spanEnd(span int) time.Duration {
	if span < perDoubling {
		return time.Duration(span+1) * time.Microsecond
	}
	doubling, quarter := span/perDoubling+1, span%perDoubling
	return time.Duration(perDoubling+quarter+1) << (doubling - 2) * time.Microsecond
}
