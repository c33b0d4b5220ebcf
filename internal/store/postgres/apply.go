package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/postgres/queries"
)

// Apply stores a batch; see store.Notices.
func (s *Store) Apply(ctx context.Context, batch []store.Incoming, now time.Time) ([]store.Effect, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	copies, err := ledger.Receive(ctx, records{queries.New(s.pool)}, batch)
	if err != nil {
		return nil, failf(ctx, err, "receiving %d notices", len(batch))
	}
	var effects []store.Effect
	err = s.change(ctx, now, func(ctx context.Context, l *ledger.Ledger) (err error) {
		effects, err = l.Apply(ctx, copies)
		return err
	})
	if err != nil {
		return nil, failf(ctx, err, "applying %d notices", len(batch))
	}
	return effects, nil
}

// Withdraw marks a notice withdrawn; see store.Notices.
func (s *Store) Withdraw(ctx context.Context, id string, now time.Time) error {
	err := s.change(ctx, now, func(ctx context.Context, l *ledger.Ledger) error { return l.Withdraw(ctx, id) })
	if err != nil {
		return failf(ctx, err, "withdrawing notice %s", id)
	}
	return nil
}

// SettleDump holds a dump against what is stored; see store.Dumps.
func (s *Store) SettleDump(ctx context.Context, d store.Dump, now time.Time) (store.DumpOutcome, error) {
	var outcome store.DumpOutcome
	err := s.change(ctx, now, func(ctx context.Context, l *ledger.Ledger) (err error) {
		outcome, err = l.Settle(ctx, d)
		return err
	})
	if err != nil {
		return store.DumpOutcome{}, failf(ctx, err, "settling a dump of %s", d.Agency)
	}
	return outcome, nil
}

// change is one transaction that changes notices and gives out serials. It holds
// the last serial from its beginning to its end.
func (s *Store) change(ctx context.Context, now time.Time, decide func(context.Context, *ledger.Ledger) error) error {
	return s.write(ctx, func(lingering context.Context, tx pgx.Tx) error {
		q := queries.New(tx)
		last, err := q.LockLastSerial(ctx)
		if err != nil {
			return err
		}
		l := ledger.New(records{q}, last, now)
		if err := decide(lingering, l); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return save(lingering, tx, l.Changes())
	})
}

// savePatience is how long the server may work on a part of a change, which is
// many rows, with their indexes and references. That it is there has been seen:
// it has just given the last serial away.
const savePatience = 15 * time.Second

// save writes what a ledger has decided: what grows with every import by COPY,
// the rest in one round trip.
func save(ctx context.Context, tx pgx.Tx, c ledger.Changes) error {
	ctx = patiently(ctx, savePatience)
	if err := addNotices(ctx, queries.New(tx), c); err != nil {
		return err
	}
	rest := &pipeline{Tx: tx}
	q := queries.New(rest)
	for _, part := range []func(context.Context, *queries.Queries, ledger.Changes) error{
		moveNotices, saveCopies, saveMisses, settleRejections, saveSerial,
	} {
		if err := part(ctx, q, c); err != nil {
			return err
		}
	}
	return rest.send(ctx)
}

