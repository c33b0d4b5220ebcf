package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// arrival is an incoming copy, made ready before the lock is taken.
type arrival struct {
	store.Incoming
	contentHash string
}

// Apply stores a batch; see store.Notices.
func (s *Store) Apply(ctx context.Context, batch []store.Incoming, now time.Time) ([]store.Effect, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	arrivals, err := receive(batch)
	if err != nil {
		return nil, err
	}
	effects := make([]store.Effect, len(arrivals))
	err = s.change(ctx, now, func(tx context.Context, c *change) error {
		for i, in := range arrivals {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if effects[i], err = c.apply(tx, in); err != nil {
				return fmt.Errorf("notice %s: %w", in.Notice.ID, err)
			}
		}
		if err := c.settleRejections(tx, arrivals, effects); err != nil {
			return fmt.Errorf("settling rejections: %w", err)
		}
		return c.seen(tx, arrivals)
	})
	if err != nil {
		return nil, s.failf(ctx, err, "applying %d notices", len(batch))
	}
	return effects, nil
}

// receive puts a batch in canonical form and computes its hashes.
func receive(batch []store.Incoming) ([]arrival, error) {
	arrivals := make([]arrival, len(batch))
	for i, in := range batch {
		if in.Notice.ID == "" {
			return nil, fmt.Errorf("notice %d of the batch has no id", i+1)
		}
		in.Notice = store.Canonical(in.Notice)
		arrivals[i] = arrival{in, store.ContentHash(in.Notice)}
		if arrivals[i].contentHash == "" {
			return nil, fmt.Errorf("notice %s has a date that cannot be written", in.Notice.ID)
		}
	}
	return arrivals, nil
}

// Withdraw marks a notice withdrawn; see store.Notices.
func (s *Store) Withdraw(ctx context.Context, id string, now time.Time) error {
	err := s.change(ctx, now, func(ctx context.Context, c *change) error { return c.withdraw(ctx, id) })
	if err != nil {
		return s.failf(ctx, err, "withdrawing notice %s", id)
	}
	return nil
}

// change is one transaction that changes notices and gives out serials.
type change struct {
	q      *queries.Queries
	at     int64 // microseconds
	serial int64 // the last that was given out
}

func (s *Store) change(ctx context.Context, now time.Time, do func(context.Context, *change) error) error {
	return s.write(ctx, func(ctx context.Context, q *queries.Queries) error {
		last, err := q.LastSerial(ctx)
		if err != nil {
			return err
		}
		c := &change{q: q, at: now.UnixMicro(), serial: last}
		if err := do(ctx, c); err != nil {
			return err
		}
		if c.serial == last {
			return nil
		}
		return q.SetLastSerial(ctx, c.serial)
	})
}

func (c *change) nextSerial() int64 {
	c.serial++
	return c.serial
}

func (c *change) apply(ctx context.Context, in arrival) (store.Effect, error) {
	switch _, err := c.q.FormerID(ctx, in.Notice.ID); {
	case err == nil:
		return store.Older, nil
	case !errors.Is(err, sql.ErrNoRows):
		return 0, err
	}
	effect, err := c.place(ctx, in)
	if err != nil {
		return 0, err
	}
	for _, id := range in.FormerIDs {
		if err := c.supersede(ctx, id, in.Notice.ID); err != nil {
			return 0, fmt.Errorf("former id %s: %w", id, err)
		}
	}
	return effect, nil
}

// place stores a copy under its own id as far as the rules want it.
func (c *change) place(ctx context.Context, in arrival) (store.Effect, error) {
	head, err := c.q.Head(ctx, in.Notice.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Added, c.add(ctx, in)
	}
	if err != nil {
		return 0, err
	}
	current := store.Standing{ContentHash: head.ContentHash, Version: head.Version, Completeness: int(head.Completeness)}
	effect, err := store.Judge(current, in.Incoming, in.contentHash, func() (store.Offer, error) {
		revision, err := c.q.OfferedFor(ctx, queries.OfferedForParams{NoticeID: head.ID, SourceHash: in.SourceHash})
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return store.NeverOffered, nil
		case revision == head.Revision:
			return store.OfferedForNow, err
		}
		return store.OfferedBefore, err
	})
	if err != nil {
		return 0, err
	}
	after := current.After(effect, in.Incoming, in.contentHash)
	switch effect {
	case store.Revised:
		err = c.revise(ctx, head, in, after)
	case store.Unchanged:
		err = c.confirm(ctx, head, in, current, after)
	case store.Older:
		err = c.q.RecordOlderOffer(ctx, queries.RecordOlderOfferParams{NoticeID: head.ID, SourceHash: in.SourceHash})
	}
	return effect, err
}

