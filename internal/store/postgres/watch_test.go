package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
)

// watched is somebody who watches a store.
type watched struct {
	t     *testing.T
	calls chan struct{}
}

func watch(t *testing.T, s *Store) *watched {
	t.Helper()
	w := &watched{t, make(chan struct{}, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func() { w.calls <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch ended with %v", err)
		}
	})
	return w
}

// told waits for a call.
func (w *watched) told(why string) {
	w.t.Helper()
	select {
	case <-w.calls:
	case <-time.After(time.Minute):
		w.t.Fatalf("it was never told of %s", why)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		w := watch(t, open(t, relaxed(url)))
		w.told("the beginning")
		other := open(t, relaxed(url))
		for range 3 {
			execute(t, other, `SELECT pg_notify($1, '1')`, serialChannel)
			w.told("a change")
		}
		execute(t, other, `SELECT pg_notify('another', '1')`)
		tx, err := other.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SELECT pg_notify($1, '2')`, serialChannel); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		execute(t, other, `SELECT pg_notify($1, '3')`, serialChannel)
		w.told("the last change")
		if len(w.calls) > 0 {
			t.Error("it was told of what nobody committed, or of another channel")
		}
	})
}

// A listener that is lost is made anew, and what was missed meanwhile is told.
func TestWatchReconnects(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, direct string) {
		other := open(t, relaxed(direct))
		const listeners = `FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`
		for name, lose := range map[string]func(w *testenv.Way){
			"ended by the server": func(*testenv.Way) { execute(t, other, `SELECT pg_terminate_backend(pid) `+listeners) },
			"cut":                 (*testenv.Way).Cut,
			"hangs":               (*testenv.Way).Hang,
		} {
			t.Run(name, func(t *testing.T) {
				way, url := newWay(t, direct)
				s := open(t, hasty(url))
				var dials atomic.Int64
				dial := s.direct.DialFunc
				s.direct.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
					dials.Add(1)
					return dial(ctx, network, address)
				}
				w := watch(t, s)
				w.told("the beginning")
				before := dials.Load()
				lose(way)
				testenv.Eventually(t, testenv.Patience, "another attempt", func() bool { return dials.Load() > before })
				way.Heal()
				w.told("what was missed")
				testenv.Eventually(t, testenv.Patience, "a change", func() bool {
					execute(t, other, `SELECT pg_notify($1, '1')`, serialChannel)
					return len(w.calls) > 0
				})
			})
		}
	})
}

// A server that isn't there at first is watched when it comes.
func TestWatchBeforeTheServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, direct string) {
		way, url := newWay(t, direct)
		way.Cut()
		w := watch(t, open(t, hasty(url)))
		way.Heal()
		w.told("the beginning")
	})
}
