package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
)

// swapping imports new notices beside a server under full load and counts what
// fails.
func (r *run) swapping(ctx context.Context, ours *server) error {
	path, err := r.write("fresh.json", r.stored, r.stored+r.fresh)
	if err != nil {
		return err
	}
	fresh := barcodes(r.seed, r.stored, r.stored+r.fresh, r.fresh)
	loadCtx, enough := context.WithCancel(ctx)
	defer enough()
	loaded := make(chan tally, 1)
	go func() { loaded <- ask(loadCtx, ours.address, r.mixed()) }()
	seen := make(chan sightings, 1)
	go func() { seen <- watch(loadCtx, ours.address, fresh[len(fresh)-1]) }()

	pause(ctx, settling)
	got, err := r.program.importNew(ctx, r.data, path, r.fresh)
	over := time.Now()
	r.taken = append(r.taken, file{path, r.fresh})
	if err == nil {
		pause(ctx, watchedAfter)
	}
	enough()
	t, s := <-loaded, <-seen
	if err = errors.Join(err, s.err, ctx.Err(), ours.clearLog()); err != nil {
		return err
	}
	failures := fmt.Sprintf("%d of %s (99 of 100 within %s, all within %s)", t.failures, count(float64(t.requests)),
		milli(percentile(t.latencies, 0.99)), milli(percentile(t.latencies, 1)))
	if t.first != nil {
		failures += fmt.Sprintf("; the first: %v", t.first)
	}
	r.row(fmt.Sprintf("requests that fail while %s new notices are imported (%.1f s)", humanize.Comma(int64(r.fresh)), got.took.Seconds()),
		failures, "0", atMost(float64(t.failures), 0))
	visible, err := s.visible(over)
	if err != nil {
		return err
	}
	r.row("from the end of that import to its last notice being served", fmt.Sprintf("%.2f s", visible.Seconds()),
		fmt.Sprintf("≤ %.0f s", goalVisible.Seconds()), atMost(visible.Seconds(), goalVisible.Seconds()))
	return nil
}

// mixed asks for three barcodes and then for a search, whose answer may change
// with every notice that arrives.
func (r *run) mixed() questions {
	codes, searches := make([]question, len(r.hits)), make([]question, len(r.searches))
	for i, uri := range r.hits {
		codes[i] = question{get(uri), expectation{begins: []byte(`{"verdict":"`)}}
	}
	for i, uri := range r.searches {
		searches[i] = question{get(uri), expectation{begins: []byte(`{"items":[{`)}}
	}
	return numbered(func(n uint64) question {
		const barcodesToOneSearch = 3
		if n%(barcodesToOneSearch+1) == barcodesToOneSearch {
			return searches[n/(barcodesToOneSearch+1)%uint64(len(searches))]
		}
		return codes[n%uint64(len(codes))]
	})
}

// sightings is what a watcher saw of the catalogue.
type sightings struct {
	serial int64     // the last one seen
	since  time.Time // when it was first seen
	known  time.Time // when the awaited barcode was first answered; zero: never
	err    error
}

// visible is the time from an import's end until everything that it stored was
// served: no time when that was before its end.
func (s *sightings) visible(over time.Time) (time.Duration, error) {
	if s.known.IsZero() {
		return 0, errors.New("the server never showed the last notice that was imported")
	}
	last := s.since
	if s.known.After(last) {
		last = s.known
	}
	return max(0, last.Sub(over)), nil
}

// watch asks for an awaited barcode again and again, on a connection of its
// own, until ctx is done.
func watch(ctx context.Context, address, uri string) (s sightings) {
	const every = 5 * time.Millisecond
	c, err := dial(address)
	if err != nil {
		s.err = err
		return s
	}
	defer c.close()
	for ctx.Err() == nil {
		h, err := c.ask(get(uri), &expectation{}, true)
		if err != nil {
			s.err = fmt.Errorf("watching %s: %w", filepath.Base(uri), err)
			return s
		}
		now := time.Now()
		if h.serial != s.serial {
			s.serial, s.since = h.serial, now
		}
		if s.known.IsZero() && !bytes.HasPrefix(c.body, []byte(noMatch)) {
			s.known = now
		}
		pause(ctx, every)
	}
	return s
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
