package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// UploadOptions configures Uploads; but for Spool the zero value is ready for use.
type UploadOptions struct {
	// Spool is the folder where content waits. It is one process's at a time.
	Spool     string
	Workers   int           // uploads at once; 0: 10
	MaxQueued int           // uploads that wait or are on their way; 0: 5,000
	MaxBytes  int64         // of content that waits or is on its way; 0: 2 GiB
	FirstWait time.Duration // about the pause before the second attempt, each later one twice as long; 0: 500 ms
	MaxWait   time.Duration // the longest pause; 0: 15 s
	// Finished, unless nil, is called for each upload that has ended, also for
	// those of the process before, before Done tells of it; twice for one when the
	// process is killed right after the first. Those of one key are told in order.
	Finished func(key string, info Info, err error)
	Logger   *slog.Logger // nil: silent
	// Tracer makes a span of each attempt, linked to the one that the upload was
	// enqueued in, be it the process before's; nil: there are none.
	Tracer trace.Tracer
}

// UploadStats are the uploads since the start.
type UploadStats struct {
	Workers int
	Queued  int // waiting or on their way
	Done    int64
	Failed  int64 // for good; those before the start too, as far as their files were put aside and are there
	Retries int64
	Bytes   int64 // of what is queued
}

// Uploads stores objects in the background, so that nobody waits for a remote
// store. What Enqueue has taken is in a file, and is stored, once, even if the
// process is killed: the next process that uses the folder goes on with it. A
// store that doesn't answer, or refuses, is asked again until it takes the object;
// any other failure is final after some attempts. Then, unless it is ErrExists, the
// content is put aside under its file's name and ".failed", for an operator: without
// that ending the next start takes it up again. Uploads of one key are stored in the
// order that they were enqueued in.
//
// Keys that are enqueued aren't also put directly: what is uploaded late would
// replace what is newer.
type Uploads struct {
	store   Store
	spool   *spool
	options UploadOptions
	ctx     context.Context // ends with the workers
	stop    context.CancelFunc
	workers sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond
	ready    []*Upload
	byKey    map[string][]*Upload // in order; only the first is ever ready, waiting or running
	stopping bool
	stats    UploadStats
}

// NewUploads starts the workers, which begin with what the process before has
// left. ErrBusy when another process uses the folder.
func NewUploads(s Store, o UploadOptions) (*Uploads, error) {
	o.Workers = cmp.Or(o.Workers, 10)
	o.MaxQueued = cmp.Or(o.MaxQueued, 5000)
	o.MaxBytes = cmp.Or(o.MaxBytes, 2<<30)
	o.FirstWait = cmp.Or(o.FirstWait, 500*time.Millisecond)
	o.MaxWait = cmp.Or(o.MaxWait, 15*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Finished == nil {
		o.Finished = func(string, Info, error) {}
	}
	spool, err := openSpool(o.Spool)
	if err != nil {
		return nil, fmt.Errorf("opening the upload spool %s: %w", o.Spool, err)
	}
	left, failed, err := spool.recover(o.Logger)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the upload spool %s: %w", o.Spool, err), spool.close())
	}
	u := &Uploads{store: s, spool: spool, options: o, byKey: map[string][]*Upload{}, stats: UploadStats{Workers: o.Workers, Failed: failed}}
	if failed > 0 {
		o.Logger.Error("uploads that failed lie in the spool", "files", filepath.Join(o.Spool, "*"+failedSuffix), "number", failed)
	}
	u.changed = sync.NewCond(&u.mu)
	u.ctx, u.stop = context.WithCancel(context.Background())
	for _, file := range left {
		u.stats.Queued++
		u.stats.Bytes += file.Size
		u.add(file)
	}
	for range o.Workers {
		u.workers.Go(u.work)
	}
	return u, nil
}

// Enqueue takes content, to its end, and leaves the rest to the workers: it
// never waits for the store. When it returns without an error, the object will
// be stored even if the process is killed. ErrQueueFull at once when too much is
// waiting already, and when content is more than there is room for; ErrStopped
// after Drain; ErrBadKey, ErrBadContentType, ErrDamaged, ErrFull, ErrReadOnly of
// the spool, and errors.ErrUnsupported for IfMatch: what matches now may not when
// its turn comes.
func (u *Uploads) Enqueue(ctx context.Context, key string, content io.Reader, opts PutOptions) (*Upload, error) {
	upload, err := u.enqueue(ctx, key, content, opts)
	if err != nil {
		return nil, fmt.Errorf("enqueuing object %q: %w", key, err)
	}
	return upload, nil
}

