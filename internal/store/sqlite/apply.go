package sqlite

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// Apply stores a batch; see store.Notices.
func (s *Store) Apply(ctx context.Context, batch []store.Incoming, now time.Time) ([]store.Effect, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	copies, err := ledger.Receive(ctx, records{s.reading}, batch)
	if err != nil {
		return nil, s.failf(ctx, err, "receiving %d notices", len(batch))
	}
	var effects []store.Effect
	err = s.change(ctx, now, func(ctx context.Context, l *ledger.Ledger) (err error) {
		effects, err = l.Apply(ctx, copies)
		return err
	})
	if err != nil {
		return nil, s.failf(ctx, err, "applying %d notices", len(batch))
	}
	return effects, nil
}

// Withdraw marks a notice withdrawn; see store.Notices.
func (s *Store) Withdraw(ctx context.Context, id string, now time.Time) error {
	err := s.change(ctx, now, func(ctx context.Context, l *ledger.Ledger) error { return l.Withdraw(ctx, id) })
	if err != nil {
		return s.failf(ctx, err, "withdrawing notice %s", id)
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
		return store.DumpOutcome{}, s.failf(ctx, err, "settling a dump of %s", d.Agency)
	}
	return outcome, nil
}

// change is one transaction that changes notices and gives out serials.
func (s *Store) change(ctx context.Context, now time.Time, decide func(context.Context, *ledger.Ledger) error) error {
	return s.write(ctx, func(tx context.Context, q *queries.Queries) error {
		last, err := q.LastSerial(tx)
		if err != nil {
			return err
		}
		l := ledger.New(records{q}, last, now)
		if err := decide(tx, l); err != nil {
			return err
		}
		return save(ctx, q, l.Changes())
	})
}

// save writes what a ledger has decided. Statements aren't interrupted when ctx
// ends; between them it is looked at.
func save(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	for _, part := range []func(context.Context, *queries.Queries, ledger.Changes) error{
		saveNotices, saveCopies, saveMisses, settleRejections,
	} {
		if err := part(ctx, q, c); err != nil {
			return err
		}
	}
	if c.Serial == 0 {
		return nil
	}
	return q.SetLastSerial(context.WithoutCancel(ctx), c.Serial)
}

// saveNotices writes revisions and where their ids stand now.
func saveNotices(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	err := each(ctx, c.Revisions, func(tx context.Context, r ledger.Revision) error {
		return q.AddRevision(tx, queries.AddRevisionParams{
			Serial: r.Serial, NoticeID: r.NoticeID, Revision: r.Revision, SeenAt: r.SeenAt,
			SourceHash: r.SourceHash, ContentHash: r.ContentHash,
			Version: r.Version, Completeness: int64(r.Completeness), Doc: r.Document,
		})
	})
	if err != nil {
		return err
	}
	err = each(ctx, c.Added, func(tx context.Context, h ledger.Head) error {
		return q.AddNotice(tx, queries.AddNoticeParams{
			ID: h.ID, Serial: h.Serial, RevisionSerial: h.RevisionSerial, FirstSeenAt: h.FirstSeenAt,
			Version: h.Version, Completeness: int64(h.Completeness), Superseded: bit(h.Superseded),
		})
	})
	if err != nil {
		return err
	}
	return each(ctx, c.Moved, func(tx context.Context, h ledger.Head) error {
		return q.MoveNotice(tx, queries.MoveNoticeParams{
			ID: h.ID, Serial: h.Serial, RevisionSerial: h.RevisionSerial,
			Version: h.Version, Completeness: int64(h.Completeness), Superseded: bit(h.Superseded),
		})
	})
}

// saveCopies writes what became of copies beside revisions.
func saveCopies(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	err := each(ctx, c.FormerIDs, func(tx context.Context, f ledger.FormerID) error {
		return q.AddFormerID(tx, queries.AddFormerIDParams{ID: f.ID, Heir: f.Heir, Since: f.Since})
	})
	if err != nil {
		return err
	}
	err = each(ctx, c.Offered, func(tx context.Context, o ledger.OfferedCopy) error {
		return q.RecordOffer(tx, queries.RecordOfferParams{NoticeID: o.NoticeID, SourceHash: o.SourceHash, Revision: o.Revision})
	})
	if err != nil {
		return err
	}
	return each(ctx, c.Arrivals, func(tx context.Context, a ledger.Arrival) error {
		return q.AddArrival(tx, queries.AddArrivalParams{
			Serial: a.Serial, Agency: a.Agency, PublishedAt: a.PublishedAt, SeenAt: a.SeenAt,
		})
	})
}

// saveMisses ends counts, where there are any, and writes new ones.
func saveMisses(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	if len(c.Seen) > 0 {
		counts, err := q.CountMissed(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		if counts > 0 {
			if err := each(ctx, c.Seen, q.ForgetMisses); err != nil {
				return err
			}
		}
	}
	return each(ctx, c.Missed, func(tx context.Context, m ledger.Miss) error {
		return q.RecordMiss(tx, queries.RecordMissParams{NoticeID: m.NoticeID, Count: m.Count})
	})
}

// settleRejections takes the rejections back of records that have become
// notices. Most agencies have few or none, so that a look saves most of it.
func settleRejections(ctx context.Context, q *queries.Queries, c ledger.Changes) error {
	rejected := map[string]map[string]bool{} // keys by agency
	return each(ctx, c.Settled, func(tx context.Context, s ledger.Settlement) error {
		keys, asked := rejected[s.Agency]
		if !asked {
			list, err := q.RejectedRecords(tx, s.Agency)
			if err != nil {
				return err
			}
			keys = make(map[string]bool, len(list))
			for _, key := range list {
				keys[key] = true
			}
			rejected[s.Agency] = keys
		}
		if len(keys) == 0 || !keys[s.RecordKey()] {
			return nil
		}
		return q.SettleRejections(tx, queries.SettleRejectionsParams{
			Agency: s.Agency, RecordKey: s.RecordKey(), SeenAt: s.Until,
		})
	})
}

// each writes one row after the other until ctx ends. To the driver it doesn't
// end: so it needs no watchman per statement.
func each[T any](ctx context.Context, rows []T, write func(context.Context, T) error) error {
	tx := context.WithoutCancel(ctx)
	for _, row := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := write(tx, row); err != nil {
			return err
		}
	}
	return nil
}
