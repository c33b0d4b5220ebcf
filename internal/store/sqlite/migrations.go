package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/crownsafe/api/internal/store"
)

// MigrateUp implements store.Migrator. Open has done it already, so that there is
// something to do only after MigrateDown.
func (s *Store) MigrateUp(ctx context.Context) ([]store.Migration, error) {
	results, err := migrate(ctx, s.writer)
	if err != nil {
		return nil, s.failf(ctx, err, "bringing the schema up to date")
	}
	var applied []store.Migration
	for _, result := range results {
		applied = append(applied, migrationOf(result.Source, time.Now().UTC()))
	}
	return applied, nil
}

// MigrateDown implements store.Migrator. The store can't be used until MigrateUp:
// it is for going back to an earlier program, which refuses a file of a later
// one. Unlike a server's schema, which several releases share while one follows
// another, a file belongs to one release at a time.
func (s *Store) MigrateDown(ctx context.Context) (store.Migration, error) {
	// What keeps track of changes would go on to, in a table that may be gone.
	if err := s.endTracking(ctx); err != nil {
		return store.Migration{}, s.failf(ctx, err, "ending to keep track of changes")
	}
	provider, err := migrator(s.writer)
	if err != nil {
		return store.Migration{}, err
	}
	result, err := provider.Down(ctx)
	switch {
	case errors.Is(err, goose.ErrNoNextVersion):
		err = fmt.Errorf("no migration is applied: %w", store.ErrNotFound)
	case errors.Is(err, goose.ErrVersionNotFound):
		err = fmt.Errorf("the last migration is none of this program's: %w", store.ErrNewerVersion)
	}
	if err != nil {
		return store.Migration{}, s.failf(ctx, err, "taking the last migration back")
	}
	return migrationOf(result.Source, time.Time{}), nil
}

// Migrations implements store.Migrator.
func (s *Store) Migrations(ctx context.Context) ([]store.Migration, error) {
	provider, err := migrator(s.writer)
	if err != nil {
		return nil, err
	}
	all := map[int64]store.Migration{}
	for _, source := range provider.ListSources() {
		all[source.Version] = migrationOf(source, time.Time{})
	}
	const applied = `SELECT version_id, CAST(unixepoch(tstamp) AS INTEGER) FROM goose_db_version WHERE is_applied AND version_id > 0`
	rows, err := s.readers.QueryContext(ctx, applied)
	if err != nil {
		return nil, s.failf(ctx, err, "reading the state of the schema")
	}
	defer rows.Close() //nolint:errcheck // rows.Err has told
	for rows.Next() {
		var version, at int64
		if err := rows.Scan(&version, &at); err != nil {
			return nil, s.failf(ctx, err, "reading the state of the schema")
		}
		m := all[version]
		m.Version, m.AppliedAt = version, time.Unix(at, 0).UTC()
		all[version] = m
	}
	if err := rows.Err(); err != nil {
		return nil, s.failf(ctx, err, "reading the state of the schema")
	}
	return slices.SortedFunc(maps.Values(all), func(a, b store.Migration) int { return int(a.Version - b.Version) }), nil
}

func migrationOf(source *goose.Source, at time.Time) store.Migration {
	return store.Migration{Version: source.Version, Name: path.Base(source.Path), AppliedAt: at}
}

// newest returns the version of the program's newest migration.
func newest(writer *sql.DB) (int64, error) {
	provider, err := migrator(writer)
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}
