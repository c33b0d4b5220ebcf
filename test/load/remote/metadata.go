package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/cached"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/config"
)

// Metadata is how long it took to be told of each object.
type Metadata struct {
	Uncached []time.Duration // by the store itself
	Far      []time.Duration // by Redis, in a process that never asked before
	Near     []time.Duration // by the process's own memory
}

// AskMetadata stores so many objects and asks for what they are, one after the
// other: the store, and then two caches in front of it that share a Redis, of
// which one has asked before.
func AskMetadata(ctx context.Context, cfg config.Config, objects int) (m Metadata, err error) {
	container, err := account(cfg)
	if err != nil {
		return m, err
	}
	var keys []string
	defer func() {
		for _, k := range keys {
			err = errors.Join(err, container.Delete(ctx, k))
		}
	}()
	for i := range objects {
		k := key("metadata/", i)
		if _, err := container.Put(ctx, k, strings.NewReader(k), blob.PutOptions{}); err != nil {
			return m, fmt.Errorf("storing objects: %w", err)
		}
		keys = append(keys, k)
	}
	first, second, closeCaches, err := twoCaches(cfg)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, closeCaches()) }()
	if err := errors.Join(awaitListening(ctx, first), awaitListening(ctx, second)); err != nil {
		return m, err
	}
	options := cached.Options{Namespace: cfg.Storage.Container}
	near, other := cached.New(container, first, options), cached.New(container, second, options)
	for _, ask := range []struct {
		store blob.Store
		times *[]time.Duration
	}{
		{container, new([]time.Duration)}, // warms up
		{container, &m.Uncached},
		{near, new([]time.Duration)}, // fills both levels
		{near, &m.Near},
		{other, &m.Far},
	} {
		if *ask.times, err = heads(ctx, ask.store, keys); err != nil {
			return m, err
		}
	}
	nearHits, farHits := hits(first), hits(second)
	if enough := int64(objects) * 9 / 10; nearHits.Hits-nearHits.FarHits < enough || farHits.FarHits < enough {
		return m, fmt.Errorf("of %d answers %d came from the process's memory, %d from Redis", objects, nearHits.Hits-nearHits.FarHits, farHits.FarHits)
	}
	return m, nil
}

// awaitListening waits until a cache hears of what others invalidate: from then
// on it may keep what it knows.
func awaitListening(ctx context.Context, c *cache.Cache) error {
	const patience, every = 10 * time.Second, 10 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !c.Stats().Far.Listening {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for Redis to be listened to: %w", ctx.Err())
		case <-time.After(every):
		}
	}
	return nil
}

// hits are the answers on metadata that a cache gave.
func hits(c *cache.Cache) (all cache.OperationStats) {
	for _, use := range c.Stats().PerOperation {
		all.Hits += use.Hits
		all.FarHits += use.FarHits
	}
	return all
}

// heads asks a store for each object once.
func heads(ctx context.Context, s blob.Store, keys []string) ([]time.Duration, error) {
	times := make([]time.Duration, len(keys))
	for i, k := range keys {
		begin := time.Now()
		info, err := s.Head(ctx, k)
		times[i] = time.Since(begin)
		if err == nil && info.Size != int64(len(k)) {
			err = fmt.Errorf("it has %d bytes instead of %d", info.Size, len(k))
		}
		if err != nil {
			return nil, fmt.Errorf("looking at %s: %w", k, err)
		}
	}
	return times, nil
}

// twoCaches makes the caches of two processes.
func twoCaches(cfg config.Config) (first, second *cache.Cache, closeBoth func() error, err error) {
	var both [2]*cache.Cache
	closeBoth = func() (err error) {
		for _, c := range both {
			if c != nil {
				err = errors.Join(err, c.Close())
			}
		}
		return err
	}
	for i := range both {
		far, err := redis.Open(redis.Options{URL: string(cfg.RedisURL), Prefix: cfg.Cache.RedisPrefix})
		if err != nil {
			return nil, nil, nil, errors.Join(fmt.Errorf("opening the cache: %w", err), closeBoth())
		}
		both[i] = cache.New(memory.Open(memory.Options{Bytes: cfg.Cache.Bytes}), far, cache.Options{Timeout: cfg.Cache.RedisTimeout})
	}
	return both[0], both[1], closeBoth, nil
}
