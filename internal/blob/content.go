package blob

import (
	"context"
	"crypto/md5" //nolint:gosec // it tells damage, and is what Azure keeps beside an object
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// WithContext returns a reader that fails with the context's error once the
// context has ended.
func WithContext(ctx context.Context, r io.Reader) io.Reader { return contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Verified returns a reader of the whole content of an object that holds its
// length and, where Info has one, its MD5 against what was read. Content that
// isn't what was put ends in ErrDamaged, with the last bytes held back, so that
// nobody who counts bytes takes it for whole.
func Verified(content io.ReadCloser, info Info) io.ReadCloser {
	return &verified{ReadCloser: content, info: info, hasher: md5.New()} //nolint:gosec // as above
}

type verified struct {
	io.ReadCloser
	info   Info
	hasher hash.Hash
	read   int64
	failed error
}

func (v *verified) Read(p []byte) (int, error) {
	if v.failed != nil {
		return 0, v.failed
	}
	n, err := v.ReadCloser.Read(p)
	v.hasher.Write(p[:n])
	v.read += int64(n)
	if v.read >= v.info.Size || err == io.EOF {
		if v.failed = v.check(); v.failed != nil {
			return 0, v.failed
		}
	}
	return n, err
}

func (v *verified) check() error {
	if v.read != v.info.Size {
		return fmt.Errorf("object %q: read %d bytes of %d: %w", v.info.Key, v.read, v.info.Size, ErrDamaged)
	}
	if sum := hex.EncodeToString(v.hasher.Sum(nil)); v.info.MD5 != "" && sum != v.info.MD5 {
		return fmt.Errorf("object %q: its bytes have the MD5 %s in place of %s: %w", v.info.Key, sum, v.info.MD5, ErrDamaged)
	}
	return nil
}
