package testenv

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what happens by itself: longer than it
// ever takes.
const Patience = time.Minute

// Eventually waits until a condition holds, looking again as often as it can
// without keeping the machine busy.
func Eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}
