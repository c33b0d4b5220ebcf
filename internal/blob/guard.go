package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/singleflight"
)

// GuardOptions configures a Guarded store; the zero value is ready for use.
type GuardOptions struct {
	Backend        string        // what Health calls the store: "azure", "disk"
	InFlight       int           // operations at once; 0: 10
	AcquireTimeout time.Duration // how long an operation waits for its turn; 0: 30 s
	Failures       int           // in a row that open the breaker; 0: 5
	OpenFor        time.Duration // how long a failing store is left alone; 0: 10 s
	HealthTimeout  time.Duration // how long Health waits for an answer; 0: 2 s
	Logger         *slog.Logger  // gets the breaker's changes; nil: silent
	// Observe, unless nil, is told of each operation that the store was asked for
	// ("put", "get", "head", "list", "copy", "delete"), how long it took, a "get" to
	// the beginning of its content, and how it went.
	Observe func(operation string, took time.Duration, err error)
	// Tracer makes a span of each operation, the wait for its turn included; nil:
	// there are none.
	Tracer trace.Tracer
}

// Guarded is a Store that can't be overrun, and that a failing backend can't
// hold up: only so many operations are in flight at once, a Get until its content
// is closed; the others wait for their turn, up to ErrBusy. A fifth of the slots,
// and 2 at least, is kept free of Uploads, whose backlog would otherwise let
// everybody wait; of 2 or fewer uploads may use one. When the backend has failed
// several times in a row, operations fail at once with ErrUnavailable for a while;
// then one is let through, and tells whether the backend is back.
type Guarded struct {
	store   Store
	options GuardOptions
	slots   chan struct{}
	share   chan struct{} // of the slots, for uploads
	breaker circuitbreaker.CircuitBreaker[any]
	pool    counters
	asking  singleflight.Group
	asked   atomic.Pointer[lastAnswer]
}

var _ Store = (*Guarded)(nil)

// Guard puts a guard before a store.
func Guard(s Store, o GuardOptions) *Guarded {
	o.InFlight = cmp.Or(o.InFlight, 10)
	o.AcquireTimeout = cmp.Or(o.AcquireTimeout, 30*time.Second)
	o.Failures = cmp.Or(o.Failures, 5)
	o.OpenFor = cmp.Or(o.OpenFor, 10*time.Second)
	o.HealthTimeout = cmp.Or(o.HealthTimeout, 2*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	breaker := circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(uint(o.Failures)). //nolint:gosec // a handful
		WithSuccessThreshold(1).
		WithDelay(o.OpenFor).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
			o.Logger.Warn("the breaker of the object store has changed", "from", e.OldState.String(), "to", e.NewState.String())
		}).
		Build()
	return &Guarded{
		store: s, options: o, slots: make(chan struct{}, o.InFlight), share: make(chan struct{}, uploadShare(o.InFlight)), breaker: breaker,
	}
}

// enter waits for an operation's turn, which ends with leave.
func (g *Guarded) enter(ctx context.Context) (leave func(), err error) {
	if err := g.closed(); err != nil {
		return nil, err
	}
	if leave, err = g.acquire(ctx); err != nil {
		return nil, err
	}
	if !g.breaker.TryAcquirePermit() { // it has opened meanwhile
		leave()
		return nil, g.leftAlone()
	}
	return leave, nil
}

// errPanicked is how an operation went that didn't return.
var errPanicked = errors.New("the store has panicked")

// ended tells everybody how an operation went.
func (g *Guarded) ended(operation string, start time.Time, err error) {
	g.record(err)
	if g.options.Observe != nil {
		g.options.Observe(operation, time.Since(start), err)
	}
}

// closed returns an error while the backend is left alone, before anybody waits.
func (g *Guarded) closed() error {
	if g.breaker.IsOpen() && g.breaker.RemainingDelay() > 0 {
		return g.leftAlone()
	}
	return nil
}

func (g *Guarded) leftAlone() error {
	return fmt.Errorf("%w: it has failed several times and is left alone for another %s",
		ErrUnavailable, g.breaker.RemainingDelay().Round(100*time.Millisecond))
}

