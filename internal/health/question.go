package health

import "context"

// question asks one subsystem, and never again before it has answered. Whoever
// uses it does so one after the other.
type question[T any] struct {
	ask     func(context.Context) T
	pending chan reply[T] // gets the answer that was waited for in vain; nil: there is none
}

// reply is an answer. One that came with the end of the context tells only that
// nobody waited any longer.
type reply[T any] struct {
	value  T
	inTime bool
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
	replied := make(chan reply[T], 1)
	q.pending = replied
	go func() {
		value := q.ask(ctx)
		replied <- reply[T]{value, ctx.Err() == nil}
	}()
	return func() (T, bool) {
		select {
		case r := <-replied:
			return q.take(r)
		case <-ctx.Done():
		}
		select { // it may have come while another was waited for
		case r := <-replied:
			return q.take(r)
		default:
			return none, false
		}
	}
}

// take notes that the answer is there.
func (q *question[T]) take(r reply[T]) (T, bool) {
	q.pending = nil
	if !r.inTime {
		var none T
		return none, false
	}
	return r.value, true
}
