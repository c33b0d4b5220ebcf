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
	terms      []viewTerm // those that are worth most first
	lists      []viewList // those that are worth most first
}

// viewTerm is a word in one part.
type viewTerm struct {
	*partLists
	weight int64
	// What this word and those behind it come to at most.
	restSum, restWeight int64
}

// viewList is one list of a word in one part.
type viewList struct {
	*list
	brandsOnly bool // it finds only what has the word in a brand
	// What a notice comes to at most that is in none of the lists before this one.
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

// weighed is a list on its way into a view.
type weighed struct {
	list *list
	word *wanted
	most int64 // weight × best
}

func (v *view) make(x *scan, part int) {
	v.part, v.namingOnly = &x.snapshot.parts[part], x.namingOnly
	var lists []weighed
	onlyCommon := !slices.ContainsFunc(x.words, func(w *wanted) bool { return !w.common })
	for _, w := range x.words {
		both := &w.parts[part]
		for i := range both {
			if l := &both[i]; l.rows != nil {
				lists = append(lists, weighed{l, w, int64(w.weight) * int64(l.best)})
			}
		}
		if both[inNames].rows != nil || both[inProse].rows != nil {
			v.terms = append(v.terms, viewTerm{partLists: both, weight: int64(w.weight)})
		}
	}
	slices.SortStableFunc(v.terms, func(a, b viewTerm) int { return cmp.Compare(b.most(), a.most()) })
	sum, weight := int64(0), int64(0)
	for i := len(v.terms) - 1; i >= 0; i-- {
		t := &v.terms[i]
		sum, weight = sum+t.most(), weight+t.weight
		t.restSum, t.restWeight = sum, weight
	}
	slices.SortStableFunc(lists, func(a, b weighed) int { return cmp.Compare(b.most, a.most) })
	v.lists = make([]viewList, len(lists))
	sum, weight = 0, 0
	behind := map[*wanted]int64{} // what a word comes to at most in the lists from here on
	add := func(l weighed) {
		before, known := behind[l.word]
		if !known {
			weight += int64(l.word.weight)
		}
		behind[l.word] = max(before, l.most)
		sum += behind[l.word] - before
	}
	brandsOnly := func(l weighed) bool { return l.word.common && !onlyCommon }
	for _, l := range lists {
		if brandsOnly(l) { // whatever other word finds a notice may have it too
			add(l)
		}
	}
	for i := len(lists) - 1; i >= 0; i-- {
		add(lists[i])
		v.lists[i] = viewList{list: lists[i].list, brandsOnly: brandsOnly(lists[i]), restSum: sum, restWeight: weight}
	}
}

func (t *viewTerm) most() int64 {
	return t.weight * int64(max(t.partLists[inNames].best, t.partLists[inProse].best))
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

// at tells what the word is worth in a notice, and where it stands there.
func (p *partLists) at(doc uint32) (value uint32, in field) {
	value, in = p[inNames].at(doc)
	if prose, inProse := p[inProse].at(doc); inProse != 0 {
		value, in = max(value, prose), in|inProse
	}
	return value, in
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

// key scores a notice if that comes to at least so much.
func (v *view) key(doc uint32, least int64) (int64, bool) {
	brief := brevity[v.part.widths[doc]]
	sum, covered := int64(0), int64(0)
	for i := range v.terms {
		t := &v.terms[i]
		if v.score(sum+t.restSum, covered+t.restWeight, brief) < least {
			return 0, false
		}
		if !t.partLists[inNames].rows.has(doc) && !t.partLists[inProse].rows.has(doc) {
			continue // most words stand in few notices
		}
		if value, _ := t.at(doc); value != 0 {
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
		for at, word := range l.rows {
			word &= among[at] &^ done[at]
			if word == 0 {
				continue
			}
			if !l.brandsOnly {
				done[at] |= word
			}
			for ; word != 0; word &= word - 1 {
				doc := uint32(at<<6 + bits.TrailingZeros64(word))
				if l.brandsOnly {
					if _, in := l.list.at(doc); in&inBrand == 0 {
						continue
					}
					done.add(doc)
				}
				if key, ok := v.key(doc, least()); ok {
					yield(doc, key)
				}
			}
		}
	}
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
