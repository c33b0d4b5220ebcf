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
	if err := s.allowed(key, opts); err != nil {
		return blob.Info{}, err
	}
	written, info, err := s.receive(key, blob.WithContext(ctx, content), opts)
	if err != nil {
		return blob.Info{}, err
	}
	defer s.root.Remove(written) //nolint:errcheck // it is gone already where it was moved
	if err := s.place(written, key, opts); err != nil {
		return blob.Info{}, err
	}
	return info, nil
}

// allowed holds the conditions of a put against what is under the key now.
func (s *Store) allowed(key string, opts blob.PutOptions) error {
	if !opts.IfAbsent && opts.IfMatch == "" {
		return nil
	}
	info, err := s.head(key)
	switch {
	case err == nil && opts.IfAbsent:
		return blob.ErrExists
	case opts.IfMatch == "" || err == nil && info.ETag == opts.IfMatch:
		return nil
	case err == nil || errors.Is(err, blob.ErrNotFound):
		return blob.ErrChanged
	}
	return err
}

// receive writes content and its trailer to a file of its own, to the disk's
// surface.
func (s *Store) receive(key string, content io.Reader, opts blob.PutOptions) (name string, info blob.Info, err error) {
	if err := s.makeFolder(incoming); err != nil {
		return "", blob.Info{}, blob.FromSystem(err)
	}
	name = path.Join(incoming, rand.Text())
	file, err := s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o440)
	if err != nil {
		return "", blob.Info{}, blob.FromSystem(err)
	}
	defer func() {
		if err != nil {
			file.Close()
			_ = s.root.Remove(name)
		}
	}()
	if err := fill(file, content, opts); err != nil {
		return "", blob.Info{}, err
	}
	stat, err := file.Stat()
	if err != nil {
		return "", blob.Info{}, err
	}
	if info, err = infoOf(key, stat, file); err != nil {
		return "", blob.Info{}, err
	}
	return name, info, blob.FromSystem(file.Close())
}

func fill(file *os.File, content io.Reader, opts blob.PutOptions) error {
	hasher := md5.New() //nolint:gosec // as above
	size, err := io.Copy(io.MultiWriter(file, hasher), content)
	if err != nil {
		// An error of content is the caller's own; only the file's is the system's.
		if failed, ok := errors.AsType[*fs.PathError](err); ok && failed.Path == file.Name() {
			return blob.FromSystem(err)
		}
		return err
	}
	sum := hex.EncodeToString(hasher.Sum(nil))
	if opts.MD5 != "" && sum != opts.MD5 {
		return fmt.Errorf("%w: its bytes have the MD5 %s in place of %s", blob.ErrDamaged, sum, opts.MD5)
	}
	line, err := trailer{size, sum, cmp.Or(opts.ContentType, blob.DefaultContentType), rand.Text()}.bytes()
	if err != nil {
		return err
	}
	if _, err := file.Write(line); err != nil {
		return blob.FromSystem(err)
	}
	return blob.FromSystem(file.Sync())
}

// place moves a written file to its key, if the conditions hold still.
func (s *Store) place(written, key string, opts blob.PutOptions) error {
	folder := path.Dir(key)
	if err := s.makeFolder(folder); err != nil {
		return misplaced(err)
	}
	err := s.lock.do(func() error {
		if err := s.allowed(key, opts); err != nil {
			return err
		}
		// A link refuses to replace, in one step; a rename replaces, in one step.
		if opts.IfAbsent {
			return s.root.Link(written, key)
		}
		return s.root.Rename(written, key)
	})
	if err != nil {
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
