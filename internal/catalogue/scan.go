package catalogue

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// scan adds up, notice by notice, what the words of a query are worth. Notices
// are numbered through all parts of the snapshot.
type scan struct {
	snapshot   *Snapshot
	namingOnly bool // look only where a product is named
	decisions  decisions

	tally  []tally  // by notice
	nowIn  []uint32 // notices that the present word stands in
	known  bool     // the present word names something
	found  []uint32 // notices with a sum
	weight uint32   // of all words that were found anywhere

	postings []posting
	similar  []string
}

// tally is what one notice has come to.
type tally struct {
	now     uint32 // of the present word: quality × weight of the fields << 16 | fields
	sum     uint32
	covered uint32 // weight of the words found
	fields  field
}

var scans = sync.Pool{New: func() any { return new(scan) }}

func newScan(s *Snapshot, namingOnly bool, pinned []uint32) *scan {
	x := scans.Get().(*scan)
	x.snapshot, x.namingOnly, x.decisions = s, namingOnly, decisions{pinned: pinned, read: pinned != nil}
	if len(x.tally) < s.rows {
		x.tally = make([]tally, s.rows)
	}
	return x
}

// release gives the memory back, clean, even from the middle of a word.
func (x *scan) release() {
	x.forget()
	for _, row := range x.found {
		x.tally[row] = tally{}
	}
	x.found, x.weight, x.snapshot = x.found[:0], 0, nil
	x.decisions = decisions{}
	scans.Put(x)
}

// decisions are what was decided for a query when its first page was made:
// whether a code is one word, whether a word is taken for a misspelling, and
// what each word weighs. The pages after it are given the same ones, so that
// notices that come in between move no other notice.
type decisions struct {
	made   []uint32
	pinned []uint32
	read   bool
	spent  bool // pinned did not fit the query
}

func (d *decisions) decide(fresh func() uint32) uint32 {
	var v uint32
	switch {
	case !d.read:
		v = fresh()
	case len(d.pinned) == 0:
		d.spent = true
	default:
		v, d.pinned = d.pinned[0], d.pinned[1:]
	}
	d.made = append(d.made, v)
	return v
}

func (d *decisions) is(fresh func() bool) bool {
	return d.decide(func() uint32 {
		if fresh() {
			return 1
		}
		return 0
	}) != 0
}

// look looks for every piece.
func (x *scan) look(pieces []piece) {
	for _, p := range pieces {
		if p.code != nil {
			x.collect(p.code)
			if x.decisions.is(func() bool { return x.known }) {
				x.count()
				continue
			}
			x.forget()
		}
		for i := range p.words {
			w := &p.words[i]
			x.collect(w)
			if w.spelling != "" && x.decisions.is(func() bool { return !x.known }) {
				x.collectSimilar(w.spelling)
			}
			x.count()
		}
	}
}

// collect finds the notices in which a word stands in any of its forms.
func (x *scan) collect(w *word) {
	x.known = false
	parts := x.snapshot.parts
	for i := range parts {
		p := &parts[i]
		for _, f := range w.forms {
			if number, ok := p.terms.find(f.term); ok {
				x.take(p, number, f.quality)
			}
		}
		if w.barcode != "" {
			own, related := askedKeys(w.barcode)
			x.takeBarcode(p, own, exactly)
			for _, key := range related {
				x.takeBarcode(p, key, caseOrItem)
			}
		}
	}
}

func (x *scan) takeBarcode(p *part, key uint64, quality uint32) {
	for _, doc := range p.barcodes.find(key) {
		if !p.dead.has(doc) {
			x.put(p.first+doc, inGTIN, quality)
		}
	}
}

// collectSimilar finds the notices with longer words and misspelt ones.
func (x *scan) collectSimilar(spelling string) {
	parts := x.snapshot.parts
	for i := range parts {
		p := &parts[i]
		if len(spelling) >= minPrefix && !x.namingOnly {
			from, to := p.terms.withPrefix(spelling)
			for number := from; number < to; number++ {
				if q := prefixQuality(spelling, p.terms.term(number)); q > 0 {
					x.take(p, number, q)
				}
			}
		}
		if editsIn(spelling) == 0 {
			continue
		}
		x.similar = p.typos().near(x.similar[:0], &p.terms, spelling)
		for _, term := range x.similar {
			if number, ok := p.terms.find(term); ok {
				x.take(p, number, typoQuality(spelling, term))
			}
		}
	}
}

// take puts down every notice of a term.
func (x *scan) take(p *part, number int, quality uint32) {
	if x.namingOnly {
		x.postings = p.terms.appendNaming(x.postings[:0], number)
	} else {
		x.postings = p.terms.appendAll(x.postings[:0], number)
	}
	for _, posting := range x.postings {
		if !p.dead.has(posting.doc()) {
			x.put(p.first+posting.doc(), posting.field(), quality)
		}
	}
}

