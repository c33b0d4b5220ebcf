package disk

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // it tells damage
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/blob"
)

// Put stores an object; see blob.Store.
func (s *Store) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	info, err := s.put(ctx, key, content, opts)
	if err != nil {
		return blob.Info{}, s.failed("storing", key, err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	if err := cmp.Or(blob.CheckKey(key), blob.CheckContentType(opts.ContentType), ctx.Err()); err != nil {
		return blob.Info{}, err
	}
	if err := s.allowed(ctx, key, opts); err != nil {
		return blob.Info{}, err
	}
	w, err := s.receive(key, blob.WithContext(ctx, content), opts)
	if err != nil {
		return blob.Info{}, err
	}
	defer s.discard(w)
	if err := s.place(ctx, w, opts); err != nil {
		return blob.Info{}, err
	}
	return w.note.info(w.stat), nil
}

// allowed holds the conditions of a put against what is under the key now.
func (s *Store) allowed(ctx context.Context, key string, opts blob.PutOptions) error {
	if opts.IfAbsent {
		if stat, err := s.root.Stat(key); err == nil && stat.Mode().IsRegular() {
			return blob.ErrExists
		}
	}
	if opts.IfMatch == "" {
		return nil
	}
	f, err := s.find(ctx, key)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return blob.ErrChanged
	case err != nil:
		return err
	}
	defer f.file.Close()
	if f.info.ETag != opts.IfMatch {
		return blob.ErrChanged
	}
	return nil
}

// written is an object in the folder incoming.
type written struct {
	object string // the name of its file
	stat   fs.FileInfo
	note   note
	noted  string // the name of its note's file, "" before there is one
}

// discard removes what has not been moved to its place.
func (s *Store) discard(w *written) {
	_ = s.root.Remove(w.object)
	if w.noted != "" {
		_ = s.root.Remove(w.noted)
	}
}

// receive writes content and its note to files of their own, to the disk's
// surface.
func (s *Store) receive(key string, content io.Reader, opts blob.PutOptions) (w *written, err error) {
	if err := s.makeFolder(incoming); err != nil {
		return nil, blob.FromSystem(err)
	}
	w = &written{object: path.Join(incoming, rand.Text()), note: note{
		Key: key, ContentType: cmp.Or(opts.ContentType, blob.DefaultContentType), ID: rand.Text(),
	}}
	file, err := s.root.OpenFile(w.object, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o440)
	if err != nil {
		return nil, blob.FromSystem(err)
	}
	defer func() {
		if err != nil {
			s.discard(w)
		}
	}()
	w.note.Size, w.note.MD5, err = fill(file, content, opts.MD5)
	if closed := file.Close(); err == nil {
		err = blob.FromSystem(closed)
	}
	if err == nil {
		err = s.stamp(w, time.Now())
	}
	return w, err
}

// fill writes content into a file, and holds it against the MD5 that it should
// have, unless that is empty.
func fill(file *os.File, content io.Reader, should string) (size int64, sum string, err error) {
	hasher := md5.New() //nolint:gosec // as above
	size, err = io.Copy(io.MultiWriter(file, hasher), content)
	if err != nil {
		// An error of content is the caller's own; only the file's is the system's.
		if failed, ok := errors.AsType[*fs.PathError](err); ok && failed.Path == file.Name() {
			return 0, "", blob.FromSystem(err)
		}
		return 0, "", err
	}
	sum = hex.EncodeToString(hasher.Sum(nil))
	if should != "" && sum != should {
		return 0, "", fmt.Errorf("%w: its bytes have the MD5 %s in place of %s", blob.ErrDamaged, sum, should)
	}
	return size, sum, nil
}

// stamp gives an object's file the time that ties it to its note, and syncs both.
func (s *Store) stamp(w *written, at time.Time) (err error) {
	if err := s.root.Chtimes(w.object, at, at); err != nil {
		return blob.FromSystem(err)
	}
	// The file system may keep it less exactly.
	if w.stat, err = s.root.Stat(w.object); err != nil {
		return err
	}
	w.note.ModifiedAt = w.stat.ModTime()
	if w.noted, err = s.writeNote(w.note); err != nil {
		return blob.FromSystem(err)
	}
	return s.syncBoth(w.object, w.noted)
}

