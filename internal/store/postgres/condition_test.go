package postgres

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

func TestConditionWithoutSchema(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, relaxed(url))
		testenv.Eventually(t, testenv.Patience, "an answer", func() bool { _, err := s.Condition(t.Context()); return err == nil })
		if c, err := s.Condition(t.Context()); err != nil || c.Schema != 0 || c.Known != s.known {
			t.Errorf("the condition without a schema is %+v, %v", c, err)
		}
		fails(t, "a ping without a schema", s.Ping(t.Context()), store.ErrNotMigrated)
		if _, err := s.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, testenv.Patience, "a schema", func() bool { return s.Ping(t.Context()) == nil })
	})
}

// Probes can't hammer the pool.
func TestConditionIsShared(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := migrated(t, relaxed(url))
		if _, err := s.Serial(t.Context()); err != nil { // a connection is there
			t.Fatal(err)
		}
		start, before := time.Now(), s.PoolStats().Acquired
		for range 1000 {
			if err := s.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if asked, most := s.PoolStats().Acquired-before, int64(time.Since(start)/time.Second)+1; asked > most {
			t.Errorf("1000 pings asked the server %d times, want at most %d", asked, most)
		}
	})
}

// Two servers, of which one follows the other, and then takes its place.
func TestReplication(t *testing.T) {
	t.Parallel()
	withServers(t, func(t *testing.T, primary *server.Postgres) {
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
		testenv.Eventually(t, testenv.Patience, "a replica without a lag", func() bool {
			c, err := first.Condition(t.Context())
			return err == nil && !c.ReadOnly && cmp.Equal(c.Replicas, []store.Replica{{Name: "standby", State: "streaming"}})
		})

		second := open(t, relaxed(standby.URL("postgres")))
		testenv.Eventually(t, testenv.Patience, "a condition of the standby", func() bool {
			c, err := second.Condition(t.Context())
			return err == nil && c.ReadOnly && len(c.Replicas) == 0 && c.Schema == second.known
		})
		fails(t, "a lease of the standby", lease(t, second), store.ErrReadOnly)
		_, err = second.Apply(t.Context(), []store.Incoming{storetest.Copy(storetest.Notice(1))}, time.Now())
		fails(t, "a change on the standby", err, store.ErrReadOnly)
		_, err = second.MigrateDown(t.Context())
		fails(t, "a migration of the standby", err, store.ErrReadOnly)

		// A service that knows both goes with the primary.
		both := strings.Replace(standby.URL("postgres"), standby.Addr(), fmt.Sprintf("%s,%s", standby.Addr(), primary.Addr()), 1)
		service := open(t, hasty(both+"&target_session_attrs=read-write"))
		apply := func(n int) func() bool {
			return func() bool {
				_, err := service.Apply(t.Context(), []store.Incoming{storetest.Copy(storetest.Notice(n))}, time.Now())
				return err == nil
			}
		}
		testenv.Eventually(t, testenv.Patience, "a change", apply(1))
		testenv.Eventually(t, testenv.Patience, "the change on the standby", func() bool {
			serial, err := second.Serial(t.Context())
			return err == nil && serial == 1
		})
		var position store.Position
		if err := service.BackUp(t.Context(), "full", func(v store.BackupView) error { position = v.Position(); return nil }); err != nil {
			t.Fatal(err)
		}
		testenv.Eventually(t, testenv.Patience, "the backup's mark on the standby", func() bool {
			var marked bool
			err := second.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM backup_mark)`).Scan(&marked)
			return err == nil && marked
		})
		if err := primary.Kill(); err != nil {
			t.Fatal(err)
		}
		fails(t, "a change without a primary", lease(t, service), store.ErrUnavailable)
		execute(t, second, `SELECT pg_promote()`)
		testenv.Eventually(t, testenv.Patience, "a change on the new primary", apply(2))
		if serial, err := second.Serial(t.Context()); serial != 2 || err != nil {
			t.Errorf("the new primary has serial %d, %v", serial, err)
		}
		// It may lack what the backup has, long before its first checkpoint.
		err = service.BackUp(t.Context(), "increment", func(v store.BackupView) error {
			_, err := v.WriteIncrement(t.Context(), io.Discard, position, "full")
			return err
		})
		fails(t, "an increment to a backup of the primary that was lost", err, store.ErrUntracked)
	})
}
