//go:build unix

package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// LockFile locks an open file against other processes, and other openings of it
// in this one, by flock(2); it waits until it can, or, with wait false, is
// ErrBusy. The lock goes with UnlockFile, with the closing of the file and with
// the process, however that ends.
func LockFile(file *os.File, wait bool) error {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	err := flock(file, how)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%s is locked by somebody else: %w", file.Name(), ErrBusy)
	}
	return err
}

// UnlockFile lets go of what LockFile locked.
func UnlockFile(file *os.File) error { return flock(file, syscall.LOCK_UN) }

// flock is flock(2), which a signal may interrupt.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return &fs.PathError{Op: "flock", Path: file.Name(), Err: err}
		}
	}
}
