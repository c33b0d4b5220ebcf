package app

import (
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/testenv"
)

// TestUploadsOpenWhenTheServerBeforeHasEnded: a restart may overlap with the old
// process. Until that has let go of the uploads the new one answers without, and
// then it takes up what was left.
func TestUploadsOpenWhenTheServerBeforeHasEnded(t *testing.T) {
	t.Parallel()
	p := program(t, t.TempDir(), openStore(t))
	before, err := blob.NewUploads(p.Objects, blob.UploadOptions{Spool: filepath.Join(p.Config.Data, "uploads")})
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	p.eventually(t, "a server that answers", func() bool { return p.ready(t) })
	if p.uploads.Load() != nil {
		t.Error("two servers have the same uploads")
	}
	if err := before.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.eventually(t, "uploads", func() bool { return p.uploads.Load() != nil })
	upload, err := p.uploads.Load().Enqueue(t.Context(), "a", strings.NewReader("content"), blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := upload.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	p.stop()
	if !free(t, p) {
		t.Error("uploads that were opened late go on")
	}
}

// TestStopWhileUploadsCannotBeOpened: what never came into its own leaves nothing
// behind that opens later.
func TestStopWhileUploadsCannotBeOpened(t *testing.T) {
	t.Parallel()
	p := program(t, t.TempDir(), openStore(t))
	before, err := blob.NewUploads(p.Objects, blob.UploadOptions{Spool: filepath.Join(p.Config.Data, "uploads")})
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	p.stop()
	if err := before.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.uploads.Load() != nil || !free(t, p) {
		t.Error("uploads were opened after the stop")
	}
}

// TestAPayloadThatSomebodyRemovedIsArchivedAgain: whatever the cache remembers of
// it.
func TestAPayloadThatSomebodyRemovedIsArchivedAgain(t *testing.T) {
	t.Parallel()
	connection, container := testenv.Azure(t)
	cfg := config.Config{Data: t.TempDir(), AzureStorage: config.Secret(connection)}
	cfg.Storage.Container, cfg.Backups.Container = container, container+"-backups"
	a, err := build(cfg, logged(t, cfg, slog.New(slog.DiscardHandler)), "test", "here", openStore(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Photos.Close()
		if err := a.Cache.Close(); err != nil {
			t.Error(err)
		}
	})
	account, err := azure.Open(azure.Options{ConnectionString: connection, Container: container})
	if err != nil {
		t.Fatal(err)
	}
	archive := func() string {
		t.Helper()
		archived, err := a.Runner.Archive.PutRaw(t.Context(), "us-cpsc", strings.NewReader("a recall of lamps"))
		if err != nil {
			t.Fatal(err)
		}
		return archived.Key
	}
	key := archive()
	archive() // and now it is known to be there
	for name, asked := range map[string]blob.Store{"the service's store": a.Objects, "the records' store": a.Runner.Deferred.Blobs} {
		if _, err := asked.Head(t.Context(), key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := account.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Runner.Deferred.Blobs.Head(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("the record of a payload that is gone would be stored: %v", err)
	}
	archive()
	raw, err := a.Runner.Archive.OpenRaw(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if text, err := io.ReadAll(raw); err != nil || string(text) != "a recall of lamps" {
		t.Errorf("it reads %q, %v", text, err)
	}
}
