package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/gzip"

	"github.com/crownsafe/api/internal/blob"
)

// sum is what is known of a text that was stored.
type sum struct {
	size, text int64 // in bytes, as it is stored and as it was written
	sha256     string
}

// encode writes a text as it is stored: under gzip, and under age for recipients.
func encode(w io.Writer, recipients []age.Recipient, write func(io.Writer) error) (sum, error) {
	stored := &counter{to: w, hash: sha256.New()}
	var layers []io.Closer
	out := io.Writer(stored)
	if len(recipients) > 0 {
		sealed, err := age.Encrypt(out, recipients...)
		if err != nil {
			return sum{}, fmt.Errorf("encrypting: %w", err)
		}
		layers, out = append(layers, sealed), sealed
	}
	packed := gzip.NewWriter(out)
	layers = append(layers, packed)
	plain := &counter{to: packed}
	if err := write(plain); err != nil {
		return sum{}, err
	}
	for i := len(layers) - 1; i >= 0; i-- { // the inner one first
		if err := layers[i].Close(); err != nil {
			return sum{}, err
		}
	}
	return sum{stored.size, plain.size, hex.EncodeToString(stored.hash.Sum(nil))}, nil
}

// counter counts what it passes on, and hashes it where it has a hash.
type counter struct {
	to   io.Writer
	hash hash.Hash
	size int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.size += int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	return n, err
}

// checkStored reads what is stored of a backup and holds it against its manifest.
func (k *Keeper) checkStored(ctx context.Context, m *Manifest, passed func(int)) error {
	object, err := k.get(ctx, m)
	if err != nil {
		return err
	}
	defer object.Close() //nolint:errcheck // it was read
	t := &text{object: object, manifest: m, passed: passed, hash: sha256.New()}
	if err := t.atEnd(io.EOF); err != io.EOF { //nolint:errorlint // the very one that readers return
		return err
	}
	return nil
}

// get opens the object of a backup.
func (k *Keeper) get(ctx context.Context, m *Manifest) (io.ReadCloser, error) {
	object, _, err := k.Objects.Get(ctx, m.Object)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("%w: its object is gone", ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", m.Object, err)
	}
	return object, nil
}

// heldBack is how much of the end of a text is held back until all of it was found to
// be what was stored: more than its last statement, which commits it.
const heldBack = 64

// open opens the text of a backup. Its end is given only if its bytes have the hash
// that the manifest has; else it ends with ErrDamaged. passed is told of the bytes as
// they are read.
func (k *Keeper) open(ctx context.Context, m *Manifest, passed func(int)) (io.ReadCloser, error) {
	object, err := k.get(ctx, m)
	if err != nil {
		return nil, err
	}
	t := &text{object: object, manifest: m, passed: passed, hash: sha256.New()}
	if err := t.unpack(k.Identities); err != nil {
		object.Close() //nolint:errcheck // the error is told
		return nil, err
	}
	return t, nil
}

// text reads a backup.
type text struct {
	object   io.ReadCloser
	manifest *Manifest
	passed   func(int)
	hash     hash.Hash
	size     int64
	failed   error // of the object itself

	plain io.Reader
	ahead []byte // what was read and isn't given yet
	end   error  // what comes behind it
	chunk []byte
}

func (t *text) unpack(identities []age.Identity) error {
	in := io.Reader(storedReader{t})
	if t.manifest.Encrypted {
		opened, err := age.Decrypt(in, identities...)
		if _, locked := errors.AsType[*age.NoIdentityMatchError](err); locked || len(identities) == 0 {
			return fmt.Errorf("%w: name the file of one with CROWNSAFE_BACKUP_IDENTITY", ErrLocked)
		}
		if err != nil {
			return t.damaged(err)
		}
		in = opened
	}
	packed, err := gzip.NewReader(in)
	if err != nil {
		return t.damaged(err)
	}
	t.plain, t.chunk = packed, make([]byte, 64<<10)
	return nil
}

// damaged tells a fault of the bytes from one of the store of objects.
func (t *text) damaged(err error) error {
	if t.failed != nil && !errors.Is(t.failed, blob.ErrDamaged) {
		return t.failed
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// storedReader reads the bytes of the object.
type storedReader struct{ *text }

// Read implements io.Reader.
func (r storedReader) Read(p []byte) (int, error) {
	n, err := r.object.Read(p)
	r.hash.Write(p[:n])
	r.size += int64(n)
	if r.passed != nil {
		r.passed(n)
	}
	if err != nil && err != io.EOF { //nolint:errorlint // the very one that readers return
		r.failed = err
	}
	return n, err
}

// Read implements io.Reader.
func (t *text) Read(p []byte) (int, error) {
	for t.end == nil && len(t.ahead) <= heldBack {
		n, err := t.plain.Read(t.chunk)
		t.ahead = append(t.ahead, t.chunk[:n]...)
		if err != nil {
			t.end = t.atEnd(err)
		}
	}
	ready := t.ahead
	if t.end == nil || !errors.Is(t.end, io.EOF) {
		ready = t.ahead[:max(0, len(t.ahead)-heldBack)]
	}
	n := copy(p, ready)
	if n == 0 {
		return 0, t.end
	}
	t.ahead = t.ahead[n:]
	return n, nil
}

// atEnd holds the whole against the manifest.
func (t *text) atEnd(err error) error {
	if err != io.EOF { //nolint:errorlint // the very one that readers return
		return t.damaged(err)
	}
	if _, err := io.Copy(io.Discard, storedReader{t}); err != nil {
		return t.damaged(err)
	}
	if got := hex.EncodeToString(t.hash.Sum(nil)); got != t.manifest.SHA256 || t.size != t.manifest.Size {
		return fmt.Errorf("%w: %d bytes with the hash %s in place of %d with %s", ErrDamaged, t.size, got, t.manifest.Size, t.manifest.SHA256)
	}
	return io.EOF
}

// Close implements io.Closer.
func (t *text) Close() error { return t.object.Close() }
