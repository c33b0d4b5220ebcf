package catalogue

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// posting is one notice that a term stands in: its number in the segment above
// the set of fields, of which the first eight are posted.
type posting uint32

func newPosting(doc uint32, in field) posting { return posting(doc<<8 | uint32(in&0xff)) }

func (p posting) doc() uint32  { return uint32(p >> 8) }
func (p posting) field() field { return field(p & 0xff) }

// termIndex is a segment's inverted index: its terms in order, a hash table
// over them, and for each term two runs of postings, those that name a product
// and those that merely tell of it. No notice is in both.
//
// The runs of a term stand one behind the other, each behind a number: how many
// notices it has, twice, plus one if it is dense. A dense run is the number of
// one of dense; of the others, the first is pairs of the distance to the notice
// before and the set of fields, the second is distances whose lowest bit says
// that a set of fields follows; without it the field is the description.
type termIndex struct {
	text  string
	at    []uint32 // term i is text[at[i]:at[i+1]]
	table []uint64 // by hash: half of the hash above the number of a term plus one, 0 is free
	runs  []byte
	from  []uint32 // the runs of term i begin at runs[from[i]]
	dense []*denseRun
}

func (x *termIndex) len() int { return len(x.from) }

func (x *termIndex) term(i int) string { return x.text[x.at[i]:x.at[i+1]] }

// find returns the number of a term, whose key is textKey(term).
func (x *termIndex) find(term string, key uint64) (int, bool) {
	if len(x.table) == 0 {
		return 0, false
	}
	mask := uint64(len(x.table) - 1)
	for slot := key & mask; x.table[slot] != 0; slot = (slot + 1) & mask {
		if entry := x.table[slot]; entry>>32 == key>>32 {
			if i := int(uint32(entry) - 1); x.term(i) == term {
				return i, true
			}
		}
	}
	return 0, false
}

// withPrefix returns the range of terms that begin with a prefix.
func (x *termIndex) withPrefix(prefix string) (from, to int) {
	from = sort.Search(x.len(), func(i int) bool { return x.term(i) >= prefix })
	to = from + sort.Search(x.len()-from, func(i int) bool { return !strings.HasPrefix(x.term(from+i), prefix) })
	return from, to
}

// naming returns how many notices a term names.
func (x *termIndex) naming(i int) int {
	head, _ := shortNumber(x.runs[x.from[i]:])
	return int(head >> 1)
}

// run is one run of a term, where it lies in the index.
type run struct {
	count   int
	telling bool
	dense   *denseRun
	bytes   []byte // of a run that is not dense
}

// runsOf returns both runs of a term.
func (x *termIndex) runsOf(i int) (naming, telling run) {
	rest := x.runs[x.from[i]:]
	naming, rest = x.readRun(rest, false)
	telling, _ = x.readRun(rest, true)
	return naming, telling
}

// readRun reads a run at the beginning of some bytes. What lies behind it is
// returned for the first run only: nothing but other terms follows the second.
func (x *termIndex) readRun(b []byte, telling bool) (run, []byte) {
	head, b := shortNumber(b)
	r := run{count: int(head >> 1), telling: telling}
	if head&1 == 1 {
		var number uint32
		number, b = shortNumber(b)
		r.dense = x.dense[number]
		return r, b
	}
	if telling {
		r.bytes = b
		return r, nil
	}
	var length uint32
	length, b = shortNumber(b)
	r.bytes = b[:length]
	return r, b[length:]
}

// appendTo appends the postings of a run, in order of notice.
func (r *run) appendTo(to []posting) []posting {
	if r.dense != nil {
		next := 0
		r.dense.rows.each(func(doc uint32) {
			to = append(to, newPosting(doc, field(r.dense.fields[next])))
			next++
		})
		return to
	}
	doc, rest, step := uint32(0), r.bytes, uint32(0)
	for range r.count {
		step, rest = shortNumber(rest)
		if !r.telling {
			doc += step
			to = append(to, newPosting(doc, field(rest[0])))
			rest = rest[1:]
			continue
		}
		doc += step >> 1
		in := inDescription
		if step&1 == 1 {
			in, rest = field(rest[0]), rest[1:]
		}
		to = append(to, newPosting(doc, in))
	}
	return to
}

