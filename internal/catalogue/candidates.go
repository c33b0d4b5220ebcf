package catalogue

import (
	"cmp"
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

const (
	// maxByWords is how many notices the words of a question find, the best
	// first; those that are as good as the last come too, up to maxEqual, if they
	// are close to the best.
	maxByWords = 32
	maxEqual   = 48
	// farBehind is the part of the best one's score below which a notice shares
	// too little with the question to be about the same product.
	farBehind = 4
	// closeBehind is the part from which on it shares about as much as the best one.
	closeBehind = 2
	// maxByModel bounds the notices that one model number finds: a short one
	// ("310", "XL") stands in many, and with the question's words the right ones
	// are found anyway.
	maxByModel = 256
)

// candidate is a notice that could be about a question's product.
type candidate struct {
	part *part
	doc  uint32
}

// Decide answers a question from the notices that could be about the product.
// Where so many notices share about as much with the question that some of them
// may have been left out, it never says not_affected.
func (s *Snapshot) Decide(q *recall.Question) recall.Decision {
	candidates, all := s.candidates(q)
	if !all {
		return recall.DecideAmongSome(q, candidates)
	}
	return recall.Decide(q, candidates)
}

// Candidates returns the notices that could be about the question's product, in
// order of id: those that print its barcode, or that of its case or its single
// item, those that name its model, and those that share most with its words,
// where a rare word counts for more. They hold what a decision needs; summary,
// pictures, provenance and the like are empty. Withdrawn notices are never
// among them.
func (s *Snapshot) Candidates(q *recall.Question) []*recall.Notice {
	notices, _ := s.candidates(q)
	return notices
}

// candidates also reports whether they are all that there are.
func (s *Snapshot) candidates(q *recall.Question) ([]*recall.Notice, bool) {
	var list []candidate
	for _, code := range q.GTINs {
		own, related := askedKeys(code)
		for _, key := range append(related, own) {
			list = s.byKey(list, key, func(g *segment) *keyIndex { return &g.barcodes }, s.rows)
		}
	}
	for _, model := range q.ModelKeys() {
		list = s.byKey(list, textKey(model), func(g *segment) *keyIndex { return &g.models }, maxByModel)
	}
	list, all := s.byWords(list, q)
	slices.SortFunc(list, func(a, b candidate) int { return compareIDs(a.part.segment, a.doc, b.part.segment, b.doc) })
	list = slices.Compact(list)
	notices := make([]*recall.Notice, len(list))
	for i, c := range list {
		notices[i] = c.part.lean(c.doc)
	}
	return notices, all
}

// stands reports whether a notice can be a candidate at all.
func (p *part) stands(doc uint32) bool { return p.alive.has(doc) }

func (s *Snapshot) byKey(list []candidate, key uint64, of func(*segment) *keyIndex, limit int) []candidate {
	before := len(list)
	for i := range s.parts {
		p := &s.parts[i]
		for _, doc := range of(p.segment).find(key) {
			if p.stands(doc) {
				list = append(list, candidate{p, doc})
			}
		}
	}
	if len(list)-before <= limit {
		return list
	}
	// Whichever are kept must not depend on how the notices lie in segments.
	found := list[before:]
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.part.published[b.doc], a.part.published[a.doc]), compareIDs(a.part.segment, a.doc, b.part.segment, b.doc))
	})
	return list[:before+limit]
}

// byWords adds the notices that share most with the words of a question. A word
// that is too common to name a product finds only what has it in a brand,
// because no match rests on such words alone. It also reports whether these are
// all that share about as much as the best one.
func (s *Snapshot) byWords(list []candidate, q *recall.Question) ([]candidate, bool) {
	pieces := read(q.Unit.Brand + " " + q.Unit.Name + " " + q.Unit.Model)
	if len(pieces) == 0 {
		return list, true
	}
	var marks []word
	for _, code := range []string{q.Unit.Lot, q.Unit.Batch, q.Unit.DateCode} {
		if w, ok := readMark(code); ok {
			marks = append(marks, w)
		}
	}
	x := newScan(s, true, nil)
	defer x.release()
	x.lookForCandidates(pieces, marks, func(w *word) bool { return recall.Common(w.means) })
	rows, all := x.bestFound()
	for _, c := range rows {
		list = append(list, candidate{c.part, c.doc})
	}
	return list, all
}

// bestFound returns the notices that share most with the words, and whether none
// was left out that shares about as much.
func (x *scan) bestFound() ([]rankedRow, bool) {
	s, most := x.snapshot, int64(0)
	best, high := newRanking(s, maxEqual), bar{limit: maxByWords}
	least := func() int64 { return max(high.least(), most/farBehind) }
	for i := range s.parts {
		x.view(i).eachBest(s.parts[i].alive, x.room.empty(s.parts[i].len()), least, func(doc uint32, key int64) {
			most = max(most, key)
			high.add(key)
			best.add(i, key, doc)
		})
	}
	rows := best.best(s, least())
	all := len(rows) < maxByWords || rows[maxByWords-1].key < most/4*3
	if len(rows) > maxByWords {
		// Which of many equal ones are kept is chance, but where they share little anyway.
		last, end := rows[maxByWords-1].key, maxByWords
		for end < len(rows) && rows[end].key == last && last >= most/closeBehind {
			end++
		}
		rows = rows[:end]
	}
	return rows, all
}