func (g *Guarded) acquire(ctx context.Context) (leave func(), err error) {
	if !uploading(ctx) {
		return func() { <-g.slots }, g.take(ctx)
	}
	// An upload waits for its share as long as it takes: nobody waits for it.
	select {
	case g.share <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := g.take(ctx); err != nil {
		<-g.share
		return nil, err
	}
	return func() { <-g.slots; <-g.share }, nil
}

func (g *Guarded) take(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	g.pool.exhaustions.Add(1)
	timeout := time.NewTimer(g.options.AcquireTimeout)
	defer timeout.Stop()
	select {
	case g.slots <- struct{}{}:
		g.pool.waits.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		g.pool.timeouts.Add(1)
		return fmt.Errorf("%w: none of %d has ended in %s", ErrBusy, g.options.InFlight, g.options.AcquireTimeout)
	}
}

// record tells the breaker how an operation went.
func (g *Guarded) record(err error) {
	switch {
	case answered(err):
		g.breaker.RecordSuccess()
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded),
		// What says nothing about the backend isn't the proof that it is back.
		g.breaker.IsHalfOpen():
		g.breaker.RecordFailure()
	}
}

// answered reports that the backend did its work, be the answer no.
func answered(err error) bool {
	if err == nil {
		return true
	}
	if errors.Is(err, ErrUnavailable) {
		return false
	}
	for _, answer := range []error{ErrNotFound, ErrExists, ErrChanged, ErrRange, ErrReadOnly, ErrDenied, ErrFull} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// Put stores an object; see Store.
func (g *Guarded) Put(ctx context.Context, key string, content io.Reader, opts PutOptions) (Info, error) {
	return guarded(ctx, g, "put", func(ctx context.Context) (Info, error) { return g.store.Put(ctx, key, content, opts) })
}

// Head tells of an object; see Store.
func (g *Guarded) Head(ctx context.Context, key string) (Info, error) {
	return guarded(ctx, g, "head", func(ctx context.Context) (Info, error) { return g.store.Head(ctx, key) })
}

// List returns objects; see Store.
func (g *Guarded) List(ctx context.Context, prefix, after string, limit int) ([]Info, error) {
	return guarded(ctx, g, "list", func(ctx context.Context) ([]Info, error) { return g.store.List(ctx, prefix, after, limit) })
}

// Copy stores an object under another key too; see Store.
func (g *Guarded) Copy(ctx context.Context, from, to string) (Info, error) {
	return guarded(ctx, g, "copy", func(ctx context.Context) (Info, error) { return g.store.Copy(ctx, from, to) })
}

// Delete removes an object; see Store.
func (g *Guarded) Delete(ctx context.Context, key string) error {
	_, err := guarded(ctx, g, "delete", func(ctx context.Context) (struct{}, error) { return struct{}{}, g.store.Delete(ctx, key) })
	return err
}

// SignURL makes a signed URL; see Store. It isn't guarded: most stores sign
// without asking their backend, and go on while that is down.
func (g *Guarded) SignURL(ctx context.Context, key string, allowed Permission, lifetime time.Duration) (SignedURL, error) {
	return g.store.SignURL(ctx, key, allowed, lifetime)
}

// Ping asks the backend for a sign of life; see Store. It isn't guarded.
func (g *Guarded) Ping(ctx context.Context) error { return g.store.Ping(ctx) }

func guarded[T any](ctx context.Context, g *Guarded, name string, operation func(ctx context.Context) (T, error)) (result T, err error) {
	ctx, end := g.span(ctx, name)
	defer func() { end(err) }()
	leave, err := g.enter(ctx)
	if err != nil {
		return result, err
	}
	defer leave()
	start := time.Now()
	err = errPanicked
	defer func() { g.ended(name, start, err) }()
	result, err = operation(ctx)
	return result, err
}

// Get opens an object; see Store. It is in flight until the content is closed.
func (g *Guarded) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	return g.GetRange(ctx, key, Range{})
}

// GetRange opens a part of an object; see Store. It is in flight until the
// content is closed.
func (g *Guarded) GetRange(ctx context.Context, key string, r Range) (content io.ReadCloser, info Info, err error) {
	ctx, end := g.span(ctx, "get")
	defer func() { end(err) }()
	leave, err := g.enter(ctx)
	if err != nil {
		return nil, Info{}, err
	}
	start := time.Now()
	err = errPanicked
	defer func() {
		g.ended("get", start, err) // who reads may take his time
		if err != nil {
			leave()
		}
	}()
	content, info, err = g.store.GetRange(ctx, key, r)
	if err != nil {
		return nil, Info{}, err
	}
	return &inFlight{ReadCloser: content, guard: g, leave: sync.OnceFunc(leave)}, info, nil
}

// inFlight is the content of a Get.
type inFlight struct {
	io.ReadCloser
	guard  *Guarded
	leave  func() // works once
	failed sync.Once
}

func (f *inFlight) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if errors.Is(err, ErrUnavailable) {
		f.failed.Do(func() { f.guard.record(err) })
	}
	return n, err
}

func (f *inFlight) Close() error {
	defer f.leave()
	return f.ReadCloser.Close()
}
