package catalogue

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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
	doubt   atomic.Bool // the store may be another one than the snapshot is of, or have gone back

	following *follower // nil: no spans
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

// Wake makes Follow look at the store at once, and compare what it has with it:
// whoever watches the store wakes after losing its connection too, and the next
// one may have led to another server.
func (c *Catalogue) Wake() {
	c.doubt.Store(true)
	select {
	case c.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// FreshAt is Snapshot.FreshAt of the current snapshot.
func (c *Catalogue) FreshAt() time.Time { return c.Current().FreshAt() }

// compareEvery is how often Follow compares without a reason: a server that fails
// over between two looks, to one that had fallen behind, may have regained the
// serial by the second, and nobody hears of it.
const compareEvery = time.Minute

// Follow keeps the catalogue at the store's serial until ctx is done: it looks
// every so often and whenever Wake is called, and compares what it has with the
// store once a minute and whenever Wake is called; see Refresh. An error is
// logged once per streak and the last snapshot stands; the next look tries again.
func (c *Catalogue) Follow(ctx context.Context, notices store.Notices, every time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	compare := time.NewTicker(compareEvery)
	defer compare.Stop()
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
		case <-compare.C:
			c.doubt.Store(true)
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
// and where the store was out of sight, be it that the catalogue came from a file,
// that a look failed or that Follow or Wake has reason for doubt, it is found out.
// On an error the last snapshot stands, or what could be read follows it, which is
// not known to be all then.
func (c *Catalogue) Refresh(ctx context.Context, notices store.Notices) error {
	err := c.look(ctx, notices)
	if err != nil {
		c.doubt.Store(true)
	}
	return err
}

// errBehind says that what was read ends below the serial that the store was seen
// at, as when several servers answer and not all of them have everything.
var errBehind = errors.New("the store answered with less than it was seen to hold")

func (c *Catalogue) look(ctx context.Context, notices store.Notices) error {
	at, now := time.Now(), c.Current()
	serial, err := serialOf(ctx, notices)
	if err != nil {
		return fmt.Errorf("reading the store's serial: %w", err)
	}
	if !now.Loaded() || serial < now.Serial() {
		return c.followed(ctx, serial, func(ctx context.Context) error { return c.load(ctx, notices, serial) })
	}
	// Taken back before the comparison, so that a doubt that comes up meanwhile stays.
	if c.doubt.Swap(false) {
		continued, err := now.continuedIn(ctx, notices, serial)
		switch {
		case err != nil:
			return err
		case !continued:
			return c.followed(ctx, serial, func(ctx context.Context) error { return c.load(ctx, notices, serial) })
		}
		c.accept()
	}
	if serial == c.Current().Serial() {
		c.Current().verified(at)
		return nil
	}
	return c.followed(ctx, serial, func(ctx context.Context) error {
		_, err := c.catchUp(ctx, notices, serial)
		return err
	})
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
	if now := c.Current(); now.origin.restored {
		c.publish(slices.Clone(now.parts), now.serial, origin{store: now.origin.store}, now.FreshAt())
	}
}

// comparedChanges is how many of a snapshot's last changes are compared: one of
// them must not have changed again for the comparison to tell anything.
const comparedChanges = 10

// errCompared ends a reading that has told enough.
var errCompared = errors.New("compared")

// continuedIn reports whether a store that was seen at a serial holds what the
// snapshot was made of, so that the changes above the snapshot's serial are all
// that it lacks: it is the same store by its identity, and each of the last changes
// that the snapshot has is there and the same, or has changed again since. A
// restored backup that was written to since has others in their place. Where all
// of them have changed again it cannot be known, and the answer is no.
func (s *Snapshot) continuedIn(ctx context.Context, notices store.Notices, serial int64) (bool, error) {
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
	since, missing := s.lastChanges(comparedChanges)
	held, others, reached := false, false, since
	err = notices.Changes(ctx, since, 0, func(stored store.Stored) error {
		reached = max(reached, stored.Serial)
		switch {
		case stored.Serial > s.serial:
			delete(missing, stored.Notice.ID)
		case s.holds(&stored):
			delete(missing, stored.Notice.ID)
			held = true
		default:
			others = true
		}
		if held && !others && len(missing) == 0 {
			return errCompared
		}
		return nil
	})
	switch {
	case errors.Is(err, errCompared):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("comparing the changes up to %d with the store's: %w", s.serial, err)
	case reached < serial: // what is missing may be there
		return false, fmt.Errorf("comparing the changes up to %d with the store's, which end at %d: %w", s.serial, reached, errBehind)
	}
	return false, nil
}

// lastChanges returns the ids that changed last, at most so many, and the serial
// above which the snapshot has no others.
func (s *Snapshot) lastChanges(most int) (since int64, ids map[string]bool) {
	type change struct {
		serial int64
		id     string
	}
	var last []change
	for i := range s.parts {
		p, left := &s.parts[i], most
		for _, doc := range slices.Backward(p.bySerial) {
			if left == 0 {
				break
			}
			if !p.dead.has(doc) {
				last = append(last, change{p.serials[doc], p.id(doc)})
				left--
			}
		}
	}
	slices.SortFunc(last, func(a, b change) int { return cmp.Compare(b.serial, a.serial) })
	last = last[:min(len(last), most)]
	since, ids = s.serial, map[string]bool{}
	for _, c := range last {
		since, ids[c.id] = c.serial-1, true
	}
	return since, ids
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
