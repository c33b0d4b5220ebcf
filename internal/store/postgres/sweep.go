package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// sweepBatch is how many rows a sweep removes in one transaction: the server
// answers within its patience however many there are.
const sweepBatch = 200

// Sweep implements account.Store.
func (s *Store) Sweep(ctx context.Context, before, replacedBefore time.Time) error {
	at, replaced := before.UnixMicro(), replacedBefore.UnixMicro()
	for _, sweep := range []func(ctx context.Context) error{
		func(ctx context.Context) error {
			return s.sweepRows(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
				return q.SweepAttempts(ctx, queries.SweepAttemptsParams{Before: at, Most: sweepBatch})
			})
		},
		func(ctx context.Context) error {
			return s.sweepRows(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
				return q.SweepTokens(ctx, queries.SweepTokensParams{Before: at, Most: sweepBatch})
			})
		},
		func(ctx context.Context) error {
			return s.sweepRows(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
				return q.SweepReplacedSecrets(ctx, queries.SweepReplacedSecretsParams{Before: replaced, Most: sweepBatch})
			})
		},
		func(ctx context.Context) error { return s.sweepKeys(ctx, at) },
		func(ctx context.Context) error { return s.sweepSessions(ctx, at) },
	} {
		if err := sweep(patiently(ctx, savePatience)); err != nil {
			return failf(ctx, err, "sweeping out what ended before %s", before.Format(time.RFC3339))
		}
	}
	return nil
}

// sweepOnce removes a batch in one transaction and returns how many rows that were.
func (s *Store) sweepOnce(ctx context.Context, remove func(ctx context.Context, q *queries.Queries) (rows int64, err error)) (rows int64, err error) {
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		rows, err = remove(ctx, queries.New(tx))
		return err
	})
	return rows, err
}

// sweepRows removes batches until one isn't full.
func (s *Store) sweepRows(ctx context.Context, remove func(ctx context.Context, q *queries.Queries) (rows int64, err error)) error {
	for {
		if rows, err := s.sweepOnce(ctx, remove); err != nil || rows < sweepBatch {
			return err
		}
	}
}

// sweepKeys removes keys that were over, batch by batch, after what was kept for them.
func (s *Store) sweepKeys(ctx context.Context, before int64) error {
	return s.sweepWhole(ctx,
		func(ctx context.Context) ([]string, error) {
			return queries.New(s.pool).KeysOver(ctx, queries.KeysOverParams{Before: before, Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries, ids []string) (int64, error) {
			return q.SweepAttemptsOfKeys(ctx, queries.SweepAttemptsOfKeysParams{Ids: ids, Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries, ids []string) (int64, error) {
			return q.SweepKeys(ctx, queries.SweepKeysParams{Ids: ids, Before: before})
		})
}

// sweepSessions removes sessions that were over, batch by batch, after their secrets.
func (s *Store) sweepSessions(ctx context.Context, before int64) error {
	return s.sweepWhole(ctx,
		func(ctx context.Context) ([]string, error) {
			return queries.New(s.pool).SessionsOver(ctx, queries.SessionsOverParams{Before: before, Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries, ids []string) (int64, error) {
			return q.SweepSecretsOfSessions(ctx, queries.SweepSecretsOfSessionsParams{Ids: ids, Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries, ids []string) (int64, error) {
			return q.SweepSessions(ctx, queries.SweepSessionsParams{Ids: ids, Before: before})
		})
}

// sweepWhole removes rows with what belongs to them, which goes first and may be
// many times as much. It ends when there are none left but those that somebody is
// at work on.
func (s *Store) sweepWhole(ctx context.Context, over func(ctx context.Context) ([]string, error),
	removeParts, remove func(ctx context.Context, q *queries.Queries, ids []string) (int64, error),
) error {
	for {
		ids, err := over(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		err = s.sweepRows(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) { return removeParts(ctx, q, ids) })
		if err != nil {
			return err
		}
		rows, err := s.sweepOnce(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) { return remove(ctx, q, ids) })
		if err != nil || rows == 0 {
			return err
		}
	}
}
