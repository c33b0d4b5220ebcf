package cached_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/blob/blobtest"
	"github.com/crownsafe/api/internal/blob/cached"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

const patience = 30 * time.Second

// exact keeps no URLs, which may live longer than the port has it.
var exact = cached.Options{Namespace: "test", InfoTTL: time.Hour, AbsentTTL: time.Hour, URLSlack: -1}

// on is a store before one in a folder.
type on struct {
	*cached.Store
	folder string
}

func onDisk(t *testing.T, c *cache.Cache) on {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	folder := filepath.Join(t.TempDir(), "objects")
	s, err := disk.OpenWith(folder, disk.Options{
		Keys: func() [][]byte { return [][]byte{bytes.Repeat([]byte("s"), 32)} }, BaseURL: server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	handler = s.Handler()
	return on{cached.New(s, c, exact), folder}
}

func inMemory(t *testing.T) *cache.Cache { return newCache(t, nil) }

func inRedis(t *testing.T) *cache.Cache {
	t.Helper()
	address, prefix := testenv.Redis(t)
	return newCache(t, openRedis(t, address, prefix))
}

func openRedis(t *testing.T, address, prefix string) *redis.Store {
	t.Helper()
	far, err := redis.Open(redis.Options{URL: address, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return far
}

func newCache(t *testing.T, far cache.Store) *cache.Cache {
	t.Helper()
	c := cache.New(memory.Open(memory.Options{}), far, cache.Options{Timeout: 10 * time.Second, NearTTL: time.Hour})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// What stands before a store promises what the store does.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, newCache := range map[string]func(t *testing.T) *cache.Cache{"memory": inMemory, "Redis": inRedis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobtest.Exercise(t, blobtest.Adapter{
				Open: func(t *testing.T) blob.Store { return onDisk(t, newCache(t)) },
				Damage: func(t *testing.T, s blob.Store, key string) {
					path := filepath.Join(s.(on).folder, key)
					content, readErr := os.ReadFile(path)
					stat, statErr := os.Stat(path)
					if err := errors.Join(readErr, statErr); err != nil {
						t.Fatal(err)
					}
					content[1] ^= 0x40
					// A failing disk doesn't change times.
					if err := errors.Join(os.Chmod(path, 0o640), os.WriteFile(path, content, 0o640), os.Chtimes(path, time.Time{}, stat.ModTime())); err != nil { //nolint:gosec // as the store has them
						t.Fatal(err)
					}
				},
			})
		})
	}
}

// asked is a store that counts what it is asked.
type asked struct {
	blob.Store
	heads, signs atomic.Int64
	fails        error // instead of Put, Copy and Delete
}

func (a *asked) Head(ctx context.Context, key string) (blob.Info, error) {
	a.heads.Add(1)
	return a.Store.Head(ctx, key)
}

func (a *asked) SignURL(ctx context.Context, key string, allowed blob.Permission, lifetime time.Duration) (blob.SignedURL, error) {
	a.signs.Add(1)
	return a.Store.SignURL(ctx, key, allowed, lifetime)
}

func (a *asked) Delete(ctx context.Context, key string) error {
	return errors.Join(a.Store.Delete(ctx, key), a.fails)
}

func put(t *testing.T, s blob.Store, key, content string) blob.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(content), blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// newAsked returns a store before one that counts, in which "a" is put.
func newAsked(t *testing.T, o cached.Options) (*cached.Store, *asked) {
	t.Helper()
	inner := &asked{Store: onDisk(t, inMemory(t)).Store}
	s := cached.New(inner, inMemory(t), o)
	put(t, s, "a", "content")
	return s, inner
}

func TestHeadIsAskedOnce(t *testing.T) {
	t.Parallel()
	s, inner := newAsked(t, exact)
	want, err := inner.Store.Head(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := s.Head(t.Context(), "a")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Head: %v (-want +got):\n%s", err, diff)
		}
		if there, err := blob.Exists(t.Context(), s, "a"); !there || err != nil {
			t.Errorf("Exists: %t, %v", there, err)
		}
		if _, err := s.Head(t.Context(), "none"); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Head of nothing: %v", err)
		}
		if there, err := blob.Exists(t.Context(), s, "none"); there || err != nil {
			t.Errorf("Exists of nothing: %t, %v", there, err)
		}
		if _, err := s.Head(t.Context(), "../bad"); !errors.Is(err, blob.ErrBadKey) {
			t.Errorf("Head of a bad key: %v", err)
		}
	}
	if got := inner.heads.Load(); got != 1+1+3 {
		t.Errorf("the store was asked %d times, want once for each key and each time for the bad one", got)
	}
}

