package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// SharedAnswers keeps the bodies of costly answers for every process that serves
// the same catalogue. Verdicts and barcodes are never among them.
type SharedAnswers interface {
	// Body returns the body of an answer that another process made, or makes it.
	// Errors are compute's: what is wrong with the sharing is nobody's concern
	// here, and is over in 50 ms.
	Body(ctx context.Context, q SharedQuestion, compute func() ([]byte, error)) ([]byte, error)
}

// SharedQuestion is what an answer is kept under.
type SharedQuestion struct {
	Of   Edition
	Name string // of all that the answer depends on besides
	// Class is of questions that cost about the same: a number below classes.
	Class int
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
	// mostWords and classes: searches are told apart by how many words they have,
	// up to so many, and whether facets are counted.
	mostWords = 15
	classes   = 2 * (mostWords + 1)
)

// ShareAnswers keeps answers in a cache that lately took at least worth to work out:
// most searches are done before Redis could have answered. It is of use where other processes see the cache: this one remembers its
// own answers anyway.
func ShareAnswers(c *cache.Cache, worth time.Duration) SharedAnswers {
	return &shared{worth: worth, bodies: cache.For[[]byte](c, cache.Use{
		Name: "search", Shape: sharedShape, TTL: sharedTTL, MaxBytes: answerBytes,
	})}
}

type shared struct {
	worth  time.Duration
	bodies *cache.Of[[]byte]
	last   atomic.Pointer[Edition] // that was asked for
	costs  [classes]atomic.Int64   // what answers of a class cost lately, in nanoseconds
}

// Body is SharedAnswers'.
func (s *shared) Body(ctx context.Context, q SharedQuestion, compute func() ([]byte, error)) ([]byte, error) {
	cost := &s.costs[q.Class]
	timed := func(context.Context) ([]byte, error) {
		start := time.Now()
		body, err := compute()
		// Each counts for an eighth; that two at once may lose one does no harm.
		cost.Add((int64(time.Since(start)) - cost.Load()) / 8)
		return body, err
	}
	if time.Duration(cost.Load()) < s.worth {
		return timed(ctx)
	}
	s.turn(ctx, q.Of)
	item := cache.Item{Name: q.Of.tag() + " " + q.Name, Tags: []string{q.Of.tag()}}
	// Whoever goes away meanwhile leaves the answer to others.
	return s.bodies.Load(context.WithoutCancel(ctx), item, timed)
}

// searchClass is the class of a search; ok is false for one that is never costly:
// a list by date without words or facets.
func searchClass(q *catalogue.Query) (class int, ok bool) {
	words := len(strings.Fields(q.Words))
	class = 2 * min(words, mostWords)
	if len(q.Facets) > 0 {
		class++
	}
	return class, class > 0
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
	withdrawn := []recall.Notice{} // which are changes without their content
	for _, c := range latest {
		if n, _, ok := snap.Notice(c.ID); ok && c.Tombstone {
			withdrawn = append(withdrawn, n)
		}
	}
	encoded, err := json.Marshal([]any{latest, withdrawn})
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
	if s.Shared == nil || !rd.shared {
		return rd.compute()
	}
	e, ok := s.editionOf(snap)
	if !ok {
		return rd.compute()
	}
	return s.Shared.Body(ctx, SharedQuestion{Of: e, Name: tag, Class: rd.class}, rd.compute)
}
