package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/crownsafe/api/internal/blob"
)

// asNobody runs f as a user without rights: permissions don't bind root, as
// whom tests may run. The file system's user belongs to the thread (setfsuid(2)),
// which isn't given back.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // until the goroutine ends, and the thread with it
		const nobody = 65534
		if os.Geteuid() == 0 {
			if err := syscall.Setfsuid(nobody); err != nil {
				t.Errorf("setfsuid: %v", err)
				return
			}
		}
		f()
	}()
	<-done
}

// letIn lets everybody look into a test's temporary folder, which is the test's
// user's alone at first.
func letIn(t *testing.T, folder string) {
	t.Helper()
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	s, folder := openTemp(t)
	letIn(t, filepath.Dir(folder))
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
	asNobody(t, func() {
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
