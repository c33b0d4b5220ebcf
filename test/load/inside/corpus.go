// Package inside measures the catalogue inside one process, without a network:
// verdicts, searches and updates over as many notices as wanted, which are
// multiplied from agencies' own files or from invented ones.
//
// It uses the program as the program uses itself, through package app; it must
// not know how the catalogue finds its answers.
package inside

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/test/load/corpus"
	"github.com/crownsafe/api/test/load/multiply"
)

// Invented is how many notices to invent where there are no real ones.
const Invented = 8000

// Originals imports a folder of agencies' files, or so many invented notices
// where files is empty, and returns what a catalogue would be given of them.
func Originals(ctx context.Context, seed uint64, files string, invented int) (notices []recall.Notice, err error) {
	folder, err := os.MkdirTemp("", "crownsafe-originals-*")
	if err != nil {
		return nil, fmt.Errorf("making a folder to import into: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if files == "" {
		files = filepath.Join(folder, "recalls.json")
		if err := invent(files, seed, invented); err != nil {
			return nil, err
		}
	}
	a, err := open(ctx, filepath.Join(folder, "data"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if _, err := a.Runner.Import(ctx, []string{files}, nil); err != nil {
		return nil, fmt.Errorf("importing %s: %w", files, err)
	}
	err = a.Store.Changes(ctx, 0, 0, func(s store.Stored) error {
		if !s.Tombstone && !s.Notice.Starter() {
			notices = append(notices, s.Notice)
		}
		return nil
	})
	if err == nil && len(notices) == 0 {
		err = errors.New("there are none")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the notices of %s: %w", files, err)
	}
	return notices, nil
}

func invent(path string, seed uint64, count int) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the file of invented notices: %w", err)
	}
	return errors.Join(corpus.Write(f, corpus.Between(seed, 0, count)), f.Close())
}

func open(ctx context.Context, data string) (*app.App, error) {
	cfg, err := config.Load(ctx, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, fmt.Errorf("reading the default settings: %w", err)
	}
	cfg.Data, cfg.Offline = data, true
	a, err := app.Open(ctx, cfg, slog.New(slog.DiscardHandler), "v0.0.0-bench")
	if err != nil {
		return nil, err
	}
	if err := a.Prepare(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Fill stores so many notices in a new data directory.
func Fill(ctx context.Context, data string, m *multiply.Multiplier, count int) (err error) {
	a, err := open(ctx, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	const atOnce = 1000
	for first := 0; first < count; first += atOnce {
		var batch []store.Incoming
		for i := first; i < min(first+atOnce, count); i++ {
			n := m.Notice(i)
			batch = append(batch, store.Incoming{Notice: n, SourceHash: n.ID, Completeness: 1})
		}
		if _, err := a.Store.Apply(ctx, batch, time.Now()); err != nil {
			return fmt.Errorf("storing notices %d to %d of %d: %w", first, first+len(batch), count, err)
		}
	}
	return nil
}
