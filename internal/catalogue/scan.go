package catalogue

import (
	"math"
	"slices"
	"sync"
)

// scan looks for the words of a query in every part of a snapshot.
type scan struct {
	snapshot   *Snapshot
	namingOnly bool // look only where a product is named, but for words that count anywhere
	decisions  decisions

	words  []*wanted
	weight uint32 // of all words that were found anywhere
	views  []view // by part, made when all words are known

	room     rowRoom
	free     []*wanted // used before
	postings []posting
	similar  []string
}

// wanted is a word that is looked for, and where it stands.
type wanted struct {
	weight uint32
	common bool // it finds only what has it in a brand; it merely ranks the others
	parts  []partLists
}

var scans = sync.Pool{New: func() any { return new(scan) }}

func newScan(s *Snapshot, namingOnly bool, pinned []uint32) *scan {
	x := scans.Get().(*scan)
	x.snapshot, x.namingOnly, x.decisions = s, namingOnly, decisions{pinned: pinned, read: pinned != nil}
	return x
}

// release gives the memory back.
func (x *scan) release() {
	for len(x.words) > 0 {
		x.forget()
	}
	x.views = slices.Delete(x.views, 0, len(x.views))
	x.weight, x.snapshot, x.decisions = 0, nil, decisions{}
	x.room.used = 0
	scans.Put(x)
}

// rowRoom hands out sets of notices that live as long as a scan.
type rowRoom struct {
	words []uint64
	used  int
}

// empty returns an empty set for so many notices.
func (r *rowRoom) empty(notices int) rowSet {
	n := wordsFor(notices)
	if r.used+n > len(r.words) { // those that were handed out keep the old room
		r.words, r.used = make([]uint64, max(2*len(r.words), 8*n)), 0
	}
	b := rowSet(r.words[r.used : r.used+n : r.used+n])
	r.used += n
	clear(b)
	return b
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
			w := x.collect(p.code)
			if x.decisions.is(func() bool { return x.known(w) }) {
				x.weigh(w)
				continue
			}
			x.forget()
		}
		for i := range p.words {
			asked := &p.words[i]
			w := x.collect(asked)
			if asked.spelling != "" && x.decisions.is(func() bool { return !x.known(w) }) {
				x.collectSimilar(w, asked.spelling)
			}
			x.weigh(w)
		}
	}
}

// lookForCandidates looks for every word where products are named, each code
// both as one and as words. The marks of a unit find nothing of themselves; of
// notices on one product they bring forward the one that speaks of this unit.
func (x *scan) lookForCandidates(pieces []piece, marks []word, common func(*word) bool) {
	for i := range marks {
		w := x.collect(&marks[i])
		w.common = true
		x.weigh(w)
	}
	for _, p := range pieces {
		if p.code != nil {
			x.weigh(x.collect(p.code))
		}
		for i := range p.words {
			asked := &p.words[i]
			w := x.collect(asked)
			if asked.spelling != "" && !x.known(w) {
				x.collectSimilar(w, asked.spelling)
			}
			w.common = common(asked)
			x.weigh(w)
		}
	}
}

// collect finds where a word stands in any of its forms.
func (x *scan) collect(asked *word) *wanted {
	w := x.want()
	for _, f := range asked.forms {
		key := textKey(f.term)
		for i := range x.snapshot.parts {
			if number, ok := x.snapshot.parts[i].terms.find(f.term, key); ok {
				x.take(w, i, number, f.quality, x.namingOnly && !asked.anywhere)
			}
		}
	}
	for i := range x.snapshot.parts {
		if asked.barcode != "" && !x.namingOnly {
			own, related := askedKeys(asked.barcode)
			x.takeBarcode(w, i, own, exactly)
			for _, key := range related {
				x.takeBarcode(w, i, key, caseOrItem)
			}
		}
	}
	return w
}

// want returns a word that stands nowhere yet.
func (x *scan) want() *wanted {
	w := new(wanted)
	if last := len(x.free) - 1; last >= 0 {
		w, x.free = x.free[last], x.free[:last]
	}
	w.parts = slices.Grow(w.parts[:0], len(x.snapshot.parts))[:len(x.snapshot.parts)]
	for i := range w.parts {
		for j := range w.parts[i] {
			l := &w.parts[i][j]
			*l = list{sparse: l.sparse[:0], dense: l.dense[:0]}
		}
	}
	x.words = append(x.words, w)
	return w
}

// forget drops the last word.
func (x *scan) forget() {
	last := len(x.words) - 1
	w := x.words[last]
	for i := range w.parts {
		for j := range w.parts[i] {
			w.parts[i][j].clear()
		}
	}
	w.weight, w.common = 0, false
	x.words, x.free = x.words[:last], append(x.free, w)
}

