package postgres

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

// hasty are options with which a test that waits for a failure needn't wait long.
func hasty(url string) Options {
	return Options{
		URL: url, MaxConns: 4,
		AcquireTimeout: 500 * time.Millisecond, ConnectTimeout: 500 * time.Millisecond, AnswerTimeout: 500 * time.Millisecond,
		LockTimeout: 100 * time.Millisecond,
	}
}

// newWay opens a way to the server of a URL and returns the URL that goes by it.
func newWay(t *testing.T, direct string) (*testenv.Way, string) {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal("the URL of the test server can't be read")
	}
	w := testenv.NewWay(t, u.Host)
	u.Host = w.Addr()
	return w, u.String()
}

// A server that is lost gives errors in time, whatever way it is lost, and is
// there again as soon as it is back.
func TestLostServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, direct string) {
		for name, lose := range map[string]func(*testenv.Way){"cut": (*testenv.Way).Cut, "hangs": (*testenv.Way).Hang} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w, url := newWay(t, direct)
				s := open(t, hasty(url))
				migrated(t, relaxed(direct))
				testenv.Eventually(t, testenv.Patience, "a lease", func() bool { return lease(t, s) == nil })
				lose(w)
				for range 3 {
					fails(t, "a change", lease(t, s), store.ErrUnavailable)
				}
				var n int
				fails(t, "a look", translate(t.Context(), s.pool.QueryRow(t.Context(), `SELECT 1`).Scan(&n)), store.ErrUnavailable)
				_, err := s.MigrateUp(t.Context())
				fails(t, "a migration", err, store.ErrUnavailable)
				_, err = s.Migrations(t.Context())
				fails(t, "a look at migrations", err, store.ErrUnavailable)
				testenv.Eventually(t, testenv.Patience, "a bad condition", func() bool { return s.Ping(t.Context()) != nil })
				fails(t, "a ping", s.Ping(t.Context()), store.ErrUnavailable)
				w.Heal()
				testenv.Eventually(t, testenv.Patience, "a lease after the healing", func() bool { return lease(t, s) == nil })
				testenv.Eventually(t, testenv.Patience, "a good condition", func() bool { return s.Ping(t.Context()) == nil })
			})
		}
	})
}

// A connection that hangs while it is in use, and one that was idle for long.
func TestHangingConnections(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, direct string) {
		w, url := newWay(t, direct)
		opts := hasty(url)
		opts.AnswerTimeout, opts.LockTimeout = 2*time.Second, time.Second
		s := open(t, opts)
		conn, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.Hang()
		_, err = conn.Exec(t.Context(), `SELECT 1`)
		fails(t, "a statement on a connection that hangs", translate(t.Context(), err), store.ErrUnavailable)
		if !conn.Conn().IsClosed() {
			t.Error("a connection that hangs is used again")
		}
		conn.Release()
		fails(t, "a transaction", pgx.BeginFunc(t.Context(), unavailable{s}, func(pgx.Tx) error { return nil }), store.ErrUnavailable)
	})
}

// unavailable begins transactions with the port's errors.
type unavailable struct{ *Store }

func (u unavailable) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := u.pool.Begin(ctx)
	return tx, translate(ctx, err)
}

// The caller's end of waiting is the caller's error, and the connection is gone.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, relaxed(url))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := s.pool.Exec(ctx, `SELECT pg_sleep(60)`)
		fails(t, "a statement whose caller gave up", translate(ctx, err), context.DeadlineExceeded)
		testenv.Eventually(t, testenv.Patience, "the end of what the server did", func() bool {
			var busy int
			const working = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'`
			if err := s.pool.QueryRow(t.Context(), working).Scan(&busy); err != nil {
				t.Fatal(err)
			}
			return busy == 0
		})
	})
}

// The server may be silent for so long and no longer; for longer where a call
// says so; and for as long as it takes while something keeps coming.
func TestPatience(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		opts := relaxed(url)
		opts.AnswerTimeout, opts.LockTimeout = 300*time.Millisecond, 100*time.Millisecond
		s := open(t, opts)
		const slow = `SELECT pg_sleep(1)`
		_, err := s.pool.Exec(t.Context(), slow)
		fails(t, "a slow statement", translate(t.Context(), err), store.ErrUnavailable)
		patient := patiently(t.Context(), time.Minute)
		if _, err := s.pool.Exec(patient, slow); err != nil {
			t.Errorf("a patient call of a slow statement: %v", err)
		}
		batch := &pgx.Batch{}
		batch.Queue(slow)
		if err := s.pool.SendBatch(patient, batch).Close(); err != nil {
			t.Errorf("a patient batch: %v", err)
		}
		_, err = s.pool.Exec(t.Context(), slow)
		fails(t, "a slow statement after a patient one", translate(t.Context(), err), store.ErrUnavailable)

		// Each row fills what the server sends at once.
		rows, err := s.pool.Query(t.Context(), `SELECT repeat('x', 20000), pg_sleep(0.1) FROM generate_series(1, 12)`)
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for rows.Next() {
			read++
		}
		if rows.Err() != nil || read != 12 {
			t.Errorf("%d rows of an answer that keeps coming, %v", read, rows.Err())
		}
	})
}

