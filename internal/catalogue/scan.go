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

// partLists are where a word stands in one part: where it names a product or
// is its barcode, and where it tells of one.
type partLists [2]list

const (
	inNames = iota
	inProse
)

// list is where a word stands in one part, by all its forms.
type list struct {
	rows   rowSet // dead ones too; nil: nowhere
	shared bool   // rows belong to the segment
	sparse []sparseForm
	dense  []denseForm
	best   uint32 // the most that the word is worth in any notice
}

// sparseForm is where forms of a word stand that stand in few notices.
type sparseForm struct {
	marks []mark // in order of notice
	next  int    // where the last look ended; looks mostly go upwards
}

// denseForm is where a form of a word stands that stands in many.
type denseForm struct {
	run     *denseRun
	fields  field // those that count
	quality uint32
}

// mark is a notice that a word stands in: its number, what the word is worth
// there, which is its quality times the weight of the fields, and the fields.
type mark uint64

func newMark(doc uint32, in field, quality uint32) mark {
	return mark(uint64(doc)<<32 | uint64(quality*fieldWeights[in])<<16 | uint64(in))
}

func (m mark) doc() uint32   { return uint32(m >> 32) }
func (m mark) value() uint32 { return uint32(m>>16) & 0xffff }
func (m mark) field() field  { return field(m & 0xffff) }

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

// clear empties a list and keeps its memory, but not what it points to in a
// segment, which may be superseded.
func (l *list) clear() {
	clear(l.dense)
	*l = list{sparse: l.sparse[:0], dense: l.dense[:0]}
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

// newSparse adds a sparse form, in the memory of one that was there before.
func (l *list) newSparse() *sparseForm {
	if len(l.sparse) < cap(l.sparse) {
		l.sparse = l.sparse[:len(l.sparse)+1]
	} else {
		l.sparse = append(l.sparse, sparseForm{})
	}
	f := &l.sparse[len(l.sparse)-1]
	f.marks, f.next = f.marks[:0], 0
	return f
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

// decides reports whether a living notice has the word in a field that decides.
func (l *list) decides(dead rowSet) bool {
	for i := range l.sparse {
		for _, m := range l.sparse[i].marks {
			if m.field()&deciding != 0 && !dead.has(m.doc()) {
				return true
			}
		}
	}
	for i := range l.dense {
		if r := l.dense[i].run; r.all&deciding != 0 && r.decides(dead) {
			return true
		}
	}
	return false
}

func (r *denseRun) decides(dead rowSet) bool {
	next, found := 0, false
	r.rows.each(func(doc uint32) {
		found = found || field(r.fields[next])&deciding != 0 && !dead.has(doc)
		next++
	})
	return found
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

// severalForms is how many sparse forms are looked through one by one.
const severalForms = 4

// compact makes one sparse form of many.
func (l *list) compact() {
	if len(l.sparse) <= severalForms {
		return
	}
	all := l.sparse[0].marks
	for i := range l.sparse[1:] {
		all = append(all, l.sparse[1+i].marks...)
	}
	slices.Sort(all)
	kept := all[:0]
	for _, m := range all {
		if last := len(kept) - 1; last >= 0 && kept[last].doc() == m.doc() {
			kept[last] = max(kept[last], m)&^0xffff | (kept[last]|m)&0xffff
			continue
		}
		kept = append(kept, m)
	}
	l.sparse[0] = sparseForm{marks: kept}
	l.sparse = l.sparse[:1]
}

// at tells what the word is worth in a notice, and where it stands there.
func (l *list) at(doc uint32) (value uint32, in field) {
	if !l.rows.has(doc) {
		return 0, 0
	}
	for i := range l.sparse {
		if m := l.sparse[i].at(doc); m != 0 {
			value, in = max(value, m.value()), in|m.field()
		}
	}
	for i := range l.dense {
		if f := &l.dense[i]; f.run.rows.has(doc) {
			here := f.run.at(doc) & f.fields
			value, in = max(value, f.quality*fieldWeights[here]), in|here
		}
	}
	return value, in
}

// at returns the mark of a notice, or 0. It gallops from where the last look
// ended, or from the beginning.
func (f *sparseForm) at(doc uint32) mark {
	if f.next > 0 && f.marks[f.next-1].doc() >= doc {
		f.next = 0
	}
	step := 1
	for f.next+step <= len(f.marks) && f.marks[f.next+step-1].doc() < doc {
		f.next += step
		step *= 2
	}
	end := min(f.next+step, len(f.marks))
	for f.next < end {
		if mid := (f.next + end) / 2; f.marks[mid].doc() < doc {
			f.next = mid + 1
		} else {
			end = mid
		}
	}
	if f.next < len(f.marks) && f.marks[f.next].doc() == doc {
		return f.marks[f.next]
	}
	return 0
}

// rarity is what a word weighs that stands in some of all notices: the
// logarithm of how rare it is, in whole numbers so that sums are exact.
func rarity(in, of int) uint32 {
	if in == 0 {
		return 0
	}
	return uint32(1 + 64*math.Log1p(float64(of-in)/float64(in)+0.1))
}
