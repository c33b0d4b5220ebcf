package health

import "context"

// question asks one subsystem, and never again before it has answered. Whoever
// uses it does so one after the other.
type question[T any] struct {
	ask     func(context.Context) T
	pending chan T // gets the answer that was waited for in vain; nil: there is none
}

// begin asks, and returns what waits for the answer until ctx ends. A subsystem
// that still owes the answer to an earlier question isn't asked, nor waited for.
func (q *question[T]) begin(ctx context.Context) (answer func() (T, bool)) {
	var none T
	if q.pending != nil {
		select {
		case <-q.pending: // it comes too late to be true
		default:
			return func() (T, bool) { return none, false }
		}
	}
	answered := make(chan T, 1)
	q.pending = answered
	go func() { answered <- q.ask(ctx) }()
	return func() (T, bool) {
		select {
		case a := <-answered:
			q.pending = nil
			return a, true
		case <-ctx.Done():
		}
		select { // it may have come while another was waited for
		case a := <-answered:
			q.pending = nil
			return a, true
		default:
			return none, false
		}
	}
}
