package blob_test

import (
	"context"
	"io"
	"sync"
	"testing"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
)

// remote is a store whose Put a test can make fail, or wait.
type remote struct {
	*disk.Store
	mu     sync.Mutex
	before func(ctx context.Context, key string, attempt int) error
	after  func(key string, attempt int) error
	puts   map[string]int
}

func (r *remote) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	r.mu.Lock()
	r.puts[key]++
	attempt, before, after := r.puts[key], r.before, r.after
	r.mu.Unlock()
	if before != nil {
		if err := before(ctx, key, attempt); err != nil {
			return blob.Info{}, err
		}
	}
	info, err := r.Store.Put(ctx, key, content, opts)
	if err == nil && after != nil {
		err = after(key, attempt)
	}
	return info, err
}

func (r *remote) attempts(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.puts[key]
}

func (r *remote) failing(before func(ctx context.Context, key string, attempt int) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = before
}

func openRemote(t *testing.T) *remote {
	t.Helper()
	s, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &remote{Store: s, puts: map[string]int{}}
}
