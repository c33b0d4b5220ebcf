package exports_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/exports"
	"github.com/crownsafe/api/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silent = slog.New(slog.DiscardHandler)

// shelf is a keeper over a folder, with what a test needs to look behind it.
type shelf struct {
	*exports.Keeper
	store   blob.Store
	folder  string // of the objects
	spool   string
	uploads *blob.Uploads
}

func newShelf(t *testing.T, options blob.UploadOptions) *shelf {
	t.Helper()
	folder := t.TempDir()
	store, err := disk.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return over(t, store, folder, options)
}

func over(t *testing.T, store blob.Store, folder string, options blob.UploadOptions) *shelf {
	t.Helper()
	options.Spool = t.TempDir()
	uploads, err := blob.NewUploads(store, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := uploads.Drain(ctx); err != nil {
			t.Error(err)
		}
	})
	return &shelf{exports.New(store, func() *blob.Uploads { return uploads }, silent), store, folder, options.Spool, uploads}
}

func writing(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

// keep keeps a text and waits until it is there.
func (s *shelf) keep(t *testing.T, name, text string) {
	t.Helper()
	s.copy(t, name, text)
	testenv.Eventually(t, 20*time.Second, name+" is kept", func() bool { _, ok := s.Size(t.Context(), name); return ok })
}

func (s *shelf) copy(t *testing.T, name, text string) {
	t.Helper()
	var out bytes.Buffer
	if err := s.Keep(name, &out, writing(text)); err != nil || out.String() != text {
		t.Fatalf("Keep: %q, %v", out.String(), err)
	}
}

func (s *shelf) read(t *testing.T, name string) (text string, size int64, err error) {
	t.Helper()
	content, size, ok := s.Open(t.Context(), name)
	if !ok {
		t.Fatalf("%s isn't kept", name)
	}
	defer content.Close()
	all, err := io.ReadAll(content)
	return string(all), size, err
}

func TestAnExportIsKept(t *testing.T) {
	t.Parallel()
	connection, container := testenv.Azure(t)
	account, err := azure.Open(azure.Options{ConnectionString: connection, Container: container})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { account.Close() })
	for name, s := range map[string]*shelf{
		"folder":  newShelf(t, blob.UploadOptions{}),
		"account": over(t, account, "", blob.UploadOptions{}),
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat("a notice\n", 50_000)
			if _, ok := s.Size(t.Context(), "recalls-1-ab.gz"); ok {
				t.Error("it is there before it was made")
			}
			if _, _, ok := s.Open(t.Context(), "recalls-1-ab.gz"); ok {
				t.Error("it can be opened before it was made")
			}
			s.keep(t, "recalls-1-ab.gz", text)
			got, size, err := s.read(t, "recalls-1-ab.gz")
			if got != text || size != int64(len(text)) || err != nil {
				t.Errorf("read %d of %d bytes, %v", len(got), size, err)
			}
			info, err := s.store.Head(t.Context(), "exports/recalls-1-ab.gz")
			if err != nil || info.ContentType != "application/gzip" {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
}

// nothingIsLeft holds when neither an object nor a file of one is there.
func (s *shelf) nothingIsLeft(t *testing.T) {
	t.Helper()
	list, err := s.store.List(t.Context(), "", "", 0)
	if err != nil || len(list) != 0 {
		t.Errorf("kept: %+v, %v", list, err)
	}
	files, err := filepath.Glob(filepath.Join(s.spool, "[^.]*"))
	if err != nil || len(files) != 0 {
		t.Errorf("left in the spool: %v, %v", files, err)
	}
	if stats := s.uploads.Stats(); stats.Queued != 0 || stats.Bytes != 0 {
		t.Errorf("room is taken: %+v", stats)
	}
}

func TestHalfAnExportIsNotKept(t *testing.T) {
	t.Parallel()
	s := newShelf(t, blob.UploadOptions{})
	gone := errors.New("the client is gone")
	err := s.Keep("recalls-1-ab.gz", io.Discard, func(w io.Writer) error {
		if err := writing(strings.Repeat("half", 100_000))(w); err != nil {
			return err
		}
		return gone
	})
	if err != gone { //nolint:errorlint // the very one
		t.Errorf("Keep: %v", err)
	}
	s.nothingIsLeft(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_ = s.Keep("recalls-1-ab.gz", io.Discard, func(w io.Writer) error {
			_ = writing("half")(w)
			panic("in the middle")
		})
	}()
	s.nothingIsLeft(t)
	s.keep(t, "recalls-1-ab.gz", "whole") // the next client's
}

// brokenPipe is a client that is gone.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTheClientsErrorIsTold(t *testing.T) {
	t.Parallel()
	s := newShelf(t, blob.UploadOptions{})
	if err := s.Keep("recalls-1-ab.gz", brokenPipe{}, writing("text")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Keep: %v", err)
	}
	s.nothingIsLeft(t)
}

func TestTheClientIsServedWhateverBecomesOfTheCopy(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("a notice\n", 10_000)
	for name, keeper := range map[string]*exports.Keeper{
		"no room":    newShelf(t, blob.UploadOptions{MaxBytes: 1000}).Keeper,
		"no uploads": exports.New(newShelf(t, blob.UploadOptions{}).store, func() *blob.Uploads { return nil }, silent),
	} {
		var out bytes.Buffer
		if err := keeper.Keep("recalls-1-ab.gz", &out, writing(text)); err != nil || out.String() != text {
			t.Errorf("%s: %d bytes, %v", name, out.Len(), err)
		}
		if _, ok := keeper.Size(t.Context(), "recalls-1-ab.gz"); ok {
			t.Errorf("%s: something is kept", name)
		}
	}
}

func TestOfManyAtOnceOneIsCopied(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ended := 0
	s := newShelf(t, blob.UploadOptions{Finished: func(string, blob.Info, error) { mu.Lock(); defer mu.Unlock(); ended++ }})
	inside, proceed := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var out bytes.Buffer
			err := s.Keep("recalls-1-ab.gz", &out, func(w io.Writer) error {
				inside <- struct{}{}
				<-proceed
				return writing("text")(w)
			})
			if err != nil || out.String() != "text" {
				t.Errorf("%q, %v", out.String(), err)
			}
		})
	}
	for range 3 {
		<-inside
	}
	close(proceed)
	wg.Wait()
	testenv.Eventually(t, 20*time.Second, "all is uploaded", func() bool { return s.uploads.Stats().Queued == 0 })
	mu.Lock()
	defer mu.Unlock()
	if ended != 1 {
		t.Errorf("%d uploads, want 1", ended)
	}
}

