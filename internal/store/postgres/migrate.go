package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/crownsafe/api/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// MigrateUp implements store.Migrator.
func (s *Store) MigrateUp(ctx context.Context) ([]store.Migration, error) {
	provider, err := s.migrator()
	if err != nil {
		return nil, err
	}
	defer provider.Close()
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrating the schema up: %w", translate(ctx, err))
	}
	var applied []store.Migration
	for _, result := range results {
		applied = append(applied, store.Migration{Version: result.Source.Version, Name: path.Base(result.Source.Path), AppliedAt: time.Now().UTC()})
	}
	return applied, nil
}

func (s *Store) migrator() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, stdlib.OpenDB(*s.pool.Config().ConnConfig), files,
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
}
