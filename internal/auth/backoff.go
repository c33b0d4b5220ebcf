package auth

import (
	"sync"
	"time"
)

// What wrong passwords lead to.
const (
	accountFailures = 5                // wrong passwords before an account's pauses begin
	placeFailures   = 20               // and an address's, behind which there may be many people
	firstPause      = time.Second      // doubles with each further one
	longestPause    = 15 * time.Minute //
	forgetFailures  = 15 * time.Minute // an address without wrong passwords for so long begins anew
)

// pause is how long nothing is tried after so many wrong passwords.
func pause(failures, allowed int) time.Duration {
	over := failures - allowed
	switch {
	case over < 0:
		return 0
	case over >= 10: // 1024 s, more than the longest
		return longestPause
	}
	return min(firstPause<<over, longestPause)
}

// backoffs counts wrong passwords by address, in this process.
type backoffs struct {
	now    func() time.Time
	mu     sync.Mutex
	places *recent[*failures]
}

type failures struct {
	count int
	until time.Time
}

func newBackoffs(now func() time.Time) *backoffs {
	return &backoffs{now: now, places: newRecent[*failures](100_000, forgetFailures, now)}
}

// wait is how long nothing is tried for an address; "" is never held back.
func (b *backoffs) wait(place string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.places.get(place)
	if place == "" || !ok {
		return 0
	}
	return max(0, f.until.Sub(b.now()))
}

// fail counts a wrong password from an address.
func (b *backoffs) fail(place string) {
	if place == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.places.get(place)
	if !ok {
		f = &failures{}
	}
	f.count++
	f.until = b.now().Add(pause(f.count, placeFailures))
	b.places.set(place, f)
}
