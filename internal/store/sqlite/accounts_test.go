package sqlite

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// logged opens a store with a few entries in its audit log.
func logged(t *testing.T) *Store {
	t.Helper()
	s := openTemp(t)
	for range 4 {
		if _, err := s.AppendEntry(t.Context(), account.Entry{At: time.Now(), Action: "key.create", Actor: "command-line", Outcome: "done"}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// The file refuses every change of the audit log but a further entry at its end, whoever asks.
func TestAuditLogOnlyGrows(t *testing.T) {
	t.Parallel()
	s := logged(t)
	const columns = `(seq, at, action, actor, subject, outcome, reason, network, trace_id, previous, hash)`
	for _, change := range []string{
		`UPDATE audit_entry SET action = 'key.revoke' WHERE seq = 2`,
		`UPDATE audit_entry SET seq = 9 WHERE seq = 4`,
		`DELETE FROM audit_entry WHERE seq = 4`,
		`DELETE FROM audit_entry`,
		`INSERT OR REPLACE INTO audit_entry ` + columns + ` SELECT seq, at, 'x', actor, subject, outcome, reason, network, trace_id, previous, hash FROM audit_entry WHERE seq = 4`,
		`INSERT INTO audit_entry ` + columns + ` SELECT seq, at, 'x', actor, subject, outcome, reason, network, trace_id, previous, hash FROM audit_entry WHERE seq = 4
			ON CONFLICT (seq) DO UPDATE SET action = 'x'`,
		`INSERT INTO audit_entry ` + columns + ` SELECT 0, at, 'x', actor, subject, outcome, reason, network, trace_id, previous, hash FROM audit_entry WHERE seq = 4`,
		`INSERT INTO audit_entry ` + columns + ` SELECT -1, at, 'x', actor, subject, outcome, reason, network, trace_id, previous, hash FROM audit_entry WHERE seq = 4`,
	} {
		if _, err := s.writer.ExecContext(t.Context(), change); err == nil || !strings.Contains(err.Error(), "audit log") {
			t.Errorf("%s: %v", change, err)
		}
	}
	if head, err := account.Verify(t.Context(), s, account.Head{}); err != nil || head.Seq != 4 {
		t.Errorf("the log after all that: %s, %v", head, err)
	}
}

// Who gets around the triggers is found.
func TestAuditLogIsTamperedWith(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]int64{
		`UPDATE audit_entry SET action = 'key.revoke' WHERE seq = 2`: 2,
		`UPDATE audit_entry SET at = at + 1 WHERE seq = 3`:           3,
		`DELETE FROM audit_entry WHERE seq = 1`:                      1,
		`DELETE FROM audit_entry WHERE seq = 3`:                      3,
		`UPDATE audit_entry SET seq = -seq WHERE seq = 2`:            2,
	} {
		s := logged(t)
		for _, statement := range []string{`DROP TRIGGER audit_entry_stays`, `DROP TRIGGER audit_entry_remains`, change} {
			if _, err := s.writer.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		_, err := account.Verify(t.Context(), s, account.Head{})
		if broken, ok := errors.AsType[*account.Broken](err); !ok || broken.Seq != want {
			t.Errorf("%s: %v, want entry %d", change, err, want)
		}
	}
}

// Nobody else on the machine reads the hashes of passwords.
func TestFileIsItsOwners(t *testing.T) {
	t.Parallel()
	s := logged(t)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("the file%s has the mode %o", suffix, mode)
		}
	}
}

// Every table of the schema is in the copy from one store to another, but for what
// belongs to the store itself.
func TestEveryTableIsCopied(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	own := append([]string{"goose_db_version", "identity", "last_serial", "lease", "sqlite_sequence"}, unkept...)
	rows, err := s.readers.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	there := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(own, table) {
			there[table] = append(there[table], column)
		}
	}
	if err := rows.Err(); err != nil {
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
