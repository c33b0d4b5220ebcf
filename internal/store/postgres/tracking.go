package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crownsafe/api/internal/store"
)

// trackerPrefix begins the names of the triggers and functions that keep changes.
const trackerPrefix = "change_log_of_"

// track makes the triggers that are missing. To make one waits for all who have
// written to its table and keeps others from it for that moment: who has written
// without it has ended before, and a snapshot that is taken then sees what he did.
// Where one was missing, changes may have been lost, and a new epoch begins.
func (s *Store) track(ctx context.Context) error {
	return s.beside(ctx, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			const begun = `INSERT INTO change_tracking (only_row, epoch, forgotten_to) VALUES (1, $1, '0')
				ON CONFLICT (only_row) DO NOTHING`
			if _, err := tx.Exec(ctx, begun, rand.Text()); err != nil {
				return err
			}
			// The row lets one process at a time look.
			if _, err := tx.Exec(ctx, `SELECT FROM change_tracking FOR UPDATE`); err != nil {
				return err
			}
			made, err := makeTrackers(ctx, tx)
			if err != nil || !made {
				return err
			}
			// Of an epoch everything is kept from its beginning on.
			if _, err := tx.Exec(ctx, `UPDATE change_tracking SET epoch = $1, forgotten_to = '0'`, rand.Text()); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `DELETE FROM change_log`)
			return err
		})
	})
}

// makeTrackers makes the triggers of tables where one is missing or was switched off:
// whoever switches triggers off and on again leaves them without the ALWAYS that ours
// have, by which it is seen that something may have passed them by.
func makeTrackers(ctx context.Context, tx pgx.Tx) (made bool, err error) {
	const known = `SELECT t.tgrelid::regclass::text, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND starts_with(t.tgname, $1) AND t.tgenabled = 'A' GROUP BY 1`
	rows, err := tx.Query(ctx, known, trackerPrefix)
	if err != nil {
		return false, err
	}
	there := map[string]int{}
	var table string
	var triggers int
	if _, err := pgx.ForEachRow(rows, []any{&table, &triggers}, func() error { there[table] = triggers; return nil }); err != nil {
		return false, err
	}
	for _, t := range store.Tables() {
		if there[t.Name] == len(trackedEvents) {
			continue
		}
		statements, err := trackersOf(t)
		if err != nil {
			return false, err
		}
		if _, err := tx.Conn().PgConn().Exec(ctx, statements).ReadAll(); err != nil {
			return false, fmt.Errorf("keeping track of table %s: %w", t.Name, err)
		}
		made = true
	}
	return made, nil
}

// trackedEvents are what happens to a table, with what a trigger looks at.
var trackedEvents = map[string]string{
	"insert":   "REFERENCING NEW TABLE AS new_rows",
	"update":   "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows",
	"delete":   "REFERENCING OLD TABLE AS old_rows",
	"truncate": "",
}

// errKey says that a table's key is wider than the record of changes.
var errKey = errors.New("a key has more than two columns")

