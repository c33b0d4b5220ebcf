package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/blob/cached"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/secret"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/postgres"
	"github.com/crownsafe/api/internal/store/sqlite"
)

// Store is everything that the program keeps: what agencies say, and who people
// are.
type Store interface {
	store.Store
	account.Store
}

// observedStore is both halves of a store, each under observation.
type observedStore struct {
	store.Store
	people
}

type people = account.Store // two fields can't both be called Store

// Identity implements store.Identified.
func (s observedStore) Identity(ctx context.Context) (string, error) {
	return store.IdentityOf(ctx, s.Store)
}

// observeStore returns the store with an observation around each operation.
func observeStore(st Store, observe store.Observation) Store {
	return observedStore{store.Observe(st, observe), account.Observe(st, account.Observation(observe))}
}

// OpenStore opens the store that the settings name: PostgreSQL, which is not asked
// yet and needn't be there, or the SQLite file in the data directory, whose schema
// is brought up to date.
func OpenStore(ctx context.Context, cfg config.Config) (Store, error) {
	return connectStore(ctx, cfg, nil)
}

// connectStore is OpenStore that is seen; nil: nobody looks.
func connectStore(ctx context.Context, cfg config.Config, seen *seen) (Store, error) {
	if cfg.DatabaseURL == "" {
		st, err := sqlite.Open(ctx, filepath.Join(cfg.Data, "crownsafe.db"), sqlite.Options{})
		if err != nil {
			return nil, fmt.Errorf("opening the data directory %s: %w", cfg.Data, err)
		}
		return st, nil
	}
	options := postgresOptions(cfg)
	if seen != nil {
		options.Spans, options.Handshake = seen.provider(), seenBy(seen.metrics, "database")
	}
	st, err := postgres.Open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL cannot be used: %w", err)
	}
	return st, nil
}

// databaseBackend names the kind of database that the settings name.
func databaseBackend(cfg config.Config) string {
	if cfg.DatabaseURL == "" {
		return "sqlite"
	}
	return "postgres"
}

// databaseSystem names it as OpenTelemetry does, in db.system.name.
func databaseSystem(cfg config.Config) string {
	if cfg.DatabaseURL == "" {
		return "sqlite"
	}
	return "postgresql"
}

func postgresOptions(cfg config.Config) postgres.Options {
	statements := cfg.Database.StatementCache
	if statements == 0 { // the adapter's 0 is its default
		statements = -1
	}
	return postgres.Options{
		URL: string(cfg.DatabaseURL), MaxConns: cfg.Database.PoolSize, Overflow: cfg.Database.PoolOverflow,
		MaxConnLifetime: cfg.Database.ConnLifetime, MaxConnIdleTime: cfg.Database.ConnIdle,
		AcquireTimeout: cfg.Database.AcquireTimeout, StatementCache: statements, Programs: cfg.Backups.Programs,
	}
}

// openCache makes the cache that the settings name: in the process, and in front
// of a Redis that is not asked yet and needn't be there.
func openCache(cfg config.Config, seen *seen) (*cache.Cache, error) {
	logger := seen.of("cache")
	near := memory.Open(memory.Options{Bytes: cfg.Cache.Bytes})
	if cfg.RedisURL == "" {
		return cache.New(near, nil, cache.Options{Logger: logger}), nil
	}
	far, err := redis.Open(redis.Options{URL: string(cfg.RedisURL), Prefix: cfg.Cache.RedisPrefix, CAFile: cfg.Cache.RedisCAFile,
		Handshake: seenBy(seen.metrics, "cache"), Tracer: seen.tracer()})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("REDIS_URL cannot be used: %w", err), near.Close())
	}
	return cache.New(near, far, cache.Options{Timeout: cfg.Cache.RedisTimeout, Logger: logger}), nil
}

// remoteBlobs says whether objects are kept elsewhere than in the data directory.
func remoteBlobs(cfg config.Config) bool {
	return cfg.AzureStorage != "" || cfg.Storage.AccountURL != ""
}

// backendOf names what keeps the objects.
func backendOf(cfg config.Config) string {
	if remoteBlobs(cfg) {
		return "azure"
	}
	return "disk"
}

// blobsPath is where objects in the data directory are handed out by signed
// addresses.
const blobsPath = "/blobs"

// objects is the store of objects as the program uses it.
type objects struct {
	blob.Store
	guard  *blob.Guarded
	signed http.Handler // answers signed addresses; nil: somebody else does
	origin string       // of signed addresses that somebody else answers; else empty
	// publicAccess asks what anybody may read; nil: nobody else hands objects out.
	publicAccess func(context.Context) (string, error)
	close        func() error
}

// openObjects opens the store of objects that the settings name: an account of
// Azure Blob Storage, which is not asked yet and needn't be there, or a folder in
// the data directory. What failing costs is bounded for both.
func openObjects(cfg config.Config, keys *secret.Keyring, remembered *cache.Cache, seen *seen) (objects, error) {
	bounds := blob.GuardOptions{InFlight: cfg.Storage.Operations, AcquireTimeout: cfg.Storage.AcquireTimeout,
		Observe: observeObjects(seen.metrics), Logger: seen.of("blob"), Tracer: seen.tracer()}
	if !remoteBlobs(cfg) {
		signing := func() [][]byte { return keys.All(secret.SignedObjects) }
		folder, err := disk.OpenWith(filepath.Join(cfg.Data, "blobs"), disk.Options{Keys: signing, BaseURL: publicURL(cfg) + blobsPath})
		if err != nil {
			return objects{}, fmt.Errorf("opening the store of objects: %w", err)
		}
		bounds.Backend = backendOf(cfg)
		guard := blob.Guard(folder, bounds)
		return objects{Store: guard, guard: guard, signed: http.StripPrefix(blobsPath, folder.Handler()), close: folder.Close}, nil
	}
	account, err := azure.Open(azure.Options{
		ConnectionString: string(cfg.AzureStorage), AccountURL: cfg.Storage.AccountURL, Container: cfg.Storage.Container,
		Handshake: seenBy(seen.metrics, "storage"),
	})
	if err != nil {
		variable := "AZURE_STORAGE_CONNECTION_STRING"
		if cfg.AzureStorage == "" {
			variable = "CROWNSAFE_AZURE_ACCOUNT_URL"
		}
		return objects{}, fmt.Errorf("%s cannot be used: %w", variable, err)
	}
	bounds.Backend = backendOf(cfg)
	guard := blob.Guard(account, bounds)
	known := cached.New(guard, remembered, cached.Options{Namespace: account.Address()})
	return objects{Store: known, guard: guard, origin: account.Origin(), publicAccess: account.PublicAccess, close: account.Close}, nil
}

// publicURL is where clients reach the service, without a slash at its end.
func publicURL(cfg config.Config) string {
	if cfg.PublicURL == "" {
		return fmt.Sprintf("http://localhost:%d", cfg.Port)
	}
	return strings.TrimRight(cfg.PublicURL, "/")
}
