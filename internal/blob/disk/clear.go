package disk

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// leftover is the age from which on a file that nobody has need of belongs to
// nobody.
const leftover = 24 * time.Hour

// looked is how many notes one start looks after, so that none waits for all.
const looked = 500

// clear removes what killed processes left behind, and the notes of objects
// that somebody removed by hand. Nothing depends on it.
func (s *Store) clear(now time.Time) {
	for _, name := range s.leftovers(incoming, now) {
		_ = s.root.Remove(name)
	}
	notes := s.leftovers(about, now)
	if len(notes) > looked {
		from := rand.IntN(len(notes)) //nolint:gosec // nobody gains by guessing it
		notes = slices.Concat(notes[from:], notes[:from])[:looked]
	}
	for _, name := range notes {
		s.clearNote(name)
	}
}

// leftovers returns what has been in a folder for long.
func (s *Store) leftovers(folder string, now time.Time) []string {
	entries, err := fs.ReadDir(s.root.FS(), folder)
	if err != nil {
		return nil
	}
	var old []string
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > leftover {
			old = append(old, path.Join(folder, entry.Name()))
		}
	}
	return old
}

// clearNote removes a note of which there is no object.
func (s *Store) clearNote(name string) {
	n, found, err := s.readNote(name)
	if err != nil || !found || !s.gone(n.Key) {
		return
	}
	_ = s.lock.do(func() error {
		if !s.gone(n.Key) { // put since
			return nil
		}
		return s.root.Remove(name)
	})
}

func (s *Store) gone(key string) bool {
	_, err := s.root.Lstat(key)
	return err != nil && errors.Is(absent(err), blob.ErrNotFound)
}
