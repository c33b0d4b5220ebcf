package mail

import (
	"cmp"
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
	Most      int           // letters that may wait; 0: 1,000
	Attempts  int           // before a letter is given up; 0: 8
	FirstWait time.Duration // before the second attempt, each later one twice as long; 0: 1 s
	Logger    *slog.Logger  // nil: silent
}

// Queue sends letters beside requests, one after the other, and again where that
// fails. Letters wait in memory: those that a process loses when it is killed have
// to be asked for again.
type Queue struct {
	sender  Sender
	options QueueOptions
	waiting chan Message
	ending  chan struct{}
	end     func()
	ended   chan struct{}
	stop    context.CancelFunc
}

// NewQueue starts sending. Close ends it.
func NewQueue(sender Sender, o QueueOptions) *Queue {
	o.Most = cmp.Or(o.Most, 1000)
	o.Attempts = cmp.Or(o.Attempts, 8)
	o.FirstWait = cmp.Or(o.FirstWait, time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	q := &Queue{sender: sender, options: o, waiting: make(chan Message, o.Most), ending: make(chan struct{}), ended: make(chan struct{}), stop: stop}
	q.end = sync.OnceFunc(func() { close(q.ending) })
	go q.run(ctx)
	return q
}

// Send takes a letter and sends it later. ErrFull when it can't be taken.
func (q *Queue) Send(m Message) error {
	select {
	case <-q.ending:
		return ErrFull
	default:
	}
	select {
	case q.waiting <- m:
		return nil
	default:
		return ErrFull
	}
}

// Close sends what waits until ctx ends; what is left then is lost, and told of
// in the log. No letter is taken any more.
func (q *Queue) Close(ctx context.Context) {
	q.end()
	select {
	case <-q.ended:
	case <-ctx.Done():
	}
	q.stop()
	<-q.ended
	if left := len(q.waiting); left > 0 {
		q.options.Logger.Error("letters could not be sent before the end, and are lost", "letters", left)
	}
}

func (q *Queue) run(ctx context.Context) {
	defer close(q.ended)
	for ctx.Err() == nil {
		select {
		case m := <-q.waiting:
			q.deliver(ctx, m)
		case <-q.ending:
			select {
			case m := <-q.waiting:
				q.deliver(ctx, m)
			default:
				return
			}
		case <-ctx.Done():
		}
	}
}

// deliver sends a letter, again and again where that may help.
func (q *Queue) deliver(ctx context.Context, m Message) {
	wait := q.options.FirstWait
	for attempt := 1; ; attempt++ {
		err := q.sender.Send(ctx, m)
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrRefused), attempt >= q.options.Attempts, ctx.Err() != nil:
			q.options.Logger.Error("a letter could not be sent, and is given up", "subject", m.Subject, "attempts", attempt, "error", err)
			return
		}
		q.options.Logger.Warn("a letter could not be sent; trying again", "subject", m.Subject, "wait", wait.String(), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait *= 2
	}
}
