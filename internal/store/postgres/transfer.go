package postgres

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// transferPatience is how long the server may be silent while everything is
// copied: it may have to sort a table, or to wait for its disk.
const transferPatience = 10 * time.Minute

// unlimited takes the limits of a session away for the time of a transaction,
// but for those of locks.
const unlimited = `SELECT set_config('statement_timeout', '0', true),
	set_config('idle_in_transaction_session_timeout', '0', true), set_config('lock_timeout', '10s', true)`

// Snapshot gives everything to use; see store.Transfer.
func (s *Store) Snapshot(ctx context.Context, use func(store.Snapshot) error) error {
	var failed error // use's own
	err := s.within(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, unlimited); err != nil {
			return err
		}
		failed = use(&everything{tx})
		return failed
	})
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return failf(ctx, err, "taking a snapshot")
	}
	return nil
}

// Load fills the store with everything in another; see store.Transfer. Nobody
// writes meanwhile.
func (s *Store) Load(ctx context.Context, from store.Snapshot, progress func(store.Progress)) (store.Digest, error) {
	ctx = patiently(ctx, transferPatience)
	var digest store.Digest
	err := s.within(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, unlimited); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "LOCK TABLE last_serial, "+strings.Join(tableNames(), ", ")+" IN EXCLUSIVE MODE"); err != nil {
			return err
		}
		digest, err = ledger.Load(ctx, &everything{tx}, from, progress)
		return err
	})
	if err != nil {
		return store.Digest{}, failf(ctx, err, "loading")
	}
	return digest, nil
}

func tableNames() []string {
	return column(store.Tables(), func(t store.Table) string { return t.Name })
}

// everything is the whole store as a transaction sees it.
type everything struct{ tx pgx.Tx }

// Serial returns the last serial.
func (e *everything) Serial(ctx context.Context) (int64, error) {
	serial, err := queries.New(e.tx).LastSerial(ctx)
	if err != nil {
		return 0, failf(ctx, err, "reading the last serial")
	}
	return serial, nil
}

// Count counts a table's rows.
func (e *everything) Count(ctx context.Context, t store.Table) (int64, error) {
	var rows int64
	if err := e.tx.QueryRow(patiently(ctx, transferPatience), "SELECT count(*) FROM "+t.Name).Scan(&rows); err != nil {
		return 0, failf(ctx, err, "counting the rows of %s", t.Name)
	}
	return rows, nil
}

// Rows reads a table in its order, as the rows come.
func (e *everything) Rows(ctx context.Context, t store.Table) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		names := t.ColumnNames()
		statement := fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(names, ", "), t.Name, strings.Join(names[:t.Key], ", "))
		if err := e.each(patiently(ctx, transferPatience), statement, ledger.NewValues(t), yield); err != nil {
			yield(nil, failf(ctx, err, "reading the rows of %s", t.Name))
		}
	}
}

// each yields what a statement selects, until yield has had enough. It returns
// an error that yield hasn't seen.
func (e *everything) each(ctx context.Context, statement string, values *ledger.Values, yield func(store.Row, error) bool) error {
	rows, err := e.tx.Query(ctx, statement)
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

// Fill writes the rows of a table by COPY; see ledger.Target.
func (e *everything) Fill(ctx context.Context, t store.Table, rows iter.Seq2[store.Row, error]) error {
	next, stop := iter.Pull2(rows)
	defer stop()
	var failed error // the rows' own, of which the server would only give the words back
	lingering, done := linger(ctx)
	defer done()
	_, err := e.tx.CopyFrom(lingering, pgx.Identifier{t.Name}, t.ColumnNames(), pgx.CopyFromFunc(func() ([]any, error) {
		row, err, ok := next()
		if ok && err == nil {
			err = ctx.Err()
		}
		if !ok || err != nil {
			failed = err
			return nil, err
		}
		for i, c := range t.Columns {
			if c.Kind == store.Verbatim {
				row[i] = []byte(row[i].(string))
			}
		}
		return row, nil
	}))
	if failed != nil {
		return failed
	}
	return err
}

// Finish writes the last serial, lets the numbers that the server gives begin
// behind those that are there, and has it learn what the tables are like.
func (e *everything) Finish(ctx context.Context, serial int64) error {
	q := queries.New(e.tx)
	if err := q.SetLastSerial(ctx, serial); err != nil {
		return err
	}
	if err := q.ContinueNumbers(ctx); err != nil {
		return err
	}
	if _, err := e.tx.Exec(ctx, "ANALYZE "+strings.Join(tableNames(), ", ")); err != nil {
		return err
	}
	return q.Notify(ctx, queries.NotifyParams{Channel: serialChannel, Serial: strconv.FormatInt(serial, 10)})
}
