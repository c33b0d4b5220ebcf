package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/crownsafe/api/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. Several processes may start on a new
// file at once: each migration is a transaction that takes the lock first, so
// one of them wins, and the others fail on a schema that is there and look again.
func migrate(ctx context.Context, writer *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	const attempts = 5
	for range attempts {
		if err = step(ctx, provider); err == nil || sentinelOf(err) != nil && sentinelOf(err) != store.ErrBusy {
			return err
		}
	}
	return err
}

func step(ctx context.Context, provider *goose.Provider) error {
	stored, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the version of its schema: %w", err)
	}
	if stored > known {
		return fmt.Errorf("its schema is version %d, this program knows %d: %w", stored, known, store.ErrNewerVersion)
	}
	if stored == known {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bringing its schema from version %d to %d: %w", stored, known, err)
	}
	return nil
}
