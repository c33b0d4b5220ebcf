package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/backup"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/secaudit"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/postgres"
	"github.com/crownsafe/api/internal/store/sqlite"
	"github.com/crownsafe/api/internal/telemetry"
)

// databaseFile is the store in a data directory.
func databaseFile(cfg config.Config) string { return filepath.Join(cfg.Data, "crownsafe.db") }

// ErrNoStore says that there is no store yet that could be backed up.
var ErrNoStore = errors.New("there is no store to back up")

// openBackups readies the backups of a store that is open.
func (a *App) openBackups(st Store) error {
	source, ok := st.(backup.Source)
	if !ok {
		return nil // a test's store
	}
	keeper, err := newKeeper(a.Config, a.seen.of("backup"), a.Version, a.Runner.Holder)
	if err != nil {
		return err
	}
	keeper.Source = func(context.Context) (backup.Source, func() error, error) {
		return source, func() error { return nil }, nil
	}
	a.Backups = keeper
	return nil
}

// closeBackups lets go of where backups are kept.
func (a *App) closeBackups() error {
	if a.Backups == nil {
		return nil
	}
	objects, ok := a.Backups.Objects.(io.Closer)
	if !ok {
		return nil
	}
	return objects.Close()
}

// OpenBackups readies the backups of the store that the settings name, which needn't
// be there: it is opened when something is to be done with it.
func OpenBackups(cfg config.Config, logger *slog.Logger, version string) (*backup.Keeper, error) {
	keeper, err := newKeeper(cfg, logger, version, holder())
	if err != nil {
		return nil, err
	}
	keeper.Source = func(ctx context.Context) (backup.Source, func() error, error) {
		if _, err := os.Stat(databaseFile(cfg)); cfg.DatabaseURL == "" && errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%w: %s is missing; name the folder with --data", ErrNoStore, databaseFile(cfg))
		}
		st, err := OpenStore(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		source, ok := st.(backup.Source)
		if !ok {
			return nil, nil, errors.Join(fmt.Errorf("a store of %T", st), st.Close())
		}
		return source, st.Close, nil
	}
	return keeper, nil
}

// newKeeper makes everything but the way to the store.
func newKeeper(cfg config.Config, logger *slog.Logger, version, holder string) (*backup.Keeper, error) {
	keeper := &backup.Keeper{Program: version, Holder: holder, Now: time.Now, Logger: logger}
	var err error
	if keeper.Recipients, err = backup.ParseRecipients(cfg.Backups.Recipient); err != nil {
		return nil, fmt.Errorf("CROWNSAFE_BACKUP_RECIPIENT cannot be used: %w", err)
	}
	if keeper.Identities, err = backup.ReadIdentities(cfg.Backups.Identity); err != nil {
		return nil, fmt.Errorf("CROWNSAFE_BACKUP_IDENTITY cannot be used: %w", err)
	}
	if keeper.Objects, err = openBackupObjects(cfg); err != nil {
		return nil, err
	}
	keeper.Target = func(ctx context.Context) (store.Restoration, error) {
		if cfg.DatabaseURL == "" {
			return sqlite.OpenRestoration(databaseFile(cfg))
		}
		return postgres.OpenRestoration(ctx, backupOptions(cfg))
	}
	keeper.Scratch = func(ctx context.Context) (backup.Scratch, error) {
		if cfg.DatabaseURL == "" {
			return fileScratch(cfg)
		}
		return serverScratch(ctx, cfg)
	}
	return keeper, nil
}

// openBackupObjects opens where backups are kept: a container of their own, or a
// folder beside that of the objects.
func openBackupObjects(cfg config.Config) (blob.Store, error) {
	if !remoteBlobs(cfg) {
		folder := cfg.Backups.Folder
		if folder == "" {
			folder = filepath.Join(cfg.Data, "backups")
		}
		if err := os.MkdirAll(folder, 0o700); err != nil { // password hashes are in there
			return nil, fmt.Errorf("making the folder of backups: %w", err)
		}
		objects, err := disk.Open(folder)
		if err != nil {
			return nil, fmt.Errorf("opening the folder of backups: %w", err)
		}
		return objects, nil
	}
	const block = 8 << 20 // of which a blob may have 50,000
	objects, err := azure.Open(azure.Options{
		ConnectionString: string(cfg.AzureStorage), AccountURL: cfg.Storage.AccountURL, Container: cfg.Backups.Container, BlockSize: block,
	})
	if err != nil {
		return nil, fmt.Errorf("CROWNSAFE_BACKUP_CONTAINER cannot be used: %w", err)
	}
	return objects, nil
}

// backupOptions are those of a server that lets backups take the time that they need.
func backupOptions(cfg config.Config) postgres.Options {
	options := postgresOptions(cfg)
	options.MaxConns, options.Overflow = 2, 0
	return options
}

// scratchFolders are the folders in the data directory in which backups are verified.
const scratchFolders = ".verify-*"

// abandonedAfter is how long nothing has changed in such a folder when it is one that a
// process which was killed has left.
const abandonedAfter = 6 * time.Hour

// removeAbandoned removes what killed processes have left. What can't be removed stays
// until the next time.
func removeAbandoned(data string, now time.Time) {
	folders, err := filepath.Glob(filepath.Join(data, scratchFolders))
	if err != nil { // a data directory with a [ in its name
		return
	}
	for _, folder := range folders {
		used := false
		_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // it is gone
			}
			if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) < abandonedAfter {
				used = true
			}
			return nil
		})
		if !used {
			_ = os.RemoveAll(folder)
		}
	}
}

