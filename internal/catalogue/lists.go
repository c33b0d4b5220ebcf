package catalogue

import "slices"

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

// clear empties a list and keeps its memory, but not what it points to in a
// segment, which may be superseded.
func (l *list) clear() {
	clear(l.dense)
	*l = list{sparse: l.sparse[:0], dense: l.dense[:0]}
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

// at tells what the word is worth in a notice, and where it stands there.
func (p *partLists) at(doc uint32) (value uint32, in field) {
	value, in = p[inNames].at(doc)
	if prose, inProse := p[inProse].at(doc); inProse != 0 {
		value, in = max(value, prose), in|inProse
	}
	return value, in
}

// inBrand reports whether the word stands in the brand of a notice.
func (l *list) inBrand(doc uint32) bool {
	_, in := l.at(doc)
	return in&inBrand != 0
}
