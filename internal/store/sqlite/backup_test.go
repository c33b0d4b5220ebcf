package sqlite

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
)

func TestBackups(t *testing.T) {
	t.Parallel()
	storetest.ExerciseBackups(t, func(t *testing.T) storetest.Backups {
		folder := t.TempDir()
		restored := filepath.Join(folder, "restored.db")
		return storetest.Backups{
			Open: func() store.Store { return openTemp(t) },
			Restoration: func() store.Restoration {
				r, err := OpenRestoration(restored)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { r.Close() })
				return r
			},
			Restored: func() store.Store { return openAt(t, restored) },
			Shell: func(texts ...string) store.Store {
				file := filepath.Join(t.TempDir(), "by shell.db")
				for _, text := range texts {
					shell := exec.CommandContext(t.Context(), "sqlite3", "-bail", file)
					shell.Stdin = strings.NewReader(text)
					if said, err := shell.CombinedOutput(); err != nil || len(said) > 0 {
						t.Fatalf("sqlite3: %v\n%s", err, said)
					}
				}
				return openAt(t, file)
			},
		}
	})
}