// appendAll appends both runs of a term.
func (x *termIndex) appendAll(to []posting, i int) []posting {
	naming, telling := x.runsOf(i)
	return telling.appendTo(naming.appendTo(to))
}

func shortNumber(b []byte) (uint32, []byte) {
	if b[0] < 0x80 {
		return uint32(b[0]), b[1:]
	}
	n, size := binary.Uvarint(b)
	return uint32(n), b[size:]
}

// termWriter makes a termIndex of terms that come in order.
type termWriter struct {
	notices int // of the segment
	index   termIndex
	text    []byte
	run     []byte
	naming  []posting
	telling []posting
}

// add writes a term with its postings, which it sorts.
func (w *termWriter) add(term string, postings []posting) {
	slices.Sort(postings)
	x := &w.index
	x.at = append(x.at, uint32(len(w.text)))
	w.text = append(w.text, term...)
	x.from = append(x.from, uint32(len(x.runs)))
	w.naming, w.telling = w.naming[:0], w.telling[:0]
	for _, p := range postings {
		if p.field()&naming != 0 {
			w.naming = append(w.naming, p)
		} else {
			w.telling = append(w.telling, p)
		}
	}
	if !w.addDense(w.naming) {
		w.addNaming()
	}
	if !w.addDense(w.telling) {
		w.addTelling()
	}
}

// addDense writes a run that is long enough to be dense.
func (w *termWriter) addDense(postings []posting) bool {
	if !isDense(len(postings), w.notices) {
		return false
	}
	x := &w.index
	x.runs = binary.AppendUvarint(x.runs, uint64(len(postings))<<1|1)
	x.runs = binary.AppendUvarint(x.runs, uint64(len(x.dense)))
	x.dense = append(x.dense, newDenseRun(postings, w.notices))
	return true
}

func (w *termWriter) addNaming() {
	x := &w.index
	w.run = w.run[:0]
	last := uint32(0)
	for _, p := range w.naming {
		w.run = binary.AppendUvarint(w.run, uint64(p.doc()-last))
		w.run = append(w.run, byte(p.field()))
		last = p.doc()
	}
	x.runs = binary.AppendUvarint(x.runs, uint64(len(w.naming))<<1)
	x.runs = binary.AppendUvarint(x.runs, uint64(len(w.run)))
	x.runs = append(x.runs, w.run...)
}

func (w *termWriter) addTelling() {
	x := &w.index
	x.runs = binary.AppendUvarint(x.runs, uint64(len(w.telling))<<1)
	last := uint32(0)
	for _, p := range w.telling {
		step := uint64(p.doc()-last) << 1
		if p.field() == inDescription {
			x.runs = binary.AppendUvarint(x.runs, step)
		} else {
			x.runs = binary.AppendUvarint(x.runs, step|1)
			x.runs = append(x.runs, byte(p.field()))
		}
		last = p.doc()
	}
}

// finish returns the index.
func (w *termWriter) finish() termIndex {
	x := &w.index
	x.at = append(x.at, uint32(len(w.text)))
	x.text = string(w.text)
	x.at, x.from, x.runs = slices.Clone(x.at), slices.Clone(x.from), slices.Clone(x.runs)
	size := 4
	for size < x.len()*3/2 {
		size *= 2
	}
	x.table = make([]uint64, size)
	mask := uint64(size - 1)
	for i := range x.len() {
		key := textKey(x.term(i))
		slot := key & mask
		for x.table[slot] != 0 {
			slot = (slot + 1) & mask
		}
		x.table[slot] = key>>32<<32 | uint64(i+1)
	}
	return *x
}
