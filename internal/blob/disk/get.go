package disk

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/crownsafe/api/internal/blob"
)

// Get opens an object; see blob.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	return s.GetRange(ctx, key, blob.Range{})
}

// GetRange opens a part of an object; see blob.Store.
func (s *Store) GetRange(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	content, info, err := s.get(ctx, key, r)
	if err != nil {
		return nil, blob.Info{}, s.failed("opening", key, err)
	}
	return content, info, nil
}

func (s *Store) get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	if err := cmp.Or(blob.CheckKey(key), ctx.Err()); err != nil {
		return nil, blob.Info{}, err
	}
	file, info, err := s.open(ctx, key)
	if err != nil {
		return nil, blob.Info{}, err
	}
	if r.IfMatch != "" && r.IfMatch != info.ETag {
		file.Close()
		return nil, blob.Info{}, blob.ErrChanged
	}
	offset, length, err := r.In(info.Size)
	if err != nil {
		file.Close()
		return nil, blob.Info{}, err
	}
	content := &object{blob.WithContext(ctx, io.NewSectionReader(file, offset, length)), file}
	if r.Whole() {
		return blob.Verified(content, info), info, nil
	}
	return content, info, nil
}

// object is what is read of an open file.
type object struct {
	io.Reader
	io.Closer
}

// open opens the file of an object, and writes the note of a copied one anew.
func (s *Store) open(ctx context.Context, key string) (*os.File, blob.Info, error) {
	f, err := s.find(ctx, key)
	if err != nil {
		return nil, blob.Info{}, err
	}
	if f.copied != nil {
		s.adopt(f.stat, *f.copied)
	}
	return f.file, f.info, nil
}

// found is the open file of an object.
type found struct {
	file *os.File
	stat fs.FileInfo
	info blob.Info
	// copied is the object's note where that is of the file that this is a copy of.
	copied *note
}

// find opens the file of an object; it changes nothing.
func (s *Store) find(ctx context.Context, key string) (*found, error) {
	for {
		file, err := s.root.Open(key)
		if err != nil {
			return nil, absent(err)
		}
		f := &found{file: file}
		if err = s.describe(ctx, key, f); err == nil {
			return f, nil
		}
		file.Close()
		if !errors.Is(err, errReplaced) {
			return nil, err
		}
	}
}

// errReplaced says that a file is not the one under its key any more.
var errReplaced = errors.New("the file was replaced while its note was read")

// describe finds out what is known of an open file. The notes are those of other
// files once it was replaced or removed, so it must be in its place still when
// they have been read: errReplaced.
func (s *Store) describe(ctx context.Context, key string, f *found) (err error) {
	if f.stat, err = f.file.Stat(); err != nil {
		return err
	}
	if !f.stat.Mode().IsRegular() {
		return blob.ErrNotFound
	}
	notes, tied, err := s.notes(key, f.stat)
	if err != nil {
		return err
	}
	now, err := s.root.Stat(key)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(f.stat, now) {
		return errReplaced
	}
	if err != nil {
		return err
	}
	if tied {
		f.info = notes[0].info(f.stat)
		return notes[0].whole(f.stat)
	}
	if f.copied, err = proved(ctx, f.file, f.stat, notes); err != nil {
		return err
	}
	f.info = unknown(key, f.stat)
	if f.copied != nil {
		f.info = f.copied.info(f.stat)
	}
	return nil
}

// Head tells of an object; see blob.Store.
func (s *Store) Head(ctx context.Context, key string) (blob.Info, error) {
	err := cmp.Or(blob.CheckKey(key), ctx.Err())
	var info blob.Info
	if err == nil {
		info, err = s.head(ctx, key)
	}
	if err != nil {
		return blob.Info{}, s.failed("looking for", key, err)
	}
	return info, nil
}

func (s *Store) head(ctx context.Context, key string) (blob.Info, error) {
	file, info, err := s.open(ctx, key)
	if err != nil {
		return blob.Info{}, err
	}
	return info, file.Close()
}
