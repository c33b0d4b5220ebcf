package catalogue

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// Snapshot is the catalogue at one serial. It never changes, so that any number
// of goroutines may read it; a request should use one snapshot throughout.
type Snapshot struct {
	parts  []part
	rows   int // notices of all parts, dead ones too
	living int
	size   int // notices, withdrawn ones included
	active int
	serial int64
	loaded bool
	counts map[string]AgencyCounts
	origin origin
	fresh  atomic.Int64 // FreshAt in nanoseconds since 1970; 0: never
}

// origin says where a snapshot's notices come from.
type origin struct {
	store    string // identity; empty: the store has none
	restored bool   // from a file, and not held against the store yet
}

// part is a segment as one snapshot sees it.
type part struct {
	*segment
	dead  rowSet // superseded by a notice of a later segment
	alive rowSet // neither dead nor withdrawn nor gone
}

// newSnapshot puts parts together, which are its own from then on.
func newSnapshot(parts []part, serial int64, loaded bool) *Snapshot {
	s := &Snapshot{parts: parts, serial: serial, loaded: loaded, counts: map[string]AgencyCounts{}}
	for i := range parts {
		p := &parts[i]
		p.alive = p.active
		if p.dead != nil {
			p.alive = slices.Clone(p.active)
			p.alive.drop(p.dead)
		}
		s.rows += p.len()
		s.countPart(p)
	}
	return s
}

func (s *Snapshot) countPart(p *part) {
	agencies := &p.columns[byAgency]
	type alike struct { // notices that count the same
		agency uint32
		traits trait
	}
	groups := map[alike]int{}
	for doc := range uint32(p.len()) {
		if p.dead.has(doc) {
			continue
		}
		s.living++
		traits := p.traits[doc]
		if traits&isGone != 0 {
			continue
		}
		s.size++
		if traits&isWithdrawn == 0 {
			s.active++
		}
		groups[alike{agencies.of[doc], traits}]++
	}
	for which, notices := range groups {
		agency := agencies.sets[which.agency][0]
		sum := s.counts[agency]
		if which.traits&isStarter != 0 {
			sum.Starter += notices
		} else {
			sum.add(notices, which.traits.quality())
		}
		s.counts[agency] = sum
	}
}

// Serial returns the serial that the snapshot stands at; an empty one is at 0.
func (s *Snapshot) Serial() int64 { return s.serial }

// Loaded reports whether the snapshot came from a store, be it through a file.
func (s *Snapshot) Loaded() bool { return s.loaded }

// FreshAt is when the snapshot was last known to be all that its store holds; the
// zero time: never. While the store answers that is moments ago, also when
// nothing changes; a snapshot that was followed by another one stays at its end.
func (s *Snapshot) FreshAt() time.Time {
	if at := s.fresh.Load(); at != 0 {
		return time.Unix(0, at).UTC()
	}
	return time.Time{}
}

// verified notes that the snapshot was all that its store held at a time.
func (s *Snapshot) verified(at time.Time) {
	if !at.IsZero() {
		s.fresh.Store(at.UnixNano())
	}
}

// Restored reports whether the snapshot came from a file and was not held against
// the store since.
func (s *Snapshot) Restored() bool { return s.origin.restored }

// Store returns the identity of the store that the notices come from; empty: it
// has none. See store.Identified.
func (s *Snapshot) Store() string { return s.origin.store }

// Len returns the number of notices, withdrawn ones included.
func (s *Snapshot) Len() int { return s.size }

// Counts returns what the catalogue holds by agency. The map is the snapshot's
// own: it is not to be changed.
func (s *Snapshot) Counts() map[string]AgencyCounts { return s.counts }

// find returns where the living notice of an id is.
func (s *Snapshot) find(id string) (*part, uint32, bool) {
	key := textKey(id)
	for i := range s.parts {
		p := &s.parts[i]
		if doc, ok := p.find(id, key); ok && !p.dead.has(doc) {
			return p, doc, true
		}
	}
	return nil, 0, false
}

// Notice returns the notice of an id, withdrawn or not, and its serial, with its
// aliases as they follow from all notices of the snapshot. A former id is not
// resolved.
func (s *Snapshot) Notice(id string) (recall.Notice, int64, bool) {
	p, doc, ok := s.find(id)
	if !ok || p.traits[doc]&isGone != 0 {
		return recall.Notice{}, 0, false
	}
	n := p.notice(doc)
	s.newResolver().resolve(&n, candidate{p, doc})
	return n, p.serials[doc], true
}

// Document returns the recall/1 JSON of an id and its serial.
func (s *Snapshot) Document(id string) ([]byte, int64, bool) {
	n, serial, ok := s.Notice(id)
	if !ok {
		return nil, 0, false
	}
	document, err := json.Marshal(&n)
	return document, serial, err == nil
}

// Changes returns the latest state of every id whose serial is above since, in
// order of serial, at most limit, and whether there are more. A withdrawn
// notice and one that lives on under another id are tombstones. Aliases follow
// from other notices too: they are as the snapshot has them, and a new alias
// alone is no change of a notice.
func (s *Snapshot) Changes(since int64, limit int) ([]Change, bool) {
	heads := make([]int, len(s.parts))
	for i := range s.parts {
		p := &s.parts[i]
		heads[i], _ = slices.BinarySearchFunc(p.bySerial, since+1, func(doc uint32, serial int64) int {
			return cmp.Compare(p.serials[doc], serial)
		})
	}
	changes := []Change{}
	aliases := s.newResolver()
	for {
		next := s.nextChange(heads)
		if next < 0 {
			return changes, false
		}
		if len(changes) == limit {
			return changes, true
		}
		p := &s.parts[next]
		doc := p.bySerial[heads[next]]
		change := p.change(doc)
		if change.Notice != nil {
			aliases.resolve(change.Notice, candidate{p, doc})
		}
		changes = append(changes, change)
		heads[next]++
	}
}

// nextChange returns the part with the lowest living serial at its head, or -1.
func (s *Snapshot) nextChange(heads []int) int {
	best, lowest := -1, int64(0)
	for i := range s.parts {
		p := &s.parts[i]
		for heads[i] < p.len() && p.dead.has(p.bySerial[heads[i]]) {
			heads[i]++
		}
		if heads[i] == p.len() {
			continue
		}
		if serial := p.serials[p.bySerial[heads[i]]]; best < 0 || serial < lowest {
			best, lowest = i, serial
		}
	}
	return best
}

func (p *part) change(doc uint32) Change {
	c := Change{Serial: p.serials[doc], ID: p.id(doc), Tombstone: p.traits[doc]&(isWithdrawn|isGone) != 0}
	if !c.Tombstone {
		n := p.notice(doc)
		c.Notice = &n
	}
	return c
}
