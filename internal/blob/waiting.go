package blob

import (
	"context"
	"fmt"
	"io"
)

// Open opens what waits to be stored under a key, the newest if there are several.
// ErrNotFound when nothing waits: it may be in the store by then.
func (u *Uploads) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	u.mu.Lock()
	waiting := u.byKey[key]
	var last *Upload
	if len(waiting) > 0 {
		last = waiting[len(waiting)-1]
	}
	u.mu.Unlock()
	if last == nil {
		return nil, fmt.Errorf("opening object %q before it is stored: %w", key, ErrNotFound)
	}
	content, file, err := last.file.open()
	if err != nil { // it was stored this very moment, and the file is gone
		return nil, fmt.Errorf("opening object %q before it is stored: %w: %w", key, ErrNotFound, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{WithContext(ctx, content), file}, nil
}
