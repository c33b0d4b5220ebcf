package catalogue

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// view is one part of a snapshot seen through the words of a query. It scores
// notices, and skips those that can't score enough: what a word is worth at
// most in the part bounds what a notice can come to.
type view struct {
	part       *part
	namingOnly bool
	terms      []viewTerm
	lists      []viewList // those that are worth most first
	open       []openTerm // what a notice may have that was not looked at yet
}

// viewTerm is a word in one part.
type viewTerm struct {
	*partLists
	weight int64
}

// viewList is one list of a word in one part.
type viewList struct {
	*list
	term, sort int  // whose it is
	brandsOnly bool // it finds only what has the word in a brand
	most       int64
	// What a notice comes to at most that is in none of the lists before this one.
	restSum, restWeight int64
}

// openTerm is a word with the lists that were not gone through yet. A notice
// that was not looked at yet can only be in those.
type openTerm struct {
	lists  [2]*list // nil: gone through, or empty
	number int      // of the term
	weight int64
	most   int64 // weight × what the word is worth at most
	// What this word and those behind it come to at most.
	restSum, restWeight int64
}

// view returns the view of a part. All words must be known by now.
func (x *scan) view(part int) *view {
	if len(x.views) == 0 {
		x.views = slices.Grow(x.views, len(x.snapshot.parts))[:len(x.snapshot.parts)]
		for i := range x.views {
			x.views[i].make(x, i)
		}
	}
	return &x.views[part]
}

func (v *view) make(x *scan, part int) {
	v.part, v.namingOnly = &x.snapshot.parts[part], x.namingOnly
	onlyCommon := !slices.ContainsFunc(x.words, func(w *wanted) bool { return !w.common })
	for _, w := range x.words {
		both := &w.parts[part]
		if both[inNames].rows == nil && both[inProse].rows == nil {
			continue
		}
		for sort := range both {
			if l := &both[sort]; l.rows != nil {
				v.lists = append(v.lists, viewList{list: l, term: len(v.terms), sort: sort,
					brandsOnly: w.common && !onlyCommon, most: int64(w.weight) * int64(l.best)})
			}
		}
		v.terms = append(v.terms, viewTerm{partLists: both, weight: int64(w.weight)})
	}
	slices.SortStableFunc(v.lists, func(a, b viewList) int { return cmp.Compare(b.most, a.most) })
	v.boundLists()
	for i := range v.terms {
		v.open = append(v.open, openTerm{number: i, weight: v.terms[i].weight})
	}
	for i := range v.lists {
		l := &v.lists[i]
		v.open[l.term].lists[l.sort] = l.list
	}
	v.boundTerms()
}

// boundLists finds what is possible from each list on.
func (v *view) boundLists() {
	sum, weight := int64(0), int64(0)
	behind := make([]int64, len(v.terms)) // by term: what it comes to at most in the lists from here on
	add := func(l *viewList) {
		if behind[l.term] == 0 {
			weight += v.terms[l.term].weight
		}
		more := max(behind[l.term], l.most)
		sum, behind[l.term] = sum+more-behind[l.term], more
	}
	for i := range v.lists {
		if v.lists[i].brandsOnly { // whatever other word finds a notice may have it too
			add(&v.lists[i])
		}
	}
	for i := len(v.lists) - 1; i >= 0; i-- {
		add(&v.lists[i])
		v.lists[i].restSum, v.lists[i].restWeight = sum, weight
	}
}

// boundTerms puts the open terms in order, those that are worth most first, and
// finds what is possible from each on.
func (v *view) boundTerms() {
	v.open = slices.DeleteFunc(v.open, func(t openTerm) bool { return t.lists == [2]*list{} })
	for i := range v.open {
		t := &v.open[i]
		t.most = 0
		for _, l := range t.lists {
			if l != nil {
				t.most = max(t.most, t.weight*int64(l.best))
			}
		}
	}
	slices.SortStableFunc(v.open, func(a, b openTerm) int { return cmp.Compare(b.most, a.most) })
	sum, weight := int64(0), int64(0)
	for i := len(v.open) - 1; i >= 0; i-- {
		t := &v.open[i]
		sum, weight = sum+t.most, weight+t.weight
		t.restSum, t.restWeight = sum, weight
	}
}

