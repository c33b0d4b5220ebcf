// Package backup makes backups of the store, keeps them as objects, finds out whether
// they can be restored, restores them, and removes those that are past their time.
//
// A backup is an object of SQL text under gzip, and under age where there is a
// recipient: a full one makes an equal store in an empty database by the database's
// own shell, an incremental one brings the state of its predecessor to its own. Beside
// it stands its manifest, which is written last: what has none was never finished, and
// counts as nothing. A manifest has the hash of its predecessor's, and so of the whole
// chain down to a full backup.
//
// It knows the ports of the store and of objects; it knows nothing of what the rows
// mean, of PostgreSQL, SQLite or Azure.
package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// Errors, tested with errors.Is.
var (
	// ErrNone says that there is no backup, or none of that name.
	ErrNone = errors.New("there is no such backup")
	// ErrBusy says that a backup is being made or removed by somebody else.
	ErrBusy = errors.New("another process is at work on the backups")
	// ErrDamaged says that a backup isn't what was written.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrLocked says that a backup is encrypted to somebody else.
	ErrLocked = errors.New("the backup is encrypted, and none of the identities opens it")
	// ErrOccupied says that there is a store where a backup was to be restored.
	ErrOccupied = errors.New("there is a store already that holds something")
)

// Kind is full or incremental.
type Kind string

// The kinds.
const (
	Full        Kind = "full"
	Incremental Kind = "incremental"
)

// Source is a store that is backed up.
type Source interface {
	store.Backups
	store.Leases
}

// Scratch is a place to restore into only to see whether it can be done.
type Scratch struct {
	store.Restoration
	// SelfCheck has the program look at what was restored, as it would at a start; it
	// is called after Finish.
	SelfCheck func(ctx context.Context) error
	// Remove clears it all away.
	Remove func(ctx context.Context) error
}

// Keeper makes and keeps the backups of one store.
type Keeper struct {
	Objects blob.Store // of backups alone
	// Source opens the store that is backed up, which a restoration may have to do
	// without; the function that it returns closes it.
	Source func(ctx context.Context) (Source, func() error, error)
	// Target opens the place of that store for a restoration.
	Target func(ctx context.Context) (store.Restoration, error)
	// Scratch makes a place to verify in.
	Scratch func(ctx context.Context) (Scratch, error)

	Recipients []age.Recipient // who may read what is written; none: everybody
	Identities []age.Identity  // what is shown to read what was written
	Program    string          // the version that stands in manifests
	Holder     string          // this process, among all that share the store
	Now        func() time.Time
	Logger     *slog.Logger

	status statusBoard
	known  manifests
}

// Progress tells how far something is: so many of so many bytes of stored backups,
// or, where Of is 0, bytes of text that were written.
type Progress struct {
	Step     string
	Done, Of int64
}

// The lease lets one process at a time work on the backups of a store.
const (
	leaseName  = "backup"
	leaseLasts = 2 * time.Minute
	leaseEvery = 30 * time.Second
)

// alone does something while nobody else makes or removes backups.
func (k *Keeper) alone(ctx context.Context, source Source, do func(context.Context) error) error {
	return k.holding(ctx, source, leaseName, do)
}

// holding does something while this process has a lease, whose loss ends its context.
func (k *Keeper) holding(ctx context.Context, source Source, lease string, do func(context.Context) error) error {
	mine, err := source.Lease(ctx, lease, k.Holder, leaseLasts)
	if err != nil {
		return err
	}
	if !mine {
		return ErrBusy
	}
	defer source.Release(context.WithoutCancel(ctx), lease, k.Holder) //nolint:errcheck // it ends by itself
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renewing := make(chan struct{})
	defer func() { cancel(nil); <-renewing }()
	go func() {
		defer close(renewing)
		k.renew(ctx, source, lease, cancel)
	}()
	err = do(ctx)
	if lost := context.Cause(ctx); err != nil && errors.Is(lost, ErrBusy) {
		return lost
	}
	return err
}

func (k *Keeper) renew(ctx context.Context, source Source, lease string, lose context.CancelCauseFunc) {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A store that doesn't answer takes no lease from anybody else either.
		if mine, err := source.Lease(ctx, lease, k.Holder, leaseLasts); err == nil && !mine {
			lose(fmt.Errorf("the lease was lost: %w", ErrBusy))
			return
		}
	}
}

// The parts of names.
const (
	prefix         = "crownsafe_backup_"
	stamp          = "20060102_150405"
	manifestEnd    = ".manifest.json"
	verifiedEnd    = ".verification.json"
	textEnd        = ".sql.gz"
	encryptedEnd   = ".age"
	contentType    = "application/gzip"
	encryptedType  = "application/octet-stream"
	manifestType   = "application/json"
	manifestLayout = 1
)

// nameOf returns the name of a backup of a second.
func nameOf(kind Kind, at time.Time) string {
	return prefix + string(kind) + "_" + at.UTC().Format(stamp)
}

// timeOf reads the second that a name is of.
func timeOf(name string) (time.Time, bool) {
	_, rest, ok := strings.Cut(strings.TrimPrefix(name, prefix), "_")
	at, err := time.Parse(stamp, rest)
	return at, ok && err == nil
}

// bareName takes from an object's key what isn't the backup's name.
func bareName(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return name
}
