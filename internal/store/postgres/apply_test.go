package postgres

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
)

func batchOf(numbers ...int) []store.Incoming {
	var batch []store.Incoming
	for _, n := range numbers {
		batch = append(batch, storetest.Copy(storetest.Notice(n)))
	}
	return batch
}

func mustApply(t *testing.T, s *Store, batch []store.Incoming) {
	t.Helper()
	if _, err := s.Apply(t.Context(), batch, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// hold takes what every change of notices takes first, as another process in the
// middle of its transaction, until the function that it returns is called.
func hold(t *testing.T, s *Store) (letGo func()) {
	t.Helper()
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	letGo = func() { tx.Rollback(context.WithoutCancel(t.Context())) } //nolint:errcheck // it may have been let go
	t.Cleanup(letGo)
	if _, err := tx.Exec(t.Context(), `UPDATE last_serial SET value = value + 1`); err != nil {
		t.Fatal(err)
	}
	return letGo
}

// awaitWaiting returns when somebody waits for a lock in the store's database.
func awaitWaiting(t *testing.T, s *Store) {
	t.Helper()
	const waiting = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		var sessions int
		if err := s.pool.QueryRow(t.Context(), waiting).Scan(&sessions); err != nil {
			t.Fatal(err)
		}
		if sessions > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits")
		}
	}
}

// A serial that is committed late holds up those behind it: nobody sees them
// before it.
func TestSerialsWaitForEarlierOnes(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	mustApply(t, s, batchOf(0))
	letGo := hold(t, s)
	done := make(chan error, 1)
	go func() {
		_, err := s.Apply(context.WithoutCancel(t.Context()), batchOf(1, 2), time.Now())
		done <- err
	}()
	awaitWaiting(t, s)
	if serial, err := s.Serial(t.Context()); serial != 1 || err != nil {
		t.Errorf("serial %d, %v, want 1: readers wait for nobody", serial, err)
	}
	if _, err := s.Notice(t.Context(), storetest.Notice(1).ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a notice that isn't committed: %v", err)
	}
	letGo()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if serial, err := s.Serial(t.Context()); serial != 3 || err != nil {
		t.Errorf("serial %d, %v, want 3", serial, err)
	}
}

func TestCancelledWhileItWaits(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	letGo := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.Apply(ctx, batchOf(1, 2), time.Now())
		done <- err
	}()
	awaitWaiting(t, s)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Apply: %v, want context.Canceled", err)
	}
	letGo()
	mustApply(t, s, batchOf(3))
	if serial, err := s.Serial(t.Context()); serial != 1 || err != nil {
		t.Errorf("serial %d, %v, want 1", serial, err)
	}
}

func TestLockedForTooLong(t *testing.T) {
	t.Parallel()
	holder := migrated(t, relaxed(testenv.Postgres(t)))
	hold(t, holder)
	s := open(t, Options{URL: holder.opts.URL, LockTimeout: 20 * time.Millisecond, BusyTimeout: 30 * time.Millisecond})
	if _, err := s.Apply(t.Context(), batchOf(1), time.Now()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Apply: %v, want ErrBusy", err)
	}
	if err := s.Withdraw(t.Context(), "us-example:1", time.Now()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Withdraw: %v, want ErrBusy", err)
	}
}

