package postgres

import (
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

func TestBackups(t *testing.T) {
	t.Parallel()
	storetest.ExerciseBackups(t, func(t *testing.T) storetest.Backups {
		restored := relaxed(testenv.Postgres(t))
		return storetest.Backups{
			Open: func() store.Store { return migrated(t, relaxed(testenv.Postgres(t))) },
			Restoration: func() store.Restoration {
				r, err := OpenRestoration(t.Context(), restored)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { r.Close() })
				return r
			},
			Restored: func() store.Store { return open(t, restored) },
			Shell: func(texts ...string) store.Store {
				opts := relaxed(testenv.Postgres(t))
				config, err := pgx.ParseConfig(opts.URL)
				if err != nil {
					t.Fatal(err)
				}
				conn, err := pgx.ConnectConfig(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close(t.Context())
				// All in one session, as by `gunzip -c FULL INCREMENT... | psql`.
				shell := exec.CommandContext(t.Context(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null")
				shell.Env = append(shell.Environ(), serverOf(opts, conn)...)
				shell.Stdin = strings.NewReader(strings.Join(texts, ""))
				if said, err := shell.CombinedOutput(); err != nil || len(said) > 0 {
					t.Fatalf("psql: %v\n%s", err, said)
				}
				return open(t, opts)
			},
		}
	})
}

// TestEveryTableIsTracked: a table that a migration adds has to be among store.Tables,
// or among those that are in no backup; else nobody would know of its changes.
func TestEveryTableIsTracked(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	if err := s.BackUp(t.Context(), "full", func(store.BackupView) error { return nil }); err != nil {
		t.Fatal(err)
	}
	const triggers = `SELECT c.relname, (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND starts_with(t.tgname, 'change_log_of_') AND t.tgenabled = 'O')
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')`
	rows, err := s.pool.Query(t.Context(), triggers)
	if err != nil {
		t.Fatal(err)
	}
	// What an increment has by itself, and what changes with the schema only.
	exempt := append([]string{"last_serial", "identity", "schema_compatibility", "goose_db_version"}, unkept...)
	var table string
	var there, looked int
	_, err = pgx.ForEachRow(rows, []any{&table, &there}, func() error {
		if looked++; there != len(trackedEvents) && !slices.Contains(exempt, table) {
			t.Errorf("%d triggers keep track of table %s", there, table)
		}
		return nil
	})
	if err != nil || looked < 20 {
		t.Errorf("looked at %d tables, %v", looked, err)
	}
}

// TestWhoCommitsLate is in the increment that first sees it: a transaction that began
// before a backup, and wrote, and is committed after it, has a lower number than those
// that the backup has seen.
func TestWhoCommitsLate(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	written := func(name string, since *store.Position, after string) (string, store.Position) {
		t.Helper()
		var text strings.Builder
		var at store.Position
		err := s.BackUp(t.Context(), name, func(v store.BackupView) (err error) {
			at = v.Position()
			if since != nil {
				_, err = v.WriteIncrement(t.Context(), &text, *since, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text.String(), at
	}
	_, full := written("full", nil, "")
	late, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback(t.Context())
	const miss = `INSERT INTO miss (notice_id, count) VALUES ($1, 1)`
	if _, err := late.Exec(t.Context(), miss, "us-example:late"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), miss, "us-example:early"); err != nil {
		t.Fatal(err)
	}
	first, then := written("increment-1", &full, "full")
	if err := s.ForgetChanges(t.Context(), then); err != nil {
		t.Fatal(err)
	}
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, _ := written("increment-2", &then, "increment-1")
	for who, want := range map[string][2]bool{"us-example:early": {true, false}, "us-example:late": {false, true}} {
		if got := [2]bool{strings.Contains(first, who), strings.Contains(second, who)}; got != want {
			t.Errorf("%s is in the increments: %v, want %v", who, got, want)
		}
	}
}

// TestEmptyingATableEndsTheEpoch, for nobody is told of its rows.
func TestEmptyingATableEndsTheEpoch(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	var at store.Position
	begin := func(v store.BackupView) error { at = v.Position(); return nil }
	if err := s.BackUp(t.Context(), "full", begin); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), `TRUNCATE miss`); err != nil {
		t.Fatal(err)
	}
	err := s.BackUp(t.Context(), "increment", func(v store.BackupView) error {
		_, err := v.WriteIncrement(t.Context(), io.Discard, at, "full")
		return err
	})
	fails(t, "an increment", err, store.ErrUntracked)
}

// TestToolsThatAreMissingOrOld are named, with what to do.
func TestToolsThatAreMissingOrOld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url      string
		programs string
		says     string
	}{
		"missing":               {testenv.Postgres(t), t.TempDir(), "no pg_dump was found"},
		"older than the server": {testenv.CurrentPostgres(t), "/usr/lib/postgresql/15/bin", "the server is PostgreSQL 18, and pg_dump is 15"},
	} {
		opts := relaxed(test.url)
		opts.Programs = test.programs
		s := migrated(t, opts)
		err := s.BackUp(t.Context(), "full", func(v store.BackupView) error { return v.WriteFull(t.Context(), io.Discard) })
		fails(t, name, err, store.ErrNoTool)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoProgramTakesAHalfForAWhole: while a database is being restored nobody gets in.
func TestNoProgramTakesAHalfForAWhole(t *testing.T) {
	t.Parallel()
	from, to := migrated(t, relaxed(testenv.Postgres(t))), relaxed(testenv.Postgres(t))
	var full strings.Builder
	if err := from.BackUp(t.Context(), "full", func(v store.BackupView) error { return v.WriteFull(t.Context(), &full) }); err != nil {
		t.Fatal(err)
	}
	before := migrated(t, to)
	if _, err := before.Serial(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRestoration(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Apply(t.Context(), "full", true, strings.NewReader(full.String())); err != nil {
		t.Fatal(err)
	}
	for who, s := range map[string]*Store{"who was connected": before, "who comes": open(t, to)} {
		_, err := s.Serial(t.Context())
		fails(t, who, err, store.ErrUnavailable)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := before.Serial(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestParametersOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		"postgres://u:p@h/db?sslmode=verify-full&sslrootcert=%2Fa%20b":  {"sslmode": "verify-full", "sslrootcert": "/a b"},
		`host=h password='a \'b\\ c' sslmode = require user=u dbname=d`: {"host": "h", "password": `a 'b\ c`, "sslmode": "require", "user": "u", "dbname": "d"},
		"": {},
	} {
		if got := parametersOf(text); !maps.Equal(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// TestAServerThatTookOver has another history from the moment of its promotion on, not
// only from its next checkpoint, which may be minutes later.
func TestAServerThatTookOver(t *testing.T) {
	t.Parallel()
	primary := testenv.Own(t, server.StartDebianPostgres)
	first := migrated(t, relaxed(primary.URL("postgres")))
	standby, err := primary.StartStandby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Close(); err != nil {
			t.Errorf("ending the standby: %v", err)
		}
	})
	testenv.Eventually(t, testenv.Patience, "a primary that answers again", func() bool { return lease(t, first) == nil })
	var position store.Position
	if err := first.BackUp(t.Context(), "full", func(v store.BackupView) error { position = v.Position(); return nil }); err != nil {
		t.Fatal(err)
	}
	second := open(t, relaxed(standby.URL("postgres")))
	testenv.Eventually(t, testenv.Patience, "the backup's mark on the standby", func() (there bool) {
		err := second.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM backup_mark WHERE name = 'full')`).Scan(&there)
		return err == nil && there
	})
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	execute(t, second, `SELECT pg_promote()`)
	err = second.BackUp(t.Context(), "increment", func(v store.BackupView) error {
		_, err := v.WriteIncrement(t.Context(), io.Discard, position, "full")
		return err
	})
	fails(t, "an increment to another server's backup", err, store.ErrUntracked)
}
