package ratelimit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Near is a source in the process, which always answers and at once.
type Near interface {
	One(a Ask) Decision
	// Raise makes a bucket take at least so long to be full.
	Raise(key string, reset time.Duration)
}

// Far is a source that all processes share.
type Far interface {
	Source
	// Ping returns nil when the source can be asked.
	Ping(ctx context.Context) error
}

// Options of a Limiter. All have defaults.
type Options struct {
	// Timeout is what a slow or dead shared source may cost a request, once; 0: 50 ms.
	Timeout time.Duration
	Logger  *slog.Logger // nil: nothing is said
	// Decided is told of each decision; nil: nobody counts them. It must not wait.
	Decided func(Decision)
}

const (
	defaultTimeout = 50 * time.Millisecond
	// linger is how long what was allowed here waits for more before the shared
	// source is told.
	linger = time.Millisecond
	// margin is the part of a burst that must be left for this process to decide by
	// itself: a half.
	margin = 2
)

// Limiter decides by what it knows itself while much is left to a caller, and asks
// the shared source when little is. So most requests wait for nobody, and the limit
// holds over all processes: what this one allowed the shared source learns within
// milliseconds, and what it says of the others comes back with its answer. Of a
// burst at most a half can be allowed by each process in the milliseconds before it
// hears of the others; such excess is a debt that the caller pays later, because the
// shared source takes it whatever is there.
type Limiter struct {
	near    Near
	far     Far // nil: the limits are the process's own
	options Options

	mu   sync.Mutex
	owed map[string]Ask // allowed here, and the shared source doesn't know yet
	tell chan struct{}  // there is something owed

	down   atomic.Bool
	probe  chan struct{}
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New makes a limiter. far may be nil. Close ends it.
func New(near Near, far Far, opts Options) *Limiter {
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Decided == nil {
		opts.Decided = func(Decision) {}
	}
	l := &Limiter{near: near, far: far, options: opts, owed: map[string]Ask{}, tell: make(chan struct{}, 1), probe: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	if far != nil {
		l.work.Go(func() { l.settle(ctx) })
		l.work.Go(func() { l.recover(ctx) })
	}
	return l
}

// Close ends the work beside requests, after the shared source was told of what is owed.
func (l *Limiter) Close() {
	l.cancel()
	l.work.Wait()
}

// Take asks whether somebody may do what costs so much, and takes it if so. It
// always decides: see Limit.Strict for what happens without the shared source.
func (l *Limiter) Take(ctx context.Context, limit Limit, who string, cost int64) Decision {
	d := l.decide(ctx, Ask{Key: limit.Name + " " + who, Limit: limit, Cost: cost})
	l.options.Decided(d)
	return d
}

func (l *Limiter) decide(ctx context.Context, a Ask) Decision {
	limit := a.Limit
	switch {
	case l.far == nil:
		return l.near.One(a)
	case l.down.Load():
		return l.alone(a)
	case limit.Strict:
		return l.ask(ctx, a)
	}
	// The same bucket seen with a smaller burst is one that keeps the margin free.
	careful := a
	careful.Limit.Burst -= limit.Burst / margin
	if d := l.near.One(careful); d.Allowed {
		l.owe(a)
		d.Limit, d.Remaining = limit, d.Remaining+limit.Burst/margin
		return d
	}
	look := a
	look.Cost = 0
	if known, _ := Decide(l.near.One(look).Reset, a); !known.Allowed {
		return known // the shared source knows of no less than this process does
	}
	return l.ask(ctx, a)
}

// ask lets the shared source decide, and tells it what is owed for the same caller.
func (l *Limiter) ask(ctx context.Context, a Ask) Decision {
	a.Spent = l.pay(a.Key)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.options.Timeout)
	defer cancel()
	decisions, err := l.far.Take(limited, []Ask{a})
	if err != nil {
		l.fail(err)
		a.Spent = 0
		return l.alone(a)
	}
	l.near.Raise(a.Key, decisions[0].Reset)
	return decisions[0]
}

// alone decides without the shared source.
func (l *Limiter) alone(a Ask) Decision {
	d := l.near.One(a)
	if a.Limit.Strict || d.Never {
		return d
	}
	d.Allowed, d.Bypassed, d.RetryAfter = true, true, 0
	return d
}

// owe remembers to tell the shared source of what was allowed.
func (l *Limiter) owe(a Ask) {
	l.mu.Lock()
	owed, known := l.owed[a.Key]
	if !known {
		owed = Ask{Key: a.Key, Limit: a.Limit}
	}
	owed.Spent += a.Cost
	l.owed[a.Key] = owed
	l.mu.Unlock()
	if !known {
		select {
		case l.tell <- struct{}{}:
		default: // it is known that there is something
		}
	}
}

// pay takes what is owed for one caller off the list.
func (l *Limiter) pay(key string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	owed := l.owed[key].Spent
	delete(l.owed, key)
	return owed
}

// settle tells the shared source of what is owed until ctx ends, and then once more.
func (l *Limiter) settle(ctx context.Context) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			l.settleNow()
			return
		case <-l.tell:
		}
		wait.Reset(linger)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		l.settleNow()
	}
}

func (l *Limiter) settleNow() {
	l.mu.Lock()
	owed := l.owed
	l.owed = make(map[string]Ask, min(len(owed), 1024))
	l.mu.Unlock()
	if len(owed) == 0 || l.down.Load() {
		return // who can't be told learns what is owed from what is asked next
	}
	asks := make([]Ask, 0, len(owed))
	for _, a := range owed {
		asks = append(asks, a)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	decisions, err := l.far.Take(ctx, asks)
	if err != nil {
		l.fail(err)
		return
	}
	for i, d := range decisions {
		l.near.Raise(asks[i].Key, d.Reset)
	}
}
