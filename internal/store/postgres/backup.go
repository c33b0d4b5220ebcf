package postgres

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
)

var _ store.Backups = (*Store)(nil)

// unkept are the tables whose rows are in no backup, and that nobody tracks: what is
// a matter of the running store only.
var unkept = []string{"lease", "change_tracking", "change_log", "backup_mark"}

// BackUp implements store.Backups, on a connection beside the pool, whose transaction
// lasts as long as the backup takes to be written. A role that doesn't own the tables
// can't make the triggers that keep track of changes: it makes full backups only.
func (s *Store) BackUp(ctx context.Context, name string, use func(store.BackupView) error) error {
	v := &view{s: s, name: name}
	if v.untracked = s.track(ctx); v.untracked != nil && !isDenied(v.untracked) {
		return failf(ctx, v.untracked, "beginning to keep track of changes")
	}
	// Of a name that is there already, its backup was never finished.
	const note = `WITH old AS (DELETE FROM backup_mark WHERE name IN (SELECT name FROM backup_mark ORDER BY right(name, 15) DESC OFFSET 1000))
		INSERT INTO backup_mark (name) VALUES ($1) ON CONFLICT DO NOTHING`
	if _, err := s.pool.Exec(ctx, note, name); err != nil {
		return failf(ctx, err, "noting backup %s", name)
	}
	return s.beside(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return failf(ctx, err, "beginning a snapshot")
		}
		defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was changed
		v.everything, v.conn = &everything{tx}, conn
		if err := v.look(ctx); err != nil {
			return failf(ctx, err, "looking at what is to be backed up")
		}
		return use(v)
	})
}