// fileScratch verifies in a file in the data directory, where there is room for the
// store.
func fileScratch(cfg config.Config) (backup.Scratch, error) {
	removeAbandoned(cfg.Data, time.Now())
	folder, err := os.MkdirTemp(cfg.Data, scratchFolders)
	if err != nil {
		return backup.Scratch{}, fmt.Errorf("making a folder to verify in: %w", err)
	}
	path := filepath.Join(folder, "crownsafe.db")
	restoration, err := sqlite.OpenRestoration(path)
	if err != nil {
		return backup.Scratch{}, errors.Join(err, os.RemoveAll(folder))
	}
	return backup.Scratch{
		Restoration: restoration,
		SelfCheck: func(ctx context.Context) error {
			st, err := sqlite.Open(ctx, path, sqlite.Options{})
			if err != nil {
				return err
			}
			return errors.Join(selfCheck(ctx, st), st.Close())
		},
		Remove: func(context.Context) error { return os.RemoveAll(folder) },
	}, nil
}

// serverScratch verifies in a database that is made for it.
func serverScratch(ctx context.Context, cfg config.Config) (backup.Scratch, error) {
	options := backupOptions(cfg)
	if cfg.Backups.ScratchURL != "" {
		options.URL = string(cfg.Backups.ScratchURL)
	}
	there, drop, err := postgres.Scratch(ctx, options)
	if err != nil {
		return backup.Scratch{}, fmt.Errorf("%w; a role that may make databases can be named with CROWNSAFE_BACKUP_SCRATCH_URL", err)
	}
	restoration, err := postgres.OpenRestoration(ctx, there)
	if err != nil {
		return backup.Scratch{}, errors.Join(err, drop(context.WithoutCancel(ctx)))
	}
	return backup.Scratch{
		Restoration: restoration,
		SelfCheck: func(ctx context.Context) error {
			st, err := postgres.Open(ctx, there)
			if err != nil {
				return err
			}
			return errors.Join(selfCheck(ctx, st), st.Close())
		},
		Remove: drop,
	}, nil
}

// selfCheck does with a store what a start does: it brings the schema up to date and
// reads every notice, as for the catalogue; and it follows the audit log's chain.
func selfCheck(ctx context.Context, st Store) error {
	if _, err := st.MigrateUp(ctx); err != nil {
		return err
	}
	if err := st.Changes(ctx, 0, 0, func(store.Stored) error { return nil }); err != nil {
		return fmt.Errorf("reading every notice: %w", err)
	}
	if _, err := account.Verify(ctx, st, account.Head{}); err != nil {
		return fmt.Errorf("following the audit log: %w", err)
	}
	return nil
}

// Retention is how long the settings keep backups.
func Retention(cfg config.Config) backup.Retention {
	return backup.Retention{For: cfg.Backups.Keep, Increments: cfg.Backups.KeepIncrements, AtLeastFull: cfg.Backups.KeepFull}
}

// boundChangesAt is how large the record of changes may become while no backup is
// made: some hundred thousand changes of each kind of row. From there on the next
// backup has to be a full one.
const boundChangesAt = 256 << 20

// keepBackups watches the backups until ctx ends, makes them where there is a
// schedule, and sees to it that the record of changes doesn't grow for ever.
func (a *App) keepBackups(ctx context.Context) {
	if a.Backups == nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { a.Backups.Watch(ctx) })
	wg.Go(func() { a.keepChangesBounded(ctx) })
	if at, ok := a.Config.Backups.At(); ok {
		b := &a.Config.Backups
		wg.Go(func() {
			a.Backups.Run(ctx, backup.Schedule{At: at, Every: b.Every, VerifyEvery: b.VerifyEvery, Retention: Retention(a.Config)})
		})
	}
}

func (a *App) keepChangesBounded(ctx context.Context) {
	for {
		source, done, err := a.Backups.Source(ctx)
		if err == nil {
			var ended bool
			ended, err = source.BoundChanges(ctx, boundChangesAt)
			err = errors.Join(err, done())
			if ended {
				a.Logger.Warn("so much has changed since the last backup that its record was let go; the next backup must be a full one")
			}
		}
		if err != nil && ctx.Err() == nil && !passing(err) {
			a.Logger.Warn("the record of what changes can't be looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery + rand.N(sweepEvery/10)):
		}
	}
}

// backupState is what metrics tell of backups; nil: there never were any.
func (a *App) backupState() *telemetry.Backups {
	if a.Backups == nil {
		return nil
	}
	s := a.Backups.Status()
	if s.Newest == nil && s.Failures == 0 {
		return nil
	}
	told := &telemetry.Backups{AgeSeconds: telemetry.Unknown(), Unrestorable: s.Unrestorable != nil, Failures: s.Failures}
	if s.Newest != nil {
		told.Bytes, told.Seconds = s.Newest.Size, s.Newest.Seconds
	}
	if s.Verified != nil {
		told.AgeSeconds = time.Since(s.Verified.StartedAt).Seconds()
	}
	return told
}

// backupFacts are what the audit judges of backups.
func (a *App) backupFacts() secaudit.Backup {
	if a.Backups == nil {
		return secaudit.Backup{}
	}
	f := secaudit.Backup{Encrypted: len(a.Backups.Recipients) > 0}
	s := a.Backups.Status()
	if s.Newest != nil {
		f.LastAt = s.Newest.StartedAt
	}
	if bad := s.Unrestorable; bad != nil {
		f.Unrestorable = bad.Name + " has a fault that its list shows"
		if bad.Verified != nil {
			f.Unrestorable = bad.Name + " was tried"
		}
	}
	return f
}
