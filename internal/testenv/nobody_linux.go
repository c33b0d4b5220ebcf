// Package testenv is what several packages' tests need of the machine that they
// run on. Only tests import it; it knows nothing of the program.
package testenv

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// AsNobody runs f as a user without rights: permissions don't bind root, as
// whom tests may run. The file system's user belongs to the thread (setfsuid(2)),
// which isn't given back; what f does in other goroutines is done as before.
func AsNobody(t *testing.T, f func()) {
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

// LetIn lets everybody look into a test's temporary folder and the one above
// it, which are the test's user's alone at first.
func LetIn(t *testing.T, folder string) {
	t.Helper()
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
