package cache

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"
)

// The defaults of Use.
const (
	defaultMaxBytes    = 1 << 20
	defaultLoadTimeout = 30 * time.Second
)

// Use is one kind of value that is kept.
type Use struct {
	// Name is the operation, for keys and statistics; see Key.Use.
	Name string
	// Shape is to be raised when values mean something else than before. That the
	// type has other fields is noticed without it.
	Shape int
	// TTL is how long a value is kept, less up to a tenth that chance takes away.
	TTL time.Duration
	// Absent is the error of a load that found nothing, for errors.Is; it is kept
	// for AbsentTTL and returned bare. nil: no error is kept.
	Absent    error
	AbsentTTL time.Duration
	// MaxBytes is how large a value may be to be kept; 0: 1 MiB.
	MaxBytes int
	// LoadTimeout is how long a load may take; 0: 30 s. It goes on when who asked
	// for it goes away: others wait for it, or will.
	LoadTimeout time.Duration
}

// Of keeps values of one type for one use; see For.
type Of[T any] struct {
	cache  *Cache
	use    Use
	shape  string
	counts *useCounts
}

// For gives access to a cache's values of one use, as a type that encoding/json
// can write and read; []byte is kept as it is.
func For[T any](c *Cache, use Use) *Of[T] {
	use.MaxBytes = cmp.Or(use.MaxBytes, defaultMaxBytes)
	use.LoadTimeout = cmp.Or(use.LoadTimeout, defaultLoadTimeout)
	return &Of[T]{
		cache: c, use: use, counts: c.counts.of(use.Name),
		shape: strconv.Itoa(use.Shape) + "-" + fingerprint[T](),
	}
}

// Item is what is asked for.
type Item struct {
	Name string   // see Key.Name
	Tags []string // see Key.Tags
	// TTL is how long the value is kept, other than the use says; 0: as it says.
	TTL time.Duration
}

func (o *Of[T]) key(item Item) Key {
	return Key{Use: o.use.Name, Shape: o.shape, Name: item.Name, Tags: item.Tags}
}

// Load returns a value from the cache, or loads and keeps it. Of many who ask for
// the same at the same time one loads, and all get what came of it: the value is
// shared and must not be changed. Errors are those of load and of ctx, never the
// cache's; load's own context doesn't end with ctx.
func (o *Of[T]) Load(ctx context.Context, item Item, load func(context.Context) (T, error)) (T, error) {
	key := o.key(item)
	near, err := o.cache.near.Get(ctx, key)
	if err != nil {
		var none T
		return none, err
	}
	if near.Found {
		if r, ok := o.read(near.Value); ok {
			o.counts.nearHits.Add(1)
			return r.value, r.err
		}
	}
	flight := o.cache.flights.DoChan(key.flight(near.Claim), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.use.LoadTimeout)
		defer cancel()
		return o.fetch(ctx, key, item.TTL, load), nil
	})
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case landed := <-flight:
		r := landed.Val.(result[T])
		o.counts.count(r.from)
		return r.value, r.err
	}
}

// result is what became of a load.
type result[T any] struct {
	value T
	err   error
	from  level
}

// fetch looks once more and further away, and loads.
func (o *Of[T]) fetch(ctx context.Context, key Key, ttl time.Duration, load func(context.Context) (T, error)) result[T] {
	near, err := o.cache.near.Get(ctx, key) // it may have come since
	if err != nil {
		return result[T]{err: err}
	}
	if near.Found {
		if r, ok := o.read(near.Value); ok {
			r.from = nearLevel
			return r
		}
	}
	answer, fault, err := o.cache.behind(ctx, key, near.Claim)
	if err != nil {
		return result[T]{err: err}
	}
	if fault != nil {
		o.counts.errors.Add(1)
	}
	if answer.Found {
		if r, ok := o.read(answer.Value); ok {
			r.from = farLevel
			return r
		}
		answer.Claim = nil // nothing is kept beside what can't be read
	}
	value, err := o.call(ctx, key, load)
	o.keep(key, value, err, ttl, answer.Claim)
	return result[T]{value: value, err: err}
}

// call loads, and makes an error of a panic: it would end the process, because
// nobody's handler stands above it.
func (o *Of[T]) call(ctx context.Context, key Key, load func(context.Context) (T, error)) (value T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("loading a value of %s: panic: %v\n%s", key.Use, v, debug.Stack())
		}
	}()
	o.counts.loads.Add(1)
	return load(ctx)
}

// A value as it is kept starts with what it is.
const (
	isValue  = 'v'
	isAbsent = 'a'
)

// keep keeps what was loaded, in the far level behind the caller's back.
func (o *Of[T]) keep(key Key, value T, err error, ttl time.Duration, claim Claim) {
	packed, ok := o.pack(value, err)
	if !ok || len(claim) == 0 || len(packed) > o.use.MaxBytes {
		return
	}
	ttl = cmp.Or(ttl, o.use.TTL)
	if err != nil {
		ttl = o.use.AbsentTTL
	}
	ttl = vary(ttl)
	near, far := split(key, claim)
	_ = o.cache.keepNear(context.Background(), key, packed, ttl, near) // what is in the process can't fail
	if len(far) == 0 {
		return
	}
	select {
	case o.cache.writes <- struct{}{}:
	default:
		o.counts.errors.Add(1) // too many are on their way
		return
	}
	go func() {
		defer func() { <-o.cache.writes }()
		if o.cache.setFar(context.Background(), key, packed, ttl, far) != nil {
			o.counts.errors.Add(1)
		}
	}()
}

func (o *Of[T]) pack(value T, err error) ([]byte, bool) {
	if err != nil {
		return []byte{isAbsent}, o.use.Absent != nil && errors.Is(err, o.use.Absent)
	}
	if raw, ok := any(value).([]byte); ok {
		return append([]byte{isValue}, raw...), true
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		o.counts.errors.Add(1)
		return nil, false
	}
	return append([]byte{isValue}, encoded...), true
}

// read takes a kept value apart; false when it can't be read, and is to be loaded.
func (o *Of[T]) read(packed []byte) (r result[T], ok bool) {
	switch {
	case len(packed) == 1 && packed[0] == isAbsent && o.use.Absent != nil:
		r.err = o.use.Absent
		return r, true
	case len(packed) == 0 || packed[0] != isValue:
		o.counts.errors.Add(1)
		return r, false
	}
	if raw, ok := any(&r.value).(*[]byte); ok {
		*raw = packed[1:]
		return r, true
	}
	if err := json.Unmarshal(packed[1:], &r.value); err != nil {
		o.counts.errors.Add(1)
		return result[T]{}, false
	}
	return r, true
}

// Invalidate invalidates values by name, in every shape.
func (o *Of[T]) Invalidate(ctx context.Context, names ...string) {
	o.counts.invalidations.Add(int64(len(names)))
	marks := make([]Mark, len(names))
	for i, name := range names {
		marks[i] = o.key(Item{Name: name}).Mark()
	}
	_ = o.cache.Invalidate(ctx, marks...) // has no errors
}

// InvalidateTags is Cache.InvalidateTags, counted for this use.
func (o *Of[T]) InvalidateTags(ctx context.Context, tags ...string) {
	o.counts.invalidations.Add(int64(len(tags)))
	o.cache.InvalidateTags(ctx, tags...)
}
