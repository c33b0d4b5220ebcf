package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// Retention says what is kept.
type Retention struct {
	For         time.Duration // full backups, with what follows them
	Increments  time.Duration // what follows a full one, from its last on; never longer than For
	AtLeastFull int           // so many good full ones, whatever their age
}

// unfinishedFor is how long what has no manifest is left alone: somebody may be at
// work on it.
const unfinishedFor = 24 * time.Hour

// Prune removes what is past its time, and returns the names. A full backup stays as
// long as anything that follows it does. The newest chain that is good always stays,
// whole, and so does the newest that was verified. What was never finished goes when
// it is a day old.
func (k *Keeper) Prune(ctx context.Context, keep Retention) (removed []string, err error) {
	source, done, err := k.Source(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	err = k.alone(ctx, source, func(ctx context.Context) error {
		removed, err = k.prune(ctx, keep)
		return err
	})
	return removed, err
}

func (k *Keeper) prune(ctx context.Context, keep Retention) ([]string, error) {
	all, err := k.List(ctx)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, e := range pastTime(all, keep, k.Now()) {
		// The manifest goes first: what is left then counts as nothing.
		for _, key := range []string{e.Name + manifestEnd, e.Name + verifiedEnd, e.Object} {
			if key == "" {
				continue
			}
			if err := k.Objects.Delete(ctx, key); err != nil {
				return removed, fmt.Errorf("removing %s: %w", e.Name, err)
			}
		}
		removed = append(removed, e.Name)
	}
	return removed, k.clear(ctx)
}

// clear removes what has no manifest.
func (k *Keeper) clear(ctx context.Context) error {
	objects, err := k.Objects.List(ctx, prefix, "", 0)
	if err != nil {
		return fmt.Errorf("listing the backups: %w", err)
	}
	finished := map[string]bool{}
	for _, o := range objects {
		if name, ok := strings.CutSuffix(o.Key, manifestEnd); ok {
			finished[name] = true
		}
	}
	for _, o := range objects {
		if finished[bareName(o.Key)] || k.Now().Sub(o.ModifiedAt) < unfinishedFor {
			continue
		}
		if err := k.Objects.Delete(ctx, o.Key); err != nil {
			return fmt.Errorf("removing %s, which was never finished: %w", o.Key, err)
		}
	}
	return nil
}

// pastTime returns what may go, the last of a chain first.
func pastTime(all []Entry, keep Retention, now time.Time) []Entry {
	needed := map[string]bool{}
	hold := func(name string) {
		chain, err := chainOf(all, name)
		if err != nil {
			needed[name] = true
		}
		for _, e := range chain {
			needed[e.Name] = true
		}
	}
	if newest := newestWhich(all, (*Entry).Good); newest != nil {
		hold(newest.Name)
	}
	if newest := newestWhich(all, func(e *Entry) bool { return e.Good() && e.Verified != nil }); newest != nil {
		hold(newest.Name)
	}
	// What a restoration replaced is never what somebody restores without naming it.
	if newest := newestWhich(all, func(e *Entry) bool { return e.Good() && e.Reason != beforeRestoring }); newest != nil {
		hold(newest.Name)
	}
	full := 0
	for i := range slices.Backward(all) {
		if all[i].Kind == Full && all[i].Good() && full < keep.AtLeastFull {
			hold(all[i].Name)
			full++
		}
	}
	lastOf := map[string]time.Time{} // of each chain, by its full backup
	fullOf := map[string]string{}
	for _, e := range all {
		fullOf[e.Name] = e.Name
		if e.Predecessor != nil {
			fullOf[e.Name] = fullOf[e.Predecessor.Name]
		}
		lastOf[fullOf[e.Name]] = e.StartedAt
	}
	for _, e := range all {
		age, limit := now.Sub(e.StartedAt), keep.For
		if e.Kind == Incremental {
			age, limit = now.Sub(lastOf[fullOf[e.Name]]), min(keep.Increments, keep.For)
		}
		if age <= limit {
			hold(e.Name)
		}
	}
	var gone []Entry
	for _, e := range slices.Backward(all) {
		if !needed[e.Name] {
			gone = append(gone, e)
		}
	}
	return gone
}

// newestWhich returns the newest of a kind whose chain is whole.
func newestWhich(all []Entry, is func(*Entry) bool) *Entry {
	for i := range slices.Backward(all) {
		if !is(&all[i]) {
			continue
		}
		chain, err := chainOf(all, all[i].Name)
		if err == nil && !slices.ContainsFunc(chain, func(e Entry) bool { return !e.Good() }) {
			return &all[i]
		}
	}
	return nil
}

// fromObjects reports that an error is the store of objects'.
func fromObjects(err error) bool {
	for _, of := range []error{blob.ErrUnavailable, blob.ErrDenied, blob.ErrBusy} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}
