package recall

import (
	"slices"
	"strings"
)

// brandAgreement is what a question's brand says about a notice's product.
type brandAgreement int8

const (
	brandUnknown brandAgreement = iota // one side names no brand
	brandAgrees
	brandDisagrees
)

// nameAgreement is how well the product's words agree.
type nameAgreement int8

const (
	nameNone   nameAgreement = iota
	nameVague                // the brand and the class of product, but not which one
	nameStrong               // this very product, as far as words can tell
)

// productWords are a product's words as agreement needs them.
type productWords struct {
	brand []string // of the brand, without fillers
	name  []string // of the name, without the brand's and fillers
	pool  []string // of brand, name, models and the notice's title
}

func wordsOf(n *Notice, p *Product, title []string) productWords {
	var w productWords
	w.brand = meaningful(Words(p.Brand))
	name := Words(p.Name)
	w.name = withoutBrand(meaningful(name), w.brand)
	w.pool = append(append(append([]string(nil), w.brand...), name...), title...)
	for _, m := range p.Models {
		w.pool = append(w.pool, Words(m)...)
	}
	return w
}

func meaningful(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), Filler)
}

// withoutBrand drops the brand's words from a name, but no class of product: in
// "Murf Electric Bikes electric bicycles" the bicycle is what it is.
func withoutBrand(words, brand []string) []string {
	if len(brand) == 0 {
		return words
	}
	return slices.DeleteFunc(words, func(w string) bool { return slices.Contains(brand, w) && !IsClass(w) })
}

// brandOf compares brands. Every word of the one must stand with the other
// ("Graco" with "Graco Children's Products"), misspellings of a letter and
// closed-up writings ("FisherPrice") apart. Words that firms share
// ("international", "products") never carry an agreement.
func (q *Question) brandOf(w *productWords) brandAgreement {
	own := brandCore(w.brand)
	if asked := brandCore(q.brand); len(asked) > 0 {
		switch {
		case containsAll(w.pool, asked), len(own) > 0 && containsAll(append(slices.Clone(q.brand), q.name...), own),
			sameJoined(asked, own), closedUp(w.pool, asked):
			return brandAgrees
		case len(w.brand) == 0:
			return brandUnknown
		}
		return brandDisagrees
	}
	if len(own) > 0 && (containsAll(q.name, own) || closedUp(q.name, own)) {
		return brandAgrees
	}
	return brandUnknown
}

var firmWords = wordSet(`product products international group enterprise brands brand holding industries industry manufacturing trading store
shop technology tech official direct america american europe france laboratoire laboratoires`)

// brandCore is what of a brand tells it from others; all of it when nothing does.
func brandCore(words []string) []string {
	core := slices.DeleteFunc(meaningful(words), func(w string) bool { return firmWords[w] || commonWords[w] || IsClass(w) })
	if len(core) == 0 {
		return meaningful(words)
	}
	return core
}

func containsAll(pool, words []string) bool {
	for _, w := range words {
		if !containsWord(pool, w) {
			return false
		}
	}
	return true
}

func containsWord(pool []string, w string) bool {
	return slices.ContainsFunc(pool, func(have string) bool { return SimilarWords(have, w) })
}

// SimilarWords reports whether two words are the same but for one letter (from
// five letters) or two (from nine). Words with digits must be equal.
func SimilarWords(a, b string) bool {
	if a == b {
		return true
	}
	n := min(len(a), len(b))
	if n < 5 || hasDigit(a) || hasDigit(b) {
		return false
	}
	if n >= 9 {
		return withinEdits(a, b, 2)
	}
	return withinEdits(a, b, 1)
}

// withinEdits reports whether at most k letters were inserted, dropped,
// exchanged or swapped with their neighbour (k is 1 or 2).
func withinEdits(a, b string, k int) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 || len(b) == 0 {
		return len(a)+len(b) <= k
	}
	if k == 0 {
		return false
	}
	if len(a) >= 2 && len(b) >= 2 && a[0] == b[1] && a[1] == b[0] && withinEdits(a[2:], b[2:], k-1) {
		return true
	}
	return withinEdits(a[1:], b[1:], k-1) || withinEdits(a[1:], b, k-1) || withinEdits(a, b[1:], k-1)
}