// add stores the first revision of a notice.
func (c *change) add(ctx context.Context, in arrival) error {
	serial := c.nextSerial()
	if err := c.addRevision(ctx, serial, 1, in); err != nil {
		return err
	}
	err := c.q.AddNotice(ctx, queries.AddNoticeParams{
		ID: in.Notice.ID, Serial: serial, RevisionSerial: serial, FirstSeenAt: c.at,
		Version: in.Version, Completeness: int64(in.Completeness),
	})
	if err != nil {
		return err
	}
	if in.Timed {
		err := c.q.AddArrival(ctx, queries.AddArrivalParams{
			Serial: serial, Agency: in.Notice.Agency, PublishedAt: in.Notice.PublishedAt.UnixMicro(), SeenAt: c.at,
		})
		if err != nil {
			return err
		}
	}
	return c.q.RecordOffer(ctx, queries.RecordOfferParams{NoticeID: in.Notice.ID, SourceHash: in.SourceHash, Revision: 1})
}

// revise stores a further revision that came from a source.
func (c *change) revise(ctx context.Context, head queries.HeadRow, in arrival, after store.Standing) error {
	if err := c.moveOn(ctx, head, in, after); err != nil {
		return err
	}
	return c.q.RecordOffer(ctx, queries.RecordOfferParams{NoticeID: head.ID, SourceHash: in.SourceHash, Revision: head.Revision + 1})
}

// confirm remembers that a further source says what is stored already.
func (c *change) confirm(ctx context.Context, head queries.HeadRow, in arrival, before, after store.Standing) error {
	if after != before {
		err := c.q.RankNotice(ctx, queries.RankNoticeParams{
			ID: head.ID, Version: after.Version, Completeness: int64(after.Completeness),
		})
		if err != nil {
			return err
		}
	}
	if in.SourceHash == head.SourceHash {
		return nil
	}
	return c.q.RecordOffer(ctx, queries.RecordOfferParams{NoticeID: head.ID, SourceHash: in.SourceHash, Revision: head.Revision})
}

// moveOn makes a further revision the current one.
func (c *change) moveOn(ctx context.Context, head queries.HeadRow, in arrival, after store.Standing) error {
	serial := c.nextSerial()
	if err := c.addRevision(ctx, serial, head.Revision+1, in); err != nil {
		return err
	}
	return c.q.MoveNotice(ctx, queries.MoveNoticeParams{
		ID: head.ID, Serial: serial, RevisionSerial: serial,
		Version: after.Version, Completeness: int64(after.Completeness),
	})
}

func (c *change) addRevision(ctx context.Context, serial, revision int64, in arrival) error {
	doc, err := encodeNotice(in.Notice)
	if err != nil {
		return err
	}
	return c.q.AddRevision(ctx, queries.AddRevisionParams{
		Serial: serial, NoticeID: in.Notice.ID, Revision: revision, SeenAt: c.at,
		SourceHash: in.SourceHash, ContentHash: in.contentHash,
		Version: in.Version, Completeness: int64(in.Completeness), Doc: doc,
	})
}

// supersede lets a former id resolve to its heir, which is itself no former id:
// so there are no circles.
func (c *change) supersede(ctx context.Context, former, heir string) error {
	if former == heir || former == "" {
		return nil
	}
	switch _, err := c.q.FormerID(ctx, former); {
	case err == nil:
		return nil // the first claim stands
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if err := c.q.AddFormerID(ctx, queries.AddFormerIDParams{ID: former, Heir: heir, Since: c.at}); err != nil {
		return err
	}
	switch _, err := c.q.Head(ctx, former); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return c.q.SupersedeNotice(ctx, queries.SupersedeNoticeParams{ID: former, Serial: c.nextSerial()})
}

func (c *change) withdraw(ctx context.Context, id string) error {
	switch _, err := c.q.FormerID(ctx, id); {
	case err == nil:
		return nil
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err := c.restate(ctx, id, recall.Withdrawn)
	return err
}

// restate makes a further revision that differs in its status only, and tells
// whether there was need for one.
func (c *change) restate(ctx context.Context, id string, status recall.Status) (bool, error) {
	head, err := c.q.Head(ctx, id)
	if err != nil {
		return false, err
	}
	row, err := c.q.Current(ctx, id)
	if err != nil {
		return false, err
	}
	notice, err := decodeNotice(row.Doc, row.Revision, row.FirstSeenAt)
	if err != nil {
		return false, err
	}
	if notice.Status == status {
		return false, nil
	}
	notice.Status = status
	// No source said so, and every source offered until now stands for an earlier
	// revision: a file with a withdrawn notice in it won't bring it back.
	return true, c.moveOn(ctx, head,
		arrival{store.Incoming{Notice: notice, Version: head.Version, Completeness: int(head.Completeness)}, store.ContentHash(notice)},
		store.Standing{Version: head.Version, Completeness: int(head.Completeness)})
}
