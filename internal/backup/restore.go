package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// RestoreOptions say how to restore.
type RestoreOptions struct {
	Name string // of the backup; empty: the newest
	// Replace allows that a store which holds something gives way.
	Replace bool
	// WithoutSafety leaves out the full backup of that store, which may be too damaged
	// for one.
	WithoutSafety bool
	Progress      func(Progress)
}

// Restored is what a restoration did.
type Restored struct {
	Backup  Manifest
	Chain   []string // of what was applied, the full one first
	Resumed bool     // a part was there from before
	Safety  string   // the backup of what was there; empty: none was made
	Seconds float64
}

// Restore makes the store what it was when a backup was made: the full one and the
// incremental ones up to it, applied one by one and held against the manifest. A store
// that holds something is ErrOccupied unless it may be replaced; then it is backed up
// first, also where an interrupted restoration left it in use: others may have written
// since. What was interrupted goes on where it was.
func (k *Keeper) Restore(ctx context.Context, o RestoreOptions) (r Restored, err error) {
	began := k.Now()
	chain, err := k.Chain(ctx, o.Name)
	if err != nil {
		return r, err
	}
	if err := k.check(ctx, chain, o.Progress); err != nil {
		return r, err
	}
	r.Backup = chain[len(chain)-1].Manifest
	for _, e := range chain {
		r.Chain = append(r.Chain, e.Name)
	}
	target, err := k.Target(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	state, err := target.State(ctx)
	if err != nil {
		return r, err
	}
	done := slices.Index(r.Chain, state.Applied) + 1
	r.Resumed = done > 0
	if state.Occupied {
		if !o.Replace {
			return r, ErrOccupied
		}
		if !o.WithoutSafety {
			safety, err := k.Create(ctx, Full, beforeRestoring, o.Progress)
			if err != nil {
				return r, fmt.Errorf("backing up what is there before it is replaced: %w", err)
			}
			r.Safety = safety.Name
		}
	}
	if err := k.apply(ctx, target, chain, done, o.Progress); err != nil {
		return r, err
	}
	if err := errors.Join(target.Check(ctx), k.compare(ctx, target, &r.Backup)); err != nil {
		return r, err
	}
	if err := target.Finish(ctx); err != nil {
		return r, err
	}
	r.Seconds = k.Now().Sub(began).Seconds()
	return r, nil
}

// check holds what is stored of a chain against its manifests, before anything of it
// is applied.
func (k *Keeper) check(ctx context.Context, chain []Entry, progress func(Progress)) error {
	m := &meter{tell: progress}
	for _, e := range chain {
		m.of += e.Size
	}
	for _, e := range chain {
		m.step = "checking " + e.Name
		if err := k.checkStored(ctx, &e.Manifest, m.passed); err != nil {
			return fmt.Errorf("reading %s: %w", e.Name, err)
		}
	}
	return nil
}

// apply applies a chain but for the first so many, which are there.
func (k *Keeper) apply(ctx context.Context, target store.Restoration, chain []Entry, done int, progress func(Progress)) error {
	m := &meter{tell: progress}
	for i, e := range chain {
		if m.of += e.Size; i < done {
			m.done += e.Size
		}
	}
	for i, e := range chain[done:] {
		m.step = "applying " + e.Name
		text, err := k.open(ctx, &e.Manifest, m.passed)
		if err != nil {
			return fmt.Errorf("reading %s: %w", e.Name, err)
		}
		err = errors.Join(target.Apply(ctx, e.Name, done+i == 0, text), text.Close())
		if err != nil {
			return err
		}
	}
	return nil
}

// compare holds what was restored against the manifest.
func (k *Keeper) compare(ctx context.Context, restored store.Restoration, m *Manifest) error {
	return restored.Snapshot(ctx, func(s store.Snapshot) error {
		digest, err := store.DigestOfTables(ctx, s, m.tables(), nil)
		if err != nil {
			return fmt.Errorf("reading back what was restored: %w", err)
		}
		if where := m.differs(digest); where != "" {
			return fmt.Errorf("%w: of %s, %s", ErrDamaged, m.Name, where)
		}
		return nil
	})
}

// Verify restores a backup into a place for that alone, holds it against its manifest,
// has the program look at it as at a start, and notes the outcome beside the backup.
// An error that says nothing of the backup, such as that there is no room to try, is
// none of its outcome.
func (k *Keeper) Verify(ctx context.Context, name string, progress func(Progress)) (Manifest, Verification, error) {
	v := Verification{At: k.Now().UTC(), Program: k.Program}
	all, err := k.List(ctx)
	if err != nil {
		return Manifest{}, v, err
	}
	if name, err = nameIn(all, name); err != nil {
		return Manifest{}, v, err
	}
	m := Manifest{Name: name}
	chain, err := chainOf(all, name)
	if err == nil {
		m = chain[len(chain)-1].Manifest
		err = k.try(ctx, chain, progress)
	}
	if err != nil && (ctx.Err() != nil || !saysOfBackup(err)) {
		return m, v, fmt.Errorf("verifying %s: %w", name, err)
	}
	v.OK, v.Seconds = err == nil, k.Now().Sub(v.At).Seconds()
	if err != nil {
		v.Reason = err.Error()
	}
	return m, v, k.put(ctx, name+verifiedEnd, v, false)
}

// outside is an error that says nothing of a backup.
type outside struct{ error }

func (o outside) Unwrap() error { return o.error }

func saysOfBackup(err error) bool {
	if _, is := errors.AsType[outside](err); is {
		return false
	}
	for _, other := range []error{ErrNone, ErrLocked, store.ErrNoTool, store.ErrUnavailable, store.ErrFull, store.ErrReadOnly} {
		if errors.Is(err, other) {
			return false
		}
	}
	return !fromObjects(err)
}

func (k *Keeper) try(ctx context.Context, chain []Entry, progress func(Progress)) (err error) {
	if err := k.check(ctx, chain, progress); err != nil {
		return err
	}
	scratch, err := k.Scratch(ctx)
	if err != nil {
		return outside{err}
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if removed := scratch.Remove(ctx); removed != nil {
			k.Logger.Warn("what was restored to verify a backup could not be removed", "error", removed)
		}
	}()
	if err := k.apply(ctx, scratch, chain, 0, progress); err != nil {
		return errors.Join(err, scratch.Close())
	}
	m := &chain[len(chain)-1].Manifest
	if err := errors.Join(scratch.Check(ctx), k.compare(ctx, scratch, m)); err != nil {
		return errors.Join(err, scratch.Close())
	}
	if err := errors.Join(scratch.Finish(ctx), scratch.Close()); err != nil {
		return err
	}
	if err := scratch.SelfCheck(ctx); err != nil {
		return fmt.Errorf("the program can't work with what was restored: %w", err)
	}
	return nil
}
