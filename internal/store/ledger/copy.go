package ledger

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/store"
)

// Copy is an incoming copy made ready for a Ledger: canonical, and hashed.
type Copy struct {
	store.Incoming
	contentHash string
	document    []byte // nil: not written yet
}

// Receive makes a batch ready on all processors, before any lock is taken. It
// refuses what no store takes: a notice without an id or with a date that can't
// be written, and ids and source hashes that aren't text.
//
// It also writes the documents of what is going to be stored, by a look at what
// is stored at present: most of what an agency shows was there before. What has
// changed when the lock is there is written then.
func Receive(ctx context.Context, stored Records, batch []store.Incoming) ([]*Copy, error) {
	copies := make([]*Copy, len(batch))
	err := inParallel(ctx, len(batch), func(i int) (err error) {
		copies[i], err = receive(batch[i], i)
		return err
	})
	if err != nil {
		return nil, err
	}
	heads, err := stored.Heads(ctx, idsOf(copies))
	if err != nil {
		return nil, fmt.Errorf("looking at what is stored: %w", err)
	}
	known := make(map[string]string, len(heads))
	for _, head := range heads {
		known[head.ID] = head.ContentHash
	}
	err = inParallel(ctx, len(copies), func(i int) error {
		if known[copies[i].Notice.ID] == copies[i].contentHash {
			return nil
		}
		return copies[i].write()
	})
	return copies, err
}

func receive(in store.Incoming, i int) (*Copy, error) {
	if in.Notice.ID == "" {
		return nil, fmt.Errorf("notice %d of the batch has no id", i+1)
	}
	if !IsText(in.Notice.ID) || !IsText(in.Notice.Agency) || !IsText(in.SourceHash) || !allText(in.FormerIDs) {
		return nil, fmt.Errorf("notice %q has an id, an agency or a source hash that is no text", in.Notice.ID)
	}
	in.Notice = store.Canonical(in.Notice)
	c := &Copy{Incoming: in, contentHash: store.ContentHash(in.Notice)}
	if c.contentHash == "" {
		return nil, fmt.Errorf("notice %s has a date that cannot be written", in.Notice.ID)
	}
	return c, nil
}

// IsText reports whether every store can have a string as an id: it is UTF-8
// without the character 0. Nothing is stored under any other.
func IsText(id string) bool { return utf8.ValidString(id) && strings.IndexByte(id, 0) < 0 }

func allText(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !IsText(id) })
}

// write makes the copy's document, unless it is there.
func (c *Copy) write() (err error) {
	if c.document == nil {
		c.document, err = Encode(c.Notice)
	}
	return err
}

// idsOf returns the copies' ids, each once.
func idsOf(copies []*Copy) []string {
	ids := newSet[string](len(copies))
	for _, c := range copies {
		ids.add(c.Notice.ID)
	}
	return ids.list
}

// set is a list with each member once.
type set[T comparable] struct {
	list []T
	has  map[T]bool
}

func newSet[T comparable](size int) *set[T] {
	return &set[T]{list: make([]T, 0, size), has: make(map[T]bool, size)}
}

func (s *set[T]) add(member T) {
	if !s.has[member] {
		s.has[member] = true
		s.list = append(s.list, member)
	}
}

// inParallel calls do for each of count things, on all processors, until one
// fails or ctx ends.
func inParallel(ctx context.Context, count int, do func(i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(count, runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= count {
					return nil
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}
