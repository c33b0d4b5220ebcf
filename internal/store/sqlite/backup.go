package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
)

var _ store.Backups = (*Store)(nil)

// unkept are the tables whose rows are in no backup, and that nobody tracks: what
// is a matter of the running store only.
var unkept = []string{"lease", "change_tracking", "change_log", "backup_mark"}

// BackUp implements store.Backups. Writers go on; their log grows meanwhile, for
// SQLite can't fold what the reader doesn't see yet into the file.
func (s *Store) BackUp(ctx context.Context, name string, use func(store.BackupView) error) error {
	if err := s.track(ctx); err != nil {
		return s.failf(ctx, err, "beginning to keep track of changes")
	}
	// Of a name that is there already, its backup was never finished.
	const note = `INSERT INTO backup_mark (name) VALUES (?) ON CONFLICT DO NOTHING;
		DELETE FROM backup_mark WHERE name IN (SELECT name FROM backup_mark ORDER BY substr(name, -15) DESC LIMIT -1 OFFSET 1000)`
	if _, err := s.writer.ExecContext(ctx, note, name); err != nil {
		return s.failf(ctx, err, "noting backup %s", name)
	}
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failf(ctx, err, "beginning a snapshot")
	}
	defer tx.Rollback() //nolint:errcheck // nothing was changed
	v := &view{everything: &everything{s, tx, s.reading.WithTx(tx)}, name: name}
	if err := v.look(ctx); err != nil {
		return s.failf(ctx, err, "looking at what is to be backed up")
	}
	return use(v)
}

// view is the store as one transaction sees it; see store.BackupView.
type view struct {
	*everything
	name, server string
	schema       int64
	position     store.Position
	forgottenTo  int64
}

// look reads what the view tells of itself, which fixes the moment.
func (v *view) look(ctx context.Context) error {
	var last int64
	const here = `SELECT 'SQLite ' || sqlite_version(), (SELECT max(version_id) FROM goose_db_version WHERE is_applied),
		(SELECT epoch FROM change_tracking), (SELECT forgotten_to FROM change_tracking),
		coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)`
	if err := v.tx.QueryRowContext(ctx, here).Scan(&v.server, &v.schema, &v.position.Epoch, &v.forgottenTo, &last); err != nil {
		return err
	}
	v.position.Value = strconv.FormatInt(last, 10)
	return nil
}

func (v *view) Engine() string           { return "sqlite" }
func (v *view) Server() string           { return v.server }
func (v *view) Schema() int64            { return v.schema }
func (v *view) Position() store.Position { return v.position }
func (v *view) Untracked() error         { return nil }

// WriteIncrement implements store.BackupView.
func (v *view) WriteIncrement(ctx context.Context, w io.Writer, since store.Position, after string) (map[string]int64, error) {
	from, err := v.reaches(ctx, since, after)
	if err != nil {
		return nil, v.s.failf(ctx, err, "writing what changed since %s", after)
	}
	// A CHECK refuses what the shell has no statement to refuse with.
	_, err = fmt.Fprintf(w, `-- Crown Safe: what changed from %[1]s to %[2]s. Stop at the first error: sqlite3 -bail
BEGIN;
CREATE TEMP TABLE "%[1]s must be what was applied last" (is_there INTEGER CHECK (is_there = 1));
INSERT INTO "%[1]s must be what was applied last" SELECT count(*) FROM backup_mark WHERE name = '%[1]s';
DROP TABLE "%[1]s must be what was applied last";
`, after, v.name)
	if err != nil {
		return nil, err
	}
	rows, err := ledger.WriteChanges(ctx, w, &changes{v.everything, from}, dialect)
	if err != nil {
		return nil, v.s.failf(ctx, err, "writing what changed since %s", after)
	}
	serial, err := v.Serial(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.writeNumbers(ctx, w); err != nil {
		return nil, v.s.failf(ctx, err, "writing what changed since %s", after)
	}
	_, err = fmt.Fprintf(w, "UPDATE last_serial SET value = %d;\nDELETE FROM backup_mark;\nINSERT INTO backup_mark (name) VALUES ('%s');\nCOMMIT;\n", serial, v.name)
	return rows, err
}

// reaches returns the number behind which changes are wanted, if all of them are
// still known.
func (v *view) reaches(ctx context.Context, since store.Position, after string) (int64, error) {
	from, err := strconv.ParseInt(since.Value, 10, 64)
	if err != nil || since.Epoch == "" || since.Epoch != v.position.Epoch || from < v.forgottenTo {
		return 0, store.ErrUntracked
	}
	var marked bool
	if err := v.tx.QueryRowContext(ctx, `SELECT count(*) FROM backup_mark WHERE name = ?`, after).Scan(&marked); err != nil {
		return 0, err
	}
	if !marked { // the file is older than that backup: somebody put a copy back
		return 0, fmt.Errorf("%w: this store knows nothing of that backup", store.ErrUntracked)
	}
	return from, nil
}

// writeNumbers writes which numbers AUTOINCREMENT has given out.
func (v *view) writeNumbers(ctx context.Context, w io.Writer) error {
	rows, err := v.tx.QueryContext(ctx, `SELECT name, seq FROM sqlite_sequence WHERE name <> 'change_log' ORDER BY name`)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has told
	for rows.Next() {
		var name string
		var seq int64
		if err := rows.Scan(&name, &seq); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "DELETE FROM sqlite_sequence WHERE name = '%[1]s';\nINSERT INTO sqlite_sequence (name, seq) VALUES ('%[1]s', %[2]d);\n", name, seq); err != nil {
			return err
		}
	}
	return rows.Err()
}

