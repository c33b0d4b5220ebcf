package memory_test

import (
	"testing"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/cachetest"
	"github.com/crownsafe/api/internal/cache/memory"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	cachetest.Exercise(t, func(t *testing.T) cache.Store {
		s := memory.Open(memory.Options{})
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}
