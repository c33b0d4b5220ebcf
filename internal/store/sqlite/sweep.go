package sqlite

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// sweepBatch is how many rows a sweep removes in one transaction: there is one
// writer, and others wait for it meanwhile.
const sweepBatch = 200

// Sweep implements account.Store.
func (s *Store) Sweep(ctx context.Context, before, replacedBefore time.Time) error {
	at := before.UnixMicro()
	for _, remove := range []func(ctx context.Context, q *queries.Queries) (rows int64, err error){
		func(ctx context.Context, q *queries.Queries) (int64, error) {
			return q.SweepAttempts(ctx, queries.SweepAttemptsParams{Before: at, Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries) (int64, error) {
			return q.SweepTokens(ctx, queries.SweepTokensParams{Before: at, Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries) (int64, error) {
			return q.SweepReplacedSecrets(ctx, queries.SweepReplacedSecretsParams{Before: replacedBefore.UnixMicro(), Most: sweepBatch})
		},
		func(ctx context.Context, q *queries.Queries) (int64, error) { return sweepKeys(ctx, q, at) },
		func(ctx context.Context, q *queries.Queries) (int64, error) { return sweepSessions(ctx, q, at) },
	} {
		if err := s.sweep(ctx, remove); err != nil {
			return s.failf(ctx, err, "sweeping out what ended before %s", before.Format(time.RFC3339))
		}
	}
	return nil
}

// sweep removes a batch in each transaction, until one isn't full.
func (s *Store) sweep(ctx context.Context, remove func(ctx context.Context, q *queries.Queries) (rows int64, err error)) error {
	for rows := int64(sweepBatch); rows == sweepBatch; {
		err := s.write(ctx, func(ctx context.Context, q *queries.Queries) (err error) {
			rows, err = remove(ctx, q)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepKeys removes a batch of keys that were over and of what was kept for them.
func sweepKeys(ctx context.Context, q *queries.Queries, before int64) (rows int64, err error) {
	ids, err := q.KeysOver(ctx, queries.KeysOverParams{Before: before, Most: sweepBatch})
	if err != nil {
		return 0, err
	}
	return sweepWhole(ctx, ids, q.SweepKey, func(ctx context.Context, id string, most int64) (int64, error) {
		return q.SweepAttemptsOfKey(ctx, queries.SweepAttemptsOfKeyParams{ID: id, Most: most})
	})
}

// sweepSessions removes a batch of sessions that were over and of their secrets.
func sweepSessions(ctx context.Context, q *queries.Queries, before int64) (rows int64, err error) {
	ids, err := q.SessionsOver(ctx, queries.SessionsOverParams{Before: before, Most: sweepBatch})
	if err != nil {
		return 0, err
	}
	return sweepWhole(ctx, ids, q.SweepSession, func(ctx context.Context, id string, most int64) (int64, error) {
		return q.SweepSecretsOfSession(ctx, queries.SweepSecretsOfSessionParams{ID: id, Most: most})
	})
}

// sweepWhole removes rows with what belongs to them, which goes first and may be
// more than a batch. It returns how many rows it removed of either.
func sweepWhole(ctx context.Context, ids []string, remove func(ctx context.Context, id string) error, removeParts func(ctx context.Context, id string, most int64) (int64, error)) (rows int64, err error) {
	for _, id := range ids {
		parts, err := removeParts(ctx, id, sweepBatch-rows)
		if err != nil {
			return 0, err
		}
		if rows += parts; rows == sweepBatch {
			break
		}
		if err := remove(ctx, id); err != nil {
			return 0, err
		}
		if rows++; rows == sweepBatch {
			break
		}
	}
	return rows, nil
}