// A server that takes rows slowly says nothing until it has them all.
func TestPatienceWithCopies(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		opts := relaxed(url)
		opts.AnswerTimeout, opts.LockTimeout = 300*time.Millisecond, 100*time.Millisecond
		s := open(t, opts)
		patient := patiently(t.Context(), time.Minute)
		for _, statement := range []string{
			`CREATE TABLE slow (n bigint)`,
			`CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END'`,
			`CREATE TRIGGER doze BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION doze()`,
		} {
			if _, err := s.pool.Exec(patient, statement); err != nil {
				t.Fatal(err)
			}
		}
		load := func(ctx context.Context) error {
			_, err := s.pool.CopyFrom(ctx, pgx.Identifier{"slow"}, []string{"n"}, pgx.CopyFromSlice(10, func(i int) ([]any, error) {
				return []any{int64(i)}, nil
			}))
			return translate(ctx, err)
		}
		fails(t, "a slow load", load(t.Context()), store.ErrUnavailable)
		if err := load(patient); err != nil {
			t.Errorf("a patient load: %v", err)
		}
	})
}

func TestExhaustedPool(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		opts := relaxed(url)
		opts.MaxConns = 1
		opts.AcquireTimeout = 5 * time.Second
		s := migrated(t, opts)
		conn, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		given := make(chan error, 1)
		go func() { given <- lease(t, s) }()
		testenv.Eventually(t, testenv.Patience, "somebody who waits", func() bool { return s.PoolStats().Acquired == 1 && s.PoolStats().Active == 1 })
		conn.Release()
		if err := <-given; err != nil {
			t.Errorf("who waited got %v", err)
		}
		before := s.PoolStats()
		if before.Max != 1 || before.Opened != 1 || before.Acquired != 2 || before.Exhaustions != 0 || before.WaitTime <= 0 || before.Waits < 1 {
			t.Errorf("the pool is %+v", before)
		}

		s.limits.acquire = 50 * time.Millisecond
		if conn, err = s.pool.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		fails(t, "a call with no connection left", lease(t, s), store.ErrUnavailable)
		if after := s.PoolStats(); after.Exhaustions != 1 || after.Active != 1 || after.Idle != 0 {
			t.Errorf("the pool is %+v", after)
		}
		conn.Release()
		s.limits.acquire = time.Minute
		if err := lease(t, s); err != nil {
			t.Errorf("with the connection back: %v", err)
		}
	})
}

// What comes on top under pressure is closed again, and the pool stays.
func TestOverflow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		opts := relaxed(url)
		opts.MaxConns, opts.Overflow, opts.MaxConnIdleTime = 2, 3, 10*time.Millisecond
		s := open(t, opts)
		testenv.Eventually(t, testenv.Patience, "the pool's own connections", func() bool { return s.PoolStats().Idle == 2 })
		var conns []*pgxpool.Conn
		for range opts.MaxConns + opts.Overflow {
			conn, err := s.pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		if stats := s.PoolStats(); stats.Max != 5 || stats.Active != 5 {
			t.Errorf("the pool under pressure is %+v", stats)
		}
		for _, conn := range conns {
			conn.Release()
		}
		testenv.Eventually(t, testenv.Patience, "the end of those on top", func() bool { return s.PoolStats().Idle == 2 && s.PoolStats().Active == 0 })
	})
}

// Something that answers and is no PostgreSQL, or says nothing at all.
func TestNoServerAtAll(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, address := range map[string]string{"silent": listener.Addr().String(), "nothing": "127.0.0.1:1", "no such host": "host.invalid"} {
		t.Run(name, func(t *testing.T) {
			u := url.URL{Scheme: "postgres", User: url.UserPassword("u", "secret-password"), Host: address, Path: "/prod"}
			s := open(t, hasty(u.String()))
			err := lease(t, s)
			fails(t, "a call", err, store.ErrUnavailable)
			if err != nil && strings.Contains(err.Error(), "secret-password") {
				t.Errorf("the error shows the password: %v", err)
			}
			if err := s.Ping(t.Context()); err == nil {
				t.Error("it answers")
			}
		})
	}
}
