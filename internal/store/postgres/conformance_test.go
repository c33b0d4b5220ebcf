package postgres

import (
	"context"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
)

var _ store.Store = (*Store)(nil)

// on makes places on a server for stores with these options, whose schema comes
// from other migrations than the program's own where some are given. Each has a
// database of its own until the end of its test.
func on(database func(testing.TB) string, schema fs.FS, change func(*Options)) storetest.Place {
	return func(t testing.TB) func() store.Store {
		opts := relaxed(database(t))
		made := opts
		made.migrations = schema
		migrate(t, made)
		change(&opts)
		return func() store.Store { return open(t, opts) }
	}
}

// onShared is on for tests that leave the schema alone and hold few places at a
// time: they take databases in turn, and wait for one. To empty one takes a few
// milliseconds, to make one longer than most tests.
func onShared(t *testing.T, database func(testing.TB) string, schema fs.FS, change func(*Options)) storetest.Place {
	t.Helper()
	free := make(chan Options, runtime.GOMAXPROCS(0)+2)
	for range cap(free) {
		opts := relaxed(database(t))
		opts.migrations = schema
		migrate(t, opts)
		opts.migrations = nil
		change(&opts)
		free <- opts
	}
	return func(t testing.TB) func() store.Store {
		opts := <-free
		t.Cleanup(func() {
			if err := emptied(opts); err != nil {
				t.Errorf("emptying the database for the next test: %v", err)
			}
			free <- opts
		})
		return func() store.Store { return open(t, opts) }
	}
}

func emptied(opts Options) error {
	// The schema may be one that knows nothing of accounts. The audit log keeps what
	// it has until its trigger is off.
	const everything = `
		DO $$ BEGIN
			IF to_regclass('account') IS NOT NULL THEN
				DELETE FROM account; -- which is faster than TRUNCATE, for a few rows
				DELETE FROM attempt;
				IF EXISTS (SELECT FROM audit_entry) THEN
					ALTER TABLE audit_entry DISABLE TRIGGER USER;
					TRUNCATE audit_entry;
					ALTER TABLE audit_entry ENABLE TRIGGER USER;
				END IF;
			END IF;
		END $$;
		TRUNCATE revision, notice, offered_copy, former_id, miss, run, rejection, payload, arrival, lease RESTART IDENTITY CASCADE;
		UPDATE last_serial SET value = 0`
	s, err := Open(context.Background(), opts)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.pool.Exec(context.Background(), everything)
	return err
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{"15": testenv.Postgres, "current": testenv.CurrentPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := onShared(t, database, nil, func(*Options) {})
			storetest.ExerciseContent(t, shared)
			storetest.ExerciseAccounts(t, shared)
			storetest.ExerciseOperation(t, on(database, nil, func(*Options) {}))
		})
	}
}

// Behind a pooler nothing may be prepared.
func TestStoreBehindPooler(t *testing.T) {
	t.Parallel()
	unprepared := func(opts *Options) { opts.StatementCache = -1 }
	shared := onShared(t, testenv.CurrentPostgres, nil, unprepared)
	storetest.ExerciseContent(t, shared)
	storetest.ExerciseAccounts(t, shared)
	storetest.ExerciseOperation(t, on(testenv.CurrentPostgres, nil, unprepared))
}

// While one release follows another, programs work on a schema that isn't theirs.
func TestStoreOnOtherSchemas(t *testing.T) {
	t.Parallel()
	const expanded = "that a later release adds to"
	for name, schema := range map[string]fs.FS{
		"of the release before": files(t, 1, nil),
		expanded:                files(t, 0, expansion),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := onShared(t, testenv.CurrentPostgres, schema, func(*Options) {})
			storetest.ExerciseContent(t, shared)
			if name == expanded {
				storetest.ExerciseAccounts(t, shared)
			}
		})
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]struct {
		database func(testing.TB) string
		change   func(*Options)
	}{
		"15":      {testenv.Postgres, func(*Options) {}},
		"current": {testenv.CurrentPostgres, func(opts *Options) { opts.StatementCache = -1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := onShared(t, server.database, nil, server.change)
			t.Run("from SQLite", func(t *testing.T) { storetest.ExerciseTransfer(t, inSQLite, place) })
			t.Run("to SQLite", func(t *testing.T) { storetest.ExerciseTransfer(t, place, inSQLite) })
		})
	}
}

func inSQLite(t testing.TB) func() store.Store {
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	return func() store.Store {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, on(testenv.CurrentPostgres, nil, func(*Options) {}))
}
