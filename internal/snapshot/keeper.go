package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/source"
)

// Keeper keeps the snapshots of one catalogue. Its fields are set once, before
// first use. Several processes may keep theirs in one place.
type Keeper struct {
	Folder    string     // made when it is missing
	Blobs     blob.Store // where other processes find them too; nil: nowhere
	Catalogue *catalogue.Catalogue
	Sources   *source.Board
	Now       func() time.Time
	Logger    *slog.Logger
	Tracer    trace.Tracer // nil: no spans

	saving sync.Mutex
}

const (
	// prefix begins the keys of snapshots among the objects.
	prefix = "snapshots/"
	// partly is the pattern of files that are being written.
	partly = ".incoming-*"
	// leftover is the age from which on such a file is a killed process's.
	leftover = time.Hour
	// outdated is how far a snapshot of the present serial may lag behind what is
	// known before it is written again: the notices are the same, but the sources
	// were asked since, and it would pass for older than it is.
	outdated = time.Hour
	// firstSave is when a new process looks whether a snapshot is missing.
	firstSave = time.Minute
	// saveTimeout bounds one round, the way to the objects included.
	saveTimeout = 5 * time.Minute
)

// Run saves the catalogue every so often, until ctx ends. An error is logged once
// per streak; the next round tries again.
func (k *Keeper) Run(ctx context.Context, every time.Duration) {
	wait, failing := min(firstSave, every), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = every
		err := k.saveWithin(ctx, saveTimeout)
		if err != nil && !failing && ctx.Err() == nil {
			k.Logger.Error("the catalogue's snapshot could not be kept", "error", err)
		}
		failing = err != nil
	}
}

func (k *Keeper) saveWithin(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return k.Save(ctx)
}

// Save writes the catalogue to the folder and to the objects, where its serial
// isn't there yet; of several processes one writes an object. It does nothing
// while the catalogue is empty, or restored and not yet held against the store.
func (k *Keeper) Save(ctx context.Context) error {
	k.saving.Lock()
	defer k.saving.Unlock()
	snap := k.Catalogue.Current()
	if !snap.Loaded() || snap.Restored() {
		return nil
	}
	ctx, end := k.span(ctx, snap)
	err := k.save(ctx, snap)
	end(err)
	return err
}

func (k *Keeper) save(ctx context.Context, snap *catalogue.Snapshot) error {
	if err := k.saveFile(ctx, snap); err != nil {
		return fmt.Errorf("writing the snapshot of serial %d: %w", snap.Serial(), err)
	}
	if k.Blobs == nil {
		return nil
	}
	if err := k.saveObject(ctx, snap); err != nil {
		return fmt.Errorf("storing the snapshot of serial %d: %w", snap.Serial(), err)
	}
	return nil
}

// missing reports whether a list lacks a snapshot that is good for what is known.
func missing(list []entry, snap *catalogue.Snapshot) (absent, old bool) {
	name := nameOf(snap.Store(), snap.Serial())
	for _, e := range list {
		if e.name == name {
			return false, snap.FreshAt().Sub(e.modified) >= outdated
		}
	}
	return true, false
}

func (k *Keeper) presentOf(snap *catalogue.Snapshot) present {
	return present{line: lineOf(snap.Store()), serial: snap.Serial(), freshAt: snap.FreshAt(), now: k.Now()}
}

func (k *Keeper) saveFile(ctx context.Context, snap *catalogue.Snapshot) error {
	if err := os.MkdirAll(k.Folder, 0o750); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := k.noteStore(snap.Store()); err != nil {
		return err
	}
	list, err := k.files()
	if err != nil {
		return err
	}
	if absent, old := missing(list, snap); !absent && !old {
		return nil
	}
	name := nameOf(snap.Store(), snap.Serial())
	err = k.place(name, func(file *os.File) error { return write(ctx, file, snap, k.Sources.Known(), k.Now()) })
	if err != nil {
		return err
	}
	if list, err = k.files(); err != nil {
		return err
	}
	var failed []error
	for _, e := range superfluous(list, k.presentOf(snap)) {
		if err := os.Remove(k.path(e.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("removing an old one: %w", err))
		}
	}
	return errors.Join(failed...)
}

// place makes a file whole or not at all, so that it survives a crash of the
// machine.
func (k *Keeper) place(name string, fill func(*os.File) error) error {
	file, err := os.CreateTemp(k.Folder, partly)
	if err != nil {
		return fmt.Errorf("making a file: %w", blob.FromSystem(err))
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it is gone already where it was moved
	if err := fill(file); err != nil {
		return errors.Join(blob.FromSystem(err), file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing to the disk: %w", blob.FromSystem(err))
	}
	if err := os.Rename(file.Name(), k.path(name)); err != nil {
		return fmt.Errorf("moving it to its place: %w", err)
	}
	folder, err := os.Open(k.Folder)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("writing the folder to the disk: %w", err)
	}
	return nil
}

func (k *Keeper) path(name string) string { return filepath.Join(k.Folder, name) }

// files lists the folder's snapshots, and clears out what killed processes left.
func (k *Keeper) files() ([]entry, error) {
	found, err := os.ReadDir(k.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the folder: %w", err)
	}
	var list []entry
	for _, f := range found {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // gone meanwhile
		}
		if e, ok := entryOf(f.Name(), info.ModTime(), false); ok {
			list = append(list, e)
		}
		if part, err := filepath.Match(partly, f.Name()); err == nil && part && k.Now().Sub(info.ModTime()) > leftover {
			_ = os.Remove(k.path(f.Name())) // what stays does no harm
		}
	}
	return list, nil
}

func (k *Keeper) saveObject(ctx context.Context, snap *catalogue.Snapshot) error {
	list, err := k.objects(ctx)
	if err != nil {
		return err
	}
	absent, old := missing(list, snap)
	if absent || old {
		if err := k.upload(ctx, nameOf(snap.Store(), snap.Serial()), absent); err != nil {
			return err
		}
		if list, err = k.objects(ctx); err != nil {
			return err
		}
	}
	for _, e := range superfluous(list, k.presentOf(snap)) {
		if err := k.Blobs.Delete(ctx, prefix+e.name); err != nil {
			return fmt.Errorf("deleting an old one: %w", err)
		}
	}
	return nil
}

// upload stores the file as an object; another process's is as good.
func (k *Keeper) upload(ctx context.Context, name string, absent bool) error {
	file, err := os.Open(k.path(name))
	if err != nil {
		return fmt.Errorf("opening it: %w", err)
	}
	defer file.Close()
	_, err = k.Blobs.Put(ctx, prefix+name, file, blob.PutOptions{IfAbsent: absent, ContentType: "application/octet-stream"})
	if errors.Is(err, blob.ErrExists) {
		return nil
	}
	return err
}

// objects lists the snapshots among the objects.
func (k *Keeper) objects(ctx context.Context) ([]entry, error) {
	found, err := k.Blobs.List(ctx, prefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("listing the objects: %w", err)
	}
	var list []entry
	for _, info := range found {
		if e, ok := entryOf(strings.TrimPrefix(info.Key, prefix), info.ModifiedAt, true); ok {
			list = append(list, e)
		}
	}
	return list, nil
}