// beside runs something on a connection of its own, without the limits of the pool's.
func (s *Store) beside(ctx context.Context, do func(*pgx.Conn) error) error {
	ctx, done, err := s.lifetime.Use(ctx)
	if err != nil {
		return err
	}
	defer done()
	conn, err := pgx.ConnectConfig(ctx, s.direct)
	if err != nil {
		return failf(ctx, err, "connecting")
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was to be done is done
	if _, err := conn.Exec(ctx, unlimitedSession, pgx.QueryExecModeExec); err != nil {
		return failf(ctx, err, "setting up a session")
	}
	return do(conn)
}

// unlimitedSession takes the limits of a session away, but for those of locks.
const unlimitedSession = `SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '10s', false),
	set_config('idle_in_transaction_session_timeout', '0', false), set_config('timezone', 'UTC', false)`

// view is the store as one transaction sees it; see store.BackupView.
type view struct {
	*everything
	s         *Store
	conn      *pgx.Conn
	name      string
	untracked error

	version, snapshot string // of the server; to share with others
	major             int    // of the server's version
	schemaName        string
	schema            int64
	position          store.Position
	forgottenTo       string
}

// look reads what the view tells of itself. The epoch has the server's timeline in
// it: one that took over, or that was set back in time, has another history. It is
// that of the segment that is written now; the control file learns of a promotion
// from the next checkpoint only.
func (v *view) look(ctx context.Context) error {
	var number int
	const here = `SELECT 'PostgreSQL ' || current_setting('server_version'), current_setting('server_version_num')::int,
		pg_export_snapshot(), current_schema(), (SELECT max(version_id) FROM goose_db_version WHERE is_applied),
		coalesce((SELECT epoch FROM change_tracking), '') || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8),
		pg_current_snapshot()::text, coalesce((SELECT forgotten_to FROM change_tracking), '0')::text`
	err := v.tx.QueryRow(ctx, here).Scan(&v.version, &number, &v.snapshot, &v.schemaName, &v.schema, &v.position.Epoch, &v.position.Value, &v.forgottenTo)
	v.major = number / 10000
	if err == nil && v.schema > v.s.known {
		v.untracked = fmt.Errorf("the schema is version %d, this program knows %d: %w", v.schema, v.s.known, store.ErrNewerVersion)
	}
	if v.untracked != nil {
		v.position = store.Position{}
	}
	return err
}

func (v *view) Engine() string           { return "postgres" }
func (v *view) Server() string           { return v.version }
func (v *view) Schema() int64            { return v.schema }
func (v *view) Position() store.Position { return v.position }
func (v *view) Untracked() error         { return v.untracked }

// WriteFull implements store.BackupView: by pg_dump, on this view's snapshot.
func (v *view) WriteFull(ctx context.Context, w io.Writer) error {
	tools, err := findTools(ctx, v.s.opts.Programs, v.major)
	if err != nil {
		return err
	}
	args := []string{
		"--format=plain", "--encoding=UTF8", "--no-owner", "--no-privileges", "--no-comments", "--no-publications", "--no-subscriptions",
		"--no-security-labels", "--no-tablespaces", "--no-password", "--lock-wait-timeout=60s", "--snapshot=" + v.snapshot,
	}
	for _, table := range unkept {
		args = append(args, "--exclude-table-data="+v.qualified(table))
	}
	command := tools.command(ctx, "pg_dump", v.s.server(v.conn), args...)
	command.Stdout = w
	if err := runTool(ctx, command); err != nil {
		return fmt.Errorf("writing everything: %w", err)
	}
	_, err = fmt.Fprintf(w, "\nINSERT INTO %s (name) VALUES ('%s');\n", v.qualified("backup_mark"), v.name)
	return err
}

// qualified is a table's name as statements have it that may run anywhere: a text of
// pg_dump's leaves its session without a search path.
func (v *view) qualified(table string) string {
	return pgx.Identifier{v.schemaName, table}.Sanitize()
}

// WriteIncrement implements store.BackupView.
func (v *view) WriteIncrement(ctx context.Context, w io.Writer, since store.Position, after string) (map[string]int64, error) {
	if err := v.reaches(ctx, since, after); err != nil {
		return nil, failf(ctx, err, "writing what changed since %s", after)
	}
	_, err := fmt.Fprintf(w, `-- Crown Safe: what changed from %[1]s to %[2]s. Stop at the first error: psql -v ON_ERROR_STOP=1
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET search_path = %[4]s;
BEGIN;
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM %[3]s WHERE name = '%[1]s') THEN
        RAISE EXCEPTION '%[1]s must be what was applied last';
    END IF;
END $$;
`, after, v.name, v.qualified("backup_mark"), pgx.Identifier{v.schemaName}.Sanitize())
	if err != nil {
		return nil, err
	}
	rows, err := ledger.WriteChanges(ctx, w, &changes{v.everything, since.Value}, v.dialect())
	if err != nil {
		return nil, failf(ctx, err, "writing what changed since %s", after)
	}
	serial, err := v.Serial(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.writeNumbers(ctx, w); err != nil {
		return nil, failf(ctx, err, "writing what changed since %s", after)
	}
	_, err = fmt.Fprintf(w, "UPDATE %[1]s SET value = %[2]d;\nDELETE FROM %[3]s;\nINSERT INTO %[3]s (name) VALUES ('%[4]s');\nCOMMIT;\n",
		v.qualified("last_serial"), serial, v.qualified("backup_mark"), v.name)
	return rows, err
}

// reaches says whether everything that changed since a position is still known.
func (v *view) reaches(ctx context.Context, since store.Position, after string) error {
	if v.untracked != nil {
		return fmt.Errorf("%w: %w", store.ErrUntracked, v.untracked)
	}
	if since.Value == "" || since.Epoch != v.position.Epoch {
		return store.ErrUntracked
	}
	var kept, marked bool
	const here = `SELECT pg_snapshot_xmin($1::pg_snapshot) >= $2::xid8, EXISTS (SELECT FROM backup_mark WHERE name = $3)`
	if err := v.tx.QueryRow(ctx, here, pgx.QueryExecModeExec, since.Value, v.forgottenTo, after).Scan(&kept, &marked); err != nil {
		return err
	}
	if !kept {
		return store.ErrUntracked
	}
	if !marked { // the server was set back to before that backup
		return fmt.Errorf("%w: this store knows nothing of that backup", store.ErrUntracked)
	}
	return nil
}

// writeNumbers lets the numbers that the server gives go on where they are.
func (v *view) writeNumbers(ctx context.Context, w io.Writer) error {
	const numbered = `SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND a.attidentity <> '' AND c.relname = ANY($1) ORDER BY 1`
	rows, err := v.tx.Query(ctx, numbered, tableNames())
	if err != nil {
		return err
	}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		name := v.qualified(table)
		_, err := fmt.Fprintf(w, "SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), coalesce((SELECT max(%[2]s) FROM %[1]s), 0) + 1, false);\n",
			name, column)
		return err
	})
	return err
}

