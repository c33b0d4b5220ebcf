package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// CreateKey implements account.Keys.
func (s *Store) CreateKey(ctx context.Context, k account.Key) error {
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		q := queries.New(tx)
		if err := q.HoldAccount(ctx, account.Text(k.UserID)); err != nil {
			return err
		}
		return createKey(ctx, q, k)
	})
	if err != nil {
		return failf(ctx, err, "creating key %s of user %s", k.ID, k.UserID)
	}
	return nil
}

// createKey stores a key where there is room for one more: the account is held, so
// that nobody else stores one meanwhile.
func createKey(ctx context.Context, q *queries.Queries, k account.Key) error {
	good, err := q.CountGoodKeys(ctx, queries.CountGoodKeysParams{AccountID: account.Text(k.UserID), Now: k.CreatedAt.UnixMicro()})
	if err != nil {
		return err
	}
	if good >= account.MaxKeys {
		return account.ErrTooMany
	}
	scopes, err := ledger.EncodeScopes(k.Scopes)
	if err != nil {
		return err
	}
	return ofNobody(q.CreateKey(ctx, queries.CreateKeyParams{
		ID: account.Text(k.ID), AccountID: account.Text(k.UserID), Name: account.Text(k.Name), Prefix: account.Text(k.Prefix),
		Hash: present(k.Hash), Scopes: scopes, CreatedAt: k.CreatedAt.UnixMicro(),
		ExpiresAt: micros(k.ExpiresAt), RevokedAt: micros(k.RevokedAt), LastUsedAt: micros(k.LastUsedAt),
	}))
}

// KeyByHash implements account.Keys.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (account.Key, account.User, error) {
	row, err := queries.New(s.pool).KeyByHash(ctx, present(hash))
	var key account.Key
	if err == nil {
		key, err = keyFrom(row.ApiKey)
	}
	if err != nil {
		return account.Key{}, account.User{}, failf(ctx, err, "reading a key by its hash")
	}
	return key, userFrom(row.Account), nil
}

// Key implements account.Keys.
func (s *Store) Key(ctx context.Context, userID, id string) (account.Key, error) {
	row, err := queries.New(s.pool).Key(ctx, queries.KeyParams{ID: account.Text(id), AccountID: account.Text(userID)})
	var key account.Key
	if err == nil {
		key, err = keyFrom(row)
	}
	if err != nil {
		return account.Key{}, failf(ctx, err, "reading key %s of user %s", id, userID)
	}
	return key, nil
}

// Keys implements account.Keys.
func (s *Store) Keys(ctx context.Context, userID string) ([]account.Key, error) {
	rows, err := queries.New(s.pool).Keys(ctx, account.Text(userID))
	if err != nil {
		return nil, failf(ctx, err, "reading the keys of user %s", userID)
	}
	keys := make([]account.Key, len(rows))
	for i, row := range rows {
		if keys[i], err = keyFrom(row); err != nil {
			return nil, failf(ctx, err, "reading the keys of user %s", userID)
		}
	}
	return keys, nil
}

func keyFrom(r queries.ApiKey) (account.Key, error) {
	scopes, err := ledger.DecodeScopes(r.Scopes)
	if err != nil {
		return account.Key{}, fmt.Errorf("key %s: %w", r.ID, err)
	}
	return account.Key{
		ID: r.ID, UserID: r.AccountID, Name: r.Name, Prefix: r.Prefix, Hash: r.Hash, Scopes: scopes,
		CreatedAt: ledger.Time(r.CreatedAt), ExpiresAt: timeOf(r.ExpiresAt),
		RevokedAt: timeOf(r.RevokedAt), LastUsedAt: timeOf(r.LastUsedAt),
	}, nil
}

// ReplaceKey implements account.Keys.
func (s *Store) ReplaceKey(ctx context.Context, k account.Key, replaces string, oldExpires time.Time) error {
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		q := queries.New(tx)
		if err := q.HoldAccount(ctx, account.Text(k.UserID)); err != nil {
			return err
		}
		err := found(q.LetKeyExpire(ctx, queries.LetKeyExpireParams{
			ID: account.Text(replaces), AccountID: account.Text(k.UserID), Expires: oldExpires.UnixMicro(), Now: k.CreatedAt.UnixMicro(),
		}))
		if err != nil {
			return err
		}
		return createKey(ctx, q, k)
	})
	if err != nil {
		return failf(ctx, err, "replacing key %s of user %s by %s", replaces, k.UserID, k.ID)
	}
	return nil
}

// RevokeKey implements account.Keys.
func (s *Store) RevokeKey(ctx context.Context, userID, id string, at time.Time) error {
	err := found(queries.New(s.pool).RevokeKey(ctx, queries.RevokeKeyParams{ID: account.Text(id), AccountID: account.Text(userID), At: at.UnixMicro()}))
	if err != nil {
		return failf(ctx, err, "revoking key %s of user %s", id, userID)
	}
	return nil
}

// TouchKeys implements account.Keys.
func (s *Store) TouchKeys(ctx context.Context, used map[string]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	touches := queries.TouchKeysParams{}
	for id, at := range used {
		touches.Ids, touches.At = append(touches.Ids, account.Text(id)), append(touches.At, at.UnixMicro())
	}
	if err := queries.New(s.pool).TouchKeys(ctx, touches); err != nil {
		return failf(ctx, err, "recording the use of %d keys", len(used))
	}
	return nil
}