// place moves a written object to its key, if the conditions hold still.
func (s *Store) place(ctx context.Context, w *written, opts blob.PutOptions) error {
	folder := path.Dir(w.note.Key)
	if err := s.makeFolder(folder); err != nil {
		return misplaced(err)
	}
	for {
		err := s.lock.do(func() error {
			if err := s.allowed(ctx, w.note.Key, opts); err != nil {
				return err
			}
			return s.move(w, opts.IfAbsent)
		})
		switch {
		case err == nil:
			return s.syncBoth(folder, about)
		case errors.Is(err, errSameTime):
			_ = s.root.Remove(w.noted)
			if err := s.stamp(w, w.stat.ModTime().Add(coarsest)); err != nil {
				return err
			}
		default:
			return s.unmoved(w.note.Key, err)
		}
	}
}

// errSameTime says that a file has the time of the one that it would replace.
var errSameTime = errors.New("the file has the time of another version")

// coarsest is how exactly a file system keeps times at the least (FAT).
const coarsest = 2 * time.Second

// move moves a note and then the object to their places. It runs under the lock.
func (s *Store) move(w *written, ifAbsent bool) error {
	key := w.note.Key
	names := places(key)
	to, other := names[0], names[1]
	stat, err := s.root.Lstat(key)
	replaces := err == nil
	switch {
	case !replaces:
		_ = s.root.Remove(other) // of what is gone
	case stat.ModTime().Equal(w.stat.ModTime()):
		return errSameTime
	default:
		if n, _, err := s.readNote(to); err != nil {
			return err
		} else if n.tied(stat) {
			to, other = other, to
		}
	}
	if err := s.root.Rename(w.noted, to); err != nil {
		return err
	}
	// A link refuses to replace, in one step; a rename replaces, in one step.
	set := s.root.Rename
	if ifAbsent {
		set = s.root.Link
	}
	if err := set(w.object, key); err != nil {
		_ = s.root.Remove(to)
		return err
	}
	if replaces {
		_ = s.root.Remove(other) // of what was replaced
	}
	return nil
}

// unmoved gives the port's error for what could not be moved to its key.
func (s *Store) unmoved(key string, err error) error {
	if info, statErr := s.root.Lstat(key); statErr == nil && info.IsDir() {
		return fmt.Errorf("the key is a folder of other keys: %w", blob.ErrBadKey)
	}
	if errors.Is(err, fs.ErrExist) {
		return blob.ErrExists
	}
	return misplaced(err)
}

// Copy stores an object under another key too; see blob.Store.
func (s *Store) Copy(ctx context.Context, from, to string) (blob.Info, error) {
	info, err := s.copy(ctx, from, to)
	if err != nil {
		return blob.Info{}, s.failed("copying", from, fmt.Errorf("to %q: %w", to, err))
	}
	return info, nil
}

func (s *Store) copy(ctx context.Context, from, to string) (blob.Info, error) {
	if err := blob.CheckKey(to); err != nil {
		return blob.Info{}, err
	}
	source, info, err := s.get(ctx, from, blob.Range{})
	if err != nil {
		return blob.Info{}, err
	}
	defer source.Close()
	return s.put(ctx, to, source, blob.PutOptions{ContentType: info.ContentType, MD5: info.MD5})
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
	return s.sync(parent)
}

// syncBoth syncs two files or folders at once, which costs a journalling file
// system little more than one.
func (s *Store) syncBoth(one, other string) error {
	var group errgroup.Group
	group.Go(func() error { return s.sync(one) })
	group.Go(func() error { return s.sync(other) })
	return blob.FromSystem(group.Wait())
}

// sync brings a file or a folder to the disk's surface.
func (s *Store) sync(name string) error {
	file, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}
