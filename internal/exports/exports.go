// Package exports keeps whole exports among the objects, so that one that was
// made for a client is there for the next.
//
// An export that is kept is a convenience: whatever fails here, the export is
// made anew. The package knows objects and uploads, and nothing of what an
// export holds or of the HTTP around it.
package exports

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

const (
	// prefix begins the key of every export.
	prefix = "exports/"
	// kept is how many exports there are at the end of an upload: who takes one now
	// may need the one before until its end.
	kept = 2
	// patience is how long a client waits for the store of objects before the
	// export is made anew.
	patience = 3 * time.Second
	// pruning bounds the removal of old exports.
	pruning = time.Minute

	contentType = "application/gzip"
)

// Keeper keeps exports. It is safe for concurrent use.
type Keeper struct {
	store   blob.Store
	uploads func() *blob.Uploads
	logger  *slog.Logger

	mu      sync.Mutex
	pending map[string]bool // what is being copied or uploaded
}

// New returns a keeper. uploads may return nil: then nothing new is kept.
func New(store blob.Store, uploads func() *blob.Uploads, logger *slog.Logger) *Keeper {
	return &Keeper{store: store, uploads: uploads, logger: logger, pending: map[string]bool{}}
}

// Open opens a kept export and returns its size in bytes. The content ends in an
// error when it isn't what was kept, with its last bytes held back; what is
// damaged is removed. false: it isn't kept, or the store of objects doesn't
// answer in time.
func (k *Keeper) Open(ctx context.Context, name string) (content io.ReadCloser, size int64, ok bool) {
	// The end of the context ends the reading too, for which there is more time.
	ctx, cancel := context.WithCancel(ctx)
	slow := time.AfterFunc(patience, cancel)
	object, info, err := k.store.Get(ctx, prefix+name)
	if !slow.Stop() {
		if err == nil {
			_ = object.Close() // it is of no use any more
		}
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		k.miss("opening", name, err)
		return nil, 0, false
	}
	return &export{ReadCloser: object, keeper: k, name: name, cancel: cancel}, info.Size, true
}

// Size returns the size of a kept export in bytes; false as in Open.
func (k *Keeper) Size(ctx context.Context, name string) (size int64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := k.store.Head(ctx, prefix+name)
	if err != nil {
		k.miss("looking for", name, err)
		return 0, false
	}
	return info.Size, true
}

func (k *Keeper) miss(doing, name string, err error) {
	if !errors.Is(err, blob.ErrNotFound) && !errors.Is(err, context.Canceled) {
		k.logger.Warn("a kept export could not be used and is made anew", "doing", doing, "export", name, "error", err.Error())
	}
}

// export is the content of a kept export.
type export struct {
	io.ReadCloser
	keeper *Keeper
	name   string
	cancel context.CancelFunc
}

func (e *export) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if errors.Is(err, blob.ErrDamaged) {
		e.keeper.remove(e.name)
	}
	return n, err
}

func (e *export) Close() error {
	defer e.cancel()
	return e.ReadCloser.Close()
}

func (k *Keeper) remove(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := k.store.Delete(ctx, prefix+name); err != nil {
		k.logger.Warn("a damaged export could not be removed", "export", name, "error", err.Error())
	}
}

// Keep calls write with a writer to out, and keeps a copy of what was written if
// write returns no error. Its error is write's: that nothing could be kept is
// nobody's concern but the log's. Of several who keep one name at the same time
// one makes the copy.
func (k *Keeper) Keep(name string, out io.Writer, write func(io.Writer) error) error {
	uploads := k.uploads()
	if uploads == nil || !k.claim(name) {
		return write(out)
	}
	c := k.begin(uploads, name)
	whole := false
	defer func() { c.end(whole) }() // also of a panic, which leaves half a copy
	err := write(io.MultiWriter(out, c))
	whole = err == nil
	return err
}

func (k *Keeper) claim(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pending[name] {
		return false
	}
	k.pending[name] = true
	return true
}

func (k *Keeper) release(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.pending, name)
}

// errCutOff ends the copy of an export that wasn't finished.
var errCutOff = errors.New("the export was cut off")

// fileCopy goes to a file of the uploads while the export is made. Only what is
// ended as whole is enqueued.
type fileCopy struct {
	pipe *io.PipeWriter
	done chan struct{}
}

func (k *Keeper) begin(uploads *blob.Uploads, name string) *fileCopy {
	reader, writer := io.Pipe()
	c := &fileCopy{pipe: writer, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		upload, err := uploads.Enqueue(context.Background(), prefix+name, reader, blob.PutOptions{ContentType: contentType, IfAbsent: true})
		reader.CloseWithError(errCutOff) // nobody waits for who doesn't read any more
		if err != nil {
			k.release(name)
			if !errors.Is(err, errCutOff) {
				k.logger.Warn("an export could not be kept", "export", name, "error", err.Error())
			}
			return
		}
		go k.follow(upload, name)
	}()
	return c
}

// Write never fails: the client gets its export whatever becomes of the copy.
func (c *fileCopy) Write(p []byte) (int, error) {
	_, _ = c.pipe.Write(p) // Enqueue tells what was wrong
	return len(p), nil
}

// end returns when the copy is enqueued, or nothing is left of it.
func (c *fileCopy) end(whole bool) {
	if whole {
		c.pipe.Close()
	} else {
		c.pipe.CloseWithError(errCutOff)
	}
	<-c.done
}

// follow waits for an upload and makes room for it then.
func (k *Keeper) follow(upload *blob.Upload, name string) {
	<-upload.Done()
	k.release(name)
	if _, err := upload.Result(); err != nil {
		return // the uploads have said so
	}
	ctx, cancel := context.WithTimeout(context.Background(), pruning)
	defer cancel()
	if err := k.prune(ctx, name); err != nil {
		k.logger.Warn("old exports could not be removed", "error", err.Error())
	}
}

// prune removes all exports but the newest. Serials don't tell which they are: a
// restored backup takes them back.
func (k *Keeper) prune(ctx context.Context, stored string) error {
	list, err := k.store.List(ctx, prefix, "", 0)
	if err != nil {
		return fmt.Errorf("listing the kept exports: %w", err)
	}
	list = slices.DeleteFunc(list, func(i blob.Info) bool { return i.Key == prefix+stored })
	slices.SortFunc(list, func(a, b blob.Info) int {
		return cmp.Or(b.ModifiedAt.Compare(a.ModifiedAt), strings.Compare(b.Key, a.Key))
	})
	for _, old := range list[min(len(list), kept-1):] {
		if err := k.store.Delete(ctx, old.Key); err != nil {
			return fmt.Errorf("removing the export %s: %w", old.Key, err)
		}
	}
	return nil
}
