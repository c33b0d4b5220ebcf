package catalogue

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/store"
)

// Load rebuilds the catalogue from the store, from serial 0, and swaps once, at
// the end. On an error the last snapshot stands.
func (c *Catalogue) Load(ctx context.Context, notices store.Notices) error {
	return c.load(ctx, notices, 0)
}

// load is Load from a store that was seen at a serial; errBehind when less comes.
func (c *Catalogue) load(ctx context.Context, notices store.Notices, seen int64) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	at := time.Now()
	identity, err := store.IdentityOf(ctx, notices)
	if err != nil {
		return fmt.Errorf("loading the catalogue: %w", err)
	}
	read, err := readChanges(ctx, notices, 0, nil)
	if err != nil {
		return fmt.Errorf("loading the catalogue: %w", err)
	}
	if read.serial < seen {
		return fmt.Errorf("loading the catalogue up to serial %d of %d: %w", read.serial, seen, errBehind)
	}
	c.replace(read, read.serial, origin{store: identity}, at)
	return nil
}

// replace makes what was read the current snapshot; c.writing is held.
func (c *Catalogue) replace(read changesRead, serial int64, from origin, at time.Time) {
	parts := make([]part, len(read.segments))
	for i, g := range read.segments {
		parts[i] = part{segment: g}
	}
	read.segments = nil
	// Merged now, while nothing else takes memory: with very many notices merges
	// beside the first answers would be the peak of the process's life.
	c.publish(mergeAll(parts), serial, from, at)
}

// CatchUp applies every change above the current serial and returns how many
// there were. Its time goes with their number, not with the catalogue's size.
// On an error the last snapshot stands.
func (c *Catalogue) CatchUp(ctx context.Context, notices store.Notices) (int, error) {
	return c.catchUp(ctx, notices, 0)
}

// catchUp is CatchUp with a store that was seen at a serial. When less comes, that
// is applied, but isn't known to be all, and the error is errBehind.
func (c *Catalogue) catchUp(ctx context.Context, notices store.Notices, seen int64) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	at, now := time.Now(), c.Current()
	read, err := readChanges(ctx, notices, now.serial, c.codec)
	if err != nil {
		return 0, fmt.Errorf("catching up from serial %d: %w", now.serial, err)
	}
	reached := max(read.serial, now.serial)
	if reached < seen {
		at = now.FreshAt()
		err = fmt.Errorf("catching up from serial %d to %d of %d: %w", now.serial, reached, seen, errBehind)
	}
	if read.count == 0 && now.loaded {
		now.verified(at)
		return 0, err
	}
	parts := slices.Clone(now.parts)
	for _, g := range read.segments {
		parts = supersede(parts, g)
		parts = append(parts, part{segment: g})
	}
	c.publish(mergeSmall(parts), reached, now.origin, at)
	return read.count, err
}

// supersede marks the notices dead that a new segment replaces.
func supersede(parts []part, by *segment) []part {
	for i := range parts {
		p := &parts[i]
		var dead []uint32
		for doc := range uint32(by.len()) {
			id := by.id(doc)
			if old, ok := p.find(id, textKey(id)); ok && !p.dead.has(old) {
				dead = append(dead, old)
			}
		}
		if len(dead) > 0 {
			p.dead = p.dead.with(p.len(), dead)
		}
	}
	return parts
}

// publish makes parts the current snapshot, known to be up to date at a time;
// c.writing is held.
func (c *Catalogue) publish(parts []part, serial int64, from origin, at time.Time) {
	for i := range parts {
		if g := parts[i].segment; g.len() >= worthDictionary && len(g.codecs) == 1 {
			c.codec = g.codecs[0]
		}
	}
	s := newSnapshot(parts, serial, true)
	s.origin = from
	s.verified(at)
	c.current.Store(s)
	c.mergeLarge()
	c.merges.Go(func() { // else the first misspelt word would wait for it
		for i := range parts {
			parts[i].typos()
		}
	})
}

// changesRead is what readChanges made of the store's changes.
type changesRead struct {
	segments []*segment
	serial   int64
	count    int
}

// batchSize is how many changes go to a worker at a time.
const batchSize = 64

// changes is where notices are read from: a store, or a file; see store.Notices.
type changes interface {
	Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error
}

