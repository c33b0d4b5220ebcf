package chaos

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/test/program"
)

// TestKilledImport kills imports into PostgreSQL at growing distances from their
// start, the first migrations among what they do. What is there after one that
// was left alone is what one undisturbed import would have made.
func TestKilledImport(t *testing.T) {
	t.Parallel()
	const notices = 1500
	db, data, file := startDatabase(t), t.TempDir(), program.CPSCFile(t, notices)
	args := []string{"import", file, "--data", data}
	killed := 0
	for after := 20 * time.Millisecond; after < 3*time.Second; after = after * 7 / 5 {
		if !killedAfter(t, after, []string{db.setting()}, args...) {
			break
		}
		killed++
	}
	if killed < 3 {
		t.Fatalf("only %d imports were killed: that shows little", killed)
	}
	if got := program.Run(t, []string{db.setting()}, append(args, "--json")...); got.Code != 0 {
		t.Fatalf("after %d kills the import ended with %d: %s", killed, got.Code, got.Stderr)
	}
	for query, want := range map[string]int64{
		`SELECT count(*) FROM notice WHERE id LIKE 'us-cpsc:60-%' OR id LIKE 'us-cpsc:61-%'`: notices,
		`SELECT count(*) FROM revision WHERE revision > 1`:                                   0,
		`SELECT value - (SELECT count(*) FROM revision) FROM last_serial`:                    0, // no serial was lost
		`SELECT count(*) FROM payload`:                                                       1,
	} {
		if got := db.count(query); got != want {
			t.Errorf("after %d kills %s is %d, want %d", killed, query, got, want)
		}
	}
}

// killedAfter runs the binary, kills it after a time, and tells whether it died
// of that: it may have been done before.
func killedAfter(t *testing.T, after time.Duration, settings []string, args ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	cmd := program.Command(ctx, settings, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended this very moment
	defer timer.Stop()
	return cmd.Wait() != nil
}

// count asks the database for a number, past the way.
func (db *database) count(query string) (n int64) {
	db.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), program.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.server.URL("crownsafe"))
	if err != nil {
		db.t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // the answer is there
	if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
		db.t.Fatalf("%s: %v", query, err)
	}
	return n
}