func (u *Uploads) enqueue(ctx context.Context, key string, content io.Reader, opts PutOptions) (*Upload, error) {
	if err := cmp.Or(CheckKey(key), CheckContentType(opts.ContentType), ctx.Err()); err != nil {
		return nil, err
	}
	if opts.IfMatch != "" {
		return nil, fmt.Errorf("uploads can't wait for an ETag: %w", errors.ErrUnsupported)
	}
	if err := u.reserve(); err != nil {
		return nil, err
	}
	counted := &reserving{queue: u, content: WithContext(ctx, content)}
	file, err := u.spool.add(manifest{Key: key, ContentType: opts.ContentType, IfAbsent: opts.IfAbsent, Cause: causeOf(ctx)}, counted)
	if err == nil && opts.MD5 != "" && opts.MD5 != file.MD5 {
		err = errors.Join(fmt.Errorf("%w: its bytes have the MD5 %s in place of %s", ErrDamaged, file.MD5, opts.MD5), file.remove())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil && u.ctx.Err() != nil { // Drain didn't wait for it
		err = errors.Join(ErrStopped, file.remove())
	}
	if err != nil {
		u.forget(counted.bytes)
		return nil, err
	}
	return u.add(file), nil
}

// reserve makes room for one more.
func (u *Uploads) reserve() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.stopping:
		return ErrStopped
	case u.stats.Queued >= u.options.MaxQueued:
		return fmt.Errorf("%w: %d of %d", ErrQueueFull, u.stats.Queued, u.options.MaxQueued)
	case u.stats.Bytes >= u.options.MaxBytes:
		return fmt.Errorf("%w: %d bytes of %d", ErrQueueFull, u.stats.Bytes, u.options.MaxBytes)
	}
	u.stats.Queued++
	return nil
}

// reserving makes room for content while it is read.
type reserving struct {
	queue   *Uploads
	content io.Reader
	bytes   int64
}

func (r *reserving) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.bytes += int64(n)
	r.queue.stats.Bytes += int64(n)
	if limit := r.queue.options.MaxBytes; r.queue.stats.Bytes > limit {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrQueueFull, limit)
	}
	return n, err
}

// forget gives back the room of one; the lock is held.
func (u *Uploads) forget(bytes int64) {
	u.stats.Queued--
	u.stats.Bytes -= bytes
	u.changed.Broadcast()
}

// add lines up what is in the spool; the lock is held, or nobody else is there yet.
func (u *Uploads) add(file spooled) *Upload {
	upload := &Upload{queue: u, file: file, done: make(chan struct{})}
	u.byKey[file.Key] = append(u.byKey[file.Key], upload)
	if len(u.byKey[file.Key]) == 1 {
		u.makeReady(upload)
	}
	return upload
}

func (u *Uploads) makeReady(upload *Upload) {
	u.ready = append(u.ready, upload)
	u.changed.Broadcast()
}

// Stats returns the counts so far.
func (u *Uploads) Stats() UploadStats {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.stats
}

// Drain takes no more uploads, waits until all have ended or ctx has, and stops
// the workers. What could not be uploaded is kept for the next start: its Done
// tells ErrStopped, and so does Drain, with the number.
func (u *Uploads) Drain(ctx context.Context) error {
	wake := context.AfterFunc(ctx, u.changed.Broadcast)
	defer wake()
	u.mu.Lock()
	u.stopping = true
	for u.stats.Queued > 0 && ctx.Err() == nil {
		u.changed.Wait()
	}
	u.stop()
	u.changed.Broadcast()
	u.mu.Unlock()
	u.workers.Wait()

	u.mu.Lock()
	defer u.mu.Unlock()
	kept := 0
	for _, line := range u.byKey {
		for _, upload := range line {
			upload.end(Info{}, fmt.Errorf("%w: the upload is kept for the next start", ErrStopped))
			kept++
		}
	}
	clear(u.byKey)
	err := u.spool.close()
	if kept > 0 {
		err = errors.Join(fmt.Errorf("%w: %d are kept for the next start", ErrStopped, kept), err)
	}
	return err
}
