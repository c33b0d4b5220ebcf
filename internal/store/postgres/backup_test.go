package postgres

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
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
	const triggers = `SELECT c.relname, (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND starts_with(t.tgname, 'change_log_of_') AND t.tgenabled = 'A')
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

// TestWhatIsDoneWithoutTriggersIsNotMissed: a session that leaves them out is kept track
// of all the same, and after they were switched off a full backup has to be made.
func TestWhatIsDoneWithoutTriggersIsNotMissed(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	var at store.Position
	full := func(name string) {
		t.Helper()
		if err := s.BackUp(t.Context(), name, func(v store.BackupView) error { at = v.Position(); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	increment := func(after string) (rows map[string]int64, err error) {
		err = s.BackUp(t.Context(), "increment", func(v store.BackupView) error {
			rows, err = v.WriteIncrement(t.Context(), io.Discard, at, after)
			return err
		})
		return rows, err
	}
	byHand := func(statements string) {
		t.Helper()
		if err := s.beside(t.Context(), func(conn *pgx.Conn) error {
			_, err := conn.PgConn().Exec(t.Context(), statements).ReadAll()
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	full("full-1")
	byHand(`SET session_replication_role = replica; INSERT INTO miss (notice_id, count) VALUES ('us-example:1', 1)`)
	if rows, err := increment("full-1"); err != nil || rows["miss"] != 1 {
		t.Errorf("by a session without triggers: %v, %v", rows, err)
	}
	for i, which := range []string{"ALL", "USER"} {
		name := "full-off-" + which
		full(name)
		byHand(`ALTER TABLE miss DISABLE TRIGGER ` + which + `; UPDATE miss SET count = ` + strconv.Itoa(i+2) + `; ALTER TABLE miss ENABLE TRIGGER ` + which)
		_, err := increment(name)
		fails(t, "after triggers were off", err, store.ErrUntracked)
	}
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

// TestAPgDumpThatIsNewerThanTheServer writes what that server takes: from version 17 on
// it begins with a setting that older servers don't know. Here one of version 15 is
// made to say that it is 18, and to begin so.
func TestAPgDumpThatIsNewerThanTheServer(t *testing.T) {
	t.Parallel()
	const tools = "/usr/lib/postgresql/15/bin/"
	newer := t.TempDir()
	script := `#!/bin/sh
[ "$1" = --version ] && exec echo "pg_dump (PostgreSQL) 18.1"
printf -- '--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n'
exec ` + tools + `pg_dump "$@"
`
	if err := errors.Join(os.WriteFile(filepath.Join(newer, "pg_dump"), []byte(script), 0o700), os.Symlink(tools+"psql", filepath.Join(newer, "psql"))); err != nil {
		t.Fatal(err)
	}
	from, to := relaxed(testenv.Postgres(t)), relaxed(testenv.Postgres(t))
	from.Programs, to.Programs = newer, newer
	var full strings.Builder
	if err := migrated(t, from).BackUp(t.Context(), "full", func(v store.BackupView) error { return v.WriteFull(t.Context(), &full) }); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRestoration(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := errors.Join(r.Apply(t.Context(), "full", true, strings.NewReader(full.String())), r.Finish(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestWhatTheServerLacksIsNotTheTexts: whoever verifies a backup must not take a server
// that is full, or goes away, for a backup that is bad.
func TestWhatTheServerLacksIsNotTheTexts(t *testing.T) {
	t.Parallel()
	r, err := OpenRestoration(t.Context(), relaxed(testenv.Postgres(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for text, want := range map[string]error{
		`DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;`:    store.ErrFull,
		`DO $$ BEGIN RAISE EXCEPTION 'too many clients already' USING ERRCODE = '53300'; END $$;`: store.ErrUnavailable,
		`SELECT pg_terminate_backend(pg_backend_pid()); SELECT 1;`:                                store.ErrUnavailable,
	} {
		fails(t, text, r.Apply(t.Context(), "increment", false, strings.NewReader(text)), want)
	}
	err = r.Apply(t.Context(), "increment", false, strings.NewReader(`DO $$ BEGIN RAISE EXCEPTION 'twice' USING ERRCODE = '23505', DETAIL = 'a secret'; END $$;`))
	if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrFull) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a text that is wrong: %v", err)
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

// TestDatabasesOfKilledProcessesAreRemoved when another backup is verified, and those of
// others that are at work are not.
func TestDatabasesOfKilledProcessesAreRemoved(t *testing.T) {
	t.Parallel()
	opts := relaxed(testenv.Postgres(t))
	old := scratchPrefix + time.Now().UTC().Add(-2*abandonedAfter).Format(scratchStamp)
	unused, used := old+"_unused", old+"_used"
	conn := connection(t, opts)
	for _, name := range []string{unused, used} {
		if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
	}
	atWork := opts
	atWork.Database = used
	worker := connection(t, atWork)
	young, dropYoung, err := Scratch(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	_, drop, err := Scratch(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{unused: false, used: true, young.Database: true} {
		var there bool
		if err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil || there != want {
			t.Errorf("%s is there: %v, want %v; %v", name, there, want, err)
		}
	}
	if err := errors.Join(drop(t.Context()), dropYoung(t.Context()), worker.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(t.Context(), "DROP DATABASE "+used+" WITH (FORCE)"); err != nil {
		t.Error(err)
	}
}

func connection(t *testing.T, opts Options) *pgx.Conn {
	t.Helper()
	opts, err := opts.defaulted()
	if err != nil {
		t.Fatal(err)
	}
	config, err := opts.directConfig()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
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

// TestWhatElseIsInTheDatabase stays where it is: another program's schema is no part of
// a backup, and in nobody's way.
func TestWhatElseIsInTheDatabase(t *testing.T) {
	t.Parallel()
	opts := relaxed(testenv.Postgres(t))
	s := migrated(t, opts)
	conn := connection(t, opts)
	if _, err := conn.Exec(t.Context(), `CREATE SCHEMA "An other's"; CREATE TABLE "An other's".thing (n int); INSERT INTO "An other's".thing VALUES (17)`, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	var full strings.Builder
	if err := s.BackUp(t.Context(), "full", func(v store.BackupView) error { return v.WriteFull(t.Context(), &full) }); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(full.String(), "thing") {
		t.Error("the backup has the other program's table")
	}
	r, err := OpenRestoration(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := errors.Join(r.Apply(t.Context(), "full", true, strings.NewReader(full.String())), r.Finish(t.Context())); err != nil {
		t.Error(err)
	}
	var n int
	if err := connection(t, opts).QueryRow(t.Context(), `SELECT n FROM "An other's".thing`).Scan(&n); err != nil || n != 17 {
		t.Errorf("the other program's table has %d, %v", n, err)
	}
}
