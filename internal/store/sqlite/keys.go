package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// CreateKey implements account.Keys.
func (s *Store) CreateKey(ctx context.Context, k account.Key) error {
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error { return createKey(ctx, q, k) })
	if err != nil {
		return s.failf(ctx, err, "creating key %s of user %s", k.ID, k.UserID)
	}
	return nil
}

// createKey stores a key where there is room for one more: who writes has the file
// for himself.
func createKey(ctx context.Context, q *queries.Queries, k account.Key) error {
	good, err := q.CountGoodKeys(ctx, queries.CountGoodKeysParams{AccountID: account.Text(k.UserID), Now: nullMicros(k.CreatedAt)})
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
		ExpiresAt: nullMicros(k.ExpiresAt), RevokedAt: nullMicros(k.RevokedAt), LastUsedAt: nullMicros(k.LastUsedAt),
	}))
}

// KeyByHash implements account.Keys.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (account.Key, account.User, error) {
	row, err := s.reading.KeyByHash(ctx, present(hash))
	var key account.Key
	if err == nil {
		key, err = keyFrom(row.ApiKey)
	}
	if err != nil {
		return account.Key{}, account.User{}, s.failf(ctx, err, "reading a key by its hash")
	}
	return key, userFrom(row.Account), nil
}

// Key implements account.Keys.
func (s *Store) Key(ctx context.Context, userID, id string) (account.Key, error) {
	row, err := s.reading.Key(ctx, queries.KeyParams{ID: account.Text(id), AccountID: account.Text(userID)})
	var key account.Key
	if err == nil {
		key, err = keyFrom(row)
	}
	if err != nil {
		return account.Key{}, s.failf(ctx, err, "reading key %s of user %s", id, userID)
	}
	return key, nil
}

// Keys implements account.Keys.
func (s *Store) Keys(ctx context.Context, userID string) ([]account.Key, error) {
	rows, err := s.reading.Keys(ctx, account.Text(userID))
	if err != nil {
		return nil, s.failf(ctx, err, "reading the keys of user %s", userID)
	}
	keys := make([]account.Key, len(rows))
	for i, row := range rows {
		if keys[i], err = keyFrom(row); err != nil {
			return nil, s.failf(ctx, err, "reading the keys of user %s", userID)
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
		CreatedAt: ledger.Time(r.CreatedAt), ExpiresAt: fromNullMicros(r.ExpiresAt),
		RevokedAt: fromNullMicros(r.RevokedAt), LastUsedAt: fromNullMicros(r.LastUsedAt),
	}, nil
}

// ReplaceKey implements account.Keys.
func (s *Store) ReplaceKey(ctx context.Context, k account.Key, replaces string, oldExpires time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		found, err := q.LetKeyExpire(ctx, queries.LetKeyExpireParams{
			ID: account.Text(replaces), AccountID: account.Text(k.UserID), Expires: oldExpires.UnixMicro(), Now: nullMicros(k.CreatedAt),
		})
		if err != nil || found == 0 {
			return found, err
		}
		return found, createKey(ctx, q, k)
	})
	if err != nil {
		return s.failf(ctx, err, "replacing key %s of user %s by %s", replaces, k.UserID, k.ID)
	}
	return nil
}

// RevokeKey implements account.Keys.
func (s *Store) RevokeKey(ctx context.Context, userID, id string, at time.Time) error {
	err := s.writeOne(ctx, func(ctx context.Context, q *queries.Queries) (int64, error) {
		return q.RevokeKey(ctx, queries.RevokeKeyParams{ID: account.Text(id), AccountID: account.Text(userID), At: nullMicros(at)})
	})
	if err != nil {
		return s.failf(ctx, err, "revoking key %s of user %s", id, userID)
	}
	return nil
}

// TouchKeys implements account.Keys.
func (s *Store) TouchKeys(ctx context.Context, used map[string]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	err := s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		for id, at := range used {
			if err := q.TouchKey(ctx, queries.TouchKeyParams{ID: account.Text(id), At: at.UnixMicro()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s.failf(ctx, err, "recording the use of %d keys", len(used))
	}
	return nil
}
