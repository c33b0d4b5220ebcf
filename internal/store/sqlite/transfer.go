package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// Snapshot gives everything to use; see store.Transfer.
func (s *Store) Snapshot(ctx context.Context, use func(store.Snapshot) error) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failf(ctx, err, "beginning a snapshot")
	}
	defer tx.Rollback() //nolint:errcheck // nothing was changed
	return use(&everything{s, tx, s.reading.WithTx(tx)})
}

// Load fills the store with everything in another; see store.Transfer.
func (s *Store) Load(ctx context.Context, from store.Snapshot, progress func(store.Progress)) (store.Digest, error) {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return store.Digest{}, s.failf(ctx, err, "beginning to load")
	}
	defer tx.Rollback() //nolint:errcheck // of no effect after a commit, and of no interest after a failure
	digest, err := ledger.Load(ctx, &everything{s, tx, s.writing.WithTx(tx)}, from, progress)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return store.Digest{}, s.failf(ctx, err, "loading")
	}
	return digest, nil
}

// everything is the whole store as a transaction sees it.
type everything struct {
	s  *Store
	tx *sql.Tx
	q  *queries.Queries
}

// Serial returns the last serial.
func (e *everything) Serial(ctx context.Context) (int64, error) {
	serial, err := e.q.LastSerial(ctx)
	if err != nil {
		return 0, e.s.failf(ctx, err, "reading the last serial")
	}
	return serial, nil
}

// Count counts a table's rows.
func (e *everything) Count(ctx context.Context, t store.Table) (int64, error) {
	var rows int64
	if err := e.tx.QueryRowContext(ctx, "SELECT count(*) FROM "+t.Name).Scan(&rows); err != nil {
		return 0, e.s.failf(ctx, err, "counting the rows of %s", t.Name)
	}
	return rows, nil
}

// Rows reads a table in its order.
func (e *everything) Rows(ctx context.Context, t store.Table) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		names := t.ColumnNames()
		statement := fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(names, ", "), t.Name, strings.Join(names[:t.Key], ", "))
		if err := e.each(ctx, statement, ledger.NewValues(t), yield); err != nil {
			yield(nil, e.s.failf(ctx, err, "reading the rows of %s", t.Name))
		}
	}
}

// each yields what a statement selects, until yield has had enough. It returns
// an error that yield hasn't seen.
func (e *everything) each(ctx context.Context, statement string, values *ledger.Values, yield func(store.Row, error) bool) error {
	rows, err := e.tx.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(values.Places...); err != nil {
			return err
		}
		if !yield(values.Row(), nil) {
			return nil
		}
	}
	return rows.Err()
}

// Fill writes the rows of a table; see ledger.Target.
func (e *everything) Fill(ctx context.Context, t store.Table, rows iter.Seq2[store.Row, error]) error {
	names := t.ColumnNames()
	// Without a context that can end, the driver needs no watchman per statement.
	until, ctx := ctx, context.WithoutCancel(ctx)
	insert, err := e.tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		t.Name, strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1)))
	if err != nil {
		return err
	}
	defer insert.Close()
	for row, err := range rows {
		if err == nil {
			err = until.Err()
		}
		if err == nil {
			_, err = insert.ExecContext(ctx, row...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Finish writes the last serial.
func (e *everything) Finish(ctx context.Context, serial int64) error {
	return e.q.SetLastSerial(ctx, serial)
}
