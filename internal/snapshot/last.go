package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// lastStoreFile holds the identity of the store that the folder was last used with.
const lastStoreFile = "store"

// lastStore returns the identity of the store that a process with this folder
// followed last; empty: none yet, or one without an identity.
func (k *Keeper) lastStore() (string, error) {
	identity, err := os.ReadFile(k.path(lastStoreFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the store's identity: %w", err)
	}
	return string(identity), nil
}

// noteStore remembers the store that is followed now.
func (k *Keeper) noteStore(identity string) error {
	if last, err := k.lastStore(); err == nil && last == identity {
		return nil
	}
	err := k.place(lastStoreFile, func(file *os.File) error {
		_, err := file.WriteString(identity)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting the store's identity: %w", err)
	}
	return nil
}