func addNotices(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if len(c.Revisions) > 0 {
		_, err := q.AddRevisions(ctx, column(c.Revisions, func(r ledger.Revision) queries.AddRevisionsParams {
			return queries.AddRevisionsParams{
				Serial: r.Serial, NoticeID: r.NoticeID, Revision: r.Revision, SeenAt: r.SeenAt,
				SourceHash: r.SourceHash, ContentHash: r.ContentHash,
				Version: r.Version, Completeness: int32(r.Completeness), Doc: r.Document,
			}
		}))
		if err != nil {
			return err
		}
	}
	if len(c.Added) > 0 {
		_, err := q.AddNotices(ctx, column(c.Added, func(h ledger.Head) queries.AddNoticesParams {
			return queries.AddNoticesParams{
				ID: h.ID, Serial: h.Serial, RevisionSerial: h.RevisionSerial, FirstSeenAt: h.FirstSeenAt,
				Version: h.Version, Completeness: int32(h.Completeness), Superseded: h.Superseded,
			}
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

func moveNotices(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if len(c.Moved) == 0 {
		return nil
	}
	return q.MoveNotices(ctx, queries.MoveNoticesParams{
		Ids:             column(c.Moved, func(h ledger.Head) string { return h.ID }),
		Serials:         column(c.Moved, func(h ledger.Head) int64 { return h.Serial }),
		RevisionSerials: column(c.Moved, func(h ledger.Head) int64 { return h.RevisionSerial }),
		Versions:        column(c.Moved, func(h ledger.Head) int64 { return h.Version }),
		Completenesses:  column(c.Moved, func(h ledger.Head) int32 { return int32(h.Completeness) }),
		Superseded:      column(c.Moved, func(h ledger.Head) bool { return h.Superseded }),
	})
}

// saveCopies writes what became of copies beside revisions.
func saveCopies(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if len(c.FormerIDs) > 0 {
		err := q.AddFormerIDs(ctx, queries.AddFormerIDsParams{
			Ids:   column(c.FormerIDs, func(f ledger.FormerID) string { return f.ID }),
			Heirs: column(c.FormerIDs, func(f ledger.FormerID) string { return f.Heir }),
			Since: column(c.FormerIDs, func(f ledger.FormerID) int64 { return f.Since }),
		})
		if err != nil {
			return err
		}
	}
	if len(c.Offered) > 0 {
		err := q.RecordOffers(ctx, queries.RecordOffersParams{
			NoticeIds:    column(c.Offered, func(o ledger.OfferedCopy) string { return o.NoticeID }),
			SourceHashes: column(c.Offered, func(o ledger.OfferedCopy) string { return o.SourceHash }),
			Revisions:    column(c.Offered, func(o ledger.OfferedCopy) int64 { return o.Revision }),
		})
		if err != nil {
			return err
		}
	}
	if len(c.Arrivals) == 0 {
		return nil
	}
	return q.AddArrivals(ctx, queries.AddArrivalsParams{
		Serials:     column(c.Arrivals, func(a ledger.Arrival) int64 { return a.Serial }),
		Agencies:    column(c.Arrivals, func(a ledger.Arrival) string { return a.Agency }),
		PublishedAt: column(c.Arrivals, func(a ledger.Arrival) int64 { return a.PublishedAt }),
		SeenAt:      column(c.Arrivals, func(a ledger.Arrival) int64 { return a.SeenAt }),
	})
}

func saveMisses(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if len(c.Seen) > 0 {
		if err := q.ForgetMisses(ctx, c.Seen); err != nil {
			return err
		}
	}
	if len(c.Missed) == 0 {
		return nil
	}
	return q.RecordMisses(ctx, queries.RecordMissesParams{
		NoticeIds: column(c.Missed, func(m ledger.Miss) string { return m.NoticeID }),
		Counts:    column(c.Missed, func(m ledger.Miss) int64 { return m.Count }),
	})
}

// settleRejections takes the rejections back of records that have become
// notices.
func settleRejections(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if len(c.Settled) == 0 {
		return nil
	}
	return q.SettleRejections(ctx, queries.SettleRejectionsParams{
		Agencies:   column(c.Settled, func(s ledger.Settlement) string { return s.Agency }),
		RecordKeys: column(c.Settled, func(s ledger.Settlement) []byte { return []byte(s.RecordKey()) }),
		Until:      column(c.Settled, func(s ledger.Settlement) int64 { return s.Until }),
	})
}

// saveSerial writes the last serial and tells whoever watches.
func saveSerial(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if c.Serial == 0 {
		return nil
	}
	if err := q.SetLastSerial(ctx, c.Serial); err != nil {
		return err
	}
	return q.Notify(ctx, queries.NotifyParams{Channel: serialChannel, Serial: strconv.FormatInt(c.Serial, 10)})
}
