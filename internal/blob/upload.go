package blob

import (
	"context"
	"slices"
)

// Upload is one object on its way.
type Upload struct {
	queue     *Uploads
	file      spooled
	attempts  int
	cancel    context.CancelFunc // while it is running
	abandoned bool
	settled   bool // it is being finished, by whoever has settled it
	ended     bool

	done chan struct{}
	info Info
	err  error
}

// end closes Done; the queue's lock is held.
func (u *Upload) end(info Info, err error) {
	if u.ended {
		return
	}
	u.ended, u.info, u.err = true, info, err
	close(u.done)
}

// Key is the object's.
func (u *Upload) Key() string { return u.file.Key }

// Done is closed when the upload has ended.
func (u *Upload) Done() <-chan struct{} { return u.done }

// Result tells, after Done, of the object, or why there is none: ErrExists,
// ErrDamaged, context.Canceled after Cancel, ErrStopped after Drain, or what the
// store said the last time.
func (u *Upload) Result() (Info, error) {
	u.queue.mu.Lock()
	defer u.queue.mu.Unlock()
	return u.info, u.err
}

// Wait waits for Done and returns Result. When ctx ends before, the upload goes on.
func (u *Upload) Wait(ctx context.Context) (Info, error) {
	select {
	case <-u.done:
		return u.Result()
	case <-ctx.Done():
		return Info{}, ctx.Err()
	}
}

// Cancel gives an upload up. One that is on its way may still be stored; Result
// tells.
func (u *Upload) Cancel() {
	q := u.queue
	q.mu.Lock()
	if u.settled || u.ended || u.abandoned || q.ctx.Err() != nil {
		q.mu.Unlock()
		return
	}
	u.abandoned = true
	if u.cancel != nil {
		u.cancel() // its worker settles it
		q.mu.Unlock()
		return
	}
	q.ready = slices.DeleteFunc(q.ready, func(other *Upload) bool { return other == u })
	q.leave(u)
	u.settled = true
	q.mu.Unlock()
	q.finish(u, Info{}, context.Canceled)
}