// take takes a term of a part as a form of a word.
func (x *scan) take(w *wanted, part, number int, quality uint32, namingOnly bool) {
	terms := &x.snapshot.parts[part].terms
	names, prose := terms.runsOf(number)
	if namingOnly {
		x.takeRun(&w.parts[part][inNames], part, &names, quality, naming)
		return
	}
	x.takeRun(&w.parts[part][inNames], part, &names, quality, posted)
	x.takeRun(&w.parts[part][inProse], part, &prose, quality, posted)
}

// takeRun takes a run of a term; only some fields count.
func (x *scan) takeRun(l *list, part int, r *run, quality uint32, fields field) {
	switch {
	case r.count == 0:
	case r.dense != nil:
		l.dense = append(l.dense, denseForm{r.dense, fields, quality})
		l.best = max(l.best, quality*r.dense.best)
		if l.rows == nil {
			l.rows, l.shared = r.dense.rows, true
			return
		}
		x.ownRows(l, part).unite(r.dense.rows)
	default:
		x.postings = r.appendTo(x.postings[:0])
		f, rows := l.newSparse(), x.ownRows(l, part)
		for _, p := range x.postings {
			m := newMark(p.doc(), p.field()&fields, quality)
			f.marks = append(f.marks, m)
			l.best = max(l.best, m.value())
			rows.add(p.doc())
		}
	}
}

// ownRows returns a list's rows for changing.
func (x *scan) ownRows(l *list, part int) rowSet {
	if l.rows == nil || l.shared {
		rows := x.room.empty(x.snapshot.parts[part].len())
		copy(rows, l.rows)
		l.rows, l.shared = rows, false
	}
	return l.rows
}

func (x *scan) takeBarcode(w *wanted, part int, key uint64, quality uint32) {
	docs := x.snapshot.parts[part].barcodes.find(key)
	if len(docs) == 0 {
		return
	}
	l := &w.parts[part][inNames]
	f, rows := l.newSparse(), x.ownRows(l, part)
	for _, doc := range docs {
		m := newMark(doc, inGTIN, quality)
		f.marks = append(f.marks, m)
		l.best = max(l.best, m.value())
		rows.add(doc)
	}
}

// collectSimilar finds the notices with longer words and misspelt ones. What is
// taken for a misspelling in one part is in all, or it would depend on how the
// notices lie in parts.
func (x *scan) collectSimilar(w *wanted, spelling string) {
	x.similar = x.similar[:0]
	for i := range x.snapshot.parts {
		p := &x.snapshot.parts[i]
		if len(spelling) >= minPrefix && !x.namingOnly {
			from, to := p.terms.withPrefix(spelling)
			for number := from; number < to; number++ {
				if q := prefixQuality(spelling, p.terms.term(number)); q > 0 {
					x.take(w, i, number, q, x.namingOnly)
				}
			}
		}
		if editsIn(spelling) > 0 {
			x.similar = p.typos().near(x.similar, &p.terms, spelling)
		}
	}
	slices.Sort(x.similar)
	x.similar = slices.Compact(x.similar)
	for _, term := range x.similar {
		key, quality := textKey(term), typoQuality(spelling, term)
		for i := range x.snapshot.parts {
			if number, ok := x.snapshot.parts[i].terms.find(term, key); ok {
				x.take(w, i, number, quality, x.namingOnly)
			}
		}
	}
}

// known reports whether a word names something, or stands where it decides.
func (x *scan) known(w *wanted) bool {
	for i := range w.parts {
		dead := x.snapshot.parts[i].dead
		names, prose := &w.parts[i][inNames], &w.parts[i][inProse]
		for at, word := range names.rows {
			if dead != nil {
				word &^= dead[at]
			}
			if word != 0 {
				return true
			}
		}
		if prose.decides(dead) {
			return true
		}
	}
	return false
}

// weigh decides what a word weighs, and drops it when it is nothing.
func (x *scan) weigh(w *wanted) {
	living := x.living(w)
	w.weight = x.decisions.decide(func() uint32 { return rarity(living, x.snapshot.living) })
	if w.weight == 0 || living == 0 {
		x.forget()
		return
	}
	x.weight += w.weight
	for i := range w.parts {
		for j := range w.parts[i] {
			w.parts[i][j].compact()
		}
	}
}

// living returns how many living notices a word stands in.
func (x *scan) living(w *wanted) (n int) {
	for i := range w.parts {
		names, prose, dead := &w.parts[i][inNames], &w.parts[i][inProse], x.snapshot.parts[i].dead
		switch {
		case dead == nil && prose.rows == nil && len(names.dense) == 0 && len(names.sparse) == 1:
			n += len(names.sparse[0].marks)
		case prose.rows == nil:
			n += names.rows.countWithout(dead)
		case names.rows == nil:
			n += prose.rows.countWithout(dead)
		default:
			n += names.rows.countEither(prose.rows, dead)
		}
	}
	return n
}

// rarity is what a word weighs that stands in some of all notices: the
// logarithm of how rare it is, in whole numbers so that sums are exact.
func rarity(in, of int) uint32 {
	if in == 0 {
		return 0
	}
	return uint32(1 + 64*math.Log1p(float64(of-in)/float64(in)+0.1))
}
