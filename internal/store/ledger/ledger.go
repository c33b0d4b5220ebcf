// Package ledger is what every store does alike, whatever it keeps notices in:
// the rules by which incoming copies, dumps and withdrawals become revisions
// under serial numbers, the form in which a notice is written, and the way from
// rows back to notices on all processors.
//
// An adapter reads what a change touches (Records), lets a Ledger decide on it,
// and writes the Changes, all in one transaction that no other writer is in. The
// package knows no database and no SQL.
package ledger

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// Records is how a Ledger sees what is stored. It asks in bulk, a few times for
// a batch, with no id twice in one question; answers are in any order, and what
// isn't stored is left out. Errors come back to the caller as they are.
type Records interface {
	// Heads returns where ids stand.
	Heads(ctx context.Context, ids []string) ([]Head, error)
	// FormerIDs returns those of the ids that were given up.
	FormerIDs(ctx context.Context, ids []string) ([]string, error)
	// OfferedCopies returns those of the copies that were offered before.
	OfferedCopies(ctx context.Context, copies []CopyKey) ([]OfferedCopy, error)
	// Documents returns the documents of ids' current revisions.
	Documents(ctx context.Context, ids []string) ([]Document, error)
	// Misses returns the counts of an agency's notices.
	Misses(ctx context.Context, agency string) ([]Miss, error)
	// Unsourced returns an agency's ids whose current revision no source stands
	// for: its source hash is empty. Superseded ones are left out.
	Unsourced(ctx context.Context, agency string) ([]string, error)
}

// Head is where an id stands: what the store has of it in one row, and what of
// its current revision counts for a decision. Times here and below are
// microseconds since 1970 in UTC, hashes are hexadecimal.
type Head struct {
	ID             string
	Serial         int64 // of the last change of what the id stands for
	RevisionSerial int64 // of the current revision
	FirstSeenAt    int64
	Version        int64 // the highest that vouched for the content; 0: none did
	Completeness   int   // likewise; 0: a starter entry
	Superseded     bool

	Revision    int64 // the number of the current revision, from 1
	SourceHash  string
	ContentHash string
}

// Revision is a revision to be stored.
type Revision struct {
	Serial       int64
	NoticeID     string
	Revision     int64
	SeenAt       int64
	SourceHash   string // empty: no source said so
	ContentHash  string
	Version      int64
	Completeness int
	Document     []byte
}

// Document is the written form of an id's current revision; see Encode.
type Document struct {
	NoticeID string
	Document []byte
}

// CopyKey names a copy of a notice by its record's hash.
type CopyKey struct{ NoticeID, SourceHash string }

// OfferedCopy tells which revision a copy stood for last; 0: it was older than
// what was stored whenever it came.
type OfferedCopy struct {
	CopyKey
	Revision int64
}

// FormerID is an id that was given up for another.
type FormerID struct {
	ID, Heir string
	Since    int64
}

// Arrival is a new notice whose way into a catalogue is measured.
type Arrival struct {
	Serial              int64
	Agency              string
	PublishedAt, SeenAt int64
}

// Miss is how many complete dumps in a row a notice was missing from.
type Miss struct {
	NoticeID string
	Count    int64
}

// Settlement ends the rejections of a record that has become a notice, as far
// as they were seen no later than a time.
type Settlement struct {
	Agency, NoticeID string
	Until            int64
}

// RecordKey is how rejections name the record.
func (s Settlement) RecordKey() string { return store.RecordKey(s.Agency, s.NoticeID) }

// Changes is what is to be written, in this order.
type Changes struct {
	Revisions []Revision
	Added     []Head // of ids that weren't stored
	Moved     []Head // of ids that were, each once, as they stand in the end
	FormerIDs []FormerID
	Offered   []OfferedCopy // in place of what was offered, each copy once
	Arrivals  []Arrival
	Seen      []string // ids whose misses are over, whether or not there are any
	Missed    []Miss   // in place of what was counted, after Seen
	Settled   []Settlement
	// Serial is the last that was given out; 0: none was.
	Serial int64
}

// Ledger decides on one transaction's changes. It keeps what it has read up to
// date, so that a later decision sees an earlier one. A Ledger whose method has
// failed is of no further use.
type Ledger struct {
	records Records
	at      int64
	serial  int64

	heads   map[string]*entry // of the ids that were asked for, as far as they are stored
	changed []*entry          // in order of their first change
	former  map[string]bool   // ids that were given up, of those that were asked for
	offered map[CopyKey]offer // the copies that were asked for, and those of this transaction
	recent  []CopyKey         // those of this transaction, each once
	changes Changes           // but for heads and copies, which may change again
}

// entry is a head in the course of a change.
type entry struct {
	Head
	added, changed bool
}

// offer is what is known of a copy: the revision that it stood for last.
type offer struct {
	revision int64
	recent   bool
}

// New makes a Ledger for a transaction at a time, with the last serial that was
// given out before.
func New(records Records, lastSerial int64, now time.Time) *Ledger {
	return &Ledger{
		records: records, at: now.UnixMicro(), serial: lastSerial,
		heads: map[string]*entry{}, former: map[string]bool{}, offered: map[CopyKey]offer{},
	}
}

// Changes returns what was decided until now.
func (l *Ledger) Changes() Changes {
	changes := l.changes
	for _, e := range l.changed {
		if e.added {
			changes.Added = append(changes.Added, e.Head)
		} else {
			changes.Moved = append(changes.Moved, e.Head)
		}
	}
	for _, key := range l.recent {
		changes.Offered = append(changes.Offered, OfferedCopy{key, l.offered[key].revision})
	}
	return changes
}

func (l *Ledger) nextSerial() int64 {
	l.serial++
	l.changes.Serial = l.serial
	return l.serial
}

// readHeads learns where ids stand.
func (l *Ledger) readHeads(ctx context.Context, ids []string) error {
	heads, err := l.records.Heads(ctx, ids)
	if err != nil {
		return err
	}
	entries := make([]entry, len(heads))
	for i, head := range heads {
		entries[i].Head = head
		l.heads[head.ID] = &entries[i]
	}
	return nil
}

// readFormer learns which of some ids were given up.
func (l *Ledger) readFormer(ctx context.Context, ids []string) error {
	former, err := l.records.FormerIDs(ctx, ids)
	for _, id := range former {
		l.former[id] = true
	}
	return err
}

// change has an entry written in the end.
func (l *Ledger) change(e *entry) {
	if !e.changed {
		e.changed = true
		l.changed = append(l.changed, e)
	}
}

// offer remembers which revision a copy stands for now.
func (l *Ledger) offer(id, sourceHash string, revision int64) {
	key := CopyKey{id, sourceHash}
	if !l.offered[key].recent {
		l.recent = append(l.recent, key)
	}
	l.offered[key] = offer{revision, true}
}
