package postgres

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

// logged opens a store with a few entries in its audit log.
func logged(t *testing.T, url string) *Store {
	t.Helper()
	s := migrated(t, relaxed(url))
	for range 4 {
		if _, err := s.AppendEntry(t.Context(), account.Entry{At: time.Now(), Action: "key.create", Actor: "command-line", Outcome: "done"}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// The server refuses every change of the audit log but a further entry at its end, whoever asks.
func TestAuditLogOnlyGrows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		s := logged(t, url)
		const copied = `INSERT INTO audit_entry (seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash)
			SELECT $1, at, 'x', actor, subject, outcome, reason, network, trace_id, previous, hash FROM audit_entry WHERE seq = 4 `
		for change, args := range map[string][]any{
			`UPDATE audit_entry SET action = 'key.revoke' WHERE seq = 2`:  nil,
			`UPDATE audit_entry SET action = 'key.revoke' WHERE seq = 99`: nil,
			`DELETE FROM audit_entry WHERE seq = 4`:                       nil,
			`TRUNCATE audit_entry`:                                        nil,
			copied + `ON CONFLICT (seq) DO UPDATE SET action = 'x'`:       {4},
			copied:                       {0},
			copied + `AND action <> 'x'`: {-1},
		} {
			if _, err := s.pool.Exec(t.Context(), change, args...); err == nil || !strings.Contains(err.Error(), "audit log") {
				t.Errorf("%s: %v", change, err)
			}
		}
		if head, err := account.Verify(t.Context(), s, account.Head{}); err != nil || head.Seq != 4 {
			t.Errorf("the log after all that: %s, %v", head, err)
		}
	})
}

// Who gets around the triggers is found.
func TestAuditLogIsTamperedWith(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]int64{
		`UPDATE audit_entry SET action = 'key.revoke' WHERE seq = 2`: 2,
		`UPDATE audit_entry SET at = at + 1 WHERE seq = 3`:           3,
		`DELETE FROM audit_entry WHERE seq = 1`:                      1,
		`DELETE FROM audit_entry WHERE seq = 3`:                      3,
	} {
		s := logged(t, testenv.Postgres(t))
		execute(t, s, `ALTER TABLE audit_entry DISABLE TRIGGER USER`)
		execute(t, s, change)
		_, err := account.Verify(t.Context(), s, account.Head{})
		if broken, ok := errors.AsType[*account.Broken](err); !ok || broken.Seq != want {
			t.Errorf("%s: %v, want entry %d", change, err, want)
		}
	}
}

// Every table of the schema is in the copy from one store to another, but for what
// belongs to the store itself.
func TestEveryTableIsCopied(t *testing.T) {
	t.Parallel()
	s := migrated(t, relaxed(testenv.Postgres(t)))
	own := append([]string{"goose_db_version", "identity", "last_serial", "lease", "schema_compatibility"}, unkept...)
	rows, err := s.pool.Query(t.Context(), `SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema()`)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string][]string{}
	var table, name string
	_, err = pgx.ForEachRow(rows, []any{&table, &name}, func() error {
		if !slices.Contains(own, table) {
			there[table] = append(there[table], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range store.Tables() {
		copied := table.ColumnNames()
		slices.Sort(copied)
		slices.Sort(there[table.Name])
		if !slices.Equal(copied, there[table.Name]) {
			t.Errorf("of table %s the columns %q are copied, there are %q", table.Name, copied, there[table.Name])
		}
		delete(there, table.Name)
	}
	if len(there) > 0 {
		t.Errorf("tables that aren't copied: %q", there)
	}
}

// A program of now on the schema of a release without accounts says what is missing.
func TestAccountsBeforeTheirMigration(t *testing.T) {
	t.Parallel()
	opts := relaxed(testenv.CurrentPostgres(t))
	before := opts
	before.migrations = files(t, 2, nil)
	migrated(t, before)
	s := open(t, opts)
	_, err := s.UserByEmail(t.Context(), "parent@example.com")
	fails(t, "signing in", err, store.ErrNotMigrated)
	_, err = s.AppendEntry(t.Context(), account.Entry{})
	fails(t, "logging", err, store.ErrNotMigrated)
	fails(t, "sweeping", s.Sweep(t.Context(), time.Now(), time.Now()), store.ErrNotMigrated)
	if _, err := s.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = s.UserByEmail(t.Context(), "parent@example.com")
	fails(t, "signing in when it is there", err, store.ErrNotFound)
}
