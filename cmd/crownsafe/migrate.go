package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/store"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Bring the schema up to date."`
	Status migrateStatus `cmd:"" help:"List the migrations, and when each was applied."`
	Down   migrateDown   `cmd:"" help:"Take the last migration back, and what only it keeps."`
}

type (
	migrateUp     struct{}
	migrateStatus struct{}
	migrateDown   struct {
		Yes bool `help:"Don't ask: what only the last migration keeps is lost."`
	}
)

// Run applies what is missing.
func (*migrateUp) Run(s *session) error {
	return s.withSchema(func(schema store.Migrator) ([]store.Migration, error) { return schema.MigrateUp(s.ctx) })
}

// Run lists every migration.
func (*migrateStatus) Run(s *session) error {
	return s.withSchema(func(schema store.Migrator) ([]store.Migration, error) { return schema.Migrations(s.ctx) })
}

// Run takes one migration back.
func (c *migrateDown) Run(s *session) error {
	if !c.Yes {
		return usage("migrate down loses what only the last migration keeps; say so with --yes")
	}
	return s.withSchema(func(schema store.Migrator) ([]store.Migration, error) {
		m, err := schema.MigrateDown(s.ctx)
		if errors.Is(err, store.ErrNotFound) {
			return nil, errors.New("no migration is applied")
		}
		m.AppliedAt = time.Time{}
		return []store.Migration{m}, err
	})
}

// withSchema does something with the schema of the store and prints what came of it.
func (s *session) withSchema(do func(store.Migrator) ([]store.Migration, error)) (err error) {
	cfg, _, err := app.Settings(s.ctx, s.env.lookup)
	if err != nil {
		return err
	}
	cfg.Data = s.data
	st, err := app.OpenStore(s.ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	migrations, err := do(st)
	if err != nil {
		return err
	}
	return s.printMigrations(migrations)
}

// migrationLine is a migration as it is printed.
type migrationLine struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	AppliedAt *time.Time `json:"applied_at"`
}

func (s *session) printMigrations(migrations []store.Migration) error {
	lines := make([]migrationLine, len(migrations))
	for i, m := range migrations {
		lines[i] = migrationLine{Version: m.Version, Name: m.Name}
		if !m.AppliedAt.IsZero() {
			at := m.AppliedAt.UTC()
			lines[i].AppliedAt = &at
		}
	}
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{"items": lines})
	}
	if len(lines) == 0 {
		_, err := fmt.Fprintln(s.env.stdout, "nothing to do: the schema is up to date")
		return err
	}
	table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
	for _, line := range lines {
		applied := "not applied"
		if line.AppliedAt != nil {
			applied = "applied " + line.AppliedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", line.Version, line.Name, applied)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the migrations: %w", err)
	}
	return nil
}
