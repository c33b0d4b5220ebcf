package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// Errors of runs that are another process's to do; tested with errors.Is.
var (
	// ErrElsewhere says that another process takes the agency's notices in now.
	ErrElsewhere = errors.New("another process is taking its notices in")
	// ErrLeaseLost says that a run was stopped in the middle because it could not
	// hold its lease: another process may be at it.
	ErrLeaseLost = errors.New("the run was stopped, for another process may have taken over")
)

const (
	// leaseTime is how long a lease holds that isn't renewed: after the death of a
	// process the agency waits for no longer.
	leaseTime = 15 * time.Second
	// leaseRenewal is how often a lease is renewed while its run is under way.
	leaseRenewal = 5 * time.Second
	// takingTimeout bounds the asking for a lease, releaseTimeout its giving back;
	// what isn't given back ends by itself.
	takingTimeout  = 10 * time.Second
	releaseTimeout = 2 * time.Second
)

// hold takes the lease of an agency's runs and renews it until release is called,
// so that no two processes take an agency's notices in at the same time. When it
// can't be held, lost is called with ErrLeaseLost: another process has it, or
// nobody could be asked for so long that one may. The error is ErrElsewhere or the
// store's.
func (r *Runner) hold(ctx context.Context, code string, lost context.CancelCauseFunc) (release func(), err error) {
	if r.Leases == nil {
		return func() {}, nil
	}
	l := &lease{
		leases: r.Leases, name: "ingest:" + code, lost: lost,
		// Two runs of one process are two as well.
		holder: r.Holder + "/" + strconv.FormatInt(r.runs.Add(1), 10),
	}
	asked := time.Now()
	switch ours, err := l.ask(ctx, takingTimeout); {
	case err != nil:
		return nil, fmt.Errorf("taking the lease of %s: %w", code, err)
	case !ours:
		return nil, fmt.Errorf("%s: %w", code, ErrElsewhere)
	}
	held, end := context.WithCancel(ctx)
	l.renewing.Go(func() { l.renew(held, asked) })
	return func() {
		end()
		l.renewing.Wait()
		l.release(ctx)
	}, nil
}

// lease is one that is held.
type lease struct {
	leases       store.Leases
	name, holder string
	lost         context.CancelCauseFunc
	renewing     sync.WaitGroup
}

// ask takes or renews the lease. A store that says nothing in time is one that
// doesn't answer, and no fault of the agency's.
func (l *lease) ask(ctx context.Context, within time.Duration) (bool, error) {
	asking, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ours, err := l.leases.Lease(asking, l.name, l.holder, leaseTime)
	if err != nil && asking.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("within %s: %w: %w", within, store.ErrUnavailable, err)
	}
	return ours, err
}

// renew renews the lease until ctx ends or it is lost. It counts the lease's time
// from the asking, which is no later than the store does.
func (l *lease) renew(ctx context.Context, asked time.Time) {
	next := time.NewTimer(leaseRenewal)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		at, left := time.Now(), time.Until(asked.Add(leaseTime))
		ours, err := l.ask(ctx, left)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && ours:
			asked = at
			next.Reset(leaseRenewal)
		case err == nil:
			l.lost(ErrLeaseLost)
			return
		case time.Until(asked.Add(leaseTime)) <= 0:
			l.lost(fmt.Errorf("%w: %w", ErrLeaseLost, err))
			return
		default:
			next.Reset(min(time.Second, time.Until(asked.Add(leaseTime))))
		}
	}
}

// release gives the lease back, also when ctx has ended.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = l.leases.Release(ctx, l.name, l.holder) // else it ends by itself
}

// finishTimeout bounds the recording of a run's end, which goes on when the run
// was stopped.
const finishTimeout = 15 * time.Second

// finishing is the context in which a run's end is recorded.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
}

// stopped words an error of a run whose context was ended: by the loss of its
// lease, where that is the reason.
func stopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrLeaseLost) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
