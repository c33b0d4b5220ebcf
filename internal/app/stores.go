package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/postgres"
	"github.com/crownsafe/api/internal/store/sqlite"
)

// OpenStore opens the store that the settings name: PostgreSQL, which is not asked
// yet and needn't be there, or the SQLite file in the data directory, whose schema
// is brought up to date.
func OpenStore(ctx context.Context, cfg config.Config) (store.Store, error) {
	if cfg.DatabaseURL == "" {
		st, err := sqlite.Open(ctx, filepath.Join(cfg.Data, "crownsafe.db"), sqlite.Options{})
		if err != nil {
			return nil, fmt.Errorf("opening the data directory %s: %w", cfg.Data, err)
		}
		return st, nil
	}
	st, err := postgres.Open(ctx, postgresOptions(cfg))
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL cannot be used: %w", err)
	}
	return st, nil
}

func postgresOptions(cfg config.Config) postgres.Options {
	statements := cfg.Database.StatementCache
	if statements == 0 { // the adapter's 0 is its default
		statements = -1
	}
	return postgres.Options{
		URL: string(cfg.DatabaseURL), MaxConns: cfg.Database.PoolSize, Overflow: cfg.Database.PoolOverflow,
		MaxConnLifetime: cfg.Database.ConnLifetime, MaxConnIdleTime: cfg.Database.ConnIdle,
		AcquireTimeout: cfg.Database.AcquireTimeout, StatementCache: statements,
	}
}
