package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

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
	Tracer trace.Tracer // nil: no spans

	mu   sync.Mutex
	told map[string]bool // files that the log has as waiting for too long
}

// tooLong is how long nothing waits unless somebody is to look after it, and how
// long nobody writes a file.
const tooLong = 24 * time.Hour

// keptRecord is what a file holds.
type keptRecord struct {
	store.ArchivedPayload
	Cause string `json:",omitempty"` // the span that it was kept in, as a traceparent
}

// Add keeps a record. It survives a crash once Add has returned.
func (d *Deferred) Add(ctx context.Context, p store.ArchivedPayload) error {
	record, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("keeping the record of %s: %w", p.Key, err)
	}
	content, err := json.Marshal(keptRecord{p, causeOf(ctx)})
	if err != nil {
		return fmt.Errorf("keeping the record of %s: %w", p.Key, err)
	}
	if err := d.write(record, content); err != nil {
		return fmt.Errorf("keeping the record of %s: %w", p.Key, blob.FromSystem(err))
	}
	return nil
}

// parts are the names of files that aren't whole yet.
const parts = ".part-*"

// write writes a file whole or not at all, named after its record, so that the same
// record is kept once.
func (d *Deferred) write(record, content []byte) error {
	if err := os.MkdirAll(d.Folder, 0o750); err != nil {
		return err
	}
	part, err := os.CreateTemp(d.Folder, parts)
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) //nolint:errcheck // it has its own name by then
	_, err = part.Write(content)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	sum := sha256.Sum256(record)
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
// archive or the store doesn't answer. A record that waits for more than a day is
// told of in the log, once. Several processes may settle one folder.
func (d *Deferred) Settle(ctx context.Context) error {
	d.removeParts()
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
		d.tellOfOld(file, err)
	}
	return errors.Join(failed...)
}

// removeParts removes what processes that were killed left half written.
func (d *Deferred) removeParts() {
	left, _ := filepath.Glob(filepath.Join(d.Folder, parts)) // the pattern is a good one
	for _, part := range left {
		if waiting(part) > tooLong {
			_ = os.Remove(part) // what stays does no harm
		}
	}
}

// waiting is how long a file has been there; 0 for one that is gone.
func waiting(file string) time.Duration {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return time.Since(info.ModTime())
}

// tellOfOld logs a record that still waits after a long time.
func (d *Deferred) tellOfOld(file string, failure error) {
	age := waiting(file)
	if age <= tooLong {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told[file] {
		return
	}
	if d.told == nil {
		d.told = map[string]bool{}
	}
	d.told[file] = true
	reason := "the payload isn't in the archive; its upload may have failed"
	if failure != nil {
		reason = failure.Error()
	}
	d.Logger.Error("the record of a payload waits for too long", "file", file, "for", age.Round(time.Hour).String(), "reason", reason)
}

// unlessGone is an error of a file, unless it is that another process has settled
// it meanwhile.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *Deferred) settle(ctx context.Context, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return unlessGone(err)
	}
	var p keptRecord
	if err := json.Unmarshal(content, &p); err != nil {
		d.Logger.Error("a kept record of a payload can't be read, and is put aside", "file", file+".damaged", "error", err)
		return unlessGone(os.Rename(file, file+".damaged"))
	}
	switch _, err := d.Blobs.Head(ctx, p.Key); {
	case errors.Is(err, blob.ErrNotFound):
		return nil // it still waits
	case err != nil:
		return err
	}
	ctx, span := d.span(ctx, p.Cause)
	err = d.Store.RecordPayload(ctx, p.ArchivedPayload)
	endSpan(span, err)
	if err != nil {
		return err
	}
	return unlessGone(os.Remove(file))
}
