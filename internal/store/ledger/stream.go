package ledger

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// Row is the current state of an id as it is stored. Its Document is nobody
// else's: the notice keeps it.
type Row struct {
	Serial, FirstSeenAt, Revision int64
	Superseded                    bool
	Document                      []byte
}

// Stored reads the row's document.
func (r Row) Stored() (store.Stored, error) {
	notice, err := Decode(r.Document, r.Revision, r.FirstSeenAt)
	if err != nil {
		return store.Stored{}, fmt.Errorf("serial %d: %w", r.Serial, err)
	}
	return store.Stored{
		Serial: r.Serial, Notice: notice,
		Tombstone: r.Superseded || notice.Status == recall.Withdrawn,
	}, nil
}

// A stream is decoded by the chunk: large enough that handing it from goroutine
// to goroutine costs nothing, small enough that little of it is in memory.
const chunkSize = 64

// chunk is some rows on their way from the store to the reader.
type chunk struct {
	rows   []Row
	stored []store.Stored
	err    error
	ready  chan struct{} // closed when stored or err is there
}

// Stream yields the notices of rows in the order in which read passes them on.
// One goroutine reads rows, several decode them, and the caller's yields: a
// start has to wait for all of the catalogue. read is to end when its context
// does. An error of yield's stops the stream and comes back as yieldErr, any
// other as err.
func Stream(ctx context.Context, read func(ctx context.Context, pass func(Row) error) error,
	yield func(store.Stored) error,
) (yieldErr, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	decoders := runtime.GOMAXPROCS(0)
	inOrder := make(chan *chunk, 2*decoders)
	toDecode := make(chan *chunk, 2*decoders)

	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(inOrder)
		defer close(toDecode)
		return readChunks(groupCtx, read, func(c *chunk) error {
			for _, to := range []chan<- *chunk{toDecode, inOrder} {
				select {
				case to <- c:
				case <-groupCtx.Done():
					return groupCtx.Err()
				}
			}
			return nil
		})
	})
	for range decoders {
		group.Go(func() error {
			for c := range toDecode {
				c.decode()
			}
			return nil
		})
	}

	yieldErr, err = deliver(ctx, inOrder, yield)
	cancel()
	if readErr := group.Wait(); yieldErr == nil && err == nil {
		err = readErr
	}
	return yieldErr, err
}

// deliver yields chunk after chunk until they end. It tells the caller's own
// error from one of ours.
func deliver(ctx context.Context, inOrder <-chan *chunk, yield func(store.Stored) error) (yieldErr, err error) {
	for c := range inOrder {
		<-c.ready
		for _, stored := range c.stored {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err := yield(stored); err != nil {
				return err, nil
			}
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	return nil, nil
}

// readChunks gathers the rows and passes them on by the chunk.
func readChunks(ctx context.Context, read func(context.Context, func(Row) error) error, pass func(*chunk) error) error {
	c := newChunk()
	err := read(ctx, func(row Row) error {
		if c.rows = append(c.rows, row); len(c.rows) < chunkSize {
			return nil
		}
		full := c
		c = newChunk()
		return pass(full)
	})
	if err != nil {
		return err
	}
	return pass(c)
}

func newChunk() *chunk {
	return &chunk{rows: make([]Row, 0, chunkSize), ready: make(chan struct{})}
}

// decode reads the chunk's documents, up to the first that is damaged.
func (c *chunk) decode() {
	defer close(c.ready)
	c.stored = make([]store.Stored, 0, len(c.rows))
	for _, row := range c.rows {
		stored, err := row.Stored()
		if err != nil {
			c.err = err
			return
		}
		c.stored = append(c.stored, stored)
	}
	c.rows = nil
}
