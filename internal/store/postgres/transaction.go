package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crownsafe/api/internal/store"
)

// write runs a change in one transaction. Each statement sees what was committed
// before it began: a lock that it takes first orders it among other writers. A
// change that waited for a lock in vain, or in a circle, is made again from its
// beginning until Options.BusyTimeout: each attempt shows that the server is
// still there, which one long wait wouldn't. change's context ends lingerTime
// after ctx.
func (s *Store) write(ctx context.Context, change func(ctx context.Context, tx pgx.Tx) error) error {
	began := time.Now()
	for {
		err := s.within(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			lingering, done := linger(ctx)
			defer done()
			if s.opts.pooled() { // its session has no limits of its own
				if _, err := tx.Exec(lingering, `SELECT set_config('lock_timeout', $1, true)`, milliseconds(s.opts.LockTimeout)); err != nil {
					return err
				}
			}
			return change(lingering, tx)
		})
		if sentinelOf(err) != store.ErrBusy || time.Since(began) > s.opts.BusyTimeout { //nolint:errorlint // the very sentinel
			return err
		}
	}
}

// within runs something in one transaction, which it commits unless ctx has ended.
func (s *Store) within(ctx context.Context, options pgx.TxOptions, do func(tx pgx.Tx) error) error {
	tx, err := s.pool.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	// The end of a transaction isn't called back when ctx ends: nobody would know
	// what became of it. It is bounded by Options.AnswerTimeout.
	end := context.WithoutCancel(ctx)
	defer tx.Rollback(end) //nolint:errcheck // of no effect after a commit, and of no interest after a failure
	if err := do(tx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return tx.Commit(end)
}

// lingerTime is how long statements of a change may go on when their caller's
// context has ended.
const lingerTime = 2 * time.Second

// linger returns a context that ends lingerTime after ctx. To interrupt a
// statement is to give its connection up; a server that was being sent something
// then may take long to notice (the driver closes an encrypted connection up to
// 15 seconds later), with all the locks that others wait for. Statements of a
// change take milliseconds: it is better to let one end and to take it back.
func linger(ctx context.Context) (context.Context, func()) {
	lingering, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(lingerTime):
			end()
		case <-lingering.Done():
		}
	})
	return lingering, func() { stop(); end() }
}

// failf says what was being done when err came, in the port's errors.
func failf(ctx context.Context, err error, doing string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(doing, args...), translate(ctx, err))
}

// pipeline keeps statements of which nobody wants an answer until they are sent
// together: one round trip for all of them.
type pipeline struct {
	pgx.Tx
	statements pgx.Batch
}

// Exec keeps a statement. The answer is empty.
func (p *pipeline) Exec(_ context.Context, statement string, args ...any) (pgconn.CommandTag, error) {
	p.statements.Queue(statement, args...)
	return pgconn.CommandTag{}, nil
}

// send sends what was kept and returns the error of the first that failed.
func (p *pipeline) send(ctx context.Context) error {
	if p.statements.Len() == 0 {
		return nil
	}
	return p.SendBatch(ctx, &p.statements).Close()
}
