package sqlite

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/store"
)

// changesSince is written by hand: it is read row by row, for it may return
// everything. One statement sees one consistent view.
const changesSince = `
SELECT n.serial, n.first_seen_at, n.superseded, r.revision, r.doc
FROM notice n
JOIN revision r ON r.serial = n.revision_serial
WHERE n.serial > ?
ORDER BY n.serial
LIMIT ?`

// A load is decoded by the chunk: large enough that handing it from goroutine
// to goroutine costs nothing, small enough that little of it is in memory.
const chunkSize = 64

// chunk is some rows on their way from the file to the reader.
type chunk struct {
	rows   []changeRow
	stored []store.Stored
	err    error
	ready  chan struct{} // closed when stored or err is there
}

type changeRow struct {
	serial, firstSeenAt, superseded, revision int64
	doc                                       []byte
}

// Changes streams the current state of every changed id; see store.Notices.
// One goroutine reads rows, several decode them, and the caller's yields them
// in order: a start has to wait for all of the catalogue.
func (s *Store) Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error {
	if limit <= 0 {
		limit = -1
	}
	callersCtx := ctx
	ctx, cancel := context.WithCancel(callersCtx)
	defer cancel()
	decoders := runtime.GOMAXPROCS(0)
	inOrder := make(chan *chunk, 2*decoders)
	toDecode := make(chan *chunk, 2*decoders)

	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(inOrder)
		defer close(toDecode)
		return s.readChunks(groupCtx, since, limit, func(c *chunk) error {
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

	yieldErr, err := deliver(ctx, inOrder, yield)
	cancel()
	if readErr := group.Wait(); yieldErr == nil && err == nil {
		err = readErr
	}
	switch {
	case yieldErr != nil:
		return yieldErr
	case err != nil:
		return s.failf(callersCtx, err, "reading changes since %d", since)
	}
	return nil
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

// readChunks reads the rows and passes them on by the chunk.
func (s *Store) readChunks(ctx context.Context, since int64, limit int, pass func(*chunk) error) error {
	rows, err := s.changes.QueryContext(ctx, since, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	c := newChunk()
	for rows.Next() {
		var row changeRow
		if err := rows.Scan(&row.serial, &row.firstSeenAt, &row.superseded, &row.revision, &row.doc); err != nil {
			return err
		}
		if c.rows = append(c.rows, row); len(c.rows) < chunkSize {
			continue
		}
		if err := pass(c); err != nil {
			return err
		}
		c = newChunk()
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return pass(c)
}

func newChunk() *chunk {
	return &chunk{rows: make([]changeRow, 0, chunkSize), ready: make(chan struct{})}
}

// decode reads the chunk's documents, up to the first that is damaged.
func (c *chunk) decode() {
	defer close(c.ready)
	c.stored = make([]store.Stored, 0, len(c.rows))
	for _, row := range c.rows {
		stored, err := storedFrom(row.doc, row.serial, row.revision, row.firstSeenAt, row.superseded)
		if err != nil {
			c.err = err
			return
		}
		c.stored = append(c.stored, stored)
	}
	c.rows = nil
}