func TestOldExportsAreRemoved(t *testing.T) {
	t.Parallel()
	s := newShelf(t, blob.UploadOptions{})
	if _, err := s.store.Put(t.Context(), "raw/us-cpsc/payload.gz", strings.NewReader("x"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range []string{"recalls-9-ab.gz", "recalls-10-ab.gz", "recalls-3-ab.gz", "recalls-4-ab.gz"} { // a backup was restored
		s.keep(t, name, "text of "+name)
		names = append(names, name)
		testenv.Eventually(t, 20*time.Second, "the others are removed", func() bool {
			list, err := s.store.List(t.Context(), "exports/", "", 0)
			return err == nil && len(list) <= 2
		})
	}
	for i, name := range names {
		if _, ok := s.Size(t.Context(), name); ok != (i >= 2) {
			t.Errorf("%s is kept: %t", name, ok)
		}
	}
	if _, err := s.store.Head(t.Context(), "raw/us-cpsc/payload.gz"); err != nil {
		t.Errorf("what is no export: %v", err)
	}
}

func TestADamagedExportIsRemoved(t *testing.T) {
	t.Parallel()
	s := newShelf(t, blob.UploadOptions{})
	text := strings.Repeat("a notice\n", 10_000)
	s.keep(t, "recalls-1-ab.gz", text)
	path := filepath.Join(s.folder, "exports", "recalls-1-ab.gz")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte("A"), 0); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, before.ModTime()); err != nil { // a failing disk doesn't change times
		t.Fatal(err)
	}
	if got, size, err := s.read(t, "recalls-1-ab.gz"); !errors.Is(err, blob.ErrDamaged) || int64(len(got)) >= size {
		t.Errorf("%d of %d bytes, %v", len(got), size, err)
	}
	if _, _, ok := s.Open(t.Context(), "recalls-1-ab.gz"); ok {
		t.Error("it is still there")
	}
	// No copy is begun until the first one's upload is known to have ended.
	testenv.Eventually(t, 20*time.Second, "it is kept anew", func() bool {
		s.copy(t, "recalls-1-ab.gz", text)
		_, ok := s.Size(t.Context(), "recalls-1-ab.gz")
		return ok
	})
}

// silentStore never answers.
type silentStore struct{ blob.Store }

func (silentStore) Get(ctx context.Context, _ string) (io.ReadCloser, blob.Info, error) {
	<-ctx.Done()
	return nil, blob.Info{}, ctx.Err()
}

func (silentStore) Head(ctx context.Context, _ string) (blob.Info, error) {
	<-ctx.Done()
	return blob.Info{}, ctx.Err()
}

func TestAStoreThatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		k := exports.New(silentStore{}, func() *blob.Uploads { return nil }, slog.New(slog.NewTextHandler(&log, nil)))
		started := time.Now()
		if _, _, ok := k.Open(t.Context(), "recalls-1-ab.gz"); ok {
			t.Error("opened")
		}
		if _, ok := k.Size(t.Context(), "recalls-1-ab.gz"); ok {
			t.Error("has a size")
		}
		if took := time.Since(started); took > 10*time.Second || strings.Count(log.String(), "deadline exceeded") != 2 {
			t.Errorf("after %s: %s", took, log.String())
		}
	})
}
