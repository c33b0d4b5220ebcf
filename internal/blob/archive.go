package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// Archive keeps the agencies' payloads as they came, compressed, under the
// hash of their bytes: the same payload is kept once, and what is read is
// proved to be what was stored.
type Archive struct {
	blobs Store
	spool string
	later func() *Uploads
}

// NewArchive makes an archive in a store. A payload is written to a file in the
// folder spool first, for its key is known only at its end; "" is the system's
// folder for temporary files.
func NewArchive(blobs Store, spool string) *Archive {
	return &Archive{blobs: blobs, spool: spool, later: func() *Uploads { return nil }}
}

// Defer lets payloads wait in uploads while the store doesn't answer or refuses, so that
// what an agency says is taken in all the same; later may return nil. It is called
// before first use.
func (a *Archive) Defer(later func() *Uploads) { a.later = later }

// Archived is a payload in the archive, or on its way there.
type Archived struct {
	Key    string // raw/us-cpsc/ab/abcdef….gz
	SHA256 string // of the payload's bytes, hexadecimal
	Size   int64  // of the payload before compression, in bytes
	// Deferred says that it waits in the uploads, from where OpenRaw reads it too.
	Deferred bool
}

// PutRaw stores a payload. One that is there already isn't written again. What it
// returned from without an error is durable, as Store.Put or Uploads.Enqueue is.
// It holds a bounded part in memory.
func (a *Archive) PutRaw(ctx context.Context, agency string, body io.Reader) (Archived, error) {
	if err := CheckKey(rawKey(agency, emptySum)); err != nil || strings.Contains(agency, "/") {
		return Archived{}, fmt.Errorf("archiving a payload of agency %q: %w", agency, ErrBadKey)
	}
	spooled, err := os.CreateTemp(a.spool, "payload-*.gz")
	if err != nil {
		return Archived{}, fmt.Errorf("archiving a payload of %s: %w", agency, FromSystem(err))
	}
	// Only the open file is used, so the name goes at once where the system lets
	// it: then nothing stays behind when the process is killed. Where it does not,
	// the name goes at the end.
	if os.Remove(spooled.Name()) != nil {
		defer os.Remove(spooled.Name()) //nolint:errcheck // a temporary file that stays behind does no harm
	}
	defer spooled.Close() //nolint:errcheck // it was only read from since
	sum, size, err := compress(spooled, WithContext(ctx, body))
	if err != nil {
		return Archived{}, fmt.Errorf("archiving a payload of %s: %w", agency, err)
	}
	archived := Archived{Key: rawKey(agency, sum), SHA256: sum, Size: size}
	err = a.keep(ctx, archived.Key, spooled)
	if uploads := a.later(); uploads != nil && ctx.Err() == nil && passes(err) {
		archived.Deferred = true
		err = enqueue(ctx, uploads, archived.Key, spooled)
	}
	if err != nil {
		return Archived{}, fmt.Errorf("archiving a payload of %s: %w", agency, err)
	}
	return archived, nil
}

// emptySum stands in for a hash that isn't known yet.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func rawKey(agency, sum string) string { return "raw/" + agency + "/" + sum[:2] + "/" + sum + ".gz" }

// compress copies a payload into a file, and hashes it on its way. The gzip
// header has no time, so that equal payloads make equal objects.
func compress(file io.Writer, body io.Reader) (sum string, size int64, err error) {
	hasher := sha256.New()
	writer := gzip.NewWriter(systemWriter{file})
	if size, err = io.Copy(io.MultiWriter(hasher, writer), body); err != nil {
		return "", 0, err
	}
	if err := writer.Close(); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(hasher.Sum(nil)), size, nil
}

// systemWriter gives the port's errors for failed writes, and so tells them
// from the payload's own errors.
type systemWriter struct{ io.Writer }

func (w systemWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		err = FromSystem(err)
	}
	return n, err
}

// keep puts the spooled payload where it belongs, unless it is there. What is
// there and known to be damaged is replaced.
func (a *Archive) keep(ctx context.Context, key string, spooled *os.File) error {
	_, err := a.blobs.Head(ctx, key)
	damaged := errors.Is(err, ErrDamaged)
	if !damaged && !errors.Is(err, ErrNotFound) {
		return err
	}
	if _, err := spooled.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = a.blobs.Put(ctx, key, spooled, PutOptions{IfAbsent: !damaged, ContentType: "application/gzip"})
	if errors.Is(err, ErrExists) { // somebody else was faster with the same bytes
		return nil
	}
	return err
}

// enqueue lets the spooled payload wait.
func enqueue(ctx context.Context, uploads *Uploads, key string, spooled *os.File) error {
	if waiting, err := uploads.Open(ctx, key); err == nil {
		return waiting.Close() // the same bytes once more would change nothing
	}
	if _, err := spooled.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := uploads.Enqueue(ctx, key, spooled, PutOptions{ContentType: "application/gzip"})
	return err
}

var rawKeyForm = regexp.MustCompile(`^raw/[^/]+/[0-9a-f]{2}/([0-9a-f]{64})\.gz$`)

// OpenRaw opens a payload by its key and decompresses it. At its end the bytes
// are held against the hash in the key: in place of io.EOF the reader returns
// ErrDamaged when they aren't what was stored, as it does for bytes that cannot
// be decompressed. ErrNotFound, ErrBadKey.
func (a *Archive) OpenRaw(ctx context.Context, key string) (io.ReadCloser, error) {
	form := rawKeyForm.FindStringSubmatch(key)
	if form == nil {
		return nil, fmt.Errorf("opening archived payload %q: %w", key, ErrBadKey)
	}
	object, err := a.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("opening archived payload %s: %w", key, err)
	}
	content, err := gzip.NewReader(object)
	if err != nil {
		object.Close()
		return nil, fmt.Errorf("opening archived payload %s: %w", key, damaged(err))
	}
	return &rawReader{key: key, sum: form[1], object: object, content: content, hasher: sha256.New()}, nil
}

// open opens what is stored or waits to be.
func (a *Archive) open(ctx context.Context, key string) (io.ReadCloser, error) {
	if uploads := a.later(); uploads != nil {
		if waiting, err := uploads.Open(ctx, key); err == nil {
			return waiting, nil
		}
	}
	object, _, err := a.blobs.Get(ctx, key)
	return object, err
}

// rawReader decompresses and verifies.
type rawReader struct {
	key, sum string
	object   io.Closer
	content  *gzip.Reader
	hasher   hash.Hash
}

func (r *rawReader) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	r.hasher.Write(p[:n])
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, fmt.Errorf("reading archived payload %s: %w", r.key, damaged(err))
	}
	if sum := hex.EncodeToString(r.hasher.Sum(nil)); sum != r.sum {
		return n, fmt.Errorf("reading archived payload %s: its bytes have the hash %s: %w", r.key, sum, ErrDamaged)
	}
	return n, io.EOF
}

func (r *rawReader) Close() error { return r.object.Close() }

// damaged puts ErrDamaged before the errors that tell of bytes that aren't what
// gzip wrote; others came up on the way to them.
func damaged(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
