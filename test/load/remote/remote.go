// Package remote measures the parts of the program that speak to real servers,
// inside one process that does nothing else: how fast PostgreSQL takes notices,
// what uploads need, what a cache spares, when a change was committed.
//
// It uses the program's packages as package app puts them together, with the
// program's own settings; it must not know how they keep what they are given, nor
// who started the servers.
package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/store"
)

// Importer takes single files in, as `crownsafe import` does, and tells when they
// were committed.
type Importer struct {
	app       *app.App
	committed time.Time
}

// OpenImporter readies an importer; the settings say for which store.
func OpenImporter(ctx context.Context, cfg config.Config) (*Importer, error) {
	a, err := app.Open(ctx, cfg, slog.New(slog.DiscardHandler), "v0.0.0-bench")
	if err != nil {
		return nil, err
	}
	i := &Importer{app: a}
	a.Runner.Stored = func() { i.committed = time.Now() }
	if err := a.Prepare(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return i, nil
}

// Import takes a file in that holds one new notice, and returns when its
// transaction had ended. What an import does afterwards isn't waited for by
// anybody who reads notices.
func (i *Importer) Import(ctx context.Context, path string) (committed time.Time, err error) {
	report, err := i.app.Runner.Import(ctx, []string{path}, nil)
	if err == nil && (len(report) != 1 || report[0].Tally.Added != 1) {
		err = fmt.Errorf("the report is %+v", report)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("importing %s: %w", path, err)
	}
	return i.committed, nil
}

// Close ends the importer.
func (i *Importer) Close() error { return i.app.Close() }

// Stored is how fast a store was filled.
type Stored struct {
	Notices int
	Took    time.Duration
}

// Apply stores the notices of a data directory once more, in batches as an import
// makes them, in the store that the settings name, which is empty. They are read
// before.
func Apply(ctx context.Context, cfg config.Config, data string) (r Stored, err error) {
	const batchSize = 500
	var batches [][]store.Incoming
	err = between(ctx, cfg, data, func(from, _ store.Store) error {
		return from.Changes(ctx, 0, 0, func(s store.Stored) error {
			if len(batches) == 0 || len(batches[len(batches)-1]) == batchSize {
				batches = append(batches, nil)
			}
			last := &batches[len(batches)-1]
			*last = append(*last, store.Incoming{Notice: s.Notice, SourceHash: store.ContentHash(s.Notice), Completeness: 1})
			r.Notices++
			return nil
		})
	})
	if err != nil {
		return r, err
	}
	err = between(ctx, cfg, data, func(_, to store.Store) error {
		begin := time.Now()
		for _, batch := range batches {
			if _, err := to.Apply(ctx, batch, begin); err != nil {
				return err
			}
		}
		r.Took = time.Since(begin)
		return nil
	})
	return r, err
}

// Copy copies everything that a data directory's store has into the one that the
// settings name, which is empty, verified.
func Copy(ctx context.Context, cfg config.Config, data string) (r Stored, err error) {
	err = between(ctx, cfg, data, func(from, to store.Store) error {
		begin := time.Now()
		if _, err := store.CopyAll(ctx, from, to, nil); err != nil {
			return err
		}
		r.Took = time.Since(begin)
		return to.Changes(ctx, 0, 0, func(store.Stored) error { r.Notices++; return nil })
	})
	return r, err
}

// between opens a data directory's own store and the one that the settings name,
// with its schema.
func between(ctx context.Context, cfg config.Config, data string, do func(from, to store.Store) error) (err error) {
	embedded := cfg
	embedded.Data, embedded.DatabaseURL = data, ""
	from, err := app.OpenStore(ctx, embedded)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := app.OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if _, err := to.MigrateUp(ctx); err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	return do(from, to)
}
