package sqlite

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, place)
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	storetest.ExerciseAccounts(t, place)
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	storetest.ExerciseTransfer(t, place, place)
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, place) }

func place(t testing.TB) func() store.Store {
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	return func() store.Store { return openAt(t, path) }
}

func openTemp(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "crownsafe.db"))
}

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// batchOf makes the copies of count invented notices.
func batchOf(from, count int) []store.Incoming {
	batch := make([]store.Incoming, count)
	for i := range batch {
		batch[i] = storetest.Copy(storetest.Notice(from + i))
	}
	return batch
}

// Several processes hold the file at the same time; to SQLite, several handles
// are the same.
func TestSeveralHandles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "crownsafe.db")
	const handles, notices, size = 4, 120, 30
	var added atomic.Int64
	var group sync.WaitGroup
	for range handles {
		group.Go(func() {
			// The first to come makes the file and its schema, the others find it.
			s, err := Open(t.Context(), path, Options{BusyTimeout: time.Minute})
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			defer s.Close()
			for from := 0; from < notices; from += size {
				effects, err := s.Apply(t.Context(), batchOf(from, size), time.Now())
				if err != nil {
					t.Errorf("Apply: %v", err)
				}
				for _, effect := range effects {
					if effect == store.Added {
						added.Add(1)
					}
				}
			}
			if serial, err := s.Serial(t.Context()); serial != notices || err != nil {
				t.Errorf("serial %d, %v, want %d", serial, err, notices)
			}
		})
	}
	group.Wait()
	if added.Load() != notices {
		t.Errorf("%d added, want %d", added.Load(), notices)
	}
}

// A change is seen by another handle as soon as Apply has returned.
func TestOtherHandleSeesChanges(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	var handles [2]*Store
	for i := range handles {
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		handles[i] = s
	}
	for i := range 10 {
		if _, err := handles[0].Apply(t.Context(), batchOf(i, 1), time.Now()); err != nil {
			t.Fatal(err)
		}
		if serial, err := handles[1].Serial(t.Context()); serial != int64(i+1) || err != nil {
			t.Fatalf("serial %d, %v, want %d", serial, err, i+1)
		}
		if _, err := handles[1].Notice(t.Context(), storetest.Notice(i).ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"data", "données d’été 100% #1?mode=ro&x", "a b%20c"} {
		path := filepath.Join(t.TempDir(), folder, "crownsafe.db")
		for open := range 3 {
			s, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if serial, err := s.Serial(t.Context()); serial != int64(open) || err != nil {
				t.Errorf("%s: serial %d, %v, want %d", folder, serial, err, open)
			}
			if _, err := s.Apply(t.Context(), batchOf(open, 1), time.Now()); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the store is not where it was opened: %v", err)
		}
	}
}

// A process that dies leaves its log behind, with all that it had committed.
// A copy of the files while they are in use is what it leaves.
func TestCommittedSurvives(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if _, err := s.Apply(t.Context(), batchOf(0, 40), time.Now()); err != nil {
		t.Fatal(err)
	}
	tx, err := s.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it is only there to be lost
	if _, err := tx.Exec(`DELETE FROM notice`); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "left.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), left, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	read := 0
	if err := again.Changes(t.Context(), 0, 0, func(store.Stored) error { read++; return nil }); err != nil || read != 40 {
		t.Errorf("%d notices, %v, want 40", read, err)
	}
}

// The driver is translated C that calls its own C library: with another version
// of that library than its own go.mod names it may break in silence.
func TestLibcIsTheDriversOwn(t *testing.T) {
	t.Parallel()
	list := func(format, module string) string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, module).Output()
		if err != nil {
			t.Fatalf("go list -m %s: %v", module, err)
		}
		return strings.TrimSpace(string(out))
	}
	used := list("{{.Version}}", "modernc.org/libc")
	file, err := os.Open(list("{{.GoMod}}", "modernc.org/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if wanted, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "modernc.org/libc "); ok {
			if wanted != used {
				t.Errorf("modernc.org/libc is %s, modernc.org/sqlite wants %s", used, wanted)
			}
			return
		}
	}
	t.Error("modernc.org/sqlite's go.mod names no modernc.org/libc")
}
