package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// ErrNone says that there is no snapshot that could be used.
var ErrNone = errors.New("there is no snapshot of the catalogue")

const (
	// listTimeout bounds the wait for the objects' list at a start, when they may
	// be down as the database is.
	listTimeout = 10 * time.Second
	// fetchTimeout bounds the fetching of one object.
	fetchTimeout = 2 * time.Minute
)

// Restore makes the catalogue and the sources' board of the newest snapshot that
// is whole, in the folder or among the objects, and returns its header. What
// can't be used is logged with the reason, and the next older one is tried.
// Where the folder was used before, the snapshots of the store that it was last
// used with come first, however old: the others may be of another deployment
// that keeps its objects in the same place. ErrNone when none can be used.
func (k *Keeper) Restore(ctx context.Context) (Header, error) {
	list, err := k.files()
	if err != nil {
		k.Logger.Warn("the folder's snapshots can't be listed", "error", err)
	}
	list = append(list, k.listed(ctx)...)
	newestFirst(list)
	own, err := k.lastStore()
	if err != nil {
		k.Logger.Warn("it can't be told which store the folder was last used with", "error", err)
	}
	if own != "" {
		ownFirst(list, lineOf(own))
	}
	for _, e := range list {
		header, err := k.restoreEntry(ctx, e)
		switch {
		case err == nil:
			if own != "" && header.Store != own {
				k.Logger.Warn("the snapshot is of another store than the folder was last used with", "store", header.Store, "last_used_with", own)
			}
			return header, nil
		case ctx.Err() != nil:
			return Header{}, fmt.Errorf("restoring the catalogue: %w", ctx.Err())
		}
		k.Logger.Warn("a snapshot of the catalogue can't be used", "name", e.name, "serial", e.serial, "object", e.object, "error", err)
	}
	return Header{}, ErrNone
}

// listed lists the objects as far as they can be asked.
func (k *Keeper) listed(ctx context.Context) []entry {
	if k.Blobs == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := k.objects(ctx)
	if err != nil {
		k.Logger.Warn("the snapshots among the objects can't be listed", "error", err)
	}
	return list
}

func (k *Keeper) restoreEntry(ctx context.Context, e entry) (Header, error) {
	if e.object {
		if err := k.fetch(ctx, e); err != nil {
			return Header{}, err
		}
	}
	return k.restoreFile(ctx, e.name)
}

func (k *Keeper) restoreFile(ctx context.Context, name string) (Header, error) {
	file, err := os.Open(k.path(name))
	if err != nil {
		return Header{}, fmt.Errorf("opening it: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Header{}, fmt.Errorf("asking for its size: %w", err)
	}
	s, err := open(file, info.Size())
	if err != nil {
		return Header{}, err
	}
	if err := s.restore(ctx, k.Catalogue); err != nil {
		return Header{}, err
	}
	k.Sources.Restore(s.Sources)
	return s.Header, nil
}

// fetch brings an object into the folder. It takes a file's place only when it is
// whole, with the time at which it was written for its own.
func (k *Keeper) fetch(ctx context.Context, e entry) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if err := os.MkdirAll(k.Folder, 0o750); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	content, _, err := k.Blobs.Get(ctx, prefix+e.name)
	if err != nil {
		return fmt.Errorf("opening the object: %w", err)
	}
	defer content.Close()
	return k.place(e.name, func(file *os.File) error {
		size, err := io.Copy(file, content)
		if err != nil {
			return fmt.Errorf("fetching the object: %w", err)
		}
		s, err := open(file, size)
		if err != nil {
			return err
		}
		return os.Chtimes(file.Name(), time.Time{}, s.WrittenAt)
	})
}
