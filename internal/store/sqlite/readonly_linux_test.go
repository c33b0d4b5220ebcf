package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

func TestReadOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		folder, file os.FileMode
	}{
		{"folder and file", 0o555, 0o444},
		{"folder", 0o555, 0o666},
		{"file", 0o777, 0o444},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filled(t)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			folder := filepath.Dir(path)
			testenv.LetIn(t, folder)
			for name, mode := range map[string]os.FileMode{path: test.file, folder: test.folder} {
				if err := os.Chmod(name, mode); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { os.Chmod(folder, 0o700) }) //nolint:errcheck // it is removed in any case
			testenv.AsNobody(t, func() {
				s, err := Open(t.Context(), path, Options{})
				if err == nil {
					s.Close()
				}
				if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), path) {
					t.Errorf("Open: %v, want ErrReadOnly with the path", err)
				}
			})
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, or %v", err)
			}
		})
	}

	t.Run("no store yet", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		testenv.LetIn(t, folder)
		if err := os.Chmod(folder, 0o555); err != nil {
			t.Fatal(err)
		}
		testenv.AsNobody(t, func() {
			for _, path := range []string{filepath.Join(folder, "crownsafe.db"), filepath.Join(folder, "data", "crownsafe.db")} {
				if s, err := Open(t.Context(), path, Options{}); !errors.Is(err, store.ErrReadOnly) {
					t.Errorf("Open(%s): %v, %v, want ErrReadOnly", path, s, err)
				}
			}
		})
	})

	t.Run("while it is open", func(t *testing.T) {
		t.Parallel()
		s := openTemp(t)
		if _, err := s.writer.Exec(`PRAGMA query_only = 1`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(t.Context(), batchOf(0, 1), time.Now()); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("Apply: %v, want ErrReadOnly", err)
		}
	})
}
