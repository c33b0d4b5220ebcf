package disk

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
)

// numbered is the content of a version, as long as that of any other, and
// numberedType its content type.
func numbered(n int) string     { return fmt.Sprintf("version %8d", n) }
func numberedType(n int) string { return fmt.Sprintf("version/%d", n) }

func putNumbered(t *testing.T, s *Store, key string, n int) blob.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(numbered(n)), blob.PutOptions{ContentType: numberedType(n)})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func md5Of(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// look reads an object to its end.
func look(t *testing.T, s *Store, key string) (string, blob.Info, error) {
	t.Helper()
	object, info, err := s.Get(t.Context(), key)
	if err != nil {
		return "", blob.Info{}, err
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	return string(content), info, err
}

func TestFilesHoldTheBytesAlone(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	for _, content := range []string{"", "x", strings.Repeat("content", 100_000)} {
		if _, err := s.Put(t.Context(), "a/b", strings.NewReader(content), blob.PutOptions{ContentType: "text/plain"}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(folder, "a", "b")); string(got) != content || err != nil {
			t.Errorf("the file of an object of %d bytes holds %d, %v", len(content), len(got), err)
		}
	}
}

// A stored .gz is one for every program: nothing follows its end.
func TestFilesUnpack(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, "SELECT 1;\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "backups/a.sql.gz", &packed, blob.PutOptions{ContentType: "application/gzip"}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(folder, "backups", "a.sql.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	// Trailing bytes are gzip.ErrHeader here.
	if got, err := io.ReadAll(r); string(got) != "SELECT 1;\n" || err != nil {
		t.Errorf("unpacked %q, %v", got, err)
	}
}

// Objects of an earlier version, and those that somebody has copied in, are
// served as they are.
func TestPlainFiles(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	if err := os.WriteFile(filepath.Join(folder, "old"), []byte("as it was"), 0o640); err != nil {
		t.Fatal(err)
	}
	got, info, err := look(t, s, "old")
	if got != "as it was" || err != nil || info.Size != 9 || info.MD5 != "" || info.ETag == "" || info.ContentType != blob.DefaultContentType {
		t.Errorf("it holds %q, %v, and tells %+v", got, err, info)
	}
	if infos, err := s.List(t.Context(), "", "", 0); err != nil || len(infos) != 1 || infos[0].Size != 9 {
		t.Errorf("List tells %+v, %v", infos, err)
	}
	if _, err := s.Put(t.Context(), "old", strings.NewReader("new"), blob.PutOptions{IfMatch: info.ETag}); err != nil {
		t.Errorf("Put in its place: %v", err)
	}
	if got, info, err := look(t, s, "old"); got != "new" || info.MD5 != md5Of("new") || err != nil {
		t.Errorf("then it holds %q, %v, and tells %+v", got, err, info)
	}
}

// A file that lost or won bytes is never taken for an object.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	for name, change := range map[string]func([]byte) []byte{
		"empty":           func([]byte) []byte { return nil },
		"cut":             func(c []byte) []byte { return c[:len(c)-1] },
		"cut long":        func(c []byte) []byte { return c[:1] },
		"something added": func(c []byte) []byte { return append(c, ' ') },
		"its start gone":  func(c []byte) []byte { return c[1:] },
	} {
		putNumbered(t, s, name, 1)
		rewrite(t, filepath.Join(folder, name), change)
		if _, _, err := s.Get(t.Context(), name); !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("%s: Get: %v, want ErrDamaged", name, err)
		}
		putNumbered(t, s, name, 2)
		if got, _, err := look(t, s, name); got != numbered(2) || err != nil {
			t.Errorf("%s, put again: %q, %v", name, got, err)
		}
		if err := s.Delete(t.Context(), name); err != nil {
			t.Errorf("%s: Delete: %v", name, err)
		}
	}
}

// A folder that was copied tells the same of each object, and finds damage.
func TestCopiedFolder(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	want := map[string]blob.Info{}
	for i, key := range []string{"a", "b/c", "b/d/e"} {
		putNumbered(t, s, key, 10+i)
		want[key] = putNumbered(t, s, key, i)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := os.CopyFS(again, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	other, err := Open(again)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 2 { // the second is told by a note that was written anew
		for key, before := range want {
			got, info, err := look(t, other, key)
			before.ModifiedAt = info.ModifiedAt
			if diff := cmp.Diff(before, info); diff != "" || err != nil || md5Of(got) != before.MD5 {
				t.Errorf("%s holds %q, %v, and tells (-want +got):\n%s", key, got, err, diff)
			}
		}
	}
	rewrite(t, filepath.Join(again, "a"), func(c []byte) []byte { return append([]byte("V"), c[1:]...) })
	if got, _, err := look(t, other, "a"); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("damaged since: %q, %v, want ErrDamaged", got, err)
	}
}

// A process is killed after it has moved the note and before it has moved the
// object, or after both.
func TestCrashBetweenTheMoves(t *testing.T) {
	t.Parallel()
	for name, before := range map[string][]int{"nothing there": nil, "one there": {1}, "one there that replaced another": {0, 1}} {
		s, folder := openTemp(t)
		for _, n := range before {
			putNumbered(t, s, "a", n)
		}
		halfPut(t, folder, "a", noteMoved, func() { putNumbered(t, s, "a", 2) })
		got, info, err := look(t, s, "a")
		if before == nil {
			if !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("%s: %q, %v, want ErrNotFound", name, got, err)
			}
		} else if got != numbered(1) || info.ContentType != numberedType(1) || info.MD5 != md5Of(got) || err != nil {
			t.Errorf("%s: %q, %v, and tells %+v", name, got, err, info)
		}
		for n := 3; n < 6; n++ {
			halfPut(t, folder, "a", bothMoved, func() { putNumbered(t, s, "a", n) })
			if got, info, err := look(t, s, "a"); got != numbered(n) || info.ContentType != numberedType(n) || info.MD5 != md5Of(got) || err != nil {
				t.Errorf("%s: %q, %v, and tells %+v, want version %d", name, got, err, info, n)
			}
		}
	}
}

