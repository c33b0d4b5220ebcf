package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/crownsafe/api/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// MigrateUp implements store.Migrator. Each migration is a transaction of its
// own; who comes while another process works waits for up to five minutes. It
// needs a URL of the server itself and not of a pooler.
func (s *Store) MigrateUp(ctx context.Context) ([]store.Migration, error) {
	var results []*goose.MigrationResult
	err := s.migrate(ctx, func(ctx context.Context, provider *goose.Provider) error {
		var err error
		results, err = provider.Up(ctx)
		if partial, ok := errors.AsType[*goose.PartialError](err); ok {
			results = partial.Applied
		}
		return err
	})
	var applied []store.Migration
	for _, result := range results {
		applied = append(applied, migrationOf(result.Source, time.Now().UTC()))
	}
	if err != nil {
		return applied, fmt.Errorf("bringing the schema up to date: %w", translate(ctx, err))
	}
	return applied, nil
}

// MigrateDown implements store.Migrator.
func (s *Store) MigrateDown(ctx context.Context) (store.Migration, error) {
	var undone store.Migration
	err := s.migrate(ctx, func(ctx context.Context, provider *goose.Provider) error {
		result, err := provider.Down(ctx)
		switch {
		case errors.Is(err, goose.ErrNoNextVersion):
			return fmt.Errorf("no migration is applied: %w", store.ErrNotFound)
		case errors.Is(err, goose.ErrVersionNotFound):
			return fmt.Errorf("the last migration is none of this program's: %w", store.ErrNewerVersion)
		case err != nil:
			return err
		}
		undone = migrationOf(result.Source, time.Time{})
		return nil
	})
	if err != nil {
		return store.Migration{}, fmt.Errorf("taking the last migration back: %w", translate(ctx, err))
	}
	return undone, nil
}

// Migrations implements store.Migrator.
func (s *Store) Migrations(ctx context.Context) ([]store.Migration, error) {
	list, err := s.migrationsThere(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the state of the schema: %w", translate(ctx, err))
	}
	return list, nil
}

// migrationsThere asks on a connection beside the pool, whose own refuse a schema
// that is too new.
func (s *Store) migrationsThere(ctx context.Context) ([]store.Migration, error) {
	ctx, done, err := s.lifetime.Use(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := known(s.opts.migrations)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, s.direct)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // everything was read
	rows, err := conn.Query(ctx, `SELECT version_id, tstamp AT TIME ZONE 'UTC' FROM goose_db_version WHERE is_applied AND version_id > 0`, pgx.QueryExecModeExec)
	if err != nil {
		return nil, err
	}
	var version int64
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&version, &at}, func() error {
		m := all[version]
		m.Version, m.AppliedAt = version, at.UTC()
		all[version] = m
		return nil
	})
	if err != nil && !isUndefinedTable(err) { // without a table of migrations none is applied
		return nil, err
	}
	return slices.SortedFunc(maps.Values(all), byVersion), nil
}

func byVersion(a, b store.Migration) int { return int(a.Version - b.Version) }

func migrationOf(source *goose.Source, at time.Time) store.Migration {
	return store.Migration{Version: source.Version, Name: path.Base(source.Path), AppliedAt: at}
}

// known returns the program's migrations by their versions.
func known(files fs.FS) (map[int64]store.Migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing the program's migrations: %w", err)
	}
	all := map[int64]store.Migration{}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("the migration %s has no number: %w", name, err)
		}
		all[version] = store.Migration{Version: version, Name: name}
	}
	return all, nil
}

// newest returns the version of the newest of them.
func newest(files fs.FS) (int64, error) {
	all, err := known(files)
	if err != nil {
		return 0, err
	}
	return slices.Max(append(slices.Collect(maps.Keys(all)), 0)), nil
}

// migrate gives change what applies migrations, on a connection of its own, under
// a lock that one process has at a time.
func (s *Store) migrate(ctx context.Context, change func(ctx context.Context, provider *goose.Provider) error) error {
	ctx, done, err := s.lifetime.Use(ctx)
	if err != nil {
		return err
	}
	defer done()
	db := stdlib.OpenDB(*s.direct, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		if err := setUpToMigrate(ctx, conn); err != nil {
			return err
		}
		return compatible(ctx, conn, s.known)
	}))
	defer db.Close() //nolint:errcheck // what was to be done is done
	db.SetMaxOpenConns(1)
	provider, err := migrator(db, s.opts.migrations)
	if err != nil {
		return err
	}
	if err := change(ctx, provider); err != nil {
		return err
	}
	s.pool.Reset() // what its sessions know of the schema may be wrong now
	return nil
}

// migrator applies migrations under an advisory lock, for which it asks every
// second: whoever waited for it in the server would be a transaction that others
// wait for. The lock ends with its session.
func migrator(db *sql.DB, files fs.FS) (*goose.Provider, error) {
	const everySecond, times = 1, 300
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(everySecond, times))
	if err != nil {
		return nil, fmt.Errorf("preparing the lock of migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("reading the program's migrations: %w", err)
	}
	return provider, nil
}

// setUpToMigrate lets a session work for as long as it takes. A lock it gives up
// soon, for whoever comes after it in the queue for a table waits with it; and
// times are written in UTC.
func setUpToMigrate(ctx context.Context, conn *pgx.Conn) error {
	const settings = `SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '10s', false),
		set_config('idle_in_transaction_session_timeout', '0', false), set_config('timezone', 'UTC', false)`
	if _, err := conn.Exec(ctx, settings, pgx.QueryExecModeExec); err != nil {
		return fmt.Errorf("setting up a session for migrations: %w", err)
	}
	return nil
}

// undefinedTable is the SQLSTATE undefined_table.
const undefinedTable = "42P01"

func isUndefinedTable(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == undefinedTable
}
