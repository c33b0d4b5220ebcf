package chaos

import (
	"context"
	"fmt"
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
		if !program.KilledAfter(t, after, []string{db.setting()}, args...) {
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

// count asks the database for a number, past the way.
func (db *database) count(query string) (n int64) {
	db.t.Helper()
	db.past("crownsafe", func(ctx context.Context, conn *pgx.Conn) error {
		if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		return nil
	})
	return n
}
