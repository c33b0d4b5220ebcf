// Package disk keeps objects as files below one folder, a key being a path. It
// knows the blob port, the file system and, for signed URLs, net/http.
//
// The file of an object holds its bytes and nothing else. What is known of it
// besides, its content type, MD5 and ETag, is in a note: a small file of JSON in
// the folder .about, named after the SHA-256 of the key. Both are written in the
// folder .incoming, synced, and moved to their places, first the note and then
// the object, and the folders that they went to are synced: so an object is there
// whole or not at all, after a crash too.
//
// A note belongs to the file that has the very modification time that it names;
// no two files of a key that a reader could take for one another have the same.
// While one object replaces another there are the notes of both, so that a
// process that is killed at any point leaves the right one. What is read under a
// tied note is held against it: a failing disk changes bytes and not times. A
// file of another time is a copy, or came by another way. Its bytes prove whose
// note is its own, by their MD5: the folder may be copied by any means, with the
// times of its files or without; then the first look at an object reads it whole
// and writes its note anew. A file that no note is proved to be of is served as
// it is, of unknown MD5: one of an earlier version, one that somebody put there
// or changed, and also a copy without its times that isn't like the original.
//
// The notes of what was removed by hand, and what a killed process left, are
// cleared away from a day later on.
package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// incoming is where objects are while they are being written. Its name starts
// with a dot, as no key's segment does.
const incoming = ".incoming"

// Options configure what of a Store not everybody needs.
type Options struct {
	// Keys returns the keys of signed URLs as they are now, each of at least 32
	// bytes: the first signs, all are accepted, so that a URL outlives a rotation.
	// nil, or none: SignURL is errors.ErrUnsupported and Handler refuses everything.
	Keys func() [][]byte
	// BaseURL is where Handler is reached, as clients see it, without a slash at
	// its end; "/blobs" makes URLs for pages of the same host. Empty: "/blobs".
	BaseURL string
	// MaxUpload bounds what Handler takes in one PUT, in bytes. 0: 100 MiB.
	MaxUpload int64
	// Problem writes Handler's answers that tell of errors. nil: a problem document
	// (RFC 9457) without more than its four standard members.
	Problem func(w http.ResponseWriter, r *http.Request, status int, detail string)
	// Now is the clock of signed URLs. nil: time.Now.
	Now func() time.Time
}

const (
	minSecret        = 32
	defaultMaxUpload = 100 << 20
)

// Store is a folder of objects. It implements blob.Store.
type Store struct {
	// root refuses every path that leads out of the folder, by links too.
	root    *os.Root
	lock    lock
	options Options
}

var _ blob.Store = (*Store)(nil)

// Open opens a folder, which is created where it is missing. A folder that
// can't be written to still serves its objects.
func Open(folder string) (*Store, error) { return OpenWith(folder, Options{}) }

// OpenWith is Open with options.
func OpenWith(folder string, o Options) (*Store, error) {
	if o.Keys == nil {
		o.Keys = func() [][]byte { return nil }
	}
	for _, key := range o.Keys() {
		if len(key) < minSecret {
			return nil, fmt.Errorf("opening object folder %s: a key for signed URLs has %d bytes, fewer than %d", folder, len(key), minSecret)
		}
	}
	o.BaseURL = cmp.Or(o.BaseURL, "/blobs")
	o.MaxUpload = cmp.Or(o.MaxUpload, defaultMaxUpload)
	if o.Problem == nil {
		o.Problem = problem
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("opening object folder %s: %w", folder, blob.FromSystem(err))
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("opening object folder %s: %w", folder, err)
	}
	s := &Store{root: root, lock: lock{root: root}, options: o}
	s.clear(time.Now())
	return s, nil
}

// Close gives the folder back.
func (s *Store) Close() error { return errors.Join(s.lock.close(), s.root.Close()) }

// Ping reports whether the folder can be looked into. ErrUnavailable.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := s.root.Stat("."); err != nil {
		return fmt.Errorf("looking into object folder %s: %w: %w", s.root.Name(), blob.ErrUnavailable, err)
	}
	return nil
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
	stat, err := s.root.Stat(key)
	if err != nil {
		return absent(err)
	}
	if !stat.Mode().IsRegular() {
		return blob.ErrNotFound
	}
	err = s.lock.do(func() error {
		if err := s.root.Remove(key); err != nil {
			return err
		}
		s.forget(key)
		return nil
	})
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // removed since
			return blob.ErrNotFound
		}
		return blob.FromSystem(err)
	}
	return blob.FromSystem(s.sync(path.Dir(key)))
}

// forget removes the notes of what is gone; one that stays does no harm.
func (s *Store) forget(key string) {
	for _, name := range places(key) {
		_ = s.root.Remove(name)
	}
}

// absent gives the port's error for a path that can't be opened: one that leads
// nowhere, be it that it leads through an object, or may not be read.
func absent(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", blob.ErrDenied, err)
	}
	return err
}

func (s *Store) failed(doing, key string, err error) error {
	return fmt.Errorf("%s object %q in %s: %w", doing, key, s.root.Name(), err)
}
