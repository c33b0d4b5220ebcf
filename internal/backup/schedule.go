package backup

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// Schedule says when backups are made by themselves.
type Schedule struct {
	At          time.Duration // the time of day in UTC of the full ones
	Every       time.Duration // of incremental ones in between; 0: none
	VerifyEvery time.Duration // of the newest incremental one; full ones are verified each time
	Retention   Retention
}

const (
	lookEvery     = 5 * time.Second // whether something is due
	scheduleLease = "backup schedule"
	firstPause    = 30 * time.Second // after a failure; each later one is twice as long
	longestPause  = 15 * time.Minute
)

// Run makes, verifies and prunes backups by a schedule until ctx ends. Of several
// processes one does; whoever makes backups otherwise is taken into account. What
// fails is in the log, and tried again.
func (k *Keeper) Run(ctx context.Context, s Schedule) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	pause, until := firstPause, time.Time{}
	for {
		if !k.Now().Before(until) {
			switch err := k.Tick(ctx, s); {
			case err == nil || errors.Is(err, ErrBusy):
				pause = firstPause
			case ctx.Err() == nil:
				k.status.failed()
				k.Logger.Error("a backup could not be made or verified; trying again", "error", err, "in", pause.String())
				until, pause = k.Now().Add(pause), min(2*pause, longestPause)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Tick does what is due now. ErrBusy where another process does.
func (k *Keeper) Tick(ctx context.Context, s Schedule) error {
	kind, due, err := k.due(ctx, s)
	if err != nil || !due {
		return err
	}
	source, done, err := k.Source(ctx)
	if err != nil {
		return err
	}
	err = k.holding(ctx, source, scheduleLease, func(ctx context.Context) error {
		if kind, due, err = k.due(ctx, s); err != nil || !due { // another process may have done it just now
			return err
		}
		return k.scheduled(ctx, s, kind)
	})
	return errors.Join(err, done())
}

func (k *Keeper) scheduled(ctx context.Context, s Schedule, kind Kind) error {
	m, err := k.Create(ctx, kind, "by the schedule", nil)
	if kind == Incremental && (errors.Is(err, store.ErrUntracked) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrNone)) {
		k.Logger.Warn("an incremental backup is not possible; making a full one", "error", err)
		kind = Full
		m, err = k.Create(ctx, kind, "by the schedule, as what had changed was not known", nil)
	}
	if err != nil {
		return err
	}
	k.Logger.Info("made a backup", "backup", m.Name, "bytes", m.Size, "serial", m.Serial, "seconds", m.Seconds)
	if kind == Full || k.verifyDue(ctx, s) {
		if err := k.verifyScheduled(ctx, m.Name); err != nil {
			return err
		}
	}
	if kind == Full {
		removed, err := k.Prune(ctx, s.Retention)
		if err != nil {
			return err
		}
		if len(removed) > 0 {
			k.Logger.Info("removed backups that were past their time", "backups", len(removed))
		}
	}
	return k.Look(ctx)
}

func (k *Keeper) verifyScheduled(ctx context.Context, name string) error {
	_, v, err := k.Verify(ctx, name, nil)
	if errors.Is(err, ErrLocked) { // its owner verifies it
		k.Logger.Warn("a backup can't be verified here", "backup", name, "error", err)
		return nil
	}
	if err == nil && !v.OK {
		k.Logger.Error("a backup can't be restored", "backup", name, "reason", v.Reason)
	}
	return err
}

// due says what is due, by the names of what is there. A full one is when none was
// made since the last time of day for it.
func (k *Keeper) due(ctx context.Context, s Schedule) (Kind, bool, error) {
	objects, err := k.Objects.List(ctx, prefix, "", 0)
	if err != nil {
		return "", false, err
	}
	var full, newest time.Time
	for _, o := range objects {
		name, finished := strings.CutSuffix(o.Key, manifestEnd)
		at, ok := timeOf(name)
		if !finished || !ok {
			continue
		}
		if at.After(newest) {
			newest = at
		}
		if at.After(full) && strings.HasPrefix(name, prefix+string(Full)) {
			full = at
		}
	}
	now := k.Now().UTC()
	slot := now.Truncate(24 * time.Hour).Add(s.At)
	if slot.After(now) {
		slot = slot.Add(-24 * time.Hour)
	}
	switch {
	case full.Before(slot):
		return Full, true, nil
	case s.Every > 0 && now.Sub(newest) >= s.Every:
		return Incremental, true, nil
	}
	return "", false, nil
}

// verifyDue reports whether no backup was verified lately.
func (k *Keeper) verifyDue(ctx context.Context, s Schedule) bool {
	if err := k.Look(ctx); err != nil {
		return false
	}
	status := k.Status()
	return status.Verified == nil || k.Now().Sub(status.Verified.Verified.At) >= s.VerifyEvery
}
