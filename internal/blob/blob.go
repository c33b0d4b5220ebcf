// Package blob is the port to where objects are kept: raw payloads, photos,
// reports, snapshots, backups. The adapters, blob/disk and blob/azure, pass the
// one conformance suite in blob/blobtest. On top of any adapter stand Archive,
// which keeps raw payloads under their hashes, Guarded, which bounds what a
// failing store can cost, and Uploads, which stores in the background.
//
// It knows nothing of notices or of what the bytes mean.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Errors that adapters translate theirs into; tested with errors.Is. None of
// their texts holds a key, a signature or a URL that has one.
var (
	ErrNotFound       = errors.New("no such object")
	ErrExists         = errors.New("the object exists already")
	ErrChanged        = errors.New("the object is another one now")
	ErrBadKey         = errors.New("not a valid object key")
	ErrBadContentType = errors.New("not a valid content type")
	ErrRange          = errors.New("the object has no such range")
	ErrFull           = errors.New("no space left for objects")
	ErrReadOnly       = errors.New("objects cannot be written here")
	ErrDenied         = errors.New("the object store refuses access")
	ErrDamaged        = errors.New("the object is damaged")
	ErrUnavailable    = errors.New("the object store doesn't answer")
	ErrBusy           = errors.New("too many operations on objects are in flight")
	ErrQueueFull      = errors.New("too many uploads are waiting for the object store")
	ErrStopped        = errors.New("uploads have stopped")
)

// DefaultContentType is the type of an object that was stored without one.
const DefaultContentType = "application/octet-stream"

// Info tells of one object.
type Info struct {
	Key         string
	Size        int64 // in bytes
	ModifiedAt  time.Time
	ContentType string // as it was put, else DefaultContentType
	// ETag names what is stored under the key now (RFC 9110, section 8.8.3, a
	// strong one, with its quotes): each Put and Copy makes a new one.
	ETag string
	// MD5 is the hexadecimal MD5 of the content, to tell damage by; "" for an
	// object that came into the store by another way than Put.
	MD5 string
}

// PutOptions say how an object is to be put.
type PutOptions struct {
	// IfAbsent leaves an existing object alone: ErrExists. Of several such Puts
	// of one key at the same time exactly one succeeds.
	IfAbsent bool
	// IfMatch, unless empty, is the ETag of what is to be replaced; ErrChanged
	// when something else is there, or nothing. Of several such Puts of one key
	// at the same time exactly one succeeds.
	IfMatch string
	// ContentType goes into Info and to who fetches the object over HTTP; see
	// CheckContentType. Empty: DefaultContentType.
	ContentType string
	// MD5, unless empty, is the hexadecimal MD5 that content must have: ErrDamaged.
	MD5 string
}

// Range is a part of an object, in bytes. The zero value is the whole.
type Range struct {
	Offset int64
	Length int64 // at most; 0: to the end
	// IfMatch, unless empty, is the ETag that the object must have, so that parts
	// that are read one after the other are of one object: ErrChanged.
	IfMatch string
}

// In returns where the range begins in an object of a size and how long it is
// there. As HTTP has it (RFC 9110, section 14), a range that begins before the
// end is cut at the end, and one that begins at the end or beyond is ErrRange.
// The whole of an empty object is no error.
func (r Range) In(size int64) (offset, length int64, err error) {
	switch {
	case r.Whole():
		return 0, size, nil
	case r.Offset < 0 || r.Length < 0 || r.Offset >= size:
		return 0, 0, fmt.Errorf("%w: %d bytes from %d on, of %d", ErrRange, r.Length, r.Offset, size)
	case r.Length == 0:
		return r.Offset, size - r.Offset, nil
	}
	return r.Offset, min(r.Length, size-r.Offset), nil
}

// Whole reports that the range is all of any object.
func (r Range) Whole() bool { return r.Offset == 0 && r.Length == 0 }

// Store keeps objects under keys; see CheckKey for what a key is. All methods
// may be called from several goroutines, and several processes may use one
// store. Each may fail with ErrBadKey, ErrDenied, ErrUnavailable and the
// context's error; the comments name the errors beside these.
type Store interface {
	// Put stores an object whole or not at all: a reader sees what was there
	// before or what is there now, never a part, and an error of content or the
	// end of ctx leaves what was there. When it returns without an error, the
	// object survives a crash of the process and of the machine; after
	// ErrUnavailable it may be there, whole, or not. It holds only a bounded part
	// of content in memory, and reads none of it when it refuses for IfAbsent or
	// IfMatch at once. Content that is an io.Seeker may be read again from where
	// it was. ErrExists, ErrChanged, ErrBadContentType, ErrDamaged, ErrFull,
	// ErrReadOnly.
	Put(ctx context.Context, key string, content io.Reader, opts PutOptions) (Info, error)
	// Get opens an object. What is read of it is of the one object that Info
	// tells of, whatever happens to the key meanwhile: to its end, or, from a
	// store that can't hand out what was replaced, up to ErrChanged; never a
	// mixture. The end is held against the MD5, and given as ErrDamaged in place
	// of io.EOF, with the last bytes held back, when the content isn't what was
	// put. The end of ctx ends the reading. ErrNotFound.
	Get(ctx context.Context, key string) (io.ReadCloser, Info, error)
	// GetRange opens a part of an object; Info tells of the whole. A part is not
	// held against the MD5, for that is of the whole. ErrNotFound, ErrRange,
	// ErrChanged.
	GetRange(ctx context.Context, key string, r Range) (io.ReadCloser, Info, error)
	// Head tells of an object without opening it. ErrNotFound.
	Head(ctx context.Context, key string) (Info, error)
	// List returns the objects whose keys start with prefix and come after
	// another key, in order of the keys' bytes, at most limit (0: all). It may
	// leave ContentType, ETag and MD5 empty.
	List(ctx context.Context, prefix, after string, limit int) ([]Info, error)
	// Copy stores what is under one key under another too, with its content type
	// and MD5, whole or not at all, without the bytes passing through this process
	// where the store can do that. ErrNotFound, ErrChanged when the source changes
	// under it, ErrDamaged, ErrFull, ErrReadOnly.
	Copy(ctx context.Context, from, to string) (Info, error)
	// Delete removes an object; one that isn't there is no error, so that it can
	// be repeated. ErrReadOnly.
	Delete(ctx context.Context, key string) error
	// SignURL makes a URL that lets somebody without credentials do what allowed
	// says with one key, which needn't be there yet, and nothing else, for the
	// lifetime, of MaxLifetime at most, and up to a second longer.
	// errors.ErrUnsupported where the store's own credentials can't sign.
	SignURL(ctx context.Context, key string, allowed Permission, lifetime time.Duration) (SignedURL, error)
	// Ping asks the backend for as little as there is, once, and returns nil when
	// that answers.
	Ping(ctx context.Context) error
}

// Exists reports whether there is an object under a key.
func Exists(ctx context.Context, s Store, key string) (bool, error) {
	_, err := s.Head(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
