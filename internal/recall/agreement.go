package recall

import (
	"slices"
	"strings"
)

// nameAgreement is how well the product's words agree.
type nameAgreement int8

const (
	nameNone     nameAgreement = iota
	nameDoubtful               // some of the product's own words, and others on both sides: perhaps another of the brand's line
	nameVague                  // the brand and the class of product, but not which one
	nameStrong                 // this very product, as far as words can tell
)

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

// closeUp writes neighbours as one where the pool has them as one: "snug ride"
// becomes the pool's "snugride".
func closeUp(words, pool []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		joined := 1
		for n := 3; n > 1; n-- {
			if i+n <= len(words) && slices.Contains(pool, strings.Join(words[i:i+n], "")) {
				joined = n
				break
			}
		}
		out = append(out, strings.Join(words[i:i+joined], ""))
		i += joined - 1
	}
	return out
}

// nameOf compares the product's words. See docs/verdicts.md, step 4. Of a name
// that joins several products, one that agrees strongly is enough.
func (q *Question) nameOf(w *productWords, brand brandAgreement) nameAgreement {
	best := q.nameOfWhole(w, brand)
	if best == nameStrong || brand != brandAgrees {
		return best
	}
	others := len(missing(distinctive(meaningful(q.name)), slices.Concat(w.pool, q.brand))) > 0
	for _, part := range w.parts {
		if others && len(missing(distinctive(part.name), q.brand)) == 0 {
			continue // a class alone, and the asker says more
		}
		one := *w
		one.name, one.heads = part.name, part.heads
		if q.nameOfWhole(&one, brand) == nameStrong {
			return nameStrong
		}
	}
	return best
}

func (q *Question) nameOfWhole(w *productWords, brand brandAgreement) nameAgreement {
	asked := withoutBrand(meaningful(q.name), meaningful(w.brandWords()))
	if len(asked) == 0 || brand == brandDisagrees {
		return nameNone
	}
	asked = closeUp(asked, w.pool)
	// What the asker calls the brand is often the line, and the notice's brand
	// the importer: "Yonder Trading recalls LUMMI mattresses".
	given := slices.Concat(asked, q.brand, Words(q.Unit.Model))
	name := closeUp(w.name, given)
	c := comparison{class: classAgreement(asked, w), asked: distinctive(asked), own: distinctive(name)}
	if brand == brandAgrees {
		c.own = missing(c.own, q.brand) // the brand's own words tell no product of its from another
	}
	c.askedMissing = missing(c.asked, slices.Concat(w.pool, name)) // "handwarmer" for "hand warmer"
	c.ownMissing = missing(c.own, given)
	if c.class == no && len(c.asked) >= 2 && len(missing(c.asked, w.pool)) == 0 {
		c.class = unknown // all that the asker's name says is there: "nuggets" that are "nugget shaped patties"
	}
	c.askedMissing, c.ownMissing = pairNumbers(c.askedMissing, c.ownMissing)
	c.otherClass = len(missing(classWords(name), given)) > 0
	c.leading = leads(w.leading, given)
	switch {
	case c.class == no && (len(c.ownMissing) > 0 || len(c.own) == 0),
		slices.ContainsFunc(c.askedMissing, hasDigit) && slices.ContainsFunc(c.ownMissing, hasDigit):
		return nameNone // another class of product, or another number of the line
	case brand == brandAgrees:
		return c.withBrand(asked, w)
	case len(c.own) > 0 && len(asked) > 1 && containsAll(name, asked) && containsAll(asked, name):
		return nameStrong // the same words, all of them
	}
	return c.withoutBrand(len(q.brandTokens) > 0)
}

// brandWords are the brand's words in the form that the name's have.
func (w *productWords) brandWords() []string {
	words := make([]string, len(w.brand))
	for i, t := range w.brand {
		words[i] = Singular(t)
	}
	return words
}

// comparison is how the words of two names meet.
type comparison struct {
	class                    truth
	asked, own               []string // distinctive words
	askedMissing, ownMissing []string
	otherClass               bool // the notice's name has a class of product that the asker's has not
	leading                  bool // what the notice's name begins with, up to its first comma, is there
}

