package postgres

import (
	"context"

	"github.com/crownsafe/api/internal/store"
)

var _ store.Identified = (*Store)(nil)

// Identity returns which store this is; see store.Identified.
func (s *Store) Identity(ctx context.Context) (string, error) {
	var identity string
	if err := s.pool.QueryRow(ctx, `SELECT value::text FROM identity WHERE only_row = 1`).Scan(&identity); err != nil {
		return "", failf(ctx, err, "reading the identity")
	}
	return identity, nil
}
