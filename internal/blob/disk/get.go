package disk

import (
	"cmp"
	"context"
	"io"
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
	file, info, err := s.open(key)
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

// open opens the file of an object.
func (s *Store) open(key string) (*os.File, blob.Info, error) {
	file, err := s.root.Open(key)
	if err != nil {
		return nil, blob.Info{}, absent(err)
	}
	info, err := infoOfOpen(key, file)
	if err != nil {
		file.Close()
		return nil, blob.Info{}, err
	}
	return file, info, nil
}

func infoOfOpen(key string, file *os.File) (blob.Info, error) {
	stat, err := file.Stat()
	if err != nil {
		return blob.Info{}, err
	}
	if !stat.Mode().IsRegular() {
		return blob.Info{}, blob.ErrNotFound
	}
	return infoOf(key, stat, file)
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
	file, info, err := s.open(key)
	if err != nil {
		return blob.Info{}, err
	}
	return info, file.Close()
}
