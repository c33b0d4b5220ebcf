package auth

import (
	"context"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"
)

// recent remembers what was found out lately, at most so many values, each for a
// while. Of several who ask for one that isn't there, one finds it out.
type recent[V any] struct {
	values  *otter.Cache[string, aged[V]]
	lasts   time.Duration
	now     func() time.Time
	loading singleflight.Group
	firsts  sync.Mutex
}

type aged[V any] struct {
	value V
	until time.Time
}

func newRecent[V any](most int, lasts time.Duration, now func() time.Time) *recent[V] {
	return &recent[V]{
		values: otter.Must(&otter.Options[string, aged[V]]{MaximumSize: most, Logger: &otter.NoopLogger{}}),
		lasts:  lasts, now: now,
	}
}

func (r *recent[V]) get(key string) (V, bool) {
	a, ok := r.values.GetIfPresent(key)
	if !ok || !r.now().Before(a.until) {
		var none V
		return none, false
	}
	return a.value, true
}

// had reports that there is a value, however old.
func (r *recent[V]) had(key string) bool {
	_, ok := r.values.GetIfPresent(key)
	return ok
}

func (r *recent[V]) set(key string, value V) {
	r.values.Set(key, aged[V]{value, r.now().Add(r.lasts)})
}

// first reports whether a key comes for the first time in a while: to one of several
// who ask at once.
func (r *recent[V]) first(key string, value V) bool {
	r.firsts.Lock()
	defer r.firsts.Unlock()
	if _, ok := r.get(key); ok {
		return false
	}
	r.set(key, value)
	return true
}

// loadTimeout bounds what is asked of the store for those who show credentials.
const loadTimeout = 2 * time.Second

// load returns what is remembered, or finds it out. An error is not remembered.
func (r *recent[V]) load(ctx context.Context, key string, find func(ctx context.Context) (V, error)) (V, error) {
	if v, ok := r.get(key); ok {
		return v, nil
	}
	found, err, _ := r.loading.Do(key, func() (any, error) {
		// Others wait for this too: it doesn't end with the first who asks.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		v, err := find(ctx)
		if err == nil {
			r.set(key, v)
		}
		return v, err
	})
	if err != nil {
		var none V
		return none, err
	}
	return found.(V), nil //nolint:forcetypeassert // what find returned
}
