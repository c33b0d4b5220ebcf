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
// and those that merely tell of it.
//
// The runs of a term stand one behind the other: how many notices each has,
// then the first run as pairs of the distance to the notice before and the set
// of fields, then the second as distances whose lowest bit says that a set of
// fields follows; without it the field is the description.
type termIndex struct {
	text  string
	at    []uint32 // term i is text[at[i]:at[i+1]]
	table []uint32 // by hash: the number of a term plus one, 0 is free
	runs  []byte
	from  []uint32 // the runs of term i begin at runs[from[i]]
}

func (x *termIndex) len() int { return len(x.from) }

func (x *termIndex) term(i int) string { return x.text[x.at[i]:x.at[i+1]] }

// find returns the number of a term.
func (x *termIndex) find(term string) (int, bool) {
	if len(x.table) == 0 {
		return 0, false
	}
	mask := uint64(len(x.table) - 1)
	for slot := textKey(term) & mask; x.table[slot] != 0; slot = (slot + 1) & mask {
		if i := int(x.table[slot] - 1); x.term(i) == term {
			return i, true
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
	n, _ := shortNumber(x.runs[x.from[i]:])
	return int(n)
}

// appendNaming appends the first run of a term.
func (x *termIndex) appendNaming(to []posting, i int) []posting {
	to, _, _ = x.appendNamed(to, i)
	return to
}

// appendAll appends both runs of a term; no notice is in both.
func (x *termIndex) appendAll(to []posting, i int) []posting {
	to, rest, telling := x.appendNamed(to, i)
	doc := uint32(0)
	for range telling {
		var step uint32
		step, rest = shortNumber(rest)
		doc += step >> 1
		in := inDescription
		if step&1 == 1 {
			in, rest = field(rest[0]), rest[1:]
		}
		to = append(to, newPosting(doc, in))
	}
	return to
}

func (x *termIndex) appendNamed(to []posting, i int) (_ []posting, rest []byte, telling uint32) {
	named, rest := shortNumber(x.runs[x.from[i]:])
	telling, rest = shortNumber(rest)
	doc := uint32(0)
	for range named {
		var step uint32
		step, rest = shortNumber(rest)
		doc += step
		to = append(to, newPosting(doc, field(rest[0])))
		rest = rest[1:]
	}
	return to, rest, telling
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
	index termIndex
	text  []byte
}

// add writes a term with its postings, which it sorts.
func (w *termWriter) add(term string, postings []posting) {
	slices.Sort(postings)
	x := &w.index
	x.at = append(x.at, uint32(len(w.text)))
	w.text = append(w.text, term...)
	x.from = append(x.from, uint32(len(x.runs)))
	named := 0
	for _, p := range postings {
		if p.field()&naming != 0 {
			named++
		}
	}
	x.runs = binary.AppendUvarint(x.runs, uint64(named))
	x.runs = binary.AppendUvarint(x.runs, uint64(len(postings)-named))
	last := uint32(0)
	for _, p := range postings {
		if p.field()&naming != 0 {
			x.runs = binary.AppendUvarint(x.runs, uint64(p.doc()-last))
			x.runs = append(x.runs, byte(p.field()))
			last = p.doc()
		}
	}
	last = 0
	for _, p := range postings {
		switch {
		case p.field()&naming != 0:
			continue
		case p.field() == inDescription:
			x.runs = binary.AppendUvarint(x.runs, uint64(p.doc()-last)<<1)
		default:
			x.runs = binary.AppendUvarint(x.runs, uint64(p.doc()-last)<<1|1)
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
	x.table = make([]uint32, size)
	mask := uint64(size - 1)
	for i := range x.len() {
		slot := textKey(x.term(i)) & mask
		for x.table[slot] != 0 {
			slot = (slot + 1) & mask
		}
		x.table[slot] = uint32(i + 1)
	}
	return *x
}

// keyIndex maps keys of 64 bits to notices of a segment.
type keyIndex struct {
	keys []uint64 // in order
	docs []uint32
}

// keyed is one entry of a keyIndex.
type keyed struct {
	key uint64
	doc uint32
}

func newKeyIndex(list []keyed) keyIndex {
	slices.SortFunc(list, func(a, b keyed) int {
		switch {
		case a.key != b.key && a.key < b.key, a.key == b.key && a.doc < b.doc:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	list = slices.Compact(list)
	x := keyIndex{keys: make([]uint64, len(list)), docs: make([]uint32, len(list))}
	for i, k := range list {
		x.keys[i], x.docs[i] = k.key, k.doc
	}
	return x
}

// find returns the notices of a key.
func (x *keyIndex) find(key uint64) []uint32 {
	from, ok := slices.BinarySearch(x.keys, key)
	if !ok {
		return nil
	}
	to := from
	for to < len(x.keys) && x.keys[to] == key {
		to++
	}
	return x.docs[from:to]
}
