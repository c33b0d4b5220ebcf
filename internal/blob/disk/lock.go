package disk

import (
	"errors"
	"os"
	"sync"

	"github.com/crownsafe/api/internal/blob"
)

// lockFile is what processes that use one folder lock; it is never removed.
const lockFile = ".lock"

// lock lets one at a time, of all processes, change what stands under a key, so
// that a condition holds until what it is for is done.
type lock struct {
	root *os.Root
	mu   sync.Mutex
	file *os.File // nil until it is needed: a folder that is only read has none
}

func (l *lock) do(change func() error) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		if l.file, err = l.root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o640); err != nil {
			return blob.FromSystem(err)
		}
	}
	if err := blob.LockFile(l.file, true); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, blob.UnlockFile(l.file)) }()
	return change()
}

func (l *lock) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
