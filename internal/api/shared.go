package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/catalogue"
)

// SharedAnswers keeps the bodies of costly answers for every process that serves
// the same catalogue. Verdicts and barcodes are never among them.
type SharedAnswers interface {
	// Body returns the body of a name, which is of one state of the catalogue, or
	// makes it. Errors are compute's: what is wrong with the sharing is nobody's
	// concern here, and is over in 50 ms.
	Body(ctx context.Context, of Edition, name string, compute func() ([]byte, error)) ([]byte, error)
}

// Edition is one state of one store's catalogue.
type Edition struct {
	// Dataset tells stores apart, and what stood under the same serial in one
	// before a backup was restored over it.
	Dataset string
	Serial  int64
}

const (
	// sharedTTL is how long a body is kept: those of old serials aren't asked for,
	// and have to go.
	sharedTTL = 10 * time.Minute
	// sharedShape is to be raised when what compute makes isn't the body any more.
	sharedShape = 1
	// latestChanges is how many tell what a serial stands for.
	latestChanges = 10
)

// ShareAnswers keeps answers in a cache. It is of use where other processes see
// the cache: this one remembers its own answers anyway.
func ShareAnswers(c *cache.Cache) SharedAnswers {
	return &shared{bodies: cache.For[[]byte](c, cache.Use{Name: "search", Shape: sharedShape, TTL: sharedTTL, MaxBytes: answerBytes})}
}

type shared struct {
	bodies *cache.Of[[]byte]
	last   atomic.Pointer[Edition] // that was asked for
}

func (s *shared) Body(ctx context.Context, of Edition, name string, compute func() ([]byte, error)) ([]byte, error) {
	s.turn(ctx, of)
	item := cache.Item{Name: of.tag() + " " + name, Tags: []string{of.tag()}}
	// Whoever goes away meanwhile leaves the answer to others.
	return s.bodies.Load(context.WithoutCancel(ctx), item, func(context.Context) ([]byte, error) { return compute() })
}

// turn invalidates the answers of the edition before, once there is a later one.
func (s *shared) turn(ctx context.Context, now Edition) {
	last := s.last.Load()
	if last != nil && (*last == now || last.Dataset == now.Dataset && last.Serial > now.Serial) || !s.last.CompareAndSwap(last, &now) {
		return
	}
	if last != nil {
		s.bodies.InvalidateTags(ctx, last.tag())
	}
}

func (e Edition) tag() string { return fmt.Sprintf("catalogue %s at %d", e.Dataset, e.Serial) }

// editionOf returns the edition that a snapshot is; ok is false when nobody can
// tell which store it is of.
func (s *service) editionOf(snap *catalogue.Snapshot) (e Edition, ok bool) {
	if snap.Store() == "" {
		return e, false
	}
	if known := s.edition.Load(); known != nil && known.snap == snap {
		return known.Edition, true
	}
	// A restored backup goes on from an older serial, with other changes under the
	// numbers that there were before.
	latest, _ := snap.Changes(snap.Serial()-latestChanges, latestChanges)
	encoded, err := json.Marshal(latest)
	if err != nil {
		return e, false
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s", snap.Store(), encoded))
	e = Edition{Dataset: hex.EncodeToString(sum[:etagDigestBytes]), Serial: snap.Serial()}
	s.edition.Store(&edition{e, snap})
	return e, true
}

// edition is an Edition with the snapshot that it was read from.
type edition struct {
	Edition
	snap *catalogue.Snapshot
}

// body makes the body of a reading, or takes it from whoever made it before.
func (s *service) body(ctx context.Context, snap *catalogue.Snapshot, tag string, rd *reading) ([]byte, error) {
	if s.Shared == nil || !rd.costly {
		return rd.compute()
	}
	e, ok := s.editionOf(snap)
	if !ok {
		return rd.compute()
	}
	return s.Shared.Body(ctx, e, tag, rd.compute)
}