// Watchers are told of what is committed, and of nothing else: the first word
// that comes is that of the first change, though others failed or changed
// nothing before it.
func TestNotifiesWithTheCommit(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	mustApply(t, s, batchOf(0))
	conn, err := pgx.Connect(t.Context(), s.opts.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // it was only there to listen
	if _, err := conn.Exec(t.Context(), "LISTEN "+serialChannel); err != nil {
		t.Fatal(err)
	}
	mustApply(t, s, batchOf(0)) // unchanged
	if err := s.Withdraw(t.Context(), "us-example:nobody", time.Now()); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	want := []string{"3", "4"}
	mustApply(t, s, batchOf(1, 2))
	if err := s.Withdraw(t.Context(), storetest.Notice(1).ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, serial := range want {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		word, err := conn.WaitForNotification(ctx)
		cancel()
		if err != nil || word.Payload != serial {
			t.Errorf("notified %+v, %v, want serial %s", word, err, serial)
		}
	}
}

// What fails at its last table leaves nothing in the first ones.
func TestFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.CurrentPostgres(t)))
	mustApply(t, s, batchOf(0))
	if _, err := s.pool.Exec(t.Context(), `ALTER TABLE arrival RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	batch := batchOf(1, 2)
	batch[1].Live, batch[1].Timed = true, true
	if _, err := s.Apply(t.Context(), batch, time.Now()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("Apply: %v, want ErrNotMigrated", err)
	}
	var revisions, notices, offered int
	const counts = `SELECT (SELECT count(*) FROM revision), (SELECT count(*) FROM notice), (SELECT count(*) FROM offered_copy)`
	if err := s.pool.QueryRow(t.Context(), counts).Scan(&revisions, &notices, &offered); err != nil {
		t.Fatal(err)
	}
	if serial, err := s.Serial(t.Context()); serial != 1 || err != nil || revisions != 1 || notices != 1 || offered != 1 {
		t.Errorf("serial %d (%v), %d revisions, %d notices, %d copies, want 1 of each", serial, err, revisions, notices, offered)
	}
}

func TestDamagedDocument(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.CurrentPostgres(t)))
	mustApply(t, s, batchOf(0, 1, 2))
	if _, err := s.pool.Exec(t.Context(), `UPDATE revision SET doc = substr(doc, 1, 300) WHERE serial = 2`); err != nil {
		t.Fatal(err)
	}
	read := 0
	err := s.Changes(t.Context(), 0, 0, func(store.Stored) error { read++; return nil })
	if !errors.Is(err, store.ErrCorrupt) || read != 1 {
		t.Errorf("Changes gave %d notices and %v, want one and ErrCorrupt", read, err)
	}
	if _, err := s.Notice(t.Context(), storetest.Notice(1).ID); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Notice: %v, want ErrCorrupt", err)
	}
}

// No call waits for a second connection while it has one: with a single one,
// everything goes on.
func TestOneConnectionIsEnough(t *testing.T) {
	t.Parallel()
	opts := relaxed(testenv.Postgres(t))
	opts.MaxConns = 1
	s := migrated(t, opts)
	mustApply(t, s, batchOf(0, 1, 2))
	for i := range 4 {
		mustApply(t, s, batchOf(i, i+1))
		if err := s.Reject(t.Context(), []store.Rejection{{Agency: "us-example", NativeID: strconv.Itoa(i), Raw: "raw", Position: i}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SettleDump(t.Context(), store.Dump{Agency: "us-example", Missing: []string{storetest.Notice(0).ID}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sources(t.Context()); err != nil {
		t.Fatal(err)
	}
	read := 0
	if err := s.Changes(t.Context(), 0, 0, func(store.Stored) error { read++; return nil }); err != nil || read != 5 {
		t.Errorf("%d notices, %v, want 5", read, err)
	}
	err := s.Snapshot(t.Context(), func(all store.Snapshot) error {
		_, err := store.DigestOf(t.Context(), all, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is asked for every batch of an import must not be done ever after as it
// was best when the store was empty.
func TestGrownStoreIsReadByIndex(t *testing.T) {
	t.Parallel()
	s := migrated(t, Options{URL: testenv.Postgres(t), MaxConns: 1})
	batch := batchOf(1, 2, 3)
	const asked = 20
	for range asked { // on one connection, so that its plan is ready
		mustApply(t, s, batch)
	}
	const grown = 20_000
	for _, statement := range []string{
		`INSERT INTO revision SELECT 1000 + i, 'x:' || i, 1, 0, '', '', 0, 0, '' FROM generate_series(1, $1::bigint) i`,
		`INSERT INTO notice SELECT 'x:' || i, 1000 + i, 1000 + i, 0, 0, 0, false FROM generate_series(1, $1::bigint) i`,
	} {
		if _, err := s.pool.Exec(t.Context(), statement, grown); err != nil {
			t.Fatal(err)
		}
	}
	before := readInFull(t, s)
	mustApply(t, s, batch)
	if read := readInFull(t, s) - before; read > grown/10 {
		t.Errorf("%d rows of %d were read to find %d", read, grown, len(batch))
	}
}

// readInFull is how many rows were read of tables from end to end.
func readInFull(t *testing.T, s *Store) (rows int64) {
	t.Helper()
	// The one session tells what it has read now, not when it is idle.
	if _, err := s.pool.Exec(t.Context(), `SELECT pg_stat_force_next_flush()`); err != nil {
		t.Fatal(err)
	}
	const read = `SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables WHERE relname IN ('notice', 'revision', 'offered_copy')`
	if err := s.pool.QueryRow(t.Context(), read).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}
