package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/store"
)

// payloadRecords is the part of a store that keeps records of payloads.
type payloadRecords struct {
	kept []store.ArchivedPayload
	down error
}

func (r *payloadRecords) RecordPayload(_ context.Context, p store.ArchivedPayload) error {
	if r.down == nil {
		r.kept = append(r.kept, p)
	}
	return r.down
}

// TestDeferredRecords: the record of a payload is stored when the payload is in
// the archive and the store takes it, once, also by the process after.
func TestDeferredRecords(t *testing.T) {
	t.Parallel()
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, records := filepath.Join(t.TempDir(), "waiting"), &payloadRecords{}
	deferred := func() *ingest.Deferred {
		return &ingest.Deferred{Folder: folder, Blobs: blobs, Store: records, Logger: slog.New(slog.DiscardHandler)}
	}
	settle := func(want error, kept ...store.ArchivedPayload) {
		t.Helper()
		if err := deferred().Settle(t.Context()); !errors.Is(err, want) {
			t.Errorf("Settle: %v, want %v", err, want)
		}
		if diff := cmp.Diff(kept, records.kept); diff != "" {
			t.Error(diff)
		}
	}
	settle(nil) // there is no folder yet
	p := store.ArchivedPayload{Agency: "us-cpsc", Key: "raw/us-cpsc/ab/abc.gz", SourceURL: "https://example.org/?a=1", Format: "rest", Live: true, Size: 3, FetchedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	for range 2 {
		if err := deferred().Add(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	settle(nil) // it isn't in the archive yet
	if _, err := blobs.Put(t.Context(), p.Key, strings.NewReader("abc"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	records.down = store.ErrUnavailable
	settle(store.ErrUnavailable)
	records.down = nil
	settle(nil, p)
	settle(nil, p) // and not again

	if err := os.WriteFile(filepath.Join(folder, "x.json"), []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	settle(nil, p)
	if _, err := os.Stat(filepath.Join(folder, "x.json.damaged")); err != nil {
		t.Errorf("the damaged record is not put aside: %v", err)
	}
}

// TestRecordsThatWaitForTooLong: what needs somebody's care is told of, once, and
// what a killed process left half written goes.
func TestRecordsThatWaitForTooLong(t *testing.T) {
	t.Parallel()
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	folder := t.TempDir()
	d := &ingest.Deferred{Folder: folder, Blobs: blobs, Store: &payloadRecords{}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for _, key := range []string{"raw/us-cpsc/ab/abc.gz", "raw/us-cpsc/de/def.gz"} {
		if err := d.Add(t.Context(), store.ArchivedPayload{Agency: "us-cpsc", Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("kept: %q, %v", files, err)
	}
	young, old := filepath.Join(folder, ".part-1"), filepath.Join(folder, ".part-2")
	for _, part := range []string{young, old} {
		if err := os.WriteFile(part, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	longAgo := time.Now().Add(-25 * time.Hour)
	for _, file := range []string{files[0], old} {
		if err := os.Chtimes(file, longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := d.Settle(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if told := log.String(); strings.Count(told, "too long") != 1 || !strings.Contains(told, filepath.Base(files[0])) {
		t.Errorf("of %s the log says:\n%s", files[0], told)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a record of yesterday is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("half a record that may be being written: %v", err)
	}
}

// rival is another process that settles the same folder, always a moment earlier.
type rival struct {
	payloadRecords
	folder string
}

func (r *rival) RecordPayload(ctx context.Context, p store.ArchivedPayload) error {
	files, err := filepath.Glob(filepath.Join(r.folder, "*.json"))
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return errors.Join(err, r.payloadRecords.RecordPayload(ctx, p))
}

// TestTwoProcessesSettleOneFolder: what another process was faster with is no error.
func TestTwoProcessesSettleOneFolder(t *testing.T) {
	t.Parallel()
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	records := &rival{folder: t.TempDir()}
	d := &ingest.Deferred{Folder: records.folder, Blobs: blobs, Store: records, Logger: slog.New(slog.DiscardHandler)}
	for _, key := range []string{"raw/us-cpsc/ab/abc.gz", "raw/us-cpsc/de/def.gz"} {
		if _, err := blobs.Put(t.Context(), key, strings.NewReader("abc"), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := d.Add(t.Context(), store.ArchivedPayload{Agency: "us-cpsc", Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Settle(t.Context()); err != nil {
		t.Errorf("Settle: %v", err)
	}
	if len(records.kept) != 1 {
		t.Errorf("%d records are stored by this process, want the first", len(records.kept))
	}
}

// errRefused is what a store says that refuses one record for what it is.
var errRefused = errors.New("refused")

type picky struct{ payloadRecords }

func (r *picky) RecordPayload(ctx context.Context, p store.ArchivedPayload) error {
	if p.Format == "refused" {
		return errRefused
	}
	return r.payloadRecords.RecordPayload(ctx, p)
}

// TestARefusedRecordHoldsUpNoOther: of many records all are stored but those that
// can't be, whatever their order.
func TestARefusedRecordHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	records := &picky{}
	d := &ingest.Deferred{Folder: t.TempDir(), Blobs: blobs, Store: records, Logger: slog.New(slog.DiscardHandler)}
	if _, err := blobs.Put(t.Context(), "raw/us-cpsc/ab/abc.gz", strings.NewReader("abc"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	const good = 8
	for i := range 2 * good {
		p := store.ArchivedPayload{Agency: "us-cpsc", Key: "raw/us-cpsc/ab/abc.gz", SourceURL: strings.Repeat("x", i), Format: "rest"}
		if i%2 == 0 {
			p.Format = "refused"
		}
		if err := d.Add(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Settle(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("Settle: %v, want the refusal", err)
	}
	if len(records.kept) != good {
		t.Errorf("%d records are stored, want %d", len(records.kept), good)
	}
}
