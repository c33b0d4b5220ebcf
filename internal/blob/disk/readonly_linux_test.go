package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/testenv"
)

func TestReadOnly(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	testenv.LetIn(t, filepath.Dir(folder))
	put(t, s, "a/b")
	for _, dir := range []string{folder, filepath.Join(folder, "a"), filepath.Join(folder, incoming)} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o755) }) //nolint:errcheck // it is removed in any case
	}
	if err := os.Chmod(filepath.Join(folder, "a", "b"), 0o444); err != nil {
		t.Fatal(err)
	}
	testenv.AsNobody(t, func() {
		s, err := Open(folder)
		if err != nil {
			t.Errorf("Open: %v", err)
			return
		}
		defer s.Close()
		for _, key := range []string{"a/b", "a/c", "c/d"} {
			if _, err := s.Put(t.Context(), key, strings.NewReader("y"), blob.PutOptions{}); !errors.Is(err, blob.ErrReadOnly) {
				t.Errorf("Put(%q): %v, want ErrReadOnly", key, err)
			}
		}
		if err := s.Delete(t.Context(), "a/b"); !errors.Is(err, blob.ErrReadOnly) {
			t.Errorf("Delete: %v, want ErrReadOnly", err)
		}
		if _, err := s.Head(t.Context(), "a/b"); err != nil {
			t.Errorf("Head: %v", err)
		}
		if _, err := Open(filepath.Join(folder, "new")); !errors.Is(err, blob.ErrReadOnly) {
			t.Errorf("Open below it: %v, want ErrReadOnly", err)
		}
	})
}
