// Package postgres is the store in PostgreSQL: the one for production. It knows
// the port's nouns and SQL; it knows nothing of agencies, of the catalogue or of
// HTTP.
package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

// Store is a store in one database.
type Store struct {
	opts Options
	pool *pgxpool.Pool
}

// Open makes a store without asking the server, which may come later.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	config, err := poolConfig(opts)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("making a pool of connections: %w", err)
	}
	return &Store{opts: opts, pool: pool}, nil
}

// Close ends the use of the pool.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}