func (x *scan) put(row uint32, in field, quality uint32) {
	if x.namingOnly {
		if in &= naming; in == 0 {
			return
		}
	}
	x.known = x.known || in&deciding != 0
	value := quality * fieldWeights[in]
	t := &x.tally[row]
	if t.now == 0 {
		x.nowIn = append(x.nowIn, row)
	}
	t.now = max(value, t.now>>16)<<16 | uint32(in) | t.now&0xffff
}

// count weighs the present word and adds it up.
func (x *scan) count() {
	x.add(x.decisions.decide(func() uint32 { return rarity(len(x.nowIn), x.snapshot.living) }))
}

func (x *scan) add(weight uint32) {
	if weight == 0 {
		x.forget()
		return
	}
	if len(x.nowIn) > 0 {
		x.weight += weight
	}
	for _, row := range x.nowIn {
		t := &x.tally[row]
		if t.sum == 0 {
			x.found = append(x.found, row)
		}
		t.sum += weight * (t.now >> 16)
		t.covered += weight
		t.fields |= field(t.now & 0xffff)
		t.now = 0
	}
	x.nowIn = x.nowIn[:0]
}

// forget drops the present word.
func (x *scan) forget() {
	for _, row := range x.nowIn {
		x.tally[row].now = 0
	}
	x.nowIn = x.nowIn[:0]
}

// rarity is what a word weighs that stands in some of all notices: the
// logarithm of how rare it is, in whole numbers so that sums are exact.
func rarity(in, of int) uint32 {
	if in == 0 {
		return 0
	}
	return uint32(1 + 64*math.Log1p(float64(of-in)/float64(in)+0.1))
}

// score is what a notice's words are worth, times the weight of those that were
// found; of equals, the one with fewer other names comes first.
func (x *scan) score(p *part, doc uint32) int64 {
	t := &x.tally[p.first+doc]
	return int64(t.sum) * int64(t.covered) * brevity[p.widths[doc]]
}

// brevity is what a score is multiplied with, by the number of terms that name
// the notice: from 9 eighths down to 1, in whole numbers.
var brevity = func() (table [256]int64) {
	for width := range table {
		table[width] = 64 + 64/int64(8+width)
	}
	return table
}()

// points makes a score of about 1 of one word that stands in one field of a
// middling weight.
func (x *scan) points(score int64) float64 {
	return float64(score) / float64(x.weight) / (64 << 20)
}

// eachFound calls yield with every notice that has a sum, and the number of its
// part.
func (x *scan) eachFound(yield func(part int, doc uint32)) {
	parts := x.snapshot.parts
	at := 0
	for _, row := range x.found {
		if row < parts[at].first || int(row) >= int(parts[at].first)+parts[at].len() {
			at = x.snapshot.partOf(row)
		}
		yield(at, row-parts[at].first)
	}
}

// maxEnumerated is how many postings of a question's words are walked through to
// find notices, beginning with the rarest word. The words beyond only tell the
// notices apart that were found: what shares nothing rarer with a question is
// not what it asks for.
const maxEnumerated = 8192

// sized is a word with the number of its postings.
type sized struct {
	*word
	size int
}

// lookForCandidates looks for every word where products are named, each code
// both as one and as words.
func (x *scan) lookForCandidates(pieces []piece) {
	var words []sized
	for i := range pieces {
		p := &pieces[i]
		if p.code != nil {
			words = append(words, sized{p.code, x.size(p.code)})
		}
		for j := range p.words {
			words = append(words, sized{&p.words[j], x.size(&p.words[j])})
		}
	}
	slices.SortStableFunc(words, func(a, b sized) int { return cmp.Compare(a.size, b.size) })
	left := maxEnumerated
	for _, w := range words {
		if w.size > left && len(x.found) > 0 {
			x.refine(w)
			continue
		}
		left -= w.size
		x.collect(w.word)
		if w.spelling != "" && !x.known {
			x.collectSimilar(w.spelling)
		}
		x.count()
	}
}

// size returns in how many notices a word names something, dead ones too.
func (x *scan) size(w *word) (n int) {
	for i := range x.snapshot.parts {
		p := &x.snapshot.parts[i]
		for _, f := range w.forms {
			if number, ok := p.terms.find(f.term); ok {
				n += p.terms.naming(number)
			}
		}
	}
	return n
}

// refine adds a word to the notices that were found already.
func (x *scan) refine(w sized) {
	for i := range x.snapshot.parts {
		p := &x.snapshot.parts[i]
		for _, f := range w.forms {
			number, ok := p.terms.find(f.term)
			if !ok {
				continue
			}
			x.postings = p.terms.appendNaming(x.postings[:0], number)
			for _, posting := range x.postings {
				if row := p.first + posting.doc(); x.tally[row].sum != 0 {
					x.put(row, posting.field(), f.quality)
				}
			}
		}
	}
	x.add(rarity(min(w.size, x.snapshot.living), x.snapshot.living))
}
