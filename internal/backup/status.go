package backup

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Status is what is known of the backups in memory.
type Status struct {
	Known    bool   // they were looked at
	Newest   *Entry // nil: there is none
	Verified *Entry // the newest that could be restored; nil: none was
	// Unrestorable is what keeps the newest of which it is known whether it can be
	// restored from that: itself or one that it follows; nil: nothing does.
	Unrestorable *Entry
	Failures     int64 // of this process, since its start
}

// statusBoard keeps the last Status.
type statusBoard struct {
	lock   sync.Mutex
	status Status
}

func (b *statusBoard) failed() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.status.Failures++
}

// Status returns what is known, at once.
func (k *Keeper) Status() Status {
	k.status.lock.Lock()
	defer k.status.lock.Unlock()
	return k.status.status
}

// Look looks at the backups for Status.
func (k *Keeper) Look(ctx context.Context) error {
	all, err := k.List(ctx)
	if err != nil {
		return err
	}
	s := Status{Known: true}
	bad := culprits(all)
	for i := range slices.Backward(all) {
		e := &all[i]
		if s.Newest == nil {
			s.Newest = e
		}
		if s.Verified == nil && bad[e.Name] == nil && e.Verified != nil {
			s.Verified = e
		}
		if s.Verified == nil && s.Unrestorable == nil {
			s.Unrestorable = bad[e.Name]
		}
	}
	k.status.lock.Lock()
	defer k.status.lock.Unlock()
	s.Failures = k.status.status.Failures
	k.status.status = s
	return nil
}

// statusEvery is how often the backups are looked at.
const statusEvery = time.Minute

// Watch keeps Status up to date until ctx ends, whoever makes the backups. What can't
// be seen is as it was.
func (k *Keeper) Watch(ctx context.Context) {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := k.Look(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			k.Logger.Warn("the backups can't be looked at", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