// readChanges reads the changes above a serial and makes segments of them, on
// all processors while they are still being read.
func readChanges(ctx context.Context, notices changes, since int64, base *codec) (changesRead, error) {
	var out changesRead
	batches := make(chan []store.Stored, 4)
	made := make([][]*segment, min(runtime.GOMAXPROCS(0), 8))
	group, ctx := errgroup.WithContext(ctx)
	for worker := range made {
		group.Go(func() error {
			made[worker] = build(batches, base)
			return ctx.Err()
		})
	}
	group.Go(func() error {
		defer close(batches)
		var batch []store.Stored
		send := func() error {
			select {
			case batches <- batch:
				batch = nil
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := notices.Changes(ctx, since, 0, func(s store.Stored) error {
			out.count++
			out.serial = max(out.serial, s.Serial)
			if batch = append(batch, s); len(batch) < batchSize {
				return nil
			}
			return send()
		})
		if err != nil {
			return fmt.Errorf("reading changes above serial %d: %w", since, err)
		}
		return send()
	})
	if err := group.Wait(); err != nil {
		return changesRead{}, err
	}
	for _, segments := range made {
		out.segments = append(out.segments, segments...)
	}
	return out, nil
}

// build makes segments of batches until there are no more.
func build(batches <-chan []store.Stored, base *codec) []*segment {
	var segments []*segment
	b := newBuilder()
	for batch := range batches {
		for i := range batch {
			b.add(&batch[i])
		}
		if b.full() {
			segments, b = append(segments, b.finish(base)), newBuilder()
			runtime.GC() // a segment in the making takes several times what it keeps
		}
	}
	if len(b.ids) > 0 {
		segments = append(segments, b.finish(base))
	}
	return segments
}

const (
	// perTier is how many segments of about one size there may be.
	perTier = 4
	// mergeAtOnce is how many notices are merged while whoever catches up waits;
	// more are merged in the background.
	mergeAtOnce = 2048
	// firstTier is the size, as a power of four, below which segments are alike.
	firstTier = 3
)

// tier orders segments by size: each tier is four times the one below.
func tier(living int) int { return max(firstTier, (bits.Len(uint(living))+1)/2) }

// living returns how many notices of a part are not dead.
func (p *part) living() int {
	n := p.len()
	for _, word := range p.dead {
		n -= bits.OnesCount64(word)
	}
	return n
}

// mergeable picks parts that should become one: too many of one tier, or one
// that is mostly dead. It returns their places, or nothing.
func mergeable(parts []part, most int) []int {
	tiers := map[int][]int{}
	for i := range parts {
		living := parts[i].living()
		if living < parts[i].len()*2/3 && living <= most {
			return []int{i}
		}
		tiers[tier(living)] = append(tiers[tier(living)], i)
	}
	for t := range bits.UintSize {
		var chosen []int
		sum := 0
		for _, i := range tiers[t] {
			if living := parts[i].living(); sum+living <= most {
				chosen, sum = append(chosen, i), sum+living
			}
		}
		if len(chosen) >= perTier {
			return chosen
		}
	}
	return nil
}

// mergeSmall merges what costs next to nothing.
func mergeSmall(parts []part) []part {
	for {
		places := mergeable(parts, mergeAtOnce)
		if places == nil {
			return parts
		}
		merged, _ := mergeParts(partsAt(parts, places))
		parts = replaceParts(parts, places, part{segment: merged})
	}
}

// mergeAll merges until there is nothing to merge.
func mergeAll(parts []part) []part {
	for {
		places := mergeable(parts, maxSegment)
		if places == nil {
			return parts
		}
		merged, _ := mergeParts(partsAt(parts, places))
		parts = replaceParts(parts, places, part{segment: merged})
		runtime.GC() // what was merged is garbage, and a lot
	}
}

func mergeParts(sources []part) (*segment, [][]uint32) {
	segments, dead := make([]*segment, len(sources)), make([]rowSet, len(sources))
	for i, p := range sources {
		segments[i], dead[i] = p.segment, p.dead
	}
	return merge(segments, dead)
}

// replaceParts returns parts without those at some places, and with one more.
func replaceParts(parts []part, places []int, by part) []part {
	next := make([]part, 0, len(parts))
	for i, p := range parts {
		if !slices.Contains(places, i) {
			next = append(next, p)
		}
	}
	if by.len() == 0 {
		return next
	}
	return append(next, by)
}

// mergeLarge merges in the background, one merge at a time; c.writing is held.
func (c *Catalogue) mergeLarge() {
	now := c.Current()
	places := mergeable(now.parts, maxSegment)
	if c.merging || places == nil {
		return
	}
	c.merging = true
	sources := partsAt(now.parts, places)
	c.merges.Go(func() {
		merged, moved := mergeParts(sources)
		c.writing.Lock()
		defer c.writing.Unlock()
		c.merging = false
		c.exchange(sources, merged, moved)
	})
}

// exchange puts a merged segment in the place of its sources. What became dead
// meanwhile becomes dead in it too. If a source is gone (the catalogue was
// loaded anew), nothing happens.
func (c *Catalogue) exchange(sources []part, merged *segment, moved [][]uint32) {
	now := c.Current()
	var places []int
	var dead []uint32
	for i, source := range sources {
		at := slices.IndexFunc(now.parts, func(p part) bool { return p.segment == source.segment })
		if at < 0 {
			return
		}
		places = append(places, at)
		for doc, to := range moved[i] {
			if to != dropped && now.parts[at].dead.has(uint32(doc)) {
				dead = append(dead, to)
			}
		}
	}
	by := part{segment: merged}
	if len(dead) > 0 {
		by.dead = by.dead.with(merged.len(), dead)
	}
	c.publish(replaceParts(now.parts, places, by), now.serial, now.origin, now.FreshAt())
}

func partsAt(parts []part, places []int) []part {
	out := make([]part, len(places))
	for i, at := range places {
		out[i] = parts[at]
	}
	return out
}