// close notes that a list was gone through.
func (v *view) close(l *viewList) {
	for i := range v.open {
		if t := &v.open[i]; t.number == l.term {
			t.lists[l.sort] = nil
		}
	}
	v.boundTerms()
}

// worth is what a notice's words come to.
type worth struct {
	sum     int64 // of the words found, each its weight × what it is worth there
	covered int64 // weight of the words found
	fields  field
}

// worth adds up all words of a notice.
func (v *view) worth(doc uint32) (w worth) {
	for i := range v.terms {
		t := &v.terms[i]
		value, in := t.at(doc)
		if value == 0 {
			continue
		}
		w.sum += t.weight * int64(value)
		w.covered += t.weight
		w.fields |= in
	}
	return w
}

// score is what a notice's words are worth, times the weight of those that were
// found; of equals, the one with fewer other names comes first. Where only
// naming counts, it is what the words are worth.
func (v *view) score(sum, covered, brief int64) int64 {
	if v.namingOnly {
		return sum
	}
	return sum * covered * brief
}

// brevity is what a score is multiplied with, by the number of terms that name
// the notice: from 9 eighths down to 1, in whole numbers.
var brevity = func() (table [256]int64) {
	for width := range table {
		table[width] = 64 + 64/int64(8+width)
	}
	return table
}()

// key scores a notice that was not looked at yet, if it comes to at least so
// much.
func (v *view) key(doc uint32, least int64) (int64, bool) {
	brief := brevity[v.part.widths[doc]]
	sum, covered := int64(0), int64(0)
	for i := range v.open {
		t := &v.open[i]
		if v.score(sum+t.restSum, covered+t.restWeight, brief) < least {
			return 0, false
		}
		value := uint32(0)
		for _, l := range t.lists {
			if l != nil && l.rows.has(doc) { // most words stand in few notices
				here, _ := l.at(doc)
				value = max(value, here)
			}
		}
		if value != 0 {
			sum += t.weight * int64(value)
			covered += t.weight
		}
	}
	key := v.score(sum, covered, brief)
	return key, key >= least
}

// eachBest calls yield with every notice among some whose score is at least
// what least says at the moment, which may rise. It begins where the rarest
// words stand and ends when no notice that is left could reach it.
func (v *view) eachBest(among, done rowSet, least func() int64, yield func(doc uint32, key int64)) {
	for i := range v.lists {
		l := &v.lists[i]
		if v.score(l.restSum, l.restWeight, brevity[0]) < least() {
			return
		}
		weight := v.terms[l.term].weight
		for at, word := range l.rows {
			if word &= among[at] &^ done[at]; word == 0 {
				continue
			}
			if v.score(l.most, weight, brevity[0]) < least() {
				word &= v.others(at, l.term) // this word alone is not enough
			}
			for ; word != 0; word &= word - 1 {
				doc := uint32(at<<6 + bits.TrailingZeros64(word))
				if l.brandsOnly && !l.inBrand(doc) {
					continue
				}
				if key, ok := v.key(doc, least()); ok {
					yield(doc, key)
				}
				if l.brandsOnly {
					done.add(doc)
				}
			}
		}
		if !l.brandsOnly {
			done.unite(l.rows)
			v.close(l)
		}
	}
}

// others returns which of 64 notices have an open word beside a certain one.
func (v *view) others(at, but int) (word uint64) {
	for i := range v.open {
		t := &v.open[i]
		if t.number == but {
			continue
		}
		for _, l := range t.lists {
			if l != nil {
				word |= l.rows[at]
			}
		}
	}
	return word
}

// bar is the score that a notice must reach to be among so many of the best.
type bar struct {
	limit int
	keys  leastFirst
}

func (b *bar) add(key int64) {
	row := ranked{key: key}
	if len(b.keys) < b.limit {
		b.keys = append(b.keys, row)
		b.keys.up(len(b.keys) - 1)
		return
	}
	if key > b.keys[0].key {
		b.keys[0] = row
		b.keys.down(0)
	}
}

// least returns the lowest score that may still be among the best.
func (b *bar) least() int64 {
	if len(b.keys) < b.limit {
		return math.MinInt64
	}
	return b.keys[0].key
}
