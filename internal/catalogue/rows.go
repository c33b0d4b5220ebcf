package catalogue

import (
	"math/bits"
	"slices"
)

// rowSet is a set of a segment's notices, one bit for each. A nil set is empty.
type rowSet []uint64

// wordsFor is how many words of a rowSet hold so many notices.
func wordsFor(notices int) int { return (notices + 63) / 64 }

func (b rowSet) has(doc uint32) bool { return b != nil && b[doc>>6]&(1<<(doc&63)) != 0 }

func (b rowSet) add(doc uint32) { b[doc>>6] |= 1 << (doc & 63) }

// with returns a copy of the set of n with more notices in it.
func (b rowSet) with(n int, docs []uint32) rowSet {
	next := make(rowSet, wordsFor(n))
	copy(next, b)
	for _, doc := range docs {
		next.add(doc)
	}
	return next
}

// unite adds another set, which may be nil.
func (b rowSet) unite(other rowSet) {
	for i, word := range other {
		b[i] |= word
	}
}

// keep leaves only what is in the other set too.
func (b rowSet) keep(other rowSet) {
	for i, word := range other {
		b[i] &= word
	}
}

// drop takes another set away, which may be nil.
func (b rowSet) drop(other rowSet) {
	for i, word := range other {
		b[i] &^= word
	}
}

// count returns how many notices are in the set.
func (b rowSet) count() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// countBoth returns how many notices are in both sets.
func (b rowSet) countBoth(other rowSet) (n int) {
	for i, word := range other {
		n += bits.OnesCount64(b[i] & word)
	}
	return n
}

// countWithout returns how many notices of the set are not in another, which may
// be nil.
func (b rowSet) countWithout(other rowSet) int {
	if other == nil {
		return b.count()
	}
	n := 0
	for i, word := range b {
		n += bits.OnesCount64(word &^ other[i])
	}
	return n
}

// countEither returns how many notices are in the set or in another and not in
// a third one, which may be nil.
func (b rowSet) countEither(other, not rowSet) (n int) {
	for i, word := range b {
		word |= other[i]
		if not != nil {
			word &^= not[i]
		}
		n += bits.OnesCount64(word)
	}
	return n
}

// each calls yield with the notices in order.
func (b rowSet) each(yield func(doc uint32)) {
	for i, word := range b {
		for ; word != 0; word &= word - 1 {
			yield(uint32(i<<6 + bits.TrailingZeros64(word)))
		}
	}
}

// sparseBelow is the share of a segment's notices, one in so many, from which
// on a bit for every notice takes less room and time than a list.
const sparseBelow = 32

// fewestDense is how many notices a set must have to be worth a bit for each.
const fewestDense = 64

// isDense reports whether so many of a segment's notices are kept as bits.
func isDense(count, notices int) bool {
	return count >= fewestDense && count >= notices/sparseBelow
}

// docSet is a set of a segment's notices, as a list where they are few.
type docSet struct {
	bits rowSet
	list []uint32 // if bits is nil
}

// listedBelow is the share of a segment's notices, one in so many, from which on
// going through the bits takes less time than going through a list.
const listedBelow = 128

// newDocSet makes a set of a segment's notices, given in order.
func newDocSet(docs []uint32, notices int) docSet {
	if len(docs) > notices/listedBelow {
		return docSet{bits: rowSet(nil).with(notices, docs)}
	}
	return docSet{list: slices.Clone(docs)}
}

// addTo adds the set to another.
func (d *docSet) addTo(b rowSet) {
	b.unite(d.bits)
	for _, doc := range d.list {
		b.add(doc)
	}
}

// countIn returns how many of the set are in another.
func (d *docSet) countIn(b rowSet) int {
	n := b.countBoth(d.bits)
	for _, doc := range d.list {
		if b.has(doc) {
			n++
		}
	}
	return n
}

// denseRun is a term's postings where it stands in many of a segment's notices:
// a bit for each notice, and the sets of fields of those that have one.
type denseRun struct {
	rows   rowSet
	before []uint32 // notices with a bit in front of each block
	fields []byte
	all    field  // fields of any of them
	best   uint32 // the most that any of them weighs
}

// rankBlock is how many words of a rowSet are counted together.
const rankBlock = 4

// newDenseRun makes a run of postings in order.
func newDenseRun(postings []posting, notices int) *denseRun {
	r := &denseRun{rows: make(rowSet, wordsFor(notices)), fields: make([]byte, len(postings))}
	for i, p := range postings {
		r.rows.add(p.doc())
		r.fields[i] = byte(p.field())
		r.all |= p.field()
		r.best = max(r.best, fieldWeights[p.field()])
	}
	r.before = make([]uint32, 0, len(r.rows)/rankBlock+1)
	sum := 0
	for i, word := range r.rows {
		if i%rankBlock == 0 {
			r.before = append(r.before, uint32(sum))
		}
		sum += bits.OnesCount64(word)
	}
	return r
}

// at returns the fields that the term stands in, of a notice that has a bit.
func (r *denseRun) at(doc uint32) field {
	at := doc >> 6
	from := at / rankBlock * rankBlock
	rank := int(r.before[at/rankBlock])
	for _, word := range r.rows[from:at] {
		rank += bits.OnesCount64(word)
	}
	return field(r.fields[rank+bits.OnesCount64(r.rows[at]&(1<<(doc&63)-1))])
}
