package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// Withdraw decides on the withdrawal of a notice; see store.Notices.
func (l *Ledger) Withdraw(ctx context.Context, id string) error {
	if !IsText(id) {
		return store.ErrNotFound
	}
	if err := l.readFormer(ctx, []string{id}); err != nil || l.former[id] {
		return err
	}
	if err := l.readHeads(ctx, []string{id}); err != nil {
		return err
	}
	if l.heads[id] == nil {
		return store.ErrNotFound
	}
	_, err := l.restate(ctx, []string{id}, recall.Withdrawn)
	return err
}

// Settle holds a dump against what is stored; see store.Dumps.
func (l *Ledger) Settle(ctx context.Context, d store.Dump) (store.DumpOutcome, error) {
	missed, err := l.records.Misses(ctx, d.Agency)
	if err != nil {
		return store.DumpOutcome{}, fmt.Errorf("reading what was missed before: %w", err)
	}
	misses := make(map[string]int64, len(missed))
	for _, m := range missed {
		misses[m.NoticeID] = m.Count
	}
	present := make(map[string]bool, len(d.Present))
	for _, id := range d.Present {
		present[id] = true
		if misses[id] > 0 {
			l.changes.Seen = append(l.changes.Seen, id)
			delete(misses, id)
		}
	}
	restored, err := l.restore(ctx, d.Agency, present)
	if err != nil {
		return store.DumpOutcome{}, fmt.Errorf("restoring what is present: %w", err)
	}
	missing := newSet[string](len(d.Missing))
	for _, id := range d.Missing {
		if strings.HasPrefix(id, d.Agency+":") && IsText(id) && !present[id] {
			missing.add(id)
		}
	}
	withdrawn, err := l.miss(ctx, missing.list, misses)
	if err != nil {
		return store.DumpOutcome{}, fmt.Errorf("withdrawing what is missing: %w", err)
	}
	return store.DumpOutcome{Withdrawn: withdrawn, Restored: restored}, nil
}

// restore makes present notices active again that no source withdrew.
func (l *Ledger) restore(ctx context.Context, agency string, present map[string]bool) (int, error) {
	unsourced, err := l.records.Unsourced(ctx, agency)
	if err != nil {
		return 0, err
	}
	var back []string
	for _, id := range unsourced {
		if present[id] {
			back = append(back, id)
		}
	}
	if err := l.readHeads(ctx, back); err != nil {
		return 0, err
	}
	return l.restate(ctx, back, recall.Active)
}

// miss counts a further miss of notices and withdraws those for which it was the
// last.
func (l *Ledger) miss(ctx context.Context, missing []string, misses map[string]int64) (int, error) {
	if err := l.readHeads(ctx, missing); err != nil {
		return 0, err
	}
	var gone []string
	for _, id := range missing {
		switch head := l.heads[id]; {
		case head == nil, head.Superseded:
		case misses[id]+1 < store.MissesToWithdraw:
			l.changes.Missed = append(l.changes.Missed, Miss{id, misses[id] + 1})
		default:
			l.changes.Seen = append(l.changes.Seen, id)
			gone = append(gone, id)
		}
	}
	return l.restate(ctx, gone, recall.Withdrawn)
}

// restate makes further revisions of stored notices that differ in their status
// only, where there is need for one, and counts them.
func (l *Ledger) restate(ctx context.Context, ids []string, status recall.Status) (changed int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	documents, err := l.records.Documents(ctx, ids)
	if err != nil {
		return 0, err
	}
	written := make(map[string][]byte, len(documents))
	for _, d := range documents {
		written[d.NoticeID] = d.Document
	}
	for _, id := range ids {
		head := l.heads[id]
		notice, err := Decode(written[id], head.Revision, head.FirstSeenAt)
		if err != nil {
			return 0, fmt.Errorf("notice %s: %w", id, err)
		}
		if notice.Status == status {
			continue
		}
		notice.Status = status
		// No source said so, and every source offered until now stands for an earlier
		// revision: a file with a withdrawn notice in it won't bring it back.
		restated := &Copy{
			Incoming:    store.Incoming{Notice: notice, Version: head.Version, Completeness: head.Completeness},
			contentHash: store.ContentHash(notice),
		}
		if err := l.moveOn(head, restated, standing{restated.contentHash, head.Version, head.Completeness}); err != nil {
			return 0, err
		}
		changed++
	}
	return changed, nil
}
