package catalogue

import (
	"math"
	"sync"
)

// scan adds up, notice by notice, what the words of a query are worth. Notices
// are numbered through all parts of the snapshot.
type scan struct {
	snapshot   *Snapshot
	namingOnly bool // look only where a product is named
	decisions  decisions

	now     []uint32 // of the present word: quality × weight of the fields << 16 | fields
	nowIn   []uint32 // notices that the present word stands in
	known   bool     // the present word names something
	sum     []uint32
	covered []uint32 // weight of the words found
	fields  []field
	found   []uint32 // notices with a sum
	weight  uint32   // of all words that were found anywhere

	postings []posting
	similar  []string
}

var scans = sync.Pool{New: func() any { return new(scan) }}

func newScan(s *Snapshot, namingOnly bool, pinned []uint32) *scan {
	x := scans.Get().(*scan)
	x.snapshot, x.namingOnly, x.decisions = s, namingOnly, decisions{pinned: pinned, read: pinned != nil}
	if len(x.now) < s.rows {
		x.now, x.sum, x.covered = make([]uint32, s.rows), make([]uint32, s.rows), make([]uint32, s.rows)
		x.fields = make([]field, s.rows)
	}
	return x
}

// release gives the memory back, clean.
func (x *scan) release() {
	for _, row := range x.found {
		x.sum[row], x.covered[row], x.fields[row] = 0, 0, 0
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
		x.postings = p.terms.naming(x.postings[:0], number)
	} else {
		x.postings = p.terms.all(x.postings[:0], number)
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
	was := x.now[row]
	if was == 0 {
		x.nowIn = append(x.nowIn, row)
	}
	x.now[row] = max(value, was>>16)<<16 | uint32(in) | was&0xffff
}

// count weighs the present word and adds it up.
func (x *scan) count() {
	weight := x.decisions.decide(func() uint32 { return rarity(len(x.nowIn), x.snapshot.living) })
	if len(x.nowIn) > 0 {
		x.weight += weight
	}
	for _, row := range x.nowIn {
		now := x.now[row]
		x.now[row] = 0
		if weight == 0 {
			continue
		}
		if x.sum[row] == 0 {
			x.found = append(x.found, row)
		}
		x.sum[row] += weight * (now >> 16)
		x.covered[row] += weight
		x.fields[row] |= field(now & 0xffff)
	}
	x.nowIn = x.nowIn[:0]
}

// forget drops the present word.
func (x *scan) forget() {
	for _, row := range x.nowIn {
		x.now[row] = 0
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

// score is what a notice's words are worth, times the share of the words that
// were found; of equals, the one with fewer other names comes first.
func (x *scan) score(p *part, doc uint32) int64 {
	row := p.first + doc
	score := int64(x.sum[row]) * int64(x.covered[row]) / int64(x.weight)
	return score + score/int64(8+p.widths[doc])
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
