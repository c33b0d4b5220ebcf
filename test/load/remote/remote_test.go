package remote

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/load/corpus"
)

// settings name the test servers.
func settings(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Load(t.Context(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	connection, container := testenv.Azure(t)
	address, prefix := testenv.Redis(t)
	cfg.Data, cfg.Offline = filepath.Join(t.TempDir(), "data"), true
	cfg.DatabaseURL = config.Secret(testenv.Postgres(t))
	cfg.RedisURL, cfg.Cache.RedisPrefix = config.Secret(address), prefix
	cfg.AzureStorage, cfg.Storage.Container = config.Secret(connection), container
	return cfg
}

// write writes invented notices to a file.
func write(t *testing.T, first, end int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recalls.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := corpus.Write(f, corpus.Between(1, first, end)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStores_takeWhatADataDirectoryHas(t *testing.T) {
	t.Parallel()
	embedded := settings(t)
	embedded.DatabaseURL = ""
	i, err := OpenImporter(t.Context(), embedded)
	if err != nil {
		t.Fatal(err)
	}
	const count = 3
	for n := range count {
		committed, err := i.Import(t.Context(), write(t, n, n+1))
		if err != nil || committed.IsZero() {
			t.Fatalf("committed at %s: %v", committed, err)
		}
	}
	if _, err := i.Import(t.Context(), write(t, 0, 1)); err == nil {
		t.Error("a notice that is there already was taken for a new one")
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	for what, fill := range map[string]func(context.Context, config.Config, string) (Stored, error){"Apply": Apply, "Copy": Copy} {
		cfg := embedded
		cfg.DatabaseURL = config.Secret(testenv.Postgres(t))
		got, err := fill(t.Context(), cfg, embedded.Data)
		if err != nil || got.Notices < count || got.Took <= 0 {
			t.Errorf("%s: %+v, %v; want at least %d notices", what, got, err, count)
		}
	}
}

func TestUploader_uploadsAndVerifies(t *testing.T) {
	t.Parallel()
	u, err := OpenUploader(t.Context(), settings(t), filepath.Join(t.TempDir(), "uploads"))
	if err != nil {
		t.Fatal(err)
	}
	const count, size = 20, 100_000
	if err := u.All(t.Context(), "bench/", count, size); err != nil {
		t.Fatal(err)
	}
	if stored, err := u.Verify(t.Context(), "bench/", count, size); err != nil || stored != count {
		t.Errorf("%d objects, %v; want %d", stored, err, count)
	}
	if _, err := u.Verify(t.Context(), "bench/", count, size-1); err == nil {
		t.Error("objects of another size pass")
	}
	if _, err := u.Verify(t.Context(), "bench/", count+1, size); err == nil {
		t.Error("an object that isn't there passes")
	}
	if err := u.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := u.objects.List(t.Context(), "", "", 0); err != nil || len(left) > 0 {
		t.Errorf("%d objects are left: %v", len(left), err)
	}
}

func TestAskMetadata_ofEveryObjectAtEachLevel(t *testing.T) {
	t.Parallel()
	const objects = 30
	cfg := settings(t)
	cfg.Cache.RedisTimeout = 10 * time.Second // what is asked is where answers come from, also on a busy machine
	m, err := AskMetadata(t.Context(), cfg, objects)
	if err != nil || len(m.Uncached) != objects || len(m.Near) != objects || len(m.Far) != objects {
		t.Errorf("%d, %d and %d times, %v; want %d of each", len(m.Uncached), len(m.Near), len(m.Far), err, objects)
	}
}
