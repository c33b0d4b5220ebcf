package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// SaveToken implements account.Tokens.
func (s *Store) SaveToken(ctx context.Context, t account.Token) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		return ofNobody(q.SaveToken(ctx, queries.SaveTokenParams{
			Hash: present(t.Hash), AccountID: account.Text(t.UserID), Purpose: account.Text(string(t.Purpose)),
			CreatedAt: t.CreatedAt.UnixMicro(), ExpiresAt: t.ExpiresAt.UnixMicro(), Pending: present(t.Pending),
		}))
	})
	if err != nil {
		return s.failf(ctx, err, "saving a %s token of user %s", t.Purpose, t.UserID)
	}
	return nil
}

// UseToken implements account.Tokens.
func (s *Store) UseToken(ctx context.Context, hash []byte, purpose account.Purpose, now time.Time) (account.Token, error) {
	var row queries.SingleUseToken
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) (err error) {
		row, err = q.UseToken(ctx, queries.UseTokenParams{Hash: present(hash), Purpose: account.Text(string(purpose)), Now: now.UnixMicro()})
		return err
	})
	if err != nil {
		return account.Token{}, s.failf(ctx, err, "using a %s token", purpose)
	}
	return tokenFrom(row), nil
}

func tokenFrom(r queries.SingleUseToken) account.Token {
	t := account.Token{
		Hash: r.Hash, UserID: r.AccountID, Purpose: account.Purpose(r.Purpose),
		CreatedAt: ledger.Time(r.CreatedAt), ExpiresAt: ledger.Time(r.ExpiresAt),
	}
	if len(r.Pending) > 0 {
		t.Pending = r.Pending
	}
	return t
}

// TokensOf implements account.Tokens.
func (s *Store) TokensOf(ctx context.Context, userID string) ([]account.Token, error) {
	rows, err := s.reading.TokensOf(ctx, account.Text(userID))
	if err != nil {
		return nil, s.failf(ctx, err, "reading the single-use tokens of user %s", userID)
	}
	return column(rows, tokenFrom), nil
}

// BeginAttempt implements account.Attempts.
func (s *Store) BeginAttempt(ctx context.Context, owner, key string, fingerprint []byte, now time.Time, lease, keep time.Duration) (account.Attempt, error) {
	var attempt account.Attempt
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) (err error) {
		attempt, err = begin(ctx, q, queries.BeginAttemptParams{
			Owner: account.Text(owner), Key: account.Text(key), Fingerprint: present(fingerprint),
			LeaseUntil: now.Add(lease).UnixMicro(), KeepUntil: now.Add(keep).UnixMicro(),
		}, now.UnixMicro())
		return err
	})
	if err != nil {
		return account.Attempt{}, s.failf(ctx, err, "beginning an attempt of %s", owner)
	}
	return attempt, nil
}

func begin(ctx context.Context, q *queries.Queries, a queries.BeginAttemptParams, now int64) (account.Attempt, error) {
	if err := q.ForgetSomeAttempts(ctx, now); err != nil {
		return account.Attempt{}, fmt.Errorf("forgetting past attempts: %w", err)
	}
	if err := q.DropPastAttempt(ctx, queries.DropPastAttemptParams{Owner: a.Owner, Key: a.Key, Now: now}); err != nil {
		return account.Attempt{}, err
	}
	begun, err := q.BeginAttempt(ctx, a)
	if err != nil {
		return account.Attempt{}, err
	}
	if begun == 1 {
		return account.Attempt{First: true, Lease: account.Lease(a.LeaseUntil), Fingerprint: a.Fingerprint}, nil
	}
	return knownAttempt(ctx, q, a.Owner, a.Key)
}

func knownAttempt(ctx context.Context, q *queries.Queries, owner, key string) (account.Attempt, error) {
	row, err := q.Attempt(ctx, queries.AttemptParams{Owner: owner, Key: key})
	if err != nil {
		return account.Attempt{}, err
	}
	attempt := account.Attempt{Fingerprint: row.Fingerprint}
	if row.Finished != 0 {
		attempt.Answer = present(row.Answer)
	}
	return attempt, nil
}

// KnownAttempt implements account.Attempts.
func (s *Store) KnownAttempt(ctx context.Context, owner, key string) (account.Attempt, error) {
	attempt, err := knownAttempt(ctx, s.reading, account.Text(owner), account.Text(key))
	if err != nil {
		return account.Attempt{}, s.failf(ctx, err, "reading an attempt of %s", owner)
	}
	return attempt, nil
}

// FinishAttempt implements account.Attempts. The lease is when it ends: one that was
// begun anew was so after the end of the one before, and ends later.
func (s *Store) FinishAttempt(ctx context.Context, owner, key string, lease account.Lease, answer []byte) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		if answer == nil {
			return q.ForgetAttempt(ctx, queries.ForgetAttemptParams{Owner: account.Text(owner), Key: account.Text(key), LeaseUntil: int64(lease)})
		}
		return q.FinishAttempt(ctx, queries.FinishAttemptParams{Owner: account.Text(owner), Key: account.Text(key), LeaseUntil: int64(lease), Answer: answer})
	})
	if err != nil {
		return s.failf(ctx, err, "finishing an attempt of %s", owner)
	}
	return nil
}

// AttemptsOf implements account.Attempts.
func (s *Store) AttemptsOf(ctx context.Context, userID string) ([]account.KeptAttempt, error) {
	rows, err := s.reading.AttemptsOf(ctx, account.Text(userID))
	if err != nil {
		return nil, s.failf(ctx, err, "listing the attempts of user %s", userID)
	}
	return column(rows, func(r queries.AttemptsOfRow) account.KeptAttempt {
		return account.KeptAttempt{Owner: r.Owner, Key: r.Key, KeepUntil: ledger.Time(r.KeepUntil)}
	}), nil
}
