package loadtest

import (
	"context"
	"time"
)

// pacer waits until points in time.
type pacer struct{ sleeper }

// coarse is how long before a point in time the ordinary timer is left, which may
// come a millisecond late: the runtime waits for the network with that resolution.
const coarse = 2 * time.Millisecond

// until returns at the time, and reports false when ctx ended before.
func (p *pacer) until(ctx context.Context, at time.Time) bool {
	if left := time.Until(at); left > coarse {
		timer := time.NewTimer(left - coarse)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
	}
	for left := time.Until(at); left > 0; left = time.Until(at) {
		p.sleep(left)
	}
	return ctx.Err() == nil
}