func (c *comparison) withBrand(asked []string, w *productWords) nameAgreement {
	ownFound := len(c.own) - len(c.ownMissing)
	switch {
	case len(c.own) == 0:
		// The notice's name is a class of product: every such product of the brand.
		// But "chicken meals" are not the brand's "Salisbury steak meals".
		if len(c.askedMissing) > 0 && c.otherClass {
			return nameNone
		}
		if c.class == yes || c.class == unknown && containsAll(w.pool, asked) {
			return nameStrong
		}
		return nameNone
	case len(c.ownMissing) == 0, len(c.asked) > 0 && len(c.askedMissing) == 0 && c.class != no:
		return nameStrong
	case len(c.askedMissing) > 0 && ownFound*2 >= len(c.own):
		return nameDoubtful
	case len(c.askedMissing) > 0 && c.class == yes && ownFound > 0 && len(c.askedMissing) < len(c.asked):
		return nameDoubtful
	case len(c.askedMissing) > 0:
		return nameNone // another product of the same brand
	case c.class == yes || ownFound > 0:
		return nameVague
	}
	return nameNone
}

// withoutBrand: without a brand on one side, the product's own words must carry
// the agreement alone. A brand that was given and that the notice doesn't name
// leaves no room for doubt.
func (c *comparison) withoutBrand(brandGiven bool) nameAgreement {
	ownFound := len(c.own) - len(c.ownMissing)
	if ownFound == 0 || c.class == no {
		return nameNone
	}
	if len(c.ownMissing) == 0 && len(c.askedMissing)*2 <= len(c.asked) && (c.class == yes && !brandGiven || ownFound >= 2) {
		return nameStrong
	}
	// A word of the asker's that stands nowhere may be another brand.
	if !brandGiven && ownFound*2 >= len(c.own) && len(c.askedMissing) == 0 && c.class == yes || !brandGiven && c.leading {
		return nameVague
	}
	return nameNone
}

// classAgreement compares the classes of product on both sides; unknown when
// one names none.
func classAgreement(asked []string, w *productWords) truth {
	own := w.heads
	if len(own) == 0 {
		own = classWords(w.pool)
	}
	theirs := classWords(asked)
	if len(own) == 0 || len(theirs) == 0 {
		return unknown
	}
	for _, c := range theirs {
		if slices.Contains(own, c) || slices.Contains(w.titleHeads, c) {
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

// distinctive returns the words that could tell one product from another of its
// class. Bare numbers are sizes and counts more often than names, and count only
// where there is nothing else.
func distinctive(words []string) []string {
	var list, numbers []string
	for _, w := range words {
		switch {
		case Common(w) || len(w) == 1:
		case isSize(w):
			numbers = append(numbers, w)
		default:
			list = append(list, w)
		}
	}
	if len(list) == 0 && len(classWords(words)) == 0 {
		return numbers
	}
	return list
}

var units = wordSet(`oz lb g kg ml l cl mg ct pk pc pack in cm mm ft w v mah qt gal year month`)

// isSize reports a short number, or one with a unit written to it: 24, 24oz, 100g.
func isSize(w string) bool {
	figures := strings.TrimRight(w, "abcdefghijklmnopqrstuvwxyz")
	unit := w[len(figures):]
	return len(figures) <= 4 && allDigits(figures) && (unit == "" || units[unit])
}

// pairNumbers takes out the numbers of a line that go on from one another in
// letters alone: the "X4A" of the "X4 series".
func pairNumbers(asked, own []string) (_, _ []string) {
	for _, o := range own {
		i := slices.IndexFunc(asked, func(a string) bool {
			rest, ok := strings.CutPrefix(a, o)
			return ok && hasDigit(o) && len(o) >= 2 && rest != "" && !hasDigit(rest)
		})
		if i >= 0 {
			return slices.Delete(slices.Clone(asked), i, i+1), slices.DeleteFunc(slices.Clone(own), func(w string) bool { return w == o })
		}
	}
	return asked, own
}

// leads reports whether what a name begins with is there: two words at least,
// that could tell a product.
func leads(leading, given []string) bool {
	return len(leading) >= 2 && len(missing(leading, given)) == 0
}

func missing(words, pool []string) []string {
	var list []string
	for _, w := range words {
		if !containsWord(pool, w) {
			list = append(list, w)
		}
	}
	return list
}
