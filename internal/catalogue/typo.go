package catalogue

import (
	"cmp"
	"slices"
	"sort"
)

// typoIndex finds the words of a segment that lie within one or two edits of a
// misspelt one, without walking the vocabulary: every word is filed under what
// is left of its beginning when one or two letters are left out, and a
// misspelt word is looked up under what is left of its own.
type typoIndex struct {
	keys  []uint32 // hashes, in order
	terms []uint32
}

const (
	typoBeginning = 7 // how much of a word is filed
	oneEditFrom   = 5 // letters in a word that may have one wrong
	twoEditsFrom  = 9 // letters in a word that may have two wrong
)

// editsIn returns how many edits a word is allowed.
func editsIn(word string) int {
	switch {
	case !spelled(word) || len(word) < oneEditFrom || len(word) > maxTypo:
		return 0
	case len(word) < twoEditsFrom:
		return 1
	}
	return 2
}

// spelled reports whether a word is made of the letters a to z alone. Codes are
// not misspelt: another code is another product.
func spelled(word string) bool {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return true
}

func newTypoIndex(terms *termIndex) *typoIndex {
	var list []uint64
	for i := range terms.len() {
		word := terms.term(i)
		// A word that lacks letters may be that much shorter than what was typed.
		edits := 0
		if len(word) >= twoEditsFrom-2 {
			edits = 2
		} else if len(word) >= oneEditFrom-1 {
			edits = 1
		}
		if edits == 0 || len(word) > maxTypo || !spelled(word) || terms.naming(i) == 0 {
			continue
		}
		eachDeletion(word, edits, func(key uint32) { list = append(list, uint64(key)<<32|uint64(i)) })
	}
	slices.Sort(list)
	list = slices.Compact(list)
	x := &typoIndex{keys: make([]uint32, len(list)), terms: make([]uint32, len(list))}
	for i, e := range list {
		x.keys[i], x.terms[i] = uint32(e>>32), uint32(e)
	}
	return x
}

// near appends the words within reach of a misspelt one, in order.
func (x *typoIndex) near(to []string, terms *termIndex, word string) []string {
	edits := editsIn(word)
	if edits == 0 {
		return to
	}
	var found []uint32
	eachDeletion(word, edits, func(key uint32) {
		at := sort.Search(len(x.keys), func(i int) bool { return x.keys[i] >= key })
		for ; at < len(x.keys) && x.keys[at] == key; at++ {
			found = append(found, x.terms[at])
		}
	})
	slices.SortFunc(found, cmp.Compare)
	for _, i := range slices.Compact(found) {
		if term := terms.term(int(i)); term != word && distance(word, term) <= edits {
			to = append(to, term)
		}
	}
	return to
}

// eachDeletion calls yield with the hash of the beginning of a word and of
// everything that is left of it without one letter, or two.
func eachDeletion(word string, edits int, yield func(uint32)) {
	beginning := []byte(word[:min(len(word), typoBeginning)])
	yield(shortHash(beginning))
	var one, two [typoBeginning]byte
	for i := range beginning {
		once := append(append(one[:0], beginning[:i]...), beginning[i+1:]...)
		yield(shortHash(once))
		if edits < 2 {
			continue
		}
		for j := i; j < len(once); j++ {
			yield(shortHash(append(append(two[:0], once[:j]...), once[j+1:]...)))
		}
	}
}

// shortHash is FNV-1a of 32 bits.
func shortHash(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// distance counts the edits between two words, a swap of neighbours being one.
// Above 2 it returns 3.
func distance(a, b string) int {
	const tooFar = 3
	if len(a)-len(b) >= tooFar || len(b)-len(a) >= tooFar {
		return tooFar
	}
	if max(len(a), len(b)) > maxTypo {
		return tooFar
	}
	var rows [3][maxTypo + 1]uint8
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = uint8(j)
	}
	for i := range len(a) {
		now[0] = uint8(i + 1)
		least := now[0]
		for j := range len(b) {
			cost := last[j]
			if a[i] != b[j] {
				cost++
			}
			cost = min(cost, last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cost = min(cost, before[j-1]+1)
			}
			now[j+1] = cost
			least = min(least, cost)
		}
		if least >= tooFar {
			return tooFar
		}
		before, last, now = last, now, before
	}
	return min(int(last[len(b)]), tooFar)
}

// maxTypo is the longest word that typos are looked for in.
const maxTypo = 24
