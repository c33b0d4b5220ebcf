package auth

import (
	"sync"
	"time"
)

// What wrong passwords lead to.
const (
	accountFailures  = 5                // wrong passwords before an account's pauses begin
	familiarFailures = 20               // those of a network in which the user is signed in, during the account's pauses
	placeFailures    = 20               // and an address's, behind which there may be many people
	firstPause       = time.Second      // doubles with each further one
	longestPause     = 15 * time.Minute //
	forgetFailures   = 15 * time.Minute // an address without wrong passwords for so long begins anew
	forgetFamiliar   = 24 * time.Hour   // and such a network
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

// backoffs counts wrong passwords by where they come from, in this process.
type backoffs struct {
	allowed int // before the pauses begin
	now     func() time.Time
	mu      sync.Mutex
	places  *recent[*failures]
}

type failures struct {
	count int
	until time.Time
}

// newBackoffs makes one that begins anew with a place from where nothing wrong came
// for so long as it takes to forget.
func newBackoffs(allowed int, forget time.Duration, now func() time.Time) *backoffs {
	return &backoffs{allowed: allowed, now: now, places: newRecent[*failures](100_000, forget, now)}
}

// wait is how long nothing is tried from a place; "" is never held back.
func (b *backoffs) wait(place string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.places.get(place)
	if place == "" || !ok {
		return 0
	}
	return max(0, f.until.Sub(b.now()))
}

// clear begins anew with a place.
func (b *backoffs) clear(place string) {
	if place == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.places.set(place, &failures{})
}

// fail counts a wrong password from a place.
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
	f.until = b.now().Add(pause(f.count, b.allowed))
	b.places.set(place, f)
}
