package postgres

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

func TestMain(m *testing.M) {
	// The ways to servers that fail leave one of theirs behind now and then, when
	// they are closed with something on its way.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
}

// onBoth runs a test on an empty database of each server that there is to work with.
func onBoth(t *testing.T, run func(t *testing.T, url string)) {
	t.Helper()
	for name, database := range map[string]func(testing.TB) string{"15": testenv.Postgres, "current": testenv.CurrentPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, database(t))
		})
	}
}

// relaxed are options for tests of anything but time, on machines that do much else.
func relaxed(url string) Options {
	return Options{
		URL: url, MaxConns: 4,
		AcquireTimeout: time.Minute, ConnectTimeout: time.Minute, AnswerTimeout: time.Minute, LockTimeout: 30 * time.Second,
	}
}

func open(t testing.TB, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// migrated opens a store whose schema is there.
func migrated(t testing.TB, opts Options) *Store {
	t.Helper()
	migrate(t, opts)
	return open(t, opts)
}

// migrate makes the schema.
func migrate(t testing.TB, opts Options) {
	t.Helper()
	patient := relaxed(opts.URL)
	patient.migrations = opts.migrations
	s, err := Open(t.Context(), patient)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fails checks an error, which comes before the test gives up waiting, and that
// it doesn't show the password.
func fails(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", doing, err, want)
	}
	if err == nil {
		return
	}
	for _, secret := range []string{server.PostgresPassword, url.QueryEscape(server.PostgresPassword), url.PathEscape(server.PostgresPassword)} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the password: %v", doing, err)
		}
	}
}

// lease asks the server for something that it must write.
func lease(t *testing.T, s *Store) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := s.Lease(ctx, "a lease", "a holder", time.Minute)
	return err
}

// execute runs a statement outside of the store.
func execute(t *testing.T, s *Store, sql string, args ...any) {
	t.Helper()
	if _, err := s.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := migrated(t, relaxed(url))
		ended := make(chan error, 1)
		listening := make(chan struct{}, 1)
		go func() {
			ended <- s.Watch(t.Context(), func() {
				select {
				case listening <- struct{}{}:
				default:
				}
			})
		}()
		<-listening
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Errorf("Watch ended with %v", err)
		}
		if err := lease(t, s); err == nil {
			t.Error("a closed store gives leases")
		}
		if _, err := s.MigrateUp(t.Context()); !errors.Is(err, store.ErrClosed) {
			t.Errorf("MigrateUp of a closed store: %v", err)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a closed store answers")
		}
	})
}

// A session has the limits that its options say; behind a pooler it is left alone.
func TestSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		show := func(s *Store, setting string) (value string) {
			t.Helper()
			if err := s.pool.QueryRow(t.Context(), `SELECT current_setting($1)`, setting).Scan(&value); err != nil {
				t.Fatal(err)
			}
			return value
		}
		opts := relaxed(url)
		opts.MaxConns = 1
		opts.StatementTimeout = 7 * time.Minute
		s := migrated(t, opts)
		for setting, want := range map[string]string{
			"statement_timeout": "7min", "lock_timeout": "30s", "idle_in_transaction_session_timeout": "20s",
			"client_connection_check_interval": "2s", "application_name": "crownsafe",
		} {
			if got := show(s, setting); got != want {
				t.Errorf("%s is %s, want %s", setting, got, want)
			}
		}
		opts.StatementCache = -1
		pooled := open(t, opts)
		if got := show(pooled, "statement_timeout"); got != "0" {
			t.Errorf("behind a pooler the statement timeout is %s", got)
		}
		if err := lease(t, pooled); err != nil {
			t.Errorf("behind a pooler: %v", err)
		}
		const count = `SELECT count(*) FROM pg_prepared_statements`
		for s, want := range map[*Store]bool{s: true, pooled: false} {
			var prepared int
			for range 2 {
				if err := s.pool.QueryRow(t.Context(), count).Scan(&prepared); err != nil {
					t.Fatal(err)
				}
			}
			if (prepared > 0) != want {
				t.Errorf("%d statements are prepared", prepared)
			}
		}
	})
}

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	const good = "postgres://u:p@db.example/prod"
	for name, opts := range map[string]Options{
		"a negative pool":         {URL: good, MaxConns: -1},
		"too large a pool":        {URL: good, MaxConns: 51},
		"too large an overflow":   {URL: good, Overflow: 51},
		"a negative lifetime":     {URL: good, MaxConnLifetime: -1},
		"a negative idle time":    {URL: good, MaxConnIdleTime: -1},
		"locks beyond patience":   {URL: good, LockTimeout: 2 * time.Second},
		"a negative acquire time": {URL: good, AcquireTimeout: -1},
	} {
		if s, err := Open(t.Context(), opts); err == nil {
			s.Close()
			t.Errorf("%s is accepted", name)
		}
	}
}

var _ interface {
	store.Leases
	store.Migrator
	store.Conditions
	store.Watcher
} = (*Store)(nil)
