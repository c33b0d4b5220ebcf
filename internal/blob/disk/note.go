package disk

import (
	"context"
	"crypto/md5" //nolint:gosec // it tells damage
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// about is where the notes are. Its name starts with a dot, as no key's segment
// does.
const about = ".about"

// note is what is known of an object beside its bytes.
type note struct {
	Key         string    `json:"key"`
	Size        int64     `json:"size"`
	ModifiedAt  time.Time `json:"modified"` // the file's own time, by which the two belong together
	ContentType string    `json:"type"`
	MD5         string    `json:"md5"`
	ID          string    `json:"id"` // another one for each Put
}

// places are where the notes of a key may be: two, so that the one of what is
// there stays until the file of what comes is in its place.
func places(key string) [2]string {
	sum := sha256.Sum256([]byte(key))
	name := path.Join(about, hex.EncodeToString(sum[:]))
	return [2]string{name + "-0.json", name + "-1.json"}
}

// tied reports that the note was written for this very file: move sees to it
// that no two files of a key that meet have one time.
func (n note) tied(stat fs.FileInfo) bool { return n.ModifiedAt.Equal(stat.ModTime()) }

// whole returns ErrDamaged for a tied file that has lost or won bytes.
func (n note) whole(stat fs.FileInfo) error {
	if n.Size != stat.Size() {
		return fmt.Errorf("%w: its file holds %d bytes of %d", blob.ErrDamaged, stat.Size(), n.Size)
	}
	return nil
}

// info tells of the object that the note is of.
func (n note) info(stat fs.FileInfo) blob.Info {
	return blob.Info{
		Key: n.Key, Size: n.Size, ModifiedAt: stat.ModTime().UTC(),
		ContentType: n.ContentType, ETag: `"` + n.ID + `"`, MD5: n.MD5,
	}
}

// unknown tells of an object that has no note.
func unknown(key string, stat fs.FileInfo) blob.Info {
	return blob.Info{
		Key: key, Size: stat.Size(), ModifiedAt: stat.ModTime().UTC(), ContentType: blob.DefaultContentType,
		ETag: fmt.Sprintf(`"%x-%x"`, stat.ModTime().UnixNano(), stat.Size()),
	}
}

// readNote reads one note; found is false for one that isn't there, may not be
// read, or isn't whole: then nothing is known.
func (s *Store) readNote(name string) (n note, found bool, err error) {
	line, err := s.root.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return note{}, false, nil
	case err != nil:
		return note{}, false, err
	}
	return n, json.Unmarshal(line, &n) == nil && n.Key != "", nil
}

// notes returns the note that is tied to a file, alone, or else all that there
// are of its key: none, one, or two.
func (s *Store) notes(key string, stat fs.FileInfo) (all []note, tied bool, err error) {
	for _, name := range places(key) {
		n, found, err := s.readNote(name)
		switch {
		case err != nil:
			return nil, false, fmt.Errorf("reading its note: %w", err)
		case !found || n.Key != key:
		case n.tied(stat):
			return []note{n}, true, nil
		default:
			all = append(all, n)
		}
	}
	return all, false, nil
}

// proved returns the latest of the notes that has the MD5 of a file's bytes. Of
// two with one MD5 the later is of a put that either is done or was under way
// when its process ended; with the same bytes in place it counts as done.
func proved(ctx context.Context, file *os.File, stat fs.FileInfo, notes []note) (*note, error) {
	var found *note
	var sum string
	for _, n := range notes {
		if n.Size != stat.Size() {
			continue
		}
		if sum == "" {
			hasher := md5.New() //nolint:gosec // as above
			content := io.NewSectionReader(file, 0, stat.Size())
			if _, err := io.Copy(hasher, blob.WithContext(ctx, content)); err != nil {
				return nil, err
			}
			sum = hex.EncodeToString(hasher.Sum(nil))
		}
		if n.MD5 == sum && (found == nil || n.ModifiedAt.After(found.ModifiedAt)) {
			found = &n
		}
	}
	return found, nil
}

// adopt writes a copied object's note anew, for the file as it is now, so that
// its bytes have to prove it only once. Nothing depends on it.
func (s *Store) adopt(file fs.FileInfo, n note) {
	n.ModifiedAt = file.ModTime()
	name, err := s.writeNote(n)
	if err != nil {
		return
	}
	defer s.root.Remove(name) //nolint:errcheck // it is gone already where it was moved
	if s.sync(name) != nil {
		return
	}
	_ = s.lock.do(func() error {
		if now, err := s.root.Stat(n.Key); err != nil || !os.SameFile(file, now) || !n.tied(now) {
			return nil // another one since
		}
		to := places(n.Key)
		if err := s.root.Rename(name, to[0]); err != nil {
			return err
		}
		return s.root.Remove(to[1])
	})
}

// writeNote writes a note to a file of its own among the incoming ones, and
// returns its name.
func (s *Store) writeNote(n note) (name string, err error) {
	if err := s.makeFolder(about); err != nil {
		return "", err
	}
	line, err := json.Marshal(n)
	if err != nil {
		return "", err
	}
	name = path.Join(incoming, rand.Text())
	if err := s.root.WriteFile(name, append(line, '\n'), 0o440); err != nil {
		_ = s.root.Remove(name)
		return "", err
	}
	return name, nil
}
