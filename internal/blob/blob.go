// Package blob is the port to where objects are kept: raw payloads, snapshots,
// backups. The adapters (blob/disk now) pass the one conformance suite in
// blob/blobtest. Archive, on top of any adapter, keeps raw payloads under their
// hashes.
//
// It knows nothing of notices or of what the bytes mean.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Errors that adapters translate theirs into; tested with errors.Is.
var (
	ErrNotFound = errors.New("no such object")
	ErrExists   = errors.New("the object exists already")
	ErrBadKey   = errors.New("not a valid object key")
	ErrFull     = errors.New("no space left for objects")
	ErrReadOnly = errors.New("objects cannot be written here")
	ErrDamaged  = errors.New("the object is damaged")
)

// Info tells of one object.
type Info struct {
	Key        string
	Size       int64 // in bytes
	ModifiedAt time.Time
}

// PutOptions say how an object is to be put.
type PutOptions struct {
	// IfAbsent leaves an existing object alone: ErrExists. Of several such Puts
	// of one key at the same time exactly one succeeds.
	IfAbsent bool
	// ContentType is for stores that hand objects out over HTTP; others drop it.
	ContentType string
}

// Store keeps objects under keys; see CheckKey for what a key is. All methods
// may be called from several goroutines, and several processes may use one store.
type Store interface {
	// Put stores an object whole or not at all: a reader sees what was there
	// before or what is there now, never a part, and an error of content or the
	// end of ctx leaves what was there. When it returns without an error, the
	// object survives a crash of the process and of the machine. It holds only a
	// bounded part of content in memory, and reads none of it when it refuses
	// for IfAbsent at once. ErrExists, ErrBadKey, ErrFull, ErrReadOnly.
	Put(ctx context.Context, key string, content io.Reader, opts PutOptions) (Info, error)
	// Get opens an object. Who has it open reads it to its end, whatever
	// happens to the key meanwhile. ErrNotFound, ErrBadKey.
	Get(ctx context.Context, key string) (io.ReadCloser, Info, error)
	// Head tells of an object without opening it. ErrNotFound, ErrBadKey.
	Head(ctx context.Context, key string) (Info, error)
	// List returns the objects whose keys start with prefix and come after
	// another key, in order of the keys' bytes, at most limit (0: all).
	List(ctx context.Context, prefix, after string, limit int) ([]Info, error)
	// Delete removes an object; one that isn't there is no error, so that it can
	// be repeated. ErrBadKey, ErrReadOnly.
	Delete(ctx context.Context, key string) error
}

// The bounds of keys, in bytes: those of Azure Blob Storage for the whole, and
// of common file systems for each segment.
const (
	maxKey     = 1024
	maxSegment = 255
)

// CheckKey returns ErrBadKey, with the reason, for what is no key. A key is
// UTF-8 of up to 1,024 bytes: segments of up to 255 bytes with slashes between
// them. A segment neither starts nor ends with a dot, and there are no
// backslashes, colons and control characters, so that a key is a path that
// stays below its root on every system. Nobody uses one key as the folder of
// another: a store that cannot have both may answer ErrBadKey.
func CheckKey(key string) error {
	if reason := flaw(key); reason != "" {
		return fmt.Errorf("key %q %s: %w", key[:min(len(key), 100)], reason, ErrBadKey)
	}
	return nil
}

func flaw(key string) string {
	switch {
	case len(key) > maxKey:
		return "is too long"
	case !utf8.ValidString(key):
		return "is no UTF-8"
	case strings.ContainsFunc(key, func(r rune) bool { return r == '\\' || r == ':' || unicode.IsControl(r) }):
		return "has a backslash, a colon or a control character"
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "":
			return "has an empty segment"
		case len(segment) > maxSegment:
			return "has a segment that is too long"
		case segment[0] == '.' || segment[len(segment)-1] == '.':
			return "has a segment that starts or ends with a dot"
		}
	}
	return ""
}

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
