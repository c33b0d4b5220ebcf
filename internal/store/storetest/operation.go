package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

func migrationsOf(t *testing.T, s store.Store) []store.Migration {
	t.Helper()
	all, err := s.Migrations(t.Context())
	if err != nil {
		t.Fatalf("Migrations: %v", err)
	}
	return all
}

func migrating(t *testing.T, s store.Store) {
	all := migrationsOf(t, s)
	if len(all) == 0 {
		t.Fatal("there are no migrations")
	}
	for i, m := range all {
		if m.Version != int64(i+1) || m.Name == "" || m.AppliedAt.IsZero() || m.AppliedAt.Location() != time.UTC || time.Since(m.AppliedAt) > time.Hour {
			t.Errorf("migration %d is %+v", i+1, m)
		}
	}
	if applied, err := s.MigrateUp(t.Context()); err != nil || len(applied) != 0 {
		t.Errorf("MigrateUp with nothing to do: %+v, %v", applied, err)
	}
	for i := len(all) - 1; i >= 0; i-- {
		undone, err := s.MigrateDown(t.Context())
		if err != nil {
			t.Fatalf("MigrateDown: %v", err)
		}
		if undone.Version != all[i].Version || undone.Name != all[i].Name || !undone.AppliedAt.IsZero() {
			t.Errorf("MigrateDown took back %+v, want %+v", undone, all[i])
		}
		for j, m := range migrationsOf(t, s) {
			if m.AppliedAt.IsZero() != (j >= i) {
				t.Errorf("after taking back %d: %+v", i+1, m)
			}
		}
	}
	if _, err := s.MigrateDown(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("MigrateDown of nothing: %v, want ErrNotFound", err)
	}

	again, err := s.MigrateUp(t.Context())
	if err != nil || len(again) != len(all) {
		t.Fatalf("MigrateUp from nothing: %+v, %v", again, err)
	}
	for i, m := range again {
		if m.Version != all[i].Version || m.Name != all[i].Name || time.Since(m.AppliedAt) > time.Hour {
			t.Errorf("MigrateUp applied %+v, want %+v", m, all[i])
		}
	}
	apply(t, s, day(0), Copy(Notice(1)))
	if serial, err := s.Serial(t.Context()); serial != 1 || err != nil {
		t.Errorf("serial %d, %v in the store that was made anew", serial, err)
	}
}

// processesMigrate lets several processes migrate at the same time, of which one
// applies each migration.
func processesMigrate(t *testing.T, open func() store.Store) {
	stores := []store.Store{open(), open(), open(), open()}
	for range migrationsOf(t, stores[0]) {
		if _, err := stores[0].MigrateDown(t.Context()); err != nil {
			t.Fatalf("MigrateDown: %v", err)
		}
	}
	applied := map[int64]int{}
	var lock sync.Mutex
	var group sync.WaitGroup
	for n, s := range stores {
		group.Go(func() {
			mine, err := s.MigrateUp(t.Context())
			if err != nil {
				t.Errorf("MigrateUp: %v", err)
			}
			apply(t, s, day(0), Copy(Notice(n)))
			lock.Lock()
			defer lock.Unlock()
			for _, m := range mine {
				applied[m.Version]++
			}
		})
	}
	group.Wait()
	for _, m := range migrationsOf(t, stores[0]) {
		if m.AppliedAt.IsZero() || applied[m.Version] != 1 {
			t.Errorf("%s was applied %d times, at %s", m.Name, applied[m.Version], m.AppliedAt)
		}
	}
}

func conditions(t *testing.T, s store.Store) {
	before := time.Now()
	var c store.Condition
	testenv.Eventually(t, testenv.Patience, "an answer", func() bool { // a machine may be too busy for one in time
		var err error
		c, err = s.Condition(t.Context())
		return err == nil
	})
	if c.Backend == "" || c.Latency <= 0 || c.ReadOnly || c.Schema <= 0 || c.Schema != c.Known || c.AskedAt.Before(before) || c.Pool.Max < 1 {
		t.Errorf("the condition of a new store is %+v", c)
	}
	if stats := s.PoolStats(); stats.Max != c.Pool.Max || stats.Active+stats.Idle > stats.Max {
		t.Errorf("the pool is %+v", stats)
	}
	testenv.Eventually(t, testenv.Patience, "a new answer", func() bool {
		next, err := s.Condition(t.Context())
		if err != nil {
			return false
		}
		if same := next.AskedAt.Equal(c.AskedAt); !same && next.AskedAt.Sub(c.AskedAt) < time.Second {
			t.Errorf("it was asked again after %s", next.AskedAt.Sub(c.AskedAt))
		} else {
			return !same
		}
		return true
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Condition(t.Context()); err == nil {
		t.Errorf("a closed store answers: %+v", c)
	}
}

// processesWatch tells one process of its own and of another's changes.
func processesWatch(t *testing.T, open func() store.Store) {
	watched, other := open(), open()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- watched.Watch(ctx, func() {
			select {
			case calls <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	<-calls // at its beginning: nobody knows what was before
	for i, s := range []store.Store{watched, other, watched, other} {
		apply(t, s, day(0), Copy(Notice(i)))
		select {
		case <-calls:
		case <-time.After(time.Minute):
			t.Fatalf("the change to serial %d was never told", i+1)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
}

// watchEnds ends watching with the store.
func watchEnds(t *testing.T, s store.Store) {
	begun, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- s.Watch(t.Context(), func() {
			select {
			case begun <- struct{}{}:
			default:
			}
		})
	}()
	<-begun
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	select {
	case err := <-ended:
		if err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("Watch ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("Watch goes on in a closed store")
	}
}
