package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"

	"github.com/crownsafe/api/internal/store"
)

// trackerPrefix begins the names of the triggers that keep changes.
const trackerPrefix = "change_log_of_"

// track makes the triggers that are missing. Whoever was writing has ended by then,
// for there is one writer at a time. Where one was missing, changes may have been
// lost, and a new epoch begins.
func (s *Store) track(ctx context.Context) error {
	return s.alter(ctx, func(tx *sql.Tx) error {
		there, err := trackers(ctx, tx)
		if err != nil {
			return err
		}
		made := false
		for _, t := range store.Tables() {
			all, err := triggersOf(t)
			if err != nil {
				return err
			}
			for name, statement := range all {
				if there[name] {
					continue
				}
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("making trigger %s: %w", name, err)
				}
				made = true
			}
		}
		const begin = `INSERT INTO change_tracking (only_row, epoch, forgotten_to)
			VALUES (1, ?1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0))
			ON CONFLICT (only_row) DO UPDATE SET epoch = excluded.epoch, forgotten_to = excluded.forgotten_to WHERE ?2`
		if _, err := tx.ExecContext(ctx, begin, rand.Text(), made); err != nil {
			return err
		}
		if !made {
			return nil
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM change_log`)
		return err
	})
}

// endTracking lets go of the triggers and of what they kept.
func (s *Store) endTracking(ctx context.Context) error {
	return s.alter(ctx, func(tx *sql.Tx) error {
		there, err := trackers(ctx, tx)
		if err != nil {
			return err
		}
		if len(there) == 0 {
			return nil
		}
		for name := range there {
			if _, err := tx.ExecContext(ctx, "DROP TRIGGER "+name); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM change_tracking; DELETE FROM change_log`)
		return err
	})
}

// trackers returns the names of the triggers that are there.
func trackers(ctx context.Context, tx *sql.Tx) (map[string]bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, ?) = ?`, len(trackerPrefix), trackerPrefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has told
	there := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		there[name] = true
	}
	return there, rows.Err()
}

// triggersOf returns the statements that make a table's triggers, by their names.
func triggersOf(t store.Table) (map[string]string, error) {
	if t.Key > 2 {
		return nil, fmt.Errorf("table %s: %w", t.Name, errKey)
	}
	names := t.ColumnNames()[:t.Key]
	of := func(row string) string { return row + "." + strings.Join(names, ", "+row+".") }
	keep := func(row string) string {
		return fmt.Sprintf("INSERT INTO change_log (tbl, %s) VALUES ('%s', %s);", strings.Join(loggedKey(t), ", "), t.Name, of(row))
	}
	other := fmt.Sprintf("INSERT INTO change_log (tbl, %s) SELECT '%s', %s WHERE (%s) <> (%s);",
		strings.Join(loggedKey(t), ", "), t.Name, of("old"), of("old"), of("new"))
	all := map[string]string{}
	for event, body := range map[string]string{"insert": keep("new"), "update": keep("new") + " " + other, "delete": keep("old")} {
		name := trackerPrefix + t.Name + "_" + event
		all[name] = fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s BEGIN %s END", name, strings.ToUpper(event), t.Name, body)
	}
	return all, nil
}
