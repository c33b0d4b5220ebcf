package blob

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// work is what one worker does.
func (u *Uploads) work() {
	for {
		upload, ctx := u.next()
		if upload == nil {
			return
		}
		ctx, end := u.span(ctx, upload)
		info, err := u.attempt(ctx, upload.file)
		end(err)
		u.settle(upload, info, err)
	}
}

// next waits for something to do; nil at the end.
func (u *Uploads) next() (*Upload, context.Context) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.ready) == 0 && u.ctx.Err() == nil {
		u.changed.Wait()
	}
	if u.ctx.Err() != nil {
		return nil, nil
	}
	upload := u.ready[0]
	u.ready = slices.Delete(u.ready, 0, 1)
	ctx, cancel := context.WithCancel(asUpload(u.ctx))
	upload.cancel = cancel
	upload.attempts++
	return upload, ctx
}

func (u *Uploads) attempt(ctx context.Context, file spooled) (Info, error) {
	content, closer, err := file.open()
	if err != nil {
		return Info{}, err
	}
	defer closer.Close()
	info, err := u.store.Put(ctx, file.Key, content, file.options())
	if !errors.Is(err, ErrExists) {
		return info, err
	}
	// It may be an earlier attempt that is there already, of the process before.
	found, headErr := u.store.Head(ctx, file.Key)
	switch {
	case headErr == nil && found.MD5 == file.MD5 && found.Size == file.Size:
		return found, nil
	case headErr != nil && !errors.Is(headErr, ErrNotFound):
		return Info{}, headErr
	}
	return Info{}, err
}

// maxAttempts is how often an upload is tried that fails for a reason that isn't
// known to pass.
const maxAttempts = 5

// settle ends an upload, or lines it up again.
func (u *Uploads) settle(upload *Upload, info Info, err error) {
	u.mu.Lock()
	upload.cancel()
	upload.cancel = nil
	switch {
	case err == nil:
	case upload.abandoned:
		err = context.Canceled
	case u.ctx.Err() != nil: // Drain has given up: it is kept
		u.mu.Unlock()
		return
	case passes(err) || !errors.Is(err, ErrExists) && upload.attempts < maxAttempts:
		u.stats.Retries++
		u.options.Logger.Warn("an upload will be tried again", "key", upload.file.Key, "attempts", upload.attempts, "error", err.Error())
		time.AfterFunc(u.pause(upload.attempts), func() { u.again(upload) })
		u.mu.Unlock()
		return
	default:
		u.options.Logger.Error("an upload has failed", "key", upload.file.Key, "attempts", upload.attempts, "error", err.Error())
	}
	upload.settled = true
	u.mu.Unlock()
	u.finish(upload, info, err)
}

// passes reports a failure that says nothing against the object: somebody will
// repair the store, and until then the object is kept.
func passes(err error) bool {
	for _, passing := range []error{ErrUnavailable, ErrBusy, ErrFull, ErrReadOnly, ErrDenied, context.DeadlineExceeded} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// pause is what lies between two attempts, half to one and a half times what it
// is on average, so that those who failed together don't come back together.
func (u *Uploads) pause(attempts int) time.Duration {
	average := min(u.options.FirstWait<<min(attempts-1, 20), u.options.MaxWait)
	return average/2 + rand.N(average+1)
}

func (u *Uploads) again(upload *Upload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !upload.abandoned && u.ctx.Err() == nil {
		u.makeReady(upload)
	}
}

// finish tells everybody that an upload has ended, and lets the next of its key
// begin. It is called once for each.
func (u *Uploads) finish(upload *Upload, info Info, err error) {
	u.options.Finished(upload.file.Key, info, err)
	leave := upload.file.remove
	if err != nil && !upload.abandoned && !errors.Is(err, ErrExists) {
		leave = upload.file.setAside
		u.options.Logger.Error("a failed upload's content is put aside", "key", upload.file.Key, "file", upload.file.path+failedSuffix)
	}
	if leaveErr := leave(); leaveErr != nil {
		u.options.Logger.Error("an upload's file stays in the spool", "key", upload.file.Key, "error", leaveErr.Error())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case err == nil:
		u.stats.Done++
	case !upload.abandoned:
		u.stats.Failed++
	}
	u.leave(upload)
	u.forget(upload.file.Size)
	upload.end(info, err)
}

// leave takes an upload out of the line of its key, if it is still there; the
// lock is held.
func (u *Uploads) leave(upload *Upload) {
	key := upload.file.Key
	line := u.byKey[key]
	at := slices.Index(line, upload)
	if at < 0 {
		return
	}
	line = slices.Delete(line, at, at+1)
	if len(line) == 0 {
		delete(u.byKey, key)
		return
	}
	u.byKey[key] = line
	if at == 0 {
		u.makeReady(line[0])
	}
}