func sameJoined(a, b []string) bool {
	return len(a) > 0 && len(b) > 0 && SimilarWords(strings.Join(a, ""), strings.Join(b, ""))
}

// closedUp reports whether the words, written as one, are a word of the pool,
// or a word of theirs is two neighbours of the pool written as one.
func closedUp(pool, words []string) bool {
	joined := strings.Join(words, "")
	if len(joined) < 5 {
		return false
	}
	for i, w := range pool {
		if len(words) > 1 && SimilarWords(w, joined) || i+1 < len(pool) && SimilarWords(w+pool[i+1], joined) {
			return true
		}
	}
	return false
}

// nameOf compares the product's words. See docs/verdicts.md, step 4.
func (q *Question) nameOf(w *productWords, brand brandAgreement) nameAgreement {
	asked := withoutBrand(meaningful(q.name), w.brand)
	if len(asked) == 0 || brand == brandDisagrees {
		return nameNone
	}
	class := classAgreement(asked, w)
	askedOwn, ownWords := distinctive(asked), distinctive(w.name)
	askedFound := countFound(askedOwn, w.pool)
	// What the asker calls the brand is often the line, and the notice's brand
	// the importer: "Yonder Trading recalls LUMMI mattresses".
	ownFound := countFound(ownWords, slices.Concat(asked, q.brand, Words(q.Unit.Model)))
	if class == no && (ownFound < len(ownWords) || len(ownWords) == 0) {
		return nameNone
	}
	if brand == brandUnknown {
		if len(ownWords) > 0 && len(asked) > 1 && containsAll(w.name, asked) && containsAll(asked, w.name) {
			return nameStrong // the same words, all of them
		}
		return namelessAgreement(class, askedOwn, askedFound, ownWords, ownFound)
	}
	switch {
	case len(ownWords) == 0:
		// The notice's name is a class of product: every such product of the brand.
		if class == yes || countFound(asked, w.pool)*2 > len(asked) {
			return nameStrong
		}
		return nameNone
	case ownFound*2 >= len(ownWords), len(askedOwn) > 0 && askedFound == len(askedOwn) && class != no:
		return nameStrong
	case len(askedOwn) > 0 && askedFound == 0:
		return nameNone // another product of the same brand
	case class == yes || ownFound > 0:
		return nameVague
	}
	return nameNone
}

// namelessAgreement: without a brand on one side, the product's own words must
// carry the agreement alone.
func namelessAgreement(class truth, askedOwn []string, askedFound int, ownWords []string, ownFound int) nameAgreement {
	if len(ownWords) == 0 || ownFound == 0 || class == no {
		return nameNone
	}
	if ownFound == len(ownWords) && askedFound*2 >= len(askedOwn) && (class == yes || ownFound >= 2) {
		return nameStrong
	}
	// A word of the asker's that stands nowhere may be another brand.
	if ownFound*2 >= len(ownWords) && askedFound == len(askedOwn) && class == yes {
		return nameVague
	}
	return nameNone
}

// classAgreement compares the classes of product on both sides; unknown when
// one names none.
func classAgreement(asked []string, w *productWords) truth {
	own := classWords(w.name)
	if len(own) == 0 {
		own = classWords(w.pool)
	}
	theirs := classWords(asked)
	if len(own) == 0 || len(theirs) == 0 {
		return unknown
	}
	for _, c := range theirs {
		if slices.Contains(own, c) || slices.Contains(w.pool, c) {
			return yes
		}
	}
	return no
}

func classWords(words []string) []string {
	var list []string
	for _, w := range words {
		if IsClass(w) {
			list = append(list, w)
		}
	}
	return list
}

func distinctive(words []string) []string {
	var list []string
	for _, w := range words {
		if !Common(w) && len(w) > 1 {
			list = append(list, w)
		}
	}
	return list
}

func countFound(words, pool []string) int {
	n := 0
	for _, w := range words {
		if containsWord(pool, w) {
			n++
		}
	}
	return n
}
