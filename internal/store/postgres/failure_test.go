package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
)

func TestStates(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]error{
		"25006": store.ErrReadOnly,
		"53000": store.ErrUnavailable, "53100": store.ErrFull, "53200": store.ErrUnavailable, "53300": store.ErrUnavailable,
		"57014": store.ErrUnavailable, "57P01": store.ErrUnavailable, "57P02": store.ErrUnavailable, "57P03": store.ErrUnavailable,
		"08006": store.ErrUnavailable, "08P01": store.ErrUnavailable, "28P01": store.ErrUnavailable, "3D000": store.ErrUnavailable,
		"58030": store.ErrUnavailable,
		"55P03": store.ErrBusy, "40001": store.ErrBusy, "40P01": store.ErrBusy,
		"XX001": store.ErrCorrupt, "XX002": store.ErrCorrupt,
		"42P01": store.ErrNotMigrated, "42703": store.ErrNotMigrated, "3F000": store.ErrNotMigrated,
		"23505": nil, "42601": nil, "XX000": nil, "": nil,
	} {
		wrapped := fmt.Errorf("doing something: %w", &pgconn.PgError{Code: state})
		if got := sentinelOf(wrapped); got != want { //nolint:errorlint // the very sentinel
			t.Errorf("SQLSTATE %q is %v, want %v", state, got, want)
		}
	}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	full := &pgconn.PgError{Code: "53100", Message: "could not extend file"}
	if err := translate(ended, full); err != context.Canceled { //nolint:errorlint // that and nothing else
		t.Errorf("after the caller's end: %v", err)
	}
	if err := translate(t.Context(), full); !strings.Contains(err.Error(), "could not extend file") {
		t.Errorf("the server's words are lost: %v", err)
	}
	once := translate(t.Context(), full)
	if twice := translate(t.Context(), once); twice.Error() != once.Error() {
		t.Errorf("translated twice: %v", twice)
	}
	if err := translate(t.Context(), nil); err != nil {
		t.Errorf("nothing is %v", err)
	}
	fails(t, "no rows", translate(t.Context(), pgx.ErrNoRows), store.ErrNotFound)
}

