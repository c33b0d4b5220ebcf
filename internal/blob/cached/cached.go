// Package cached stands before an object store that is far away and answers from
// a cache what it can: what is told of an object, that there is none, and signed
// URLs for reading. Whatever it stores, copies or removes it forgets, in every
// process that shares the cache.
//
// It knows the ports of blobs and of caches, no adapter of either, and nothing of
// what the objects are. Their content is never cached.
package cached

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/cache"
)

// The defaults of Options.
const (
	DefaultInfoTTL   = time.Minute
	DefaultAbsentTTL = 5 * time.Second
	DefaultURLSlack  = 15 * time.Minute
)

// Options say what is kept and for how long.
type Options struct {
	// Namespace tells this store from others that share the cache, as the address of
	// an account's container does; the container's name alone doesn't.
	Namespace string
	// InfoTTL is how long it is kept what an object is: how long somebody else's
	// change of it, past this package, may not be seen. 0: DefaultInfoTTL.
	InfoTTL time.Duration
	// AbsentTTL is the same for that there is none. 0: DefaultAbsentTTL.
	AbsentTTL time.Duration
	// URLSlack is how much longer than it was asked for a URL for reading may live,
	// and so for how long it can be given to others: its lifetime is at most
	// doubled. 0: DefaultURLSlack; negative: no URL is kept.
	URLSlack time.Duration
}

// Store is a blob.Store before another.
type Store struct {
	inner   blob.Store
	options Options
	infos   *cache.Of[blob.Info]
	urls    *cache.Of[blob.SignedURL]
	open    open
}

var _ blob.Store = (*Store)(nil)

// New puts a cache before a store.
func New(store blob.Store, c *cache.Cache, o Options) *Store {
	o.InfoTTL, o.AbsentTTL, o.URLSlack = cmp.Or(o.InfoTTL, DefaultInfoTTL), cmp.Or(o.AbsentTTL, DefaultAbsentTTL), cmp.Or(o.URLSlack, DefaultURLSlack)
	return &Store{
		inner: store, options: o,
		infos: cache.For[blob.Info](c, cache.Use{
			Name: "blob-info", Shape: 1, TTL: o.InfoTTL, Absent: blob.ErrNotFound, AbsentTTL: o.AbsentTTL,
		}),
		urls: cache.For[blob.SignedURL](c, cache.Use{Name: "blob-url", Shape: 1, TTL: o.URLSlack}),
	}
}

func (s *Store) name(key string) string { return s.options.Namespace + "/" + key }

// tag is what everything that is cached of an object has.
func (s *Store) tag(key string) string { return "blob:" + s.name(key) }

// forget drops what is cached of an object. It is called whatever became of what
// was done: an error doesn't mean that nothing was.
func (s *Store) forget(ctx context.Context, key string) { s.infos.InvalidateTags(ctx, s.tag(key)) }

// Head is blob.Store's, from the cache where it is known.
func (s *Store) Head(ctx context.Context, key string) (blob.Info, error) {
	if s.open.is(key) {
		return s.inner.Head(ctx, key)
	}
	item := cache.Item{Name: s.name(key), Tags: []string{s.tag(key)}}
	info, err := s.infos.Load(ctx, item, func(ctx context.Context) (blob.Info, error) { return s.inner.Head(ctx, key) })
	if err == blob.ErrNotFound { //nolint:errorlint // the bare one is the cache's
		err = fmt.Errorf("looking at object %q: %w", key, err)
	}
	return info, err
}

// Put is blob.Store's.
func (s *Store) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	defer s.forget(ctx, key)
	return s.inner.Put(ctx, key, content, opts)
}

// Get is blob.Store's. That an object isn't there, or another is, is news to the
// cache: somebody has changed it past this package.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	object, info, err := s.inner.Get(ctx, key)
	s.learn(ctx, key, err)
	return object, info, err
}

// GetRange is blob.Store's; see Get.
func (s *Store) GetRange(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	object, info, err := s.inner.GetRange(ctx, key, r)
	s.learn(ctx, key, err)
	return object, info, err
}

// List is blob.Store's. What it tells isn't kept.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, error) {
	return s.inner.List(ctx, prefix, after, limit)
}

func (s *Store) learn(ctx context.Context, key string, err error) {
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrChanged) {
		s.forget(ctx, key)
	}
}

// Copy is blob.Store's.
func (s *Store) Copy(ctx context.Context, from, to string) (blob.Info, error) {
	defer s.forget(ctx, to)
	info, err := s.inner.Copy(ctx, from, to)
	s.learn(ctx, from, err)
	return info, err
}

// Ping is blob.Store's: it asks the store itself.
func (s *Store) Ping(ctx context.Context) error { return s.inner.Ping(ctx) }

// Delete is blob.Store's.
func (s *Store) Delete(ctx context.Context, key string) error {
	defer s.forget(ctx, key)
	return s.inner.Delete(ctx, key)
}

// SignURL is blob.Store's, but that a URL for reading only may live longer than it
// was asked for, by Options.URLSlack; never shorter. What somebody does with a
// URL for more than reading isn't seen here, so that nothing of its object is
// cached by this process while it lives; by others it may be, for InfoTTL.
func (s *Store) SignURL(ctx context.Context, key string, allowed blob.Permission, lifetime time.Duration) (blob.SignedURL, error) {
	if allowed != blob.Read {
		signed, err := s.inner.SignURL(ctx, key, allowed, lifetime)
		if err == nil {
			s.open.add(key, signed.ExpiresAt)
			s.forget(ctx, key)
		}
		return signed, err
	}
	slack := min(s.options.URLSlack, lifetime, blob.MaxLifetime-lifetime)
	if slack < leastSlack {
		return s.inner.SignURL(ctx, key, allowed, lifetime)
	}
	item := cache.Item{Name: fmt.Sprintf("%d/%s", lifetime, s.name(key)), Tags: []string{s.tag(key)}, TTL: slack - margin}
	signed, err := s.urls.Load(ctx, item, func(ctx context.Context) (blob.SignedURL, error) {
		return s.inner.SignURL(ctx, key, allowed, lifetime+slack)
	})
	if err == nil && time.Until(signed.ExpiresAt) < lifetime { // by the clock of who signed it
		return s.inner.SignURL(ctx, key, allowed, lifetime)
	}
	return signed, err
}

const (
	// margin is what may be lost between a cache's look at its clock and the answer.
	margin = time.Second
	// leastSlack is the slack that is worth a place in the cache.
	leastSlack = 5 * time.Second
)

// open notes the keys of which URLs for writing are out.
type open struct {
	lock  sync.Mutex
	until map[string]time.Time
	all   time.Time // when there are too many to note: until when all are
}

const mostOpen = 10_000

func (o *open) add(key string, until time.Time) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if len(o.until) >= mostOpen {
		o.tidy()
	}
	if len(o.until) >= mostOpen {
		o.all = later(o.all, until)
		return
	}
	if o.until == nil {
		o.until = map[string]time.Time{}
	}
	o.until[key] = later(o.until[key], until)
}

// tidy drops those that have ended.
func (o *open) tidy() {
	now := time.Now()
	for key, until := range o.until {
		if now.After(until) {
			delete(o.until, key)
		}
	}
}

func (o *open) is(key string) bool {
	o.lock.Lock()
	defer o.lock.Unlock()
	return time.Now().Before(later(o.all, o.until[key]))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
