package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
)

// archive makes an empty archive, with its store and its spool.
func archive(t *testing.T) (*blob.Archive, *counting, string) {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	counted := &counting{Store: store}
	spool := t.TempDir()
	return blob.NewArchive(counted, spool), counted, spool
}

// counting counts the objects that were put.
type counting struct {
	blob.Store
	mu   sync.Mutex
	puts int
}

func (c *counting) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	info, err := c.Store.Put(ctx, key, content, opts)
	if err == nil {
		c.mu.Lock()
		c.puts++
		c.mu.Unlock()
	}
	return info, err
}

func readRaw(ctx context.Context, a *blob.Archive, key string) (string, error) {
	r, err := a.OpenRaw(ctx, key)
	if err != nil {
		return "", err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	return string(content), err
}

// The SHA-256 of "abc" is an example of FIPS 180-2, appendix B.1.
const (
	abcSum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	abcKey = "raw/us-cpsc/ba/" + abcSum + ".gz"
)

func TestArchive(t *testing.T) {
	t.Parallel()
	a, store, spool := archive(t)
	for range 2 { // the second time it is there
		raw, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("abc"))
		key, sum, size := raw.Key, raw.SHA256, raw.Size
		if err != nil || key != abcKey || sum != abcSum || size != 3 {
			t.Fatalf("PutRaw: %s, %s, %d, %v", key, sum, size, err)
		}
	}
	if store.puts != 1 {
		t.Errorf("%d objects were put, want 1", store.puts)
	}
	if got, err := readRaw(t.Context(), a, abcKey); got != "abc" || err != nil {
		t.Errorf("OpenRaw: %q, %v", got, err)
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}

// A process that is killed can't clear up: nothing of a payload may stand in the
// spool even while it is being written.
func TestNothingStandsInTheSpoolMeanwhile(t *testing.T) {
	t.Parallel()
	a, _, spool := archive(t)
	looked := false
	_, err := a.PutRaw(t.Context(), "us-cpsc", readerFunc(func([]byte) (int, error) {
		looked = true
		if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
			t.Errorf("while a payload is written: %v, %v", left, err)
		}
		return 0, io.EOF
	}))
	if err != nil || !looked {
		t.Errorf("looked %t, %v", looked, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestArchiveAnything(t *testing.T) {
	t.Parallel()
	a, _, _ := archive(t)
	rapid.Check(t, func(rt *rapid.T) {
		body := bytes.Repeat(rapid.SliceOf(rapid.Byte()).Draw(rt, "body"), rapid.IntRange(0, 500).Draw(rt, "times"))
		raw, err := a.PutRaw(t.Context(), "us-cpsc", iotest.HalfReader(bytes.NewReader(body)))
		key, size := raw.Key, raw.Size
		if err != nil || size != int64(len(body)) {
			rt.Fatalf("PutRaw: %d bytes, %v, want %d", size, err, len(body))
		}
		if got, err := readRaw(t.Context(), a, key); got != string(body) || err != nil {
			rt.Fatalf("OpenRaw: %d bytes, %v, want %d", len(got), err, len(body))
		}
	})
}

// Equal payloads make equal objects, whenever they come.
func TestArchiveIsDeterministic(t *testing.T) {
	t.Parallel()
	body := make([]byte, 300_000)
	for i := range body {
		body[i] = byte(rand.N(16))
	}
	var objects [2][]byte
	for i := range objects {
		a, store, _ := archive(t)
		raw, err := a.PutRaw(t.Context(), "us-cpsc", bytes.NewReader(body))
		key := raw.Key
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := store.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer object.Close()
		if objects[i], err = io.ReadAll(object); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(objects[0], objects[1]) {
		t.Error("the same payload made two different objects")
	}
}

func TestArchiveSameFromMany(t *testing.T) {
	t.Parallel()
	a, store, _ := archive(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if raw, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("abc")); raw.Key != abcKey || err != nil {
				t.Errorf("PutRaw: %s, %v", raw.Key, err)
			}
		})
	}
	group.Wait()
	if store.puts != 1 {
		t.Errorf("%d objects were put, want 1", store.puts)
	}
}

func TestArchiveFailures(t *testing.T) {
	t.Parallel()
	a, store, spool := archive(t)
	broken := errors.New("the connection broke")
	half := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
	if _, err := a.PutRaw(t.Context(), "us-cpsc", half); !errors.Is(err, broken) {
		t.Errorf("PutRaw of a broken payload: %v, want its error", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.PutRaw(ended, "us-cpsc", strings.NewReader("abc")); !errors.Is(err, context.Canceled) {
		t.Errorf("PutRaw under an ended context: %v", err)
	}
	for _, agency := range []string{"", "..", "a/b", `a\b`, "/"} {
		if _, err := a.PutRaw(t.Context(), agency, strings.NewReader("abc")); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("PutRaw of agency %q: %v, want ErrBadKey", agency, err)
		}
	}
	if store.puts != 0 {
		t.Errorf("%d objects were put, want none", store.puts)
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
	if _, err := a.OpenRaw(t.Context(), abcKey); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("OpenRaw of nothing: %v, want ErrNotFound", err)
	}
	for _, key := range []string{"", "raw/us-cpsc/ba/short.gz", "snapshots/" + abcSum + ".gz", "../" + abcKey, "raw/../ba/" + abcSum + ".gz"} {
		if _, err := a.OpenRaw(t.Context(), key); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("OpenRaw(%q): %v, want ErrBadKey", key, err)
		}
	}
}

// Whatever happens to an object's bytes, no reader takes them for the payload.
func TestArchiveDamage(t *testing.T) {
	t.Parallel()
	a, store, _ := archive(t)
	body := strings.Repeat("a recall notice and another one; ", 5000)
	one, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("another payload"))
	if err != nil {
		t.Fatal(err)
	}
	key, otherKey := one.Key, second.Key
	content := func(key string) []byte {
		object, _, err := store.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer object.Close()
		content, err := io.ReadAll(object)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	good, other := content(key), content(otherKey)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 0x40
	for name, bad := range map[string][]byte{
		"empty":           {},
		"no gzip":         []byte("<html>sorry</html>"),
		"cut short":       good[:len(good)/2],
		"cut at the end":  good[:len(good)-1],
		"header only":     good[:10],
		"a bit flipped":   flipped,
		"another payload": other,
		"something added": append(bytes.Clone(good), other...),
		"garbage added":   append(bytes.Clone(good), "garbage garbage"...),
	} {
		if _, err := store.Put(t.Context(), key, bytes.NewReader(bad), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if got, err := readRaw(t.Context(), a, key); !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("%s: read %d bytes, %v, want ErrDamaged", name, len(got), err)
		}
	}
}

// silent is a store that doesn't answer until it is told to.
type silent struct {
	blob.Store
	until atomic.Bool
}

func (s *silent) Head(ctx context.Context, key string) (blob.Info, error) {
	if !s.until.Load() {
		return blob.Info{}, blob.ErrUnavailable
	}
	return s.Store.Head(ctx, key)
}

func (s *silent) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	if !s.until.Load() {
		return blob.Info{}, blob.ErrUnavailable
	}
	return s.Store.Put(ctx, key, content, opts)
}

