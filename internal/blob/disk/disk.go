// Package disk keeps objects as files below one folder, a key being a path. It
// knows the blob port and the file system only.
//
// An object is written to a file of its own in the folder .incoming, synced,
// and moved to its place, and the folder that it went to is synced: so it is
// there whole or not at all, after a crash too. What a killed process left in
// .incoming is cleared away a day later.
package disk

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// incoming is where objects are while they are being written. Its name starts
// with a dot, as no key's segment does.
const incoming = ".incoming"

// leftover is the age from which on an incoming file belongs to nobody.
const leftover = 24 * time.Hour

// Store is a folder of objects. It implements blob.Store.
type Store struct {
	// root refuses every path that leads out of the folder, by links too.
	root *os.Root
}

var _ blob.Store = (*Store)(nil)

// Open opens a folder, which is created where it is missing. A folder that
// can't be written to still serves its objects.
func Open(folder string) (*Store, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("opening object folder %s: %w", folder, blob.FromSystem(err))
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("opening object folder %s: %w", folder, err)
	}
	s := &Store{root}
	s.clear(time.Now())
	return s, nil
}

// Close gives the folder back.
func (s *Store) Close() error { return s.root.Close() }

// clear removes what killed processes left behind. Nothing depends on it.
func (s *Store) clear(now time.Time) {
	entries, err := fs.ReadDir(s.root.FS(), incoming)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > leftover {
			_ = s.root.Remove(path.Join(incoming, entry.Name()))
		}
	}
}

// Put stores an object; see blob.Store.
func (s *Store) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	info, err := s.put(ctx, key, content, opts)
	if err != nil {
		return blob.Info{}, s.failed("storing", key, err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	if opts.IfAbsent {
		if _, err := s.head(key); err == nil {
			return blob.Info{}, blob.ErrExists
		}
	}
	written, err := s.receive(blob.WithContext(ctx, content))
	if err != nil {
		return blob.Info{}, err
	}
	defer s.root.Remove(written) //nolint:errcheck // it is gone already where it was moved
	if err := s.place(written, key, opts.IfAbsent); err != nil {
		return blob.Info{}, err
	}
	return s.head(key)
}

// receive writes content to a file of its own, to the disk's surface.
func (s *Store) receive(content io.Reader) (name string, err error) {
	if err := s.makeFolder(incoming); err != nil {
		return "", blob.FromSystem(err)
	}
	name = path.Join(incoming, rand.Text())
	file, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return "", blob.FromSystem(err)
	}
	defer func() {
		if err != nil {
			_ = s.root.Remove(name)
		}
	}()
	if _, err := io.Copy(file, content); err != nil {
		file.Close()
		// An error of content is the caller's own; only the file's is the system's.
		if failed, ok := errors.AsType[*fs.PathError](err); ok && failed.Path == file.Name() {
			return "", blob.FromSystem(err)
		}
		return "", err
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return "", blob.FromSystem(err)
	}
	return name, blob.FromSystem(file.Close())
}

// place moves a written file to its key.
func (s *Store) place(written, key string, ifAbsent bool) error {
	folder := path.Dir(key)
	if err := s.makeFolder(folder); err != nil {
		return misplaced(err)
	}
	// A link refuses to replace, in one step; a rename replaces, in one step.
	move := s.root.Rename
	if ifAbsent {
		move = s.root.Link
	}
	if err := move(written, key); err != nil {
		if info, statErr := s.root.Lstat(key); statErr == nil && info.IsDir() {
			return fmt.Errorf("the key is a folder of other keys: %w", blob.ErrBadKey)
		}
		if errors.Is(err, fs.ErrExist) {
			return blob.ErrExists
		}
		return misplaced(err)
	}
	return blob.FromSystem(s.syncFolder(folder))
}

// misplaced gives the port's error for a folder that can't be made or entered.
func misplaced(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("the key lies below another key: %w", blob.ErrBadKey)
	}
	return blob.FromSystem(err)
}

// makeFolder makes a folder and those above it, each synced into its parent.
func (s *Store) makeFolder(folder string) error {
	switch info, err := s.root.Stat(folder); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: folder, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := path.Dir(folder)
	if err := s.makeFolder(parent); err != nil {
		return err
	}
	if err := s.root.Mkdir(folder, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.syncFolder(parent)
}

func (s *Store) syncFolder(folder string) error {
	dir, err := s.root.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Get opens an object; see blob.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	file, info, err := s.get(ctx, key)
	if err != nil {
		return nil, blob.Info{}, s.failed("opening", key, err)
	}
	return file, info, nil
}

func (s *Store) get(ctx context.Context, key string) (*os.File, blob.Info, error) {
	if err := cmp.Or(blob.CheckKey(key), ctx.Err()); err != nil {
		return nil, blob.Info{}, err
	}
	file, err := s.root.Open(key)
	if err != nil {
		return nil, blob.Info{}, absent(err)
	}
	stat, err := file.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = blob.ErrNotFound
	}
	if err != nil {
		file.Close()
		return nil, blob.Info{}, err
	}
	return file, infoOf(key, stat), nil
}

// Head tells of an object; see blob.Store.
func (s *Store) Head(ctx context.Context, key string) (blob.Info, error) {
	err := cmp.Or(blob.CheckKey(key), ctx.Err())
	var info blob.Info
	if err == nil {
		info, err = s.head(key)
	}
	if err != nil {
		return blob.Info{}, s.failed("looking for", key, err)
	}
	return info, nil
}

func (s *Store) head(key string) (blob.Info, error) {
	stat, err := s.root.Stat(key)
	if err != nil {
		return blob.Info{}, absent(err)
	}
	if !stat.Mode().IsRegular() {
		return blob.Info{}, blob.ErrNotFound
	}
	return infoOf(key, stat), nil
}

// Delete removes an object; see blob.Store. Folders stay, for another may be
// about to put something into them.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return s.failed("removing", key, err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, key string) error {
	if err := cmp.Or(blob.CheckKey(key), ctx.Err()); err != nil {
		return err
	}
	if _, err := s.head(key); err != nil {
		return err
	}
	if err := s.root.Remove(key); err != nil {
		return blob.FromSystem(absent(err))
	}
	return blob.FromSystem(s.syncFolder(path.Dir(key)))
}

// absent gives the port's error for a path that leads nowhere, be it that it
// leads through an object.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	}
	return err
}

func infoOf(key string, stat fs.FileInfo) blob.Info {
	return blob.Info{Key: key, Size: stat.Size(), ModifiedAt: stat.ModTime().UTC()}
}

func (s *Store) failed(doing, key string, err error) error {
	return fmt.Errorf("%s object %q in %s: %w", doing, key, s.root.Name(), err)
}
