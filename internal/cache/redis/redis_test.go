package redis_test

import (
	"testing"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/redis"
	"github.com/crownsafe/api/internal/testenv"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	cachetest.Exercise(t, func(t *testing.T) cache.Store {
		address, prefix := testenv.Redis(t)
		return open(t, redis.Options{URL: address, Prefix: prefix})
	})
}

func open(t *testing.T, opts redis.Options) *redis.Store {
	t.Helper()
	s, err := redis.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
