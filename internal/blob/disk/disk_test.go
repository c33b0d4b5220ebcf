package disk

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/blobtest"
)

func openTemp(t *testing.T) (*Store, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "objects")
	s, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, folder
}

func put(t *testing.T, s *Store, key string) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, strings.NewReader("x"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Exercise(t, blobtest.Adapter{
		Open: func(t *testing.T) blob.Store { return serving(t, Options{}) },
		Damage: func(t *testing.T, s blob.Store, key string) {
			rewrite(t, filepath.Join(s.(*Store).root.Name(), key), func(content []byte) []byte {
				content[1] ^= 0x40
				return content
			})
		},
	})
}

// serving opens a store whose signed URLs are served.
func serving(t *testing.T, o Options) *Store {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	o.BaseURL = server.URL + "/some/blobs"
	o.Keys = only(bytes.Repeat([]byte("s"), minSecret))
	s, err := OpenWith(filepath.Join(t.TempDir(), "objects"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	handler = http.StripPrefix("/some/blobs", s.Handler())
	return s
}

// rewrite changes a file behind the store's back, as a failing disk does: its
// time and its mode stay.
func rewrite(t *testing.T, path string, change func(content []byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(content), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, before.Mode()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, before.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func TestKeyBelowKey(t *testing.T) {
	t.Parallel()
	s, _ := openTemp(t)
	put(t, s, "a/b")
	for _, key := range []string{"a", "a/b/c", "a/b/c/d"} {
		for _, opts := range []blob.PutOptions{{}, {IfAbsent: true}} {
			if _, err := s.Put(t.Context(), key, strings.NewReader("x"), opts); !errors.Is(err, blob.ErrBadKey) {
				t.Errorf("Put(%q, %+v): %v, want ErrBadKey", key, opts, err)
			}
		}
	}
}

// A link in the folder doesn't lead a key out of it.
func TestLinksOutOfTheFolder(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(t.Context(), "link/secret"); err == nil {
		t.Error("Get read a file outside the folder")
	}
	if _, err := s.Put(t.Context(), "link/new", strings.NewReader("x"), blob.PutOptions{}); err == nil {
		t.Error("Put wrote a file outside the folder")
	}
	if err := s.Delete(t.Context(), "link/secret"); err == nil {
		t.Error("Delete removed a file outside the folder")
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 || entries[0].Name() != "secret" {
		t.Errorf("outside there is %v, %v", entries, err)
	}
}

// What a killed process left is cleared away, once it is nobody's for sure.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	put(t, s, "a")
	old, fresh := filepath.Join(folder, incoming, "OLD"), filepath.Join(folder, incoming, "FRESH")
	for _, name := range []string{old, fresh} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if infos, err := s.List(t.Context(), "", "", 0); err != nil || len(infos) != 1 {
		t.Errorf("List tells of incoming files: %v, %v", infos, err)
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-leftover-time.Hour)); err != nil {
		t.Fatal(err)
	}
	again, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	entries, err := os.ReadDir(filepath.Join(folder, incoming))
	if err != nil || len(entries) != 1 || entries[0].Name() != "FRESH" {
		t.Errorf("left: %v, %v, want FRESH alone", entries, err)
	}
}

func TestPutLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	put(t, s, "a/b")
	put(t, s, "a/b")
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("y"), blob.PutOptions{IfAbsent: true}); !errors.Is(err, blob.ErrExists) {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Join(folder, incoming)); err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestOpenWhereNoFolderCanBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{file, filepath.Join(file, "objects")} {
		if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), folder) {
			t.Errorf("Open(%s): %v, want an error with the path", folder, err)
		}
	}
}

// Conditions hold between processes too, which share nothing but the folder.
func TestConditionsBetweenStores(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	put(t, s, "a")
	before, err := s.Head(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	var winners atomic.Int32
	var group sync.WaitGroup
	for range 4 {
		other, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		group.Go(func() {
			_, err := other.Put(t.Context(), "a", strings.NewReader("y"), blob.PutOptions{IfMatch: before.ETag})
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, blob.ErrChanged):
				t.Errorf("Put: %v", err)
			}
		})
	}
	group.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d have replaced it, want 1", n)
	}
}
