package catalogue

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
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
	lost    atomic.Bool // the store was out of sight: it may be another one by now
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

// FreshAt is Snapshot.FreshAt of the current snapshot.
func (c *Catalogue) FreshAt() time.Time { return c.Current().FreshAt() }

// Follow keeps the catalogue at the store's serial until ctx is done: it looks
// every so often and whenever Wake is called. An error is logged once per
// streak and the last snapshot stands; the next look tries again.
func (c *Catalogue) Follow(ctx context.Context, notices store.Notices, every time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	failing := false
	for {
		err := c.Refresh(ctx, notices)
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

// lookTimeout bounds the question that is asked several times a second, so that a
// connection that went dead holds Follow up no longer.
const lookTimeout = 5 * time.Second

// Refresh brings the catalogue to the store's serial once: by the changes above
// its own where the store holds what the catalogue was made of, else by reading
// everything. That is so after a backup was restored, when the serial went back;
// and where the store was out of sight, be it that the catalogue came from a file
// or that a look failed, it is found out. On an error the last snapshot stands.
func (c *Catalogue) Refresh(ctx context.Context, notices store.Notices) error {
	err := c.look(ctx, notices)
	if err != nil {
		c.lost.Store(true)
	}
	return err
}

func (c *Catalogue) look(ctx context.Context, notices store.Notices) error {
	at, now := time.Now(), c.Current()
	serial, err := serialOf(ctx, notices)
	if err != nil {
		return fmt.Errorf("reading the store's serial: %w", err)
	}
	if !now.Loaded() || serial < now.Serial() {
		return c.Load(ctx, notices)
	}
	if c.lost.Load() {
		continued, err := now.continuedIn(ctx, notices)
		switch {
		case err != nil:
			return err
		case !continued:
			return c.Load(ctx, notices)
		}
		c.accept()
	}
	if serial == c.Current().Serial() {
		c.Current().verified(at)
		return nil
	}
	_, err = c.CatchUp(ctx, notices)
	return err
}

func serialOf(ctx context.Context, notices store.Notices) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return notices.Serial(ctx)
}

// accept notes that the store holds what the current snapshot was made of.
func (c *Catalogue) accept() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.lost.Store(false)
	if now := c.Current(); now.origin.restored {
		c.publish(slices.Clone(now.parts), now.serial, origin{store: now.origin.store}, now.FreshAt())
	}
}

// continuedIn reports whether a store holds what the snapshot was made of, so
// that the changes above its serial are all that it lacks: it is the same store
// by its identity, and the last change that the snapshot has is there and is the
// same. A restored backup that was written to since has another one in its place.
// Where the last notice has changed again it cannot be known, and the answer is no.
func (s *Snapshot) continuedIn(ctx context.Context, notices store.Notices) (bool, error) {
	identity, err := store.IdentityOf(ctx, notices)
	if err != nil {
		return false, err
	}
	if identity != s.origin.store {
		return false, nil
	}
	if s.serial == 0 {
		return true, nil
	}
	held, looked := false, false
	err = notices.Changes(ctx, s.serial-1, 1, func(stored store.Stored) error {
		if !looked {
			held, looked = s.holds(&stored), true
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("comparing the change %d with the store's: %w", s.serial, err)
	}
	return held, nil
}

// holds reports whether the snapshot has this very state of an id.
func (s *Snapshot) holds(stored *store.Stored) bool {
	p, doc, ok := s.find(stored.Notice.ID)
	if !ok || p.serials[doc] != stored.Serial {
		return false
	}
	b := newBuilder()
	b.add(stored)
	return b.traits[0]&(isGone|isWithdrawn) == p.traits[doc]&(isGone|isWithdrawn) &&
		string(b.briefs) == p.brief(doc) && bytes.Equal(b.rests, p.expand(nil, doc))
}