// changes reads what was changed behind a number; see ledger.Changed.
type changes struct {
	*everything
	since int64
}

// ChangedKeys implements ledger.Changed.
func (c *changes) ChangedKeys(ctx context.Context, t store.Table, onlyGone bool) iter.Seq2[store.Row, error] {
	names := t.ColumnNames()[:t.Key]
	statement := fmt.Sprintf(`SELECT DISTINCT %s FROM change_log c WHERE seq > %d AND tbl = '%s'`, strings.Join(loggedKey(t), ", "), c.since, t.Name)
	if onlyGone {
		var same []string
		for i, name := range names {
			same = append(same, fmt.Sprintf("t.%s = c.%s", name, loggedKey(t)[i]))
		}
		statement += fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM %s t WHERE %s)", t.Name, strings.Join(same, " AND "))
	}
	return c.rows(ctx, store.Table{Name: t.Name, Columns: t.Columns[:t.Key]}, statement+" ORDER BY "+strings.Join(loggedKey(t), ", "))
}

// ChangedRows implements ledger.Changed.
func (c *changes) ChangedRows(ctx context.Context, t store.Table) iter.Seq2[store.Row, error] {
	names := t.ColumnNames()
	key := strings.Join(names[:t.Key], ", ")
	return c.rows(ctx, t, fmt.Sprintf(`SELECT %s FROM %s WHERE (%s) IN (SELECT %s FROM change_log WHERE seq > %d AND tbl = '%s') ORDER BY %s`,
		strings.Join(names, ", "), t.Name, key, strings.Join(loggedKey(t), ", "), c.since, t.Name, key))
}

func (c *changes) rows(ctx context.Context, t store.Table, statement string) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		if err := c.each(ctx, statement, ledger.NewValues(t), yield); err != nil {
			yield(nil, err)
		}
	}
}

// loggedKey are the columns of change_log that hold a table's key.
func loggedKey(t store.Table) []string { return []string{"key_1", "key_2"}[:t.Key] }

// dialect is how SQLite wants its SQL.
var dialect = ledger.Dialect{Name: func(table string) string { return table }, Literal: appendLiteral, Insert: " "}

func appendLiteral(b []byte, kind store.Kind, value any) []byte {
	switch v := value.(type) {
	case bool:
		if v {
			return append(b, '1')
		}
		return append(b, '0')
	case string:
		return appendText(b, v)
	case []byte:
		return append(ledger.AppendHex(append(b, "X'"...), v), '\'')
	}
	return append(b, "NULL"...)
}

// appendText appends text as a literal. What isn't plain text is written as bytes:
// a shell would end a statement at a character 0, and may change an end of a line.
func appendText(b []byte, text string) []byte {
	plain := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) < 0
	if plain {
		return ledger.AppendQuoted(b, text)
	}
	return append(ledger.AppendHex(append(b, "CAST(X'"...), text), "' AS TEXT)"...)
}

// ForgetChanges implements store.Backups.
func (s *Store) ForgetChanges(ctx context.Context, upTo store.Position) error {
	last, err := strconv.ParseInt(upTo.Value, 10, 64)
	if err != nil {
		return s.failf(ctx, err, "reading the position of a backup")
	}
	err = s.alter(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE change_tracking SET forgotten_to = ?1 WHERE epoch = ?2 AND forgotten_to <= ?1`, last, upTo.Epoch)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM change_log WHERE seq <= ?`, last)
		return err
	})
	if err != nil {
		return s.failf(ctx, err, "forgetting changes that were backed up")
	}
	return nil
}

// BoundChanges implements store.Backups. A change takes some 40 bytes.
func (s *Store) BoundChanges(ctx context.Context, bytes int64) (bool, error) {
	const each = 40
	var kept sql.NullInt64
	err := s.readers.QueryRowContext(ctx, `SELECT (SELECT max(seq) FROM change_log) - (SELECT min(seq) FROM change_log)`).Scan(&kept)
	if err != nil {
		return false, s.failf(ctx, err, "looking at how much has changed")
	}
	if kept.Int64*each <= bytes {
		return false, nil
	}
	if err := s.endTracking(ctx); err != nil {
		return false, s.failf(ctx, err, "ending to keep track of changes")
	}
	return true, nil
}

// alter runs statements in one transaction.
func (s *Store) alter(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // of no effect after a commit, and of no interest after a failure
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// errKey says that a table's key is wider than the record of changes.
var errKey = errors.New("a key has more than two columns")
