package health

import (
	"sync"
	"time"
)

// sampleEvery is how far apart two samples of a window are at least, and so how
// exactly its beginning is known.
const sampleEvery = gatherEvery / 2

// window tells by how much a counter that only grows has grown in the last so
// long. It holds samples that are at least sampleEvery apart: 720 for an hour at most.
type window struct {
	length time.Duration

	lock    sync.Mutex
	samples []sample // in order of time; the first is the base
}

type sample struct {
	at    time.Time
	total int64
}

// newWindow begins to watch a counter that is 0 now.
func newWindow(length time.Duration, now time.Time) *window {
	return &window{length: length, samples: []sample{{at: now}}}
}

// grown takes the counter's total of now and returns the growth.
func (w *window) grown(total int64, now time.Time) int64 {
	w.lock.Lock()
	defer w.lock.Unlock()
	if now.Sub(w.samples[len(w.samples)-1].at) >= sampleEvery {
		w.samples = append(w.samples, sample{now, total})
	}
	// The base is the newest sample that the window's whole length lies behind.
	begin, base := now.Add(-w.length), 0
	for base+1 < len(w.samples) && !w.samples[base+1].at.After(begin) {
		base++
	}
	w.samples = append(w.samples[:0], w.samples[base:]...)
	return total - w.samples[0].total
}
