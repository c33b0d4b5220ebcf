package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
)

// filled makes a store with some notices, closed again, and returns its path.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), batchOf(0, 300), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// refuses fails unless opening gives the port's error with the path in words,
// and leaves the file as it is.
func refuses(t *testing.T, path string, want error) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("Open: %v, want %v", err, want)
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("the error doesn't name %s: %v", path, err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the refused file was changed")
	}
}

// overwrite changes some bytes of a file.
func overwrite(t *testing.T, path string, offset int64, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(content), offset); err != nil {
		t.Fatal(err)
	}
}

func TestOpenNewerVersion(t *testing.T) {
	t.Parallel()
	path := filled(t)
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	refuses(t, path, store.ErrNewerVersion)
}

func TestOpenDamagedFile(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string){
		"another kind of file": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("id;title;brand\n", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"truncated": func(t *testing.T, path string) {
			if err := os.Truncate(path, 3*4096); err != nil {
				t.Fatal(err)
			}
		},
		"truncated within a page": func(t *testing.T, path string) {
			if err := os.Truncate(path, 1000); err != nil {
				t.Fatal(err)
			}
		},
		"header overwritten": func(t *testing.T, path string) { overwrite(t, path, 0, strings.Repeat("\xff", 64)) },
		"schema overwritten": func(t *testing.T, path string) { overwrite(t, path, 100, strings.Repeat("\xff", 3000)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filled(t)
			damage(t, path)
			refuses(t, path, store.ErrCorrupt)
		})
	}
}

// A page in the middle may be damaged without a trace at opening: the reader
// must be told, for a notice that is missing from a catalogue is a wrong answer.
func TestDamagedNotices(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string, s *Store){
		"pages": func(t *testing.T, path string, s *Store) {
			s.Close()
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, path, 20*4096, strings.Repeat("\xff", int(info.Size())-24*4096))
		},
		"a document's bytes": func(t *testing.T, _ string, s *Store) {
			if _, err := s.writer.Exec(`UPDATE revision SET doc = CAST(substr(doc, 1, 40) || 'xx' || substr(doc, 43) AS BLOB) WHERE serial = 150`); err != nil {
				t.Fatal(err)
			}
			s.Close()
		},
		"a document cut short": func(t *testing.T, _ string, s *Store) {
			if _, err := s.writer.Exec(`UPDATE revision SET doc = substr(doc, 1, 400) WHERE serial = 150`); err != nil {
				t.Fatal(err)
			}
			s.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filled(t)
			s, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			damage(t, path, s)
			s, err = Open(t.Context(), path, Options{})
			if err == nil {
				defer s.Close()
				err = s.Changes(t.Context(), 0, 0, func(store.Stored) error { return nil })
			}
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%v, want ErrCorrupt", err)
			}
		})
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if _, err := s.Apply(t.Context(), batchOf(0, 20), time.Now()); err != nil {
		t.Fatal(err)
	}
	// SQLite's own bound on the size of the file fails as a full disk does.
	if _, err := s.writer.Exec(`PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	_, err := s.Apply(t.Context(), batchOf(20, 300), time.Now())
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), s.path) {
		t.Fatalf("Apply: %v, want ErrFull with the path", err)
	}
	read := 0
	if err := s.Changes(t.Context(), 0, 0, func(store.Stored) error { read++; return nil }); err != nil || read != 20 {
		t.Errorf("%d notices, %v, want the 20 from before", read, err)
	}
	if _, err := s.writer.Exec(`PRAGMA max_page_count = 100000`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), batchOf(20, 300), time.Now()); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if serial, err := s.Serial(t.Context()); serial != 320 || err != nil {
		t.Errorf("serial %d, %v, want 320", serial, err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	one, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := Open(t.Context(), path, Options{BusyTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	holder, err := one.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = two.Apply(t.Context(), batchOf(0, 1), time.Now())
	if !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), path) {
		t.Errorf("Apply while another writes: %v, want ErrBusy with the path", err)
	}
	if err := two.Ping(t.Context()); err != nil {
		t.Errorf("reading while another writes: %v", err)
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Apply(t.Context(), batchOf(0, 1), time.Now()); err != nil {
		t.Errorf("once the other has finished: %v", err)
	}
}

// The wait for another writer ends with the context.
func TestBusyUntilCancelled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	one, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := Open(t.Context(), path, Options{BusyTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	holder, err := one.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback() //nolint:errcheck // nothing was changed
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := two.Apply(ctx, batchOf(0, 1), time.Now()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Apply: %v, want context.DeadlineExceeded", err)
	}
}

// Where the folder's name is a file's, nothing can be created.
func TestOpenBelowFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(file, "crownsafe.db"), Options{})
	if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), file) {
		t.Errorf("Open: %v, want ErrReadOnly with the path", err)
	}
	_, err = Open(t.Context(), t.TempDir(), Options{})
	if !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Open of a folder: %v, want ErrReadOnly", err)
	}
}

func TestErrorsNameNoticeAndStore(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	_, err := s.Notice(t.Context(), storetest.Notice(7).ID)
	if err == nil || !strings.Contains(err.Error(), storetest.Notice(7).ID) || !strings.Contains(err.Error(), s.path) {
		t.Errorf("the error names neither notice nor store: %v", err)
	}
}