// trackersOf returns the statements that make a table's triggers. They look at each
// statement once, whatever rows it changes, and whatever its session says of triggers
// (session_replication_role). Whoever empties a table at once ends the epoch. The names in the function are qualified, for a text that is applied by hand
// may have no search path.
func trackersOf(t store.Table) (string, error) {
	if t.Key > 2 {
		return "", fmt.Errorf("table %s: %w", t.Name, errKey)
	}
	var key []string
	for _, c := range t.Columns[:t.Key] {
		if c.Kind == store.Bytes || c.Kind == store.Verbatim {
			key = append(key, fmt.Sprintf(`'\x' || encode(%s, 'hex')`, c.Name))
		} else {
			key = append(key, c.Name+"::text")
		}
	}
	logged := strings.Join(loggedColumns[:t.Key], ", ")
	keys := fmt.Sprintf("'%s', %s", t.Name, strings.Join(key, ", "))
	name := trackerPrefix + t.Name
	var b strings.Builder
	fmt.Fprintf(&b, `DO $do$ BEGIN EXECUTE format($make$
CREATE OR REPLACE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN INSERT INTO %%1$I.change_log (tbl, %[2]s) SELECT %[3]s FROM new_rows;
    WHEN 'UPDATE' THEN INSERT INTO %%1$I.change_log (tbl, %[2]s) SELECT %[3]s FROM new_rows UNION SELECT %[3]s FROM old_rows;
    WHEN 'DELETE' THEN INSERT INTO %%1$I.change_log (tbl, %[2]s) SELECT %[3]s FROM old_rows;
    ELSE DELETE FROM %%1$I.change_tracking;
    END CASE;
    RETURN NULL;
END
$$ $make$, current_schema()); END $do$;
`, name, logged, keys)
	for event, looks := range trackedEvents {
		fmt.Fprintf(&b, "CREATE OR REPLACE TRIGGER %[1]s_%[2]s AFTER %[2]s ON %[3]s %[4]s FOR EACH STATEMENT EXECUTE FUNCTION %[1]s();\n"+
			"ALTER TABLE %[3]s ENABLE ALWAYS TRIGGER %[1]s_%[2]s;\n", name, event, t.Name, looks)
	}
	return b.String(), nil
}

// loggedColumns are the columns of change_log that hold a table's key.
var loggedColumns = []string{"key_1", "key_2"}

// loggedKey returns what makes a table's key of them.
func loggedKey(t store.Table) []string {
	var key []string
	for i, c := range t.Columns[:t.Key] {
		cast := "text"
		switch c.Kind {
		case store.Integer:
			cast = "bigint"
		case store.Bytes, store.Verbatim:
			cast = "bytea"
		}
		key = append(key, loggedColumns[i]+"::"+cast)
	}
	return key
}

// endTrackers removes every trigger that keeps track, with its function.
const endTrackers = `DO $$
DECLARE tracker regprocedure;
BEGIN
    FOR tracker IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, '` + trackerPrefix + `') LOOP
        EXECUTE 'DROP FUNCTION ' || tracker || ' CASCADE';
    END LOOP;
    DELETE FROM change_tracking;
    DELETE FROM change_log;
END
$$`

// ForgetChanges implements store.Backups.
func (s *Store) ForgetChanges(ctx context.Context, upTo store.Position) error {
	epoch, _, _ := strings.Cut(upTo.Epoch, "/") // what follows is the server's
	err := s.beside(ctx, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			const forget = `UPDATE change_tracking SET forgotten_to = greatest(forgotten_to, pg_snapshot_xmin($1::pg_snapshot)) WHERE epoch = $2`
			tag, err := tx.Exec(ctx, forget, upTo.Value, epoch)
			if err != nil || tag.RowsAffected() == 0 {
				return err
			}
			_, err = tx.Exec(ctx, `DELETE FROM change_log WHERE xid < (SELECT forgotten_to FROM change_tracking)`)
			return err
		})
	})
	if err != nil {
		return failf(ctx, err, "forgetting changes that were backed up")
	}
	return nil
}

// BoundChanges implements store.Backups.
func (s *Store) BoundChanges(ctx context.Context, bytes int64) (bool, error) {
	var size int64
	if err := s.pool.QueryRow(ctx, `SELECT pg_relation_size('change_log')`).Scan(&size); err != nil {
		return false, failf(ctx, err, "looking at how much has changed")
	}
	if size <= bytes {
		return false, nil
	}
	err := s.beside(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, endTrackers); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, `VACUUM change_log`) // else it would be as large at the next look
		return err
	})
	if err != nil {
		return false, failf(ctx, err, "ending to keep track of changes")
	}
	return true, nil
}

// insufficientPrivilege is the SQLSTATE insufficient_privilege.
const insufficientPrivilege = "42501"

func isDenied(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failure.Code == insufficientPrivilege
}