// The errors of real servers.
func TestRealFailures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail func(t *testing.T, s *Store) error
		want error
		lock time.Duration // how long locks are waited for; 0: for as long as it takes
	}{
		"no schema": {func(t *testing.T, s *Store) error {
			execute(t, s, `DROP TABLE lease`)
			return lease(t, s)
		}, store.ErrNotMigrated, 0},
		"an older schema": {func(t *testing.T, s *Store) error {
			execute(t, s, `ALTER TABLE lease RENAME holder TO owner`)
			return lease(t, s)
		}, store.ErrNotMigrated, 0},
		"read-only": {func(t *testing.T, s *Store) error {
			execute(t, s, `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = on'; END $$`)
			s.pool.Reset()
			if c, err := s.Condition(t.Context()); err != nil || !c.ReadOnly {
				t.Errorf("the condition of a read-only server is %+v, %v", c, err)
			}
			if _, err := s.MigrateDown(t.Context()); err == nil {
				t.Error("a read-only server is migrated")
			} else {
				fails(t, "migrating", err, store.ErrReadOnly)
			}
			return lease(t, s)
		}, store.ErrReadOnly, 0},
		"a lock that is held": {func(t *testing.T, s *Store) error {
			tx, err := s.pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback(t.Context()) //nolint:errcheck // it has held its lock
			if _, err := tx.Exec(t.Context(), `LOCK TABLE lease`); err != nil {
				t.Fatal(err)
			}
			return lease(t, s)
		}, store.ErrBusy, 50 * time.Millisecond},
		"a deadlock": {deadlock, store.ErrBusy, 0},
		"a session that is ended": {func(t *testing.T, s *Store) error {
			_, err := s.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pg_backend_pid())`)
			if err := lease(t, s); err != nil {
				t.Errorf("after it: %v", err)
			}
			return translate(t.Context(), err)
		}, store.ErrUnavailable, 0},
		"a statement that is cancelled": {func(t *testing.T, s *Store) error {
			_, err := s.pool.Exec(t.Context(), `SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)`)
			return translate(t.Context(), err)
		}, store.ErrUnavailable, 0},
		"a statement that takes too long": {func(t *testing.T, s *Store) error {
			_, err := s.pool.Exec(t.Context(), `SELECT set_config('statement_timeout', '50ms', false)`)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.pool.Exec(t.Context(), `SELECT pg_sleep(60)`)
			return translate(t.Context(), err)
		}, store.ErrUnavailable, 0},
		"out of connections": {outOfConnections, store.ErrUnavailable, 0},
		"a program that is too old": {func(t *testing.T, s *Store) error {
			execute(t, s, `UPDATE schema_compatibility SET oldest_program = $1`, s.known+1)
			if err := lease(t, s); err != nil {
				t.Errorf("a connection from before: %v", err)
			}
			s.pool.Reset()
			if err := s.Ping(t.Context()); err == nil {
				t.Error("a program that is too old says that all is well")
			}
			if _, err := s.MigrateUp(t.Context()); err == nil {
				t.Error("it migrates")
			} else {
				fails(t, "migrating", err, store.ErrNewerVersion)
			}
			return lease(t, s)
		}, store.ErrNewerVersion, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, url string) {
				opts := relaxed(url)
				opts.MaxConns = 2
				if test.lock > 0 {
					opts.LockTimeout = test.lock
				}
				s := migrated(t, opts)
				fails(t, name, test.fail(t, s), test.want)
			})
		})
	}
}

// deadlock lets two transactions wait for one another.
func deadlock(t *testing.T, s *Store) error {
	t.Helper()
	execute(t, s, `CREATE TABLE a ()`)
	execute(t, s, `CREATE TABLE b ()`)
	locks := func(first, second string, have, other chan struct{}) error {
		return pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `LOCK TABLE `+first); err != nil {
				return err
			}
			close(have)
			<-other
			_, err := tx.Exec(t.Context(), `LOCK TABLE `+second)
			return err
		})
	}
	haveA, haveB := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 2)
	go func() { ended <- locks("a", "b", haveA, haveB) }()
	go func() { ended <- locks("b", "a", haveB, haveA) }()
	if err := <-ended; err != nil {
		<-ended
		return translate(t.Context(), err)
	}
	return translate(t.Context(), <-ended)
}

// outOfConnections is a user's who may have one connection, which somebody has.
func outOfConnections(t *testing.T, s *Store) error {
	t.Helper()
	role := "test_" + strings.ToLower(rand.Text())
	execute(t, s, `CREATE ROLE `+role+` LOGIN PASSWORD 'x' CONNECTION LIMIT 1`)
	t.Cleanup(func() {
		if _, err := s.pool.Exec(context.Background(), `DROP ROLE `+role); err != nil {
			t.Errorf("removing the role: %v", err)
		}
	})
	u, err := url.Parse(s.opts.URL)
	if err != nil {
		t.Fatal("the URL of the test server can't be read")
	}
	u.User = url.UserPassword(role, "x")
	held, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close(t.Context()) //nolint:errcheck // it was only there to be counted
	limited := open(t, relaxed(u.String()))
	_, err = limited.pool.Exec(t.Context(), `SELECT 1`)
	err = translate(t.Context(), err)
	if err == nil || !strings.Contains(err.Error(), "53300") {
		t.Errorf("the server says %v", err)
	}
	return err
}

// A change waits for another process's, for longer than one statement may, and
// not for ever.
func TestBusy(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		opts := relaxed(url)
		opts.LockTimeout, opts.BusyTimeout = 50*time.Millisecond, time.Minute
		s := migrated(t, opts)
		opts.BusyTimeout, opts.StatementCache = 200*time.Millisecond, -1
		hurried := open(t, opts)
		tx, err := s.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SELECT value FROM last_serial FOR UPDATE`); err != nil {
			t.Fatal(err)
		}
		_, err = hurried.Apply(t.Context(), []store.Incoming{storetest.Copy(storetest.Notice(1))}, time.Now())
		fails(t, "a change while another goes on", err, store.ErrBusy)
		changed := make(chan error, 1)
		go func() {
			_, err := s.Apply(t.Context(), []store.Incoming{storetest.Copy(storetest.Notice(2))}, time.Now())
			changed <- err
		}()
		testenv.Eventually(t, testenv.Patience, "several attempts", func() bool { return s.PoolStats().Acquired > 6 })
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-changed; err != nil {
			t.Errorf("a change after another: %v", err)
		}
	})
}
