package ledger

import (
	"context"
	"fmt"

	"github.com/crownsafe/api/internal/store"
)

// Apply decides on a batch; see store.Notices.
func (l *Ledger) Apply(ctx context.Context, copies []*Copy) ([]store.Effect, error) {
	if err := l.readBatch(ctx, copies); err != nil {
		return nil, err
	}
	effects := make([]store.Effect, len(copies))
	for i, in := range copies {
		var err error
		if effects[i], err = l.apply(in); err != nil {
			return nil, fmt.Errorf("notice %s: %w", in.Notice.ID, err)
		}
	}
	return effects, nil
}

// readBatch reads everything that a batch may touch.
func (l *Ledger) readBatch(ctx context.Context, copies []*Copy) error {
	ids := newSet[string](len(copies))
	for _, in := range copies {
		ids.add(in.Notice.ID)
		for _, id := range in.FormerIDs {
			ids.add(id)
		}
	}
	if err := l.readFormer(ctx, ids.list); err != nil {
		return fmt.Errorf("reading former ids: %w", err)
	}
	if err := l.readHeads(ctx, ids.list); err != nil {
		return fmt.Errorf("reading where the notices stand: %w", err)
	}
	return l.readOffered(ctx, copies)
}

// readOffered reads what was offered before, of the notices for which the rules
// may ask that: copies of which differ from what is stored.
func (l *Ledger) readOffered(ctx context.Context, copies []*Copy) error {
	differ := map[string]bool{}
	for _, in := range copies {
		if head := l.heads[in.Notice.ID]; head != nil && head.ContentHash != in.contentHash {
			differ[in.Notice.ID] = true
		}
	}
	if len(differ) == 0 {
		return nil
	}
	keys := newSet[CopyKey](len(differ))
	for _, in := range copies {
		if differ[in.Notice.ID] {
			keys.add(CopyKey{in.Notice.ID, in.SourceHash})
		}
	}
	offered, err := l.records.OfferedCopies(ctx, keys.list)
	if err != nil {
		return fmt.Errorf("reading what was offered before: %w", err)
	}
	for _, c := range offered {
		l.offered[c.CopyKey] = offer{revision: c.Revision}
	}
	return nil
}

func (l *Ledger) apply(in *Copy) (store.Effect, error) {
	if in.Live && !in.Replayed {
		l.changes.Seen = append(l.changes.Seen, in.Notice.ID)
	}
	if l.former[in.Notice.ID] {
		return store.Older, nil
	}
	effect, err := l.place(in)
	if err != nil {
		return 0, err
	}
	for _, id := range in.FormerIDs {
		l.supersede(id, in.Notice.ID)
	}
	if effect != store.Older && effect != store.Unheard {
		l.changes.Settled = append(l.changes.Settled, Settlement{
			Agency: in.Notice.Agency, NoticeID: in.Notice.ID, Until: in.Notice.Provenance.FetchedAt.UnixMicro(),
		})
	}
	return effect, nil
}

// place has a copy stored under its own id as far as the rules want it.
func (l *Ledger) place(in *Copy) (store.Effect, error) {
	head := l.heads[in.Notice.ID]
	if head == nil {
		return store.Added, l.add(in)
	}
	current := standing{head.ContentHash, head.Version, head.Completeness}
	effect := judge(current, &in.Incoming, in.contentHash, l.pastOf(head, in.SourceHash))
	after := current.after(effect, &in.Incoming, in.contentHash)
	switch effect {
	case store.Revised:
		if err := l.moveOn(head, in, after); err != nil {
			return 0, err
		}
		l.offer(head.ID, in.SourceHash, head.Revision)
	case store.Unchanged:
		l.confirm(head, in, after)
	case store.Older:
		if _, before := l.offered[CopyKey{head.ID, in.SourceHash}]; !before {
			l.offer(head.ID, in.SourceHash, 0)
		}
	}
	return effect, nil
}

// pastOf says what is known of a copy. It is asked for nothing that Apply hasn't
// read: of a copy that says what is stored, the past doesn't matter.
func (l *Ledger) pastOf(head *entry, sourceHash string) past {
	switch o, before := l.offered[CopyKey{head.ID, sourceHash}]; {
	case !before:
		return neverOffered
	case o.revision == head.Revision:
		return offeredForNow
	}
	return offeredBefore
}

// add stores the first revision of a notice.
func (l *Ledger) add(in *Copy) error {
	head := &entry{Head: Head{ID: in.Notice.ID, FirstSeenAt: l.at}, added: true}
	if err := l.moveOn(head, in, standing{in.contentHash, in.Version, in.Completeness}); err != nil {
		return err
	}
	l.heads[head.ID] = head
	if in.Timed {
		l.changes.Arrivals = append(l.changes.Arrivals, Arrival{
			Serial: head.Serial, Agency: in.Notice.Agency, PublishedAt: in.Notice.PublishedAt.UnixMicro(), SeenAt: l.at,
		})
	}
	l.offer(head.ID, in.SourceHash, head.Revision)
	return nil
}

// confirm remembers that a further source says what is stored already.
func (l *Ledger) confirm(head *entry, in *Copy, after standing) {
	if after.version != head.Version || after.completeness != head.Completeness {
		head.Version, head.Completeness = after.version, after.completeness
		l.change(head)
	}
	if in.SourceHash != head.SourceHash {
		l.offer(head.ID, in.SourceHash, head.Revision)
	}
}

// moveOn makes a further revision the current one.
func (l *Ledger) moveOn(head *entry, in *Copy, after standing) error {
	if err := in.write(); err != nil {
		return err
	}
	head.Serial = l.nextSerial()
	head.RevisionSerial = head.Serial
	head.Revision++
	head.SourceHash, head.ContentHash = in.SourceHash, in.contentHash
	head.Version, head.Completeness = after.version, after.completeness
	l.change(head)
	l.changes.Revisions = append(l.changes.Revisions, Revision{
		Serial: head.Serial, NoticeID: head.ID, Revision: head.Revision, SeenAt: l.at,
		SourceHash: in.SourceHash, ContentHash: in.contentHash,
		Version: in.Version, Completeness: in.Completeness, Document: in.document,
	})
	return nil
}

// supersede lets a former id resolve to its heir, which is itself no former id:
// so there are no circles. The first claim stands.
func (l *Ledger) supersede(former, heir string) {
	if former == heir || former == "" || l.former[former] {
		return
	}
	l.former[former] = true
	l.changes.FormerIDs = append(l.changes.FormerIDs, FormerID{ID: former, Heir: heir, Since: l.at})
	if head := l.heads[former]; head != nil {
		head.Serial = l.nextSerial()
		head.Superseded = true
		l.change(head)
	}
}
