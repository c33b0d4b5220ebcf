package mail

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// ErrFull says that too many letters wait already.
var ErrFull = errors.New("too many letters are waiting to be sent")

// QueueOptions configures a Queue; the zero value is ready for use.
type QueueOptions struct {
	Most      int           // letters that may wait, those to be sent again included; 0: 1,000
	Workers   int           // letters that are sent at once; 0: 4
	Attempts  int           // before a letter is given up; 0: 8
	FirstWait time.Duration // before the second attempt, each later one twice as long; 0: 1 s
	Logger    *slog.Logger  // nil: silent
}

// Queue sends letters beside requests, and again where that fails. One that has to be
// sent again holds up no other: new letters go first. Letters wait in memory: those
// that a process loses when it is killed have to be asked for again.
type Queue struct {
	sender  Sender
	options QueueOptions
	workers sync.WaitGroup
	stop    context.CancelFunc

	mu     sync.Mutex
	fresh  []*waiting // oldest first
	again  delayed
	held   int           // letters that are kept, those that are being sent included
	ending bool          // no letter is taken any more
	moved  chan struct{} // closed and made anew when there is something to do
}

// waiting is a letter with what became of it so far.
type waiting struct {
	letter   Message
	attempts int
	wait     time.Duration // before the next attempt but one
	due      time.Time
}

// delayed holds letters that are to be sent again, the one that is due first at its top.
type delayed []*waiting

func (d delayed) Len() int           { return len(d) }
func (d delayed) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d delayed) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push implements heap.Interface.
func (d *delayed) Push(w any) { *d = append(*d, w.(*waiting)) } //nolint:forcetypeassert // only a Queue pushes

// Pop implements heap.Interface.
func (d *delayed) Pop() any {
	last := len(*d) - 1
	w := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return w
}

// NewQueue starts sending. Close ends it.
func NewQueue(sender Sender, o QueueOptions) *Queue {
	o.Most = cmp.Or(o.Most, 1000)
	o.Workers = cmp.Or(o.Workers, 4)
	o.Attempts = cmp.Or(o.Attempts, 8)
	o.FirstWait = cmp.Or(o.FirstWait, time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	q := &Queue{sender: sender, options: o, stop: stop, moved: make(chan struct{})}
	for range o.Workers {
		q.workers.Go(func() { q.run(ctx) })
	}
	return q
}

// Send takes a letter and sends it later. ErrFull when it can't be taken.
func (q *Queue) Send(m Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.full() {
		return ErrFull
	}
	q.held++
	q.fresh = append(q.fresh, &waiting{letter: m, wait: q.options.FirstWait})
	q.wake()
	return nil
}

// Full reports whether a letter would be refused at this moment.
func (q *Queue) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full()
}

func (q *Queue) full() bool { return q.ending || q.held >= q.options.Most }

// wake lets every worker look again; whoever calls it holds the lock.
func (q *Queue) wake() {
	close(q.moved)
	q.moved = make(chan struct{})
}

// Close sends what waits until ctx ends; what is left then is lost, and told of
// in the log. No letter is taken any more.
func (q *Queue) Close(ctx context.Context) {
	q.mu.Lock()
	q.ending = true
	q.wake()
	q.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		q.workers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	q.stop()
	<-ended
	q.mu.Lock()
	left := q.held
	q.held, q.fresh, q.again = 0, nil, nil
	q.mu.Unlock()
	if left > 0 {
		q.options.Logger.Error("letters could not be sent before the end, and are lost", "letters", left)
	}
}

func (q *Queue) run(ctx context.Context) {
	for {
		w := q.next(ctx)
		if w == nil {
			return
		}
		q.attempt(ctx, w)
	}
}

// next waits for a letter that can be sent; nil: there will be none any more.
func (q *Queue) next(ctx context.Context) *waiting {
	for ctx.Err() == nil {
		w, due, moved := q.take(time.Now())
		if w != nil || moved == nil {
			return w
		}
		timer := time.NewTimer(due)
		select {
		case <-moved:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// idle is how long to wait where nothing but a new letter is waited for.
const idle = time.Hour

// take returns a letter that can be sent now. Otherwise it tells how long it is until
// one is due, and what is closed when there may be one sooner: nil at the end.
func (q *Queue) take(now time.Time) (w *waiting, due time.Duration, moved <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.fresh) > 0:
		w, q.fresh = q.fresh[0], q.fresh[1:]
		return w, 0, nil
	case q.ending && q.held == 0:
		return nil, 0, nil
	case len(q.again) == 0:
		return nil, idle, q.moved
	}
	if due = q.again[0].due.Sub(now); due > 0 {
		return nil, due, q.moved
	}
	return heap.Pop(&q.again).(*waiting), 0, nil //nolint:forcetypeassert // what Push took
}

// attempt sends a letter once, and keeps it for another time where that may help.
func (q *Queue) attempt(ctx context.Context, w *waiting) {
	err := q.sender.Send(ctx, w.letter)
	w.attempts++
	switch {
	case err == nil:
	case errors.Is(err, ErrRefused), w.attempts >= q.options.Attempts:
		q.options.Logger.Error("a letter could not be sent, and is given up", "subject", w.letter.Subject, "attempts", w.attempts, "error", err)
	default:
		if ctx.Err() == nil {
			q.options.Logger.Warn("a letter could not be sent; trying again", "subject", w.letter.Subject, "wait", w.wait.String(), "error", err)
		}
		q.keep(w)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held--; q.ending && q.held == 0 {
		q.wake()
	}
}

// keep holds a letter until it is due again.
func (q *Queue) keep(w *waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.due = time.Now().Add(w.wait)
	w.wait *= 2
	heap.Push(&q.again, w)
	q.wake()
}
