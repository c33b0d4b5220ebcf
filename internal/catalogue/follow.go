package catalogue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// Catalogue holds the current Snapshot. Any number of goroutines may read;
// Load and CatchUp wait for one another.
type Catalogue struct {
	current atomic.Pointer[Snapshot]
	writing sync.Mutex     // held while a new snapshot is made
	merging bool           // in the background; guarded by writing
	merges  sync.WaitGroup // goroutines in the background; each ends by itself
	codec   *codec         // of the last segment that was its own sample; guarded by writing
	wake    chan struct{}
}

// New returns a catalogue with an empty snapshot that isn't loaded.
func New() *Catalogue {
	c := &Catalogue{wake: make(chan struct{}, 1)}
	c.current.Store(newSnapshot(nil, 0, false))
	return c
}

// Current returns the snapshot to answer from. One request should ask once, so
// that all of its answer is of one serial.
func (c *Catalogue) Current() *Snapshot { return c.current.Load() }

// Wake makes Follow look at the store at once.
func (c *Catalogue) Wake() {
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Follow keeps the catalogue at the store's serial until ctx is done: it looks
// every so often and whenever Wake is called. An error is logged once per
// streak and the last snapshot stands; the next look tries again.
func (c *Catalogue) Follow(ctx context.Context, notices store.Notices, every time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	failing := false
	for {
		err := c.look(ctx, notices)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			logger.Error("catalogue can't follow the store; the last snapshot stands", "serial", c.Current().Serial(), "error", err)
		case err == nil && failing:
			logger.Info("catalogue follows the store again", "serial", c.Current().Serial())
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.wake:
		}
	}
}

// look compares serials and takes what is new. A store whose serial went back
// (a backup was restored) is read from the beginning.
func (c *Catalogue) look(ctx context.Context, notices store.Notices) error {
	now := c.Current()
	serial, err := notices.Serial(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("reading the store's serial: %w", err)
	case !now.Loaded() || serial < now.Serial():
		return c.Load(ctx, notices)
	case serial == now.Serial():
		return nil
	}
	_, err = c.CatchUp(ctx, notices)
	return err
}
