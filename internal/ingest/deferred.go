package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// Deferred keeps the records of payloads that wait to be archived, a file each in
// a folder, until they are: no record is ever stored of what isn't there.
type Deferred struct {
	Folder string
	Blobs  blob.Store
	Store  interface {
		RecordPayload(ctx context.Context, p store.ArchivedPayload) error
	}
	Logger *slog.Logger
}

// Add keeps a record. It survives a crash once Add has returned.
func (d *Deferred) Add(p store.ArchivedPayload) error {
	content, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("keeping the record of %s: %w", p.Key, err)
	}
	if err := d.write(content); err != nil {
		return fmt.Errorf("keeping the record of %s: %w", p.Key, blob.FromSystem(err))
	}
	return nil
}

// write writes a file whole or not at all, named after its content.
func (d *Deferred) write(content []byte) error {
	if err := os.MkdirAll(d.Folder, 0o750); err != nil {
		return err
	}
	part, err := os.CreateTemp(d.Folder, ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) //nolint:errcheck // it has its own name by then
	_, err = part.Write(content)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	if err := os.Rename(part.Name(), filepath.Join(d.Folder, hex.EncodeToString(sum[:])+".json")); err != nil {
		return err
	}
	folder, err := os.Open(d.Folder) // which has the name: without it a crash of the machine may lose that
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Settle stores the records of the payloads that are in the archive by now. What
// fails is tried again the next time, and holds up no other, unless it is that the
// archive or the store doesn't answer.
func (d *Deferred) Settle(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(d.Folder, "*.json"))
	if err != nil {
		return fmt.Errorf("looking for kept records of payloads: %w", err)
	}
	var failed []error
	for _, file := range files {
		err := d.settle(ctx, file)
		if err != nil {
			failed = append(failed, fmt.Errorf("settling the kept record %s: %w", filepath.Base(file), err))
		}
		if ctx.Err() != nil || errors.Is(err, blob.ErrUnavailable) || isOutage(err) {
			break
		}
	}
	return errors.Join(failed...)
}

func (d *Deferred) settle(ctx context.Context, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var p store.ArchivedPayload
	if err := json.Unmarshal(content, &p); err != nil {
		d.Logger.Error("a kept record of a payload can't be read, and is put aside", "file", file+".damaged", "error", err)
		return os.Rename(file, file+".damaged")
	}
	switch _, err := d.Blobs.Head(ctx, p.Key); {
	case errors.Is(err, blob.ErrNotFound):
		return nil // it still waits
	case err != nil:
		return err
	}
	if err := d.Store.RecordPayload(ctx, p); err != nil {
		return err
	}
	return os.Remove(file)
}
