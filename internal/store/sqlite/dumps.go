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

// span returns the ids of an agency: the first that there could be, and the
// first beyond them. ';' follows ':' in ASCII.
func span(agency string) (first, beyond string) { return agency + ":", agency + ";" }

// ActiveNotices reads an agency's active notices; see store.Dumps.
func (s *Store) ActiveNotices(ctx context.Context, agency string, yield func(store.Stored) error) error {
	first, beyond := span(agency)
	rows, err := s.reading.NoticesBetween(ctx, queries.NoticesBetweenParams{First: first, Beyond: beyond})
	if err != nil {
		return s.failf(ctx, err, "reading the notices of %s", agency)
	}
	for _, row := range rows {
		stored, err := storedFrom(row.Doc, row.Serial, row.Revision, row.FirstSeenAt, row.Superseded)
		if err != nil {
			return s.failf(ctx, err, "reading the notices of %s", agency)
		}
		if stored.Notice.Status != recall.Active {
			continue
		}
		if err := yield(stored); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// SettleDump holds a dump against what is stored; see store.Dumps.
func (s *Store) SettleDump(ctx context.Context, d store.Dump, now time.Time) (store.DumpOutcome, error) {
	var outcome store.DumpOutcome
	err := s.change(ctx, now, func(tx context.Context, c *change) (err error) {
		outcome = store.DumpOutcome{}
		present := make(map[string]bool, len(d.Present))
		for _, id := range d.Present {
			present[id] = true
		}
		if err := c.forgetMisses(tx, d.Agency, present); err != nil {
			return err
		}
		if outcome.Restored, err = c.restore(tx, d.Agency, present); err != nil {
			return err
		}
		for _, id := range d.Missing {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			gone, err := c.miss(tx, id)
			if err != nil {
				return fmt.Errorf("notice %s: %w", id, err)
			}
			if gone {
				outcome.Withdrawn++
			}
		}
		return nil
	})
	if err != nil {
		return store.DumpOutcome{}, s.failf(ctx, err, "settling a dump of %s", d.Agency)
	}
	return outcome, nil
}

// miss counts a miss of a notice and withdraws it when that was the last.
func (c *change) miss(ctx context.Context, id string) (gone bool, err error) {
	head, err := c.q.Head(ctx, id)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && head.Superseded != 0:
		return false, nil
	case err != nil:
		return false, err
	}
	count, err := c.q.CountMiss(ctx, id)
	if err != nil || count < store.MissesToWithdraw {
		return false, err
	}
	if err := c.q.ForgetMisses(ctx, id); err != nil {
		return false, err
	}
	return c.restate(ctx, id, recall.Withdrawn)
}

// forgetMisses ends the counts of the notices that are there again.
func (c *change) forgetMisses(ctx context.Context, agency string, present map[string]bool) error {
	first, beyond := span(agency)
	missed, err := c.q.Missed(ctx, queries.MissedParams{First: first, Beyond: beyond})
	if err != nil {
		return err
	}
	for _, id := range missed {
		if !present[id] {
			continue
		}
		if err := c.q.ForgetMisses(ctx, id); err != nil {
			return fmt.Errorf("notice %s: %w", id, err)
		}
	}
	return nil
}

// restore makes present notices active again that no source withdrew.
func (c *change) restore(ctx context.Context, agency string, present map[string]bool) (restored int, err error) {
	first, beyond := span(agency)
	unsourced, err := c.q.UnsourcedBetween(ctx, queries.UnsourcedBetweenParams{First: first, Beyond: beyond})
	if err != nil {
		return 0, err
	}
	for _, id := range unsourced {
		if !present[id] {
			continue
		}
		changed, err := c.restate(ctx, id, recall.Active)
		if err != nil {
			return restored, fmt.Errorf("notice %s: %w", id, err)
		}
		if changed {
			restored++
		}
	}
	return restored, nil
}

// seen ends the counts of the notices that live copies show.
func (c *change) seen(ctx context.Context, arrivals []arrival) error {
	live := map[string]map[string]bool{} // ids by agency
	for _, in := range arrivals {
		if !in.Live || in.Replayed {
			continue
		}
		if live[in.Notice.Agency] == nil {
			live[in.Notice.Agency] = map[string]bool{}
		}
		live[in.Notice.Agency][in.Notice.ID] = true
	}
	for agency, ids := range live {
		if err := c.forgetMisses(ctx, agency, ids); err != nil {
			return err
		}
	}
	return nil
}

// settleRejections takes the rejections back of records that have become notices.
func (c *change) settleRejections(ctx context.Context, arrivals []arrival, effects []store.Effect) error {
	rejected := map[string]map[string]bool{} // keys by agency
	for i, in := range arrivals {
		if effects[i] == store.Older || effects[i] == store.Unheard {
			continue
		}
		agency := in.Notice.Agency
		if rejected[agency] == nil {
			keys, err := c.q.RejectedRecords(ctx, agency)
			if err != nil {
				return err
			}
			rejected[agency] = make(map[string]bool, len(keys))
			for _, key := range keys {
				rejected[agency][key] = true
			}
		}
		if len(rejected[agency]) == 0 {
			continue
		}
		key := store.RecordKey(agency, in.Notice.ID)
		if !rejected[agency][key] {
			continue
		}
		err := c.q.SettleRejections(ctx, queries.SettleRejectionsParams{
			Agency: agency, RecordKey: key, SeenAt: in.Notice.Provenance.FetchedAt.UnixMicro(),
		})
		if err != nil {
			return fmt.Errorf("of notice %s: %w", in.Notice.ID, err)
		}
	}
	return nil
}
