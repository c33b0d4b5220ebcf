package inside

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/test/load/multiply"
)

// Result is what was measured at one number of notices.
type Result struct {
	Notices  int
	Load     time.Duration // from the store to the catalogue
	Heap     int64         // bytes that are alive after loading and were not before
	Barcode  []time.Duration
	Model    []time.Duration
	Search   []time.Duration
	Update   []time.Duration // catching up with changed notices, one at a time
	Answered int             // questions answered during the updates
}

const (
	sampled = 4000 // notices of which questions are made
	rounds  = 7    // times that each question is asked
	updates = 7
	changed = 1000 // notices in an update
)

// Measure loads the catalogue of a data directory that was filled from m, and
// asks it.
func Measure(ctx context.Context, data string, m *multiply.Multiplier) (r Result, err error) {
	a, err := open(ctx, data)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	before, begin := heap(), time.Now()
	if err := a.Load(ctx); err != nil {
		return r, err
	}
	r.Load = time.Since(begin)
	app.Settle()
	snap := a.Catalogue.Current()
	// A misspelt word waits for what is made in the background after loading.
	if _, err := snap.Search(catalogue.Query{Words: mistyped("stroller")}); err != nil {
		return r, fmt.Errorf("warming up: %w", err)
	}
	r.Notices, r.Heap = snap.Len(), heap()-before

	notices := sample(snap, min(sampled, snap.Len()))
	if r.Barcode, err = askAll(notices, byBarcode, a, snap); err != nil {
		return r, err
	}
	if r.Model, err = askAll(notices, byModel, a, snap); err != nil {
		return r, err
	}
	if r.Search, err = timed(Queries(notices), func(q catalogue.Query) error {
		_, err := snap.Search(q)
		return err
	}); err != nil {
		return r, err
	}
	return r, r.update(ctx, a, m)
}

// heap returns the bytes that are alive.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func askAll(notices []recall.Notice, ask func(*recall.Notice) (recall.Unit, bool), a *app.App, snap *catalogue.Snapshot) ([]time.Duration, error) {
	var units []recall.Unit
	for i := range notices {
		if u, ok := ask(&notices[i]); ok {
			units = append(units, u)
		}
	}
	return timed(units, func(u recall.Unit) error {
		v, err := a.Lookup.Verdict(snap, u)
		if err == nil && v.Verdict == recall.NoMatch && u.GTIN != "" {
			err = errors.New("no notice is found by a barcode that one prints")
		}
		return err
	})
}

// timed asks every question, once to warm up and then in rounds, and returns for
// each how long its answer took: the middle of its rounds, so that a question
// that is slow tells apart from a machine that was busy for a moment.
func timed[Q any](questions []Q, ask func(Q) error) ([]time.Duration, error) {
	if len(questions) == 0 {
		return nil, errors.New("the notices give nothing to ask for")
	}
	took := make([][]time.Duration, len(questions))
	for round := range rounds + 1 {
		for i, q := range questions {
			begin := time.Now()
			if err := ask(q); err != nil {
				return nil, fmt.Errorf("asking for %+v: %w", q, err)
			}
			if round > 0 {
				took[i] = append(took[i], time.Since(begin))
			}
		}
	}
	times := make([]time.Duration, len(questions))
	for i := range took {
		slices.Sort(took[i])
		times[i] = took[i][rounds/2]
	}
	return times, nil
}

// update changes notices while somebody asks without a pause: one half of an
// update are new ones, the other are changed.
func (r *Result) update(ctx context.Context, a *app.App, m *multiply.Multiplier) error {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	var answered atomic.Int64
	asked := make(chan error, 1)
	queries := Queries(sample(a.Catalogue.Current(), sampled/10))
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := a.Catalogue.Current().Search(queries[i%len(queries)]); err != nil {
				asked <- err
				return
			}
			answered.Add(1)
		}
		asked <- nil
	}()
	serial := a.Catalogue.Current().Serial()
	for u := range updates {
		news := make([]store.Stored, changed)
		for i := range news {
			index := r.Notices + u*changed + i
			if i%2 == 0 {
				index = (u*changed + i) * 7919 % r.Notices
			}
			serial++
			news[i] = store.Stored{Serial: serial, Notice: m.Notice(index)}
			news[i].Notice.Revision = 2
		}
		begin := time.Now()
		n, err := a.Catalogue.CatchUp(ctx, feed{changes: news})
		if err != nil || n != changed {
			return fmt.Errorf("catching up with %d of %d notices: %w", n, changed, err)
		}
		r.Update = append(r.Update, time.Since(begin))
	}
	enough()
	r.Answered = int(answered.Load())
	return <-asked
}

// feed is a store of which only the changes are asked for.
type feed struct {
	store.Notices
	changes []store.Stored
}

// Changes gives every change, whatever is known already.
func (f feed) Changes(_ context.Context, _ int64, _ int, yield func(store.Stored) error) error {
	for _, s := range f.changes {
		if err := yield(s); err != nil {
			return err
		}
	}
	return nil
}
