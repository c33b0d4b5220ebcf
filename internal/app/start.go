package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/snapshot"
	"github.com/crownsafe/api/internal/starter"
	"github.com/crownsafe/api/internal/store"
)

const (
	// greeting is how long a start waits for the store's first word.
	greeting = 5 * time.Second
	// retryAfter is how long to wait at least before the store is tried again; up
	// to half of it comes on top, so that many processes don't come together.
	retryAfter = 2 * time.Second
)

// Prepare readies the store: it brings the schema up to date, where the store
// doesn't by itself and the settings want it, and stores the starter catalogue
// where it isn't yet.
func (a *App) Prepare(ctx context.Context) error {
	if a.Config.Migrate {
		applied, err := a.Store.MigrateUp(ctx)
		for _, m := range applied {
			a.Logger.Info("the database's schema was changed", "version", m.Version, "migration", m.Name)
		}
		if err != nil {
			return err
		}
	}
	notices, err := starter.Notices()
	if err != nil {
		return fmt.Errorf("reading the starter catalogue: %w", err)
	}
	if _, err := a.Runner.Seed(ctx, notices); err != nil {
		return err
	}
	a.prepared = true
	return nil
}

// Load builds the catalogue from the store, as far as it isn't there already from
// a snapshot.
func (a *App) Load(ctx context.Context) error {
	load := a.Catalogue.Load
	if a.Catalogue.Current().Restored() {
		load = a.Catalogue.Refresh
	}
	if err := load(ctx, a.Store); err != nil {
		return fmt.Errorf("loading the catalogue: %w", err)
	}
	if err := a.Sources.Refresh(ctx); err != nil {
		return err
	}
	a.loaded = true
	return nil
}

// Start readies the program for Serve. A store that is out of reach does not stop
// it: then the answers come from the newest snapshot, with its age, and without
// one they are that nothing can be told; Serve goes on to try. What no waiting
// mends is an error.
func (a *App) Start(ctx context.Context) error {
	err := a.attach(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || !passing(err):
		return err
	}
	a.Logger.Error("the database can't be used; trying again beside the answers", "error", err)
	if a.loaded {
		return nil
	}
	header, err := a.Snapshots.Restore(ctx)
	switch {
	case errors.Is(err, snapshot.ErrNone):
		a.Logger.Error("there is no snapshot of the catalogue either; nothing can be told before the database is back")
	case err != nil:
		return err
	default:
		a.Logger.Warn("answering from a snapshot of the catalogue", "fresh_at", header.FreshAt, "written_at", header.WrittenAt,
			"serial", header.Serial, "notices", a.Catalogue.Current().Len())
	}
	return nil
}

// attach does what is left of Prepare and Load. A store that can be read and not
// written to is loaded all the same; the error says that it can't be written to.
func (a *App) attach(ctx context.Context) error {
	err := a.greet(ctx)
	if missing := errors.Is(err, store.ErrNotMigrated); err != nil && !(missing && a.Config.Migrate) {
		return err
	}
	var unprepared error
	if !a.prepared {
		unprepared = a.Prepare(ctx)
		if unprepared != nil && !errors.Is(unprepared, store.ErrReadOnly) && !errors.Is(unprepared, store.ErrFull) {
			return unprepared
		}
	}
	if !a.loaded {
		if err := a.Load(ctx); err != nil {
			return errors.Join(unprepared, err)
		}
	}
	return unprepared
}

// greet asks the store for a word, so that a start waits for its silence once and
// not long.
func (a *App) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	err := a.Store.Ping(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("within %s: %w", greeting, store.ErrUnavailable)
	}
	return err
}

// passing reports whether a store's error may be gone in a while. Wrong settings,
// a damaged store and one of a newer version are not among them.
func passing(err error) bool {
	if errors.Is(err, store.ErrNewerVersion) || errors.Is(err, store.ErrCorrupt) {
		return false
	}
	for _, sentinel := range []error{store.ErrUnavailable, store.ErrBusy, store.ErrReadOnly, store.ErrFull, store.ErrNotMigrated} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// work does what goes on beside the answers, until ctx ends: the catalogue follows
// the store as soon as it was loaded, and agencies are polled as soon as their
// notices can be stored.
func (a *App) work(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { a.Snapshots.Run(ctx, a.Config.SnapshotEvery) })
	following := false
	follow := func() {
		if a.loaded && !following {
			following = true
			wg.Go(func() { a.follow(ctx) })
		}
	}
	follow()
	for attempt := 1; !a.prepared || !a.loaded; attempt++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(a.untilNextTry()):
		}
		err := a.attach(ctx)
		if err != nil && ctx.Err() == nil && attempt%retriesToTell == 1 {
			a.Logger.Warn("the database still can't be used", "error", err, "attempts", attempt)
		}
		if a.loaded && !following {
			Settle()
		}
		follow()
	}
	a.Logger.Info("the database is in use", "serial", a.Catalogue.Current().Serial())
	wg.Go(func() { a.keepSweeping(ctx) })
	if !a.Config.Offline {
		wg.Go(func() { a.Runner.Schedule(ctx, nil) })
	}
}

// untilNextTry is longer where the store is followed already and only changes
// are refused, which may be meant.
func (a *App) untilNextTry() time.Duration {
	wait := a.retryAfter
	if a.loaded {
		wait *= 5
	}
	return wait + rand.N(wait/2)
}

// retriesToTell is how many attempts come to one line of the log.
const retriesToTell = 20

// follow keeps what is in memory at what the store has, until ctx ends.
func (a *App) follow(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { a.Catalogue.Follow(ctx, a.Store, followEvery, a.seen.of("catalogue")) })
	wg.Go(func() { a.refreshSources(ctx) })
	wg.Go(func() { _ = a.Store.Watch(ctx, a.Catalogue.Wake) }) // it ends with ctx and no sooner
}
