package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/store"
)

type migrateDataCommand struct{}

// Run copies everything from the SQLite file in the data directory into the
// database that DATABASE_URL names, which must be empty, and says what was copied.
// Nothing is there after a failure: it can be repeated.
func (*migrateDataCommand) Run(s *session) (err error) {
	cfg, _, err := app.Settings(s.ctx, s.env.lookup)
	if err != nil {
		return err
	}
	cfg.Data = s.data
	if cfg.DatabaseURL == "" {
		return usage("migrate-data copies the SQLite file into PostgreSQL: name that with DATABASE_URL")
	}
	file := filepath.Join(s.data, "crownsafe.db")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return usage("there is no %s to copy; name the folder with --data", file)
	}
	embedded := cfg
	embedded.DatabaseURL = ""
	from, err := app.OpenStore(s.ctx, embedded)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := app.OpenStore(s.ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if cfg.Migrate {
		if _, err := to.MigrateUp(s.ctx); err != nil {
			return err
		}
	}
	bar := newProgressLine(s.env.stderr, "rows")
	digest, err := store.CopyAll(s.ctx, from, to, func(p store.Progress) {
		doing := "copying "
		if p.Verifying {
			doing = "verifying "
		}
		bar.show(int(p.Done), int(p.Of), doing+p.Table)
	})
	bar.done()
	switch {
	case errors.Is(err, store.ErrNotEmpty):
		return fmt.Errorf("nothing was copied: the database has content already, be it only what a first start stores; empty it with crownsafe migrate down --yes, as often as there are migrations: %w", err)
	case err != nil:
		return fmt.Errorf("nothing was copied: %w", err)
	}
	return s.printDigest(digest)
}

// tableLine is what was copied of one table.
type tableLine struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

func (s *session) printDigest(d store.Digest) error {
	lines := make([]tableLine, len(d.Tables))
	for i, t := range d.Tables {
		lines[i] = tableLine(t)
	}
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{"serial": d.Serial, "tables": lines})
	}
	table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
	for _, line := range lines {
		fmt.Fprintf(table, "%s\t%d rows\t%s\n", line.Table, line.Rows, line.SHA256)
	}
	fmt.Fprintf(table, "serial %d; counts and hashes are the same on both sides\n", d.Serial)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing what was copied: %w", err)
	}
	return nil
}