// Where the file system's clock stands still, versions have times of their own
// all the same.
func TestSameTime(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	at := putNumbered(t, s, "a", 1).ModifiedAt
	w, err := s.receive("a", strings.NewReader(numbered(2)), blob.PutOptions{ContentType: numberedType(2)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.root.Remove(w.noted); err != nil {
		t.Fatal(err)
	}
	if err := s.stamp(w, at); err != nil {
		t.Fatal(err)
	}
	if err := s.place(t.Context(), w, blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	s.discard(w)
	got, info, err := look(t, s, "a")
	if got != numbered(2) || info.ContentType != numberedType(2) || info.ModifiedAt.Equal(at) || err != nil {
		t.Errorf("it holds %q, %v, and tells %+v, after %s", got, err, info, at)
	}
	wantNotes(t, folder, 1)
}

func TestNotesGo(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	for n := range 3 {
		putNumbered(t, s, "a", n)
		putNumbered(t, s, "b/c", n)
	}
	wantNotes(t, folder, 2)
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, folder, 1)
	// By hand: the note goes when it is old.
	putNumbered(t, s, "kept", 1)
	if err := os.RemoveAll(filepath.Join(folder, "b")); err != nil {
		t.Fatal(err)
	}
	s.clear(time.Now())
	wantNotes(t, folder, 2)
	// By hand, and put again: it has one note, wherever the last one was.
	for n := range 2 {
		if err := os.Remove(filepath.Join(folder, "kept")); err != nil {
			t.Fatal(err)
		}
		putNumbered(t, s, "kept", n)
		putNumbered(t, s, "kept", n)
	}
	wantNotes(t, folder, 2)
	if err := os.Remove(filepath.Join(folder, "kept")); err != nil {
		t.Fatal(err)
	}
	putNumbered(t, s, "kept", 1)
	wantNotes(t, folder, 2)
	s.clear(time.Now().Add(leftover + time.Hour))
	wantNotes(t, folder, 1)
	if _, info, err := look(t, s, "kept"); info.MD5 == "" || err != nil {
		t.Errorf("what is there lost its note: %+v, %v", info, err)
	}
}

func wantNotes(t *testing.T, folder string, want int) {
	t.Helper()
	if entries, err := os.ReadDir(filepath.Join(folder, about)); err != nil || len(entries) != want {
		t.Errorf("there are %d notes, %v, want %d", len(entries), err, want)
	}
}

// Whoever reads while others put, copy and remove gets what is known of the very
// bytes that are read.
func TestNotesAreNeverMixed(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	other, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	keys := []string{"a", "b/c"}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for i, store := range []*Store{s, other, s} {
		writers.Go(func() {
			for round := range 40 {
				key, n := keys[round%2], i*1000+round
				var err error
				switch round % 8 {
				case 3:
					err = store.Delete(t.Context(), key)
				case 6:
					_, err = store.Copy(t.Context(), keys[1-round%2], key)
				default:
					_, err = store.Put(t.Context(), key, strings.NewReader(numbered(n)), blob.PutOptions{ContentType: numberedType(n)})
				}
				if err != nil && !errors.Is(err, blob.ErrNotFound) {
					t.Errorf("round %d: %v", round, err)
				}
			}
		})
	}
	for i, store := range []*Store{s, other} {
		readers.Go(func() {
			for round := i; ; round++ {
				select {
				case <-done:
					return
				default:
					wantOneVersion(t, store, keys[round%2])
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func wantOneVersion(t *testing.T, s *Store, key string) {
	t.Helper()
	got, info, err := look(t, s, key)
	if errors.Is(err, blob.ErrNotFound) {
		return
	}
	var n int
	if _, scanErr := fmt.Sscanf(got, "version %d", &n); scanErr != nil || err != nil {
		t.Errorf("%s holds %q, %v", key, got, err)
	}
	if info.ContentType != numberedType(n) || info.MD5 != md5Of(got) {
		t.Errorf("%s holds %q and tells %+v", key, got, info)
	}
}
