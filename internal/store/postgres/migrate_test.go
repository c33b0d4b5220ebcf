package postgres

import (
	"context"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

// files returns the program's migrations up to a version (0: all), with others
// on top of them.
func files(t *testing.T, last int64, further map[string]string) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	own, err := known(migrationsOnly(t))
	if err != nil {
		t.Fatal(err)
	}
	for version, m := range own {
		content, err := fs.ReadFile(migrations, "migrations/"+m.Name)
		if err != nil {
			t.Fatal(err)
		}
		if last == 0 || version <= last {
			all[m.Name] = &fstest.MapFile{Data: content}
		}
	}
	for name, content := range further {
		all[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return all
}

func migrationsOnly(t *testing.T) fs.FS {
	t.Helper()
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// expansion is what a later release may add while this one runs.
var expansion = map[string]string{"90001_expansion.sql": `-- +goose Up
ALTER TABLE notice ADD COLUMN score bigint NOT NULL DEFAULT 7;
ALTER TABLE revision ADD COLUMN reviewed_by text;
ALTER TABLE run ADD COLUMN host text NOT NULL DEFAULT '';
ALTER TABLE lease ADD COLUMN since timestamptz NOT NULL DEFAULT now();
ALTER TABLE account ADD COLUMN language text NOT NULL DEFAULT 'en';
ALTER TABLE session ADD COLUMN city text;
ALTER TABLE audit_entry ADD COLUMN note text NOT NULL DEFAULT '';
CREATE TABLE score (notice_id text PRIMARY KEY REFERENCES notice (id) ON DELETE CASCADE, value bigint NOT NULL);
CREATE INDEX notice_by_score ON notice (score);
-- +goose Down
DROP TABLE score;
ALTER TABLE audit_entry DROP COLUMN note;
ALTER TABLE session DROP COLUMN city;
ALTER TABLE account DROP COLUMN language;
ALTER TABLE lease DROP COLUMN since;
ALTER TABLE run DROP COLUMN host;
ALTER TABLE revision DROP COLUMN reviewed_by;
ALTER TABLE notice DROP COLUMN score;
`}

// contraction is what a later release does when this one is gone.
var contraction = map[string]string{"90002_contraction.sql": `-- +goose Up
ALTER TABLE lease RENAME COLUMN holder TO owner;
UPDATE schema_compatibility SET oldest_program = 90001;
-- +goose Down
UPDATE schema_compatibility SET oldest_program = 1;
ALTER TABLE lease RENAME COLUMN owner TO holder;
`}

func versionsOf(t *testing.T, s *Store) (all, applied []int64) {
	t.Helper()
	list, err := s.Migrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		all = append(all, m.Version)
		if !m.AppliedAt.IsZero() {
			applied = append(applied, m.Version)
		}
	}
	return all, applied
}

// Ten processes start together on an empty database.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		var group sync.WaitGroup
		var lock sync.Mutex
		applied := map[int64]int{}
		for range 10 {
			group.Go(func() {
				s, err := Open(t.Context(), relaxed(url))
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				defer s.Close()
				mine, err := s.MigrateUp(t.Context())
				if err != nil {
					t.Errorf("MigrateUp: %v", err)
				}
				if err := lease(t, s); err != nil {
					t.Errorf("who has migrated, or waited for it, can't work: %v", err)
				}
				lock.Lock()
				defer lock.Unlock()
				for _, m := range mine {
					applied[m.Version]++
				}
			})
		}
		group.Wait()
		all, there := versionsOf(t, open(t, relaxed(url)))
		if len(all) == 0 || !slices.Equal(all, there) {
			t.Errorf("applied are %d of %d", there, all)
		}
		for _, version := range all {
			if applied[version] != 1 {
				t.Errorf("%d was applied %d times", version, applied[version])
			}
		}
	})
}

// A program is at home on a schema that a later release has added to, until one
// takes away what it needs.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := migrated(t, relaxed(url))
		later := relaxed(url)
		later.migrations = files(t, 0, expansion)
		next := migrated(t, later)
		s.pool.Reset()
		if applied, err := s.MigrateUp(t.Context()); err != nil || len(applied) != 0 {
			t.Errorf("MigrateUp on a newer schema: %+v, %v", applied, err)
		}
		if err := lease(t, s); err != nil {
			t.Errorf("on a newer schema: %v", err)
		}
		if c, err := s.Condition(t.Context()); err != nil || c.Schema != 90001 || c.Known != s.known {
			t.Errorf("the condition on a newer schema is %+v, %v", c, err)
		}
		if all, applied := versionsOf(t, s); !slices.Contains(applied, 90001) || !slices.Equal(all, applied) {
			t.Errorf("applied are %d of %d", applied, all)
		}
		_, err := s.MigrateDown(t.Context())
		fails(t, "taking another program's migration back", err, store.ErrNewerVersion)

		last := relaxed(url)
		last.migrations = files(t, 0, map[string]string{
			"90001_expansion.sql": expansion["90001_expansion.sql"], "90002_contraction.sql": contraction["90002_contraction.sql"],
		})
		newest := migrated(t, last)
		s.pool.Reset()
		next.pool.Reset()
		fails(t, "a program that is too old", lease(t, s), store.ErrNewerVersion)
		if _, err := s.MigrateUp(t.Context()); err == nil {
			t.Error("a program that is too old migrates")
		}
		if _, applied := versionsOf(t, s); !slices.Contains(applied, 90002) {
			t.Errorf("a program that is too old doesn't see what was applied: %d", applied)
		}
		if err := next.Ping(t.Context()); err != nil {
			t.Errorf("the release before the last: %v", err)
		}
		if undone, err := newest.MigrateDown(t.Context()); err != nil || undone.Version != 90002 {
			t.Errorf("taking it back: %+v, %v", undone, err)
		}
		if err := lease(t, s); err != nil {
			t.Errorf("after it was taken back: %v", err)
		}
	})
}