func TestChangesAreSeen(t *testing.T) {
	t.Parallel()
	s, inner := newAsked(t, exact)
	size := func(key string) int64 {
		t.Helper()
		info, err := s.Head(t.Context(), key)
		if errors.Is(err, blob.ErrNotFound) {
			return -1
		}
		if err != nil {
			t.Errorf("Head: %v", err)
		}
		return info.Size
	}
	check := func(what string, a, b int64) {
		t.Helper()
		if got := []int64{size("a"), size("b")}; got[0] != a || got[1] != b {
			t.Errorf("%s: sizes %d, want %d and %d", what, got, a, b)
		}
	}
	check("at first", 7, -1)
	put(t, s, "a", "longer content")
	check("a is put again", 14, -1)
	if _, err := s.Copy(t.Context(), "a", "b"); err != nil {
		t.Error(err)
	}
	check("b is a copy", 14, 14)
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	check("a is deleted", -1, 14)
	if _, err := s.Put(t.Context(), "a", strings.NewReader("x"), blob.PutOptions{IfAbsent: true}); err != nil {
		t.Error(err)
	}
	check("a is put where there was none", 1, 14)

	// What failed may have been done.
	inner.fails = blob.ErrUnavailable
	if err := s.Delete(t.Context(), "b"); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Delete: %v", err)
	}
	check("b may be deleted", 1, -1)

	// What somebody else changed is found out by whoever stumbles over it.
	put(t, inner, "a", "another's")
	check("another's change isn't known", 1, -1)
	if _, err := s.Put(t.Context(), "a", strings.NewReader("y"), blob.PutOptions{IfMatch: `"none"`}); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("Put: %v", err)
	}
	check("a was changed", 9, -1)
	if err := inner.Store.Delete(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	check("another's deletion isn't known", 9, -1)
	if _, _, err := s.Get(t.Context(), "a"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	check("a is gone", -1, -1)
	put(t, inner, "a", "another's")
	check("that there is one isn't known", -1, -1)
	if _, err := s.Put(t.Context(), "a", strings.NewReader("y"), blob.PutOptions{IfAbsent: true}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Put: %v", err)
	}
	check("there is one", 9, -1)
}

// What a URL for writing lets others do isn't seen, so nothing is cached meanwhile.
func TestURLsForWriting(t *testing.T) {
	t.Parallel()
	s, inner := newAsked(t, exact)
	if _, err := s.Head(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignURL(t.Context(), "a", blob.Read|blob.Write, time.Hour); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		info := put(t, inner, "a", strings.Repeat("x", int(inner.heads.Load())+20))
		if got, err := s.Head(t.Context(), "a"); err != nil || got.Size != info.Size {
			t.Errorf("Head: %+v, %v, want %d bytes", got, err, info.Size)
		}
	}
	before := inner.heads.Load()
	for range 3 {
		if _, err := s.Head(t.Context(), "b"); !errors.Is(err, blob.ErrNotFound) {
			t.Error(err)
		}
	}
	if got := inner.heads.Load() - before; got != 1 {
		t.Errorf("of another key the store was asked %d times", got)
	}
}

// What one process changes another sees within a second or so.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	connection, container := testenv.Azure(t)
	address, prefix := testenv.Redis(t)
	open := func() (*cached.Store, *cache.Cache) {
		inner, err := azure.Open(azure.Options{ConnectionString: connection, Container: container})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { inner.Close() })
		c := newCache(t, openRedis(t, address, prefix))
		testenv.Eventually(t, patience, "it hears the other", func() bool { return c.Stats().Far.Listening })
		return cached.New(inner, c, exact), c
	}
	a, _ := open()
	b, counted := open()
	sees := func(want int64) {
		t.Helper()
		testenv.Eventually(t, patience, fmt.Sprintf("the other sees %d bytes", want), func() bool {
			info, err := b.Head(t.Context(), "k")
			return err == nil && info.Size == want || errors.Is(err, blob.ErrNotFound) && want < 0
		})
	}
	sees(-1)
	put(t, a, "k", "one")
	sees(3)
	put(t, a, "k", "three")
	sees(5)
	if err := a.Delete(t.Context(), "k"); err != nil {
		t.Error(err)
	}
	sees(-1)
	if s := counted.Stats().PerOperation["blob-info"]; s.Hits+s.Misses == 0 {
		t.Errorf("Stats: %+v", s)
	}
}
