package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Schedule says when backups are made by themselves.
type Schedule struct {
	At          time.Duration // the time of day in UTC of the full ones
	Every       time.Duration // of incremental ones in between; 0: none
	VerifyEvery time.Duration // of the newest incremental one; full ones are verified each time
	Retention   Retention
}

const (
	lookEvery     = 15 * time.Second // whether something is due
	scheduleLease = "backup schedule"
	firstPause    = 30 * time.Second // after a failure; each later one is twice as long
	longestPause  = 15 * time.Minute
)

// Run makes, verifies and prunes backups by a schedule until ctx ends. Of several
// processes one does; whoever makes backups otherwise is taken into account. What
// fails is in the log, and tried again; that one can't be verified keeps nobody from
// making the next.
func (k *Keeper) Run(ctx context.Context, s Schedule) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var making, verifying backoff
	for {
		for _, part := range []struct {
			of  *backoff
			do  func(context.Context, Schedule) error
			not string
		}{{&making, k.makeDue, "made"}, {&verifying, k.verifyDue, "verified"}} {
			if k.Now().Before(part.of.until) {
				continue
			}
			err := part.do(ctx, s)
			if ctx.Err() != nil {
				return
			}
			if pause := part.of.after(err, k.Now()); pause > 0 {
				k.status.failed()
				k.Logger.Error("a backup could not be "+part.not+"; trying again", "error", err, "in", pause.String())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// backoff is when something that failed is tried again.
type backoff struct {
	pause time.Duration
	until time.Time
}

// after returns how long to wait after an outcome; 0: it was a good one.
func (b *backoff) after(err error, now time.Time) time.Duration {
	if err == nil || errors.Is(err, ErrBusy) {
		*b = backoff{}
		return 0
	}
	b.pause = min(max(firstPause, 2*b.pause), longestPause)
	b.until = now.Add(b.pause)
	return b.pause
}

// whenDue does something while no other process works by the schedule, if it is due
// before and within that time.
func (k *Keeper) whenDue(ctx context.Context, s Schedule, due func(*overview, Schedule) bool, do func(context.Context, *overview) error) error {
	seen, err := k.overview(ctx)
	if err != nil || !due(seen, s) {
		return err
	}
	source, done, err := k.Source(ctx)
	if err != nil {
		return err
	}
	err = k.holding(ctx, source, scheduleLease, func(ctx context.Context) error {
		if seen, err = k.overview(ctx); err != nil || !due(seen, s) { // another process may have done it just now
			return err
		}
		return do(ctx, seen)
	})
	return errors.Join(err, done())
}

// makeDue makes the backup that is due.
func (k *Keeper) makeDue(ctx context.Context, s Schedule) error {
	return k.whenDue(ctx, s, func(o *overview, s Schedule) bool { return o.due(s) != "" }, func(ctx context.Context, o *overview) error {
		kind, err := k.kindDue(ctx, o, s)
		if err != nil {
			return err
		}
		m, err := k.CreateOrFull(ctx, kind, "by the schedule", nil)
		if err != nil {
			return err
		}
		k.Logger.Info("made a backup", "backup", m.Name, "bytes", m.Size, "serial", m.Serial, "seconds", m.Seconds)
		if m.Kind == Full && !k.opens() { // else it is verified before anything is removed
			err = k.pruneBy(ctx, s)
		}
		return errors.Join(err, k.Look(ctx))
	})
}

// kindDue returns the kind of the backup that is due: a full one in place of one that
// would follow what is known to be bad, but not again and again where those are too.
func (k *Keeper) kindDue(ctx context.Context, o *overview, s Schedule) (Kind, error) {
	kind := o.due(s)
	if kind != Incremental || o.now.Sub(o.fullMade) < s.VerifyEvery {
		return kind, nil
	}
	all, err := k.List(ctx)
	if err != nil {
		return "", err
	}
	if newest := newestOf(all); newest != nil && culprits(all)[newest.Name] != nil {
		return Full, nil
	}
	return kind, nil
}

// opens reports that this process can read the backups that it makes.
func (k *Keeper) opens() bool { return len(k.Recipients) == 0 || len(k.Identities) > 0 }

func (k *Keeper) pruneBy(ctx context.Context, s Schedule) error {
	removed, err := k.Prune(ctx, s.Retention)
	if len(removed) > 0 {
		k.Logger.Info("removed backups that were past their time", "backups", len(removed))
	}
	return err
}

// verifyDue verifies the backup that is due, and removes what is past its time when
// there is a full one that is known to be good.
func (k *Keeper) verifyDue(ctx context.Context, s Schedule) error {
	if !k.opens() {
		return nil // whoever has the key verifies
	}
	due := func(o *overview, s Schedule) bool { return o.unverified(s) != "" }
	return k.whenDue(ctx, s, due, func(ctx context.Context, o *overview) error {
		name := o.unverified(s)
		_, v, err := k.Verify(ctx, name, nil)
		if err != nil {
			return err
		}
		if !v.OK {
			k.Logger.Error("a backup can't be restored", "backup", name, "reason", v.Reason)
			return k.Look(ctx)
		}
		return errors.Join(k.pruneBy(ctx, s), k.Look(ctx))
	})
}

// overview is what the names of the objects tell.
type overview struct {
	now                    time.Time
	full, newest, verified time.Time // in the names of the newest that was finished, and tried
	fullName, newestName   string
	fullMade, newestMade   time.Time // when there was made one last
	tried                  map[string]bool
}

func (k *Keeper) overview(ctx context.Context) (*overview, error) {
	objects, err := k.Objects.List(ctx, prefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("listing the backups: %w", err)
	}
	o := &overview{now: k.Now().UTC(), tried: map[string]bool{}}
	for _, object := range objects {
		name, end, _ := strings.Cut(object.Key, ".")
		at, ok := timeOf(name)
		switch {
		case !ok:
		case "."+end == verifiedEnd:
			o.tried[name] = true
			o.verified = later(o.verified, at)
		case "."+end == manifestEnd:
			made := o.madeAt(at, object.ModifiedAt)
			o.newestMade = later(o.newestMade, made)
			if strings.HasPrefix(name, prefix+string(Full)) {
				o.fullMade = later(o.fullMade, made)
			}
			if at.After(o.newest) {
				o.newest, o.newestName = at, name
			}
			if at.After(o.full) && strings.HasPrefix(name, prefix+string(Full)) {
				o.full, o.fullName = at, name
			}
		}
	}
	return o, nil
}

// clocksDiffer is by how much the clocks of processes do at most, as a rule.
const clocksDiffer = time.Minute

// madeAt tells when a backup was made: at the time in its name, or, where the clock was
// ahead of itself then or its name had to be behind such a one, when it was stored. The
// zero time: when isn't known.
func (o *overview) madeAt(named, stored time.Time) time.Time {
	for _, at := range []time.Time{named, stored} {
		if !at.After(o.now.Add(clocksDiffer)) {
			return at
		}
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// due returns the kind of backup that is due; empty: none. A full one is when none was
// made since the last time of day for it.
func (o *overview) due(s Schedule) Kind {
	slot := o.now.Truncate(24 * time.Hour).Add(s.At)
	if slot.After(o.now) {
		slot = slot.Add(-24 * time.Hour)
	}
	switch {
	case o.fullMade.Before(slot):
		return Full
	case s.Every > 0 && o.now.Sub(o.newestMade) >= s.Every:
		return Incremental
	}
	return ""
}

// unverified returns the backup that is to be verified; empty: none.
func (o *overview) unverified(s Schedule) string {
	switch {
	case o.fullName != "" && !o.tried[o.fullName] && !o.full.Before(o.verified):
		return o.fullName
	case o.newestName != "" && !o.tried[o.newestName] && o.newest.Sub(o.verified) >= s.VerifyEvery:
		return o.newestName
	}
	return ""
}
