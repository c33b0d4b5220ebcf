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

// Options say which database, and how to use it. URL is required.
type Options struct {
	URL string // postgres://…; see DATABASE_URL in docs/operations.md
}

// Store is a store in one database.
type Store struct {
	pool *pgxpool.Pool
}

// Open makes a store without asking the server, which may come later.
func Open(ctx context.Context, opts Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(opts.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the database's URL: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("making a pool of connections: %w", err)
	}
	return &Store{pool: pool}, nil
}