// changes reads what is visible now and wasn't in another snapshot; see
// ledger.Changed.
type changes struct {
	*everything
	since string
}

// unseen selects the keys of a table that were changed since.
func (c *changes) unseen(t store.Table) string {
	return fmt.Sprintf(`SELECT DISTINCT %s FROM change_log WHERE xid >= pg_snapshot_xmin('%[2]s') AND NOT pg_visible_in_snapshot(xid, '%[2]s') AND tbl = '%[3]s'`,
		strings.Join(loggedKey(t), ", "), c.since, t.Name)
}

// ChangedKeys implements ledger.Changed.
func (c *changes) ChangedKeys(ctx context.Context, t store.Table, onlyGone bool) iter.Seq2[store.Row, error] {
	names := t.ColumnNames()[:t.Key]
	statement := fmt.Sprintf("SELECT %[1]s FROM (%[2]s) AS c (%[1]s)", strings.Join(names, ", "), c.unseen(t))
	if onlyGone {
		var same []string
		for _, name := range names {
			same = append(same, fmt.Sprintf("t.%[1]s = c.%[1]s", name))
		}
		statement += fmt.Sprintf(" WHERE NOT EXISTS (SELECT FROM %s t WHERE %s)", t.Name, strings.Join(same, " AND "))
	}
	return c.rows(ctx, store.Table{Name: t.Name, Columns: t.Columns[:t.Key]}, statement+" ORDER BY "+strings.Join(names, ", "))
}

// ChangedRows implements ledger.Changed.
func (c *changes) ChangedRows(ctx context.Context, t store.Table) iter.Seq2[store.Row, error] {
	names := t.ColumnNames()
	key := strings.Join(names[:t.Key], ", ")
	return c.rows(ctx, t, fmt.Sprintf("SELECT %s FROM %s WHERE (%s) IN (%s) ORDER BY %[3]s", strings.Join(names, ", "), t.Name, key, c.unseen(t)))
}

func (c *changes) rows(ctx context.Context, t store.Table, statement string) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		if err := c.each(ctx, statement, ledger.NewValues(t), yield); err != nil {
			yield(nil, err)
		}
	}
}

// dialect is how PostgreSQL wants its SQL. Numbers that the server gives elsewhere
// are taken as they are.
func (v *view) dialect() ledger.Dialect {
	return ledger.Dialect{Name: v.qualified, Literal: appendLiteral, Insert: " OVERRIDING SYSTEM VALUE "}
}

func appendLiteral(b []byte, kind store.Kind, value any) []byte {
	switch v := value.(type) {
	case bool:
		if v {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case string:
		if kind == store.Verbatim {
			return appendBytes(b, v)
		}
		return ledger.AppendQuoted(b, v)
	case []byte:
		return appendBytes(b, v)
	}
	return append(b, "NULL"...)
}

func appendBytes[T string | []byte](b []byte, value T) []byte {
	return append(ledger.AppendHex(append(b, `'\x`...), value), "'::bytea"...)
}
