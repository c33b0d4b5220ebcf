package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
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
func migrate(ctx context.Context, writer *sql.DB) ([]*goose.MigrationResult, error) {
	provider, err := migrator(writer)
	if err != nil {
		return nil, err
	}
	const attempts = 5
	var applied []*goose.MigrationResult
	for range attempts {
		var results []*goose.MigrationResult
		results, err = step(ctx, provider)
		applied = append(applied, results...)
		if err == nil || sentinelOf(err) != nil && sentinelOf(err) != store.ErrBusy {
			break
		}
	}
	return applied, err
}

func migrator(writer *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, writer, files, goose.WithDisableGlobalRegistry(true))
}

// step returns what it has applied, with an error too.
func step(ctx context.Context, provider *goose.Provider) ([]*goose.MigrationResult, error) {
	stored, known, err := provider.GetVersions(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the version of its schema: %w", err)
	}
	if stored > known {
		return nil, fmt.Errorf("its schema is version %d, this program knows %d: %w", stored, known, store.ErrNewerVersion)
	}
	if stored == known {
		return nil, nil
	}
	applied, err := provider.Up(ctx)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		applied = partial.Applied
	}
	if err != nil {
		return applied, fmt.Errorf("bringing its schema from version %d to %d: %w", stored, known, err)
	}
	return applied, nil
}