// The release before this one runs on this one's schema, and this one on that of
// the release before, until somebody migrates.
func TestPreviousRelease(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		previous := relaxed(url)
		previous.migrations = files(t, 1, nil)
		before := migrated(t, previous)
		s := open(t, relaxed(url))
		if err := lease(t, s); err != nil {
			t.Errorf("this release on the schema of the one before: %v", err)
		}
		if c, err := s.Condition(t.Context()); err != nil || c.Schema != 1 || c.Known != s.known {
			t.Errorf("its condition is %+v, %v", c, err)
		}
		if _, err := s.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		before.pool.Reset()
		if err := lease(t, before); err != nil {
			t.Errorf("the release before on this one's schema: %v", err)
		}
	})
}

// A migration whose connection, or process, is lost in its middle has done
// nothing, and is done when somebody comes again.
func TestMigrationIsKilled(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := migrated(t, relaxed(url))
		slow := relaxed(url)
		slow.migrations = files(t, 0, map[string]string{"90001_slow.sql": `-- +goose Up
CREATE TABLE half (n bigint);
ALTER TABLE lease ADD COLUMN half bigint;
SELECT pg_sleep(600);
`})
		unlucky := open(t, slow)
		ended := make(chan error, 1)
		go func() {
			_, err := unlucky.MigrateUp(t.Context())
			ended <- err
		}()
		testenv.Eventually(t, testenv.Patience, "a migration in its middle", func() bool {
			var killed bool
			const kill = `SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
				WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`
			if err := s.pool.QueryRow(t.Context(), kill).Scan(&killed); err != nil {
				t.Fatal(err)
			}
			return killed
		})
		fails(t, "the migration", <-ended, store.ErrUnavailable)
		if _, applied := versionsOf(t, s); slices.Contains(applied, 90001) {
			t.Errorf("applied are %d", applied)
		}
		var half bool
		if err := s.pool.QueryRow(t.Context(), `SELECT to_regclass('half') IS NOT NULL`).Scan(&half); err != nil || half {
			t.Errorf("half of it is there: %v, %v", half, err)
		}
		quick := relaxed(url)
		quick.migrations = files(t, 0, map[string]string{"90001_slow.sql": "-- +goose Up\nCREATE TABLE half (n bigint);\n"})
		applied, err := open(t, quick).MigrateUp(t.Context())
		if err != nil || len(applied) != 1 || applied[0].Version != 90001 {
			t.Errorf("coming again: %+v, %v", applied, err)
		}
	})
}

// Who is stopped while he waits for another's migration leaves at once, and who
// fails says what he had applied.
func TestMigrationWaits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		opts := relaxed(url)
		opts.migrations = files(t, 0, map[string]string{"90001_broken.sql": "-- +goose Up\nSELECT nonsense;\n"})
		s := open(t, opts)
		db := stdlib.OpenDB(*s.direct)
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		const migrating = 4097083626 // the lock's number in goose
		if _, err := conn.ExecContext(t.Context(), `SELECT pg_advisory_lock($1)`, migrating); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.MigrateUp(ctx)
			ended <- err
		}()
		testenv.Eventually(t, testenv.Patience, "somebody who waits", func() bool {
			var waiting int
			const trying = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()`
			if err := s.pool.QueryRow(t.Context(), trying).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
			return waiting > 0
		})
		cancel()
		fails(t, "who is stopped", <-ended, context.Canceled)
		if _, err := conn.ExecContext(t.Context(), `SELECT pg_advisory_unlock($1)`, migrating); err != nil {
			t.Fatal(err)
		}
		applied, err := s.MigrateUp(t.Context())
		if all, there := versionsOf(t, s); err == nil || len(applied) != len(all)-1 || len(there) != len(applied) {
			t.Errorf("with a broken migration: %+v, %v", applied, err)
		}
	})
}