func (s *silent) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	if !s.until.Load() {
		return nil, blob.Info{}, blob.ErrUnavailable
	}
	return s.Store.Get(ctx, key)
}

// TestArchiveDefers: while the store doesn't answer, payloads wait and can be
// read; without anywhere to wait they are refused.
func TestArchiveDefers(t *testing.T) {
	t.Parallel()
	folder, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store := &silent{Store: folder}
	a := blob.NewArchive(store, t.TempDir())
	if _, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("abc")); !errors.Is(err, blob.ErrUnavailable) {
		t.Fatalf("PutRaw with nowhere to wait: %v", err)
	}
	uploads, err := blob.NewUploads(store, blob.UploadOptions{Spool: t.TempDir(), FirstWait: time.Millisecond, MaxWait: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	a.Defer(func() *blob.Uploads { return uploads })
	read := func(key string) string {
		t.Helper()
		raw, err := a.OpenRaw(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		text, err := io.ReadAll(raw)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var waiting blob.Archived
	for range 2 { // the second time it waits already
		waiting, err = a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("abc"))
		if err != nil || !waiting.Deferred {
			t.Fatalf("PutRaw while the store is silent: %+v, %v", waiting, err)
		}
	}
	if queued := uploads.Stats().Queued; queued != 1 {
		t.Errorf("%d payloads wait, want 1", queued)
	}
	if got := read(waiting.Key); got != "abc" {
		t.Errorf("what waits reads %q", got)
	}
	store.until.Store(true)
	if err := uploads.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := read(waiting.Key); got != "abc" {
		t.Errorf("what is stored reads %q", got)
	}
	if again, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("abc")); err != nil || again.Deferred || again.Key != waiting.Key {
		t.Errorf("PutRaw of the same: %+v, %v", again, err)
	}
}

// A payload that comes again heals the archive where its disk has lost it.
func TestArchiveHeals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store, err := disk.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	a := blob.NewArchive(store, t.TempDir())
	for range 2 {
		if _, err := a.PutRaw(t.Context(), "us-cpsc", strings.NewReader("abc")); err != nil {
			t.Fatal(err)
		}
		if got, err := readRaw(t.Context(), a, abcKey); got != "abc" || err != nil {
			t.Errorf("OpenRaw: %q, %v", got, err)
		}
		file := filepath.Join(folder, filepath.FromSlash(abcKey))
		stat, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		// A disk that loses bytes doesn't change times.
		for _, step := range []error{os.Chmod(file, 0o600), os.Truncate(file, 10), os.Chtimes(file, time.Time{}, stat.ModTime())} {
			if step != nil {
				t.Fatal(step)
			}
		}
	}
}
