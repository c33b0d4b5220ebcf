package recall

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// brandAgreement is what a question's brand says about a notice's product.
type brandAgreement int8

const (
	brandUnknown brandAgreement = iota // one side names no brand
	brandAgrees
	brandDisagrees
)

// brandOf compares brands. Every word of the one must stand with the other
// ("Graco" with "Graco Children's Products"), closed-up writings ("FisherPrice")
// apart. A misspelling is looked for in the notice's brand only: among all of a
// title's words something similar is soon found. Words that firms share
// ("international", "products") never carry an agreement.
func (q *Question) brandOf(w *productWords) brandAgreement {
	own, asked := brandCore(w.brand), brandCore(q.brandTokens)
	switch {
	case len(asked) > 0 && q.brandStands(w, asked, own):
		return brandAgrees
	case len(asked) > 0 && len(w.brand) > 0:
		return brandDisagrees
	case len(asked) > 0 || len(own) == 0:
		return brandUnknown
	case allStand(q.nameTokens, own), closedUp(q.nameTokens, own),
		// "Skims Body" recalls SKIMS pajamas: the first word is what people say.
		stands(q.nameTokens, own[0]) && stands(w.nameTokens, own[0]):
		return brandAgrees
	}
	return brandUnknown
}

// otherBrand reports, without splitting texts into words, that the brands plainly
// differ: most of the notices that share a word with a question are another
// brand's. It says no more than brandOf would.
func (q *Question) otherBrand(p *Product, w *productWords, title *titleWords) bool {
	const longEnough, beginning = 5, 3
	own, asked := brandCore(w.brand), brandCore(q.brandTokens)
	if len(own) == 0 || len(asked) == 0 || strings.Contains(q.Unit.Brand, ".") || len(asked[0]) < longEnough || !isASCII(asked[0]) {
		return false
	}
	begin := asked[0][:beginning]
	if mayHold(p.Brand, begin) || mayHold(p.Name, begin) || mayHold(title.title, begin) ||
		slices.ContainsFunc(p.Models, func(m string) bool { return mayHold(m, begin) }) {
		return false
	}
	return !misspelt(own, asked) && !allStand(q.brandTokens, own) && !allStand(append(slices.Clone(q.brandTokens), q.nameTokens...), own)
}

// mayHold reports whether a text may hold a word that begins so: what folding
// would change beyond letter case may hold anything.
func mayHold(text, begin string) bool {
	for i := range len(text) {
		switch {
		case text[i] >= utf8.RuneSelf, text[i] == '\'', text[i] == '`', i+2 < len(text) && text[i] == text[i+2] && !isLower(lower(text[i])): // "R.K.Z" is one word
			return true
		case i+len(begin) <= len(text) && lower(text[i]) == begin[0] && strings.EqualFold(text[i:i+len(begin)], begin):
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func (q *Question) brandStands(w *productWords, asked, own []string) bool {
	pool := w.tokens
	if !slices.ContainsFunc(asked, func(a string) bool { return !foods[a] }) {
		return allStand(own, asked) || len(own) == 0 && allStand(pool, asked)
	}
	if slices.ContainsFunc(asked, func(a string) bool { return len(a) <= 2 }) {
		pool = append(slices.Clone(w.brand), w.nameTokens...) // two letters stand in many a title
	}
	return allStand(pool, asked) || closedUp(pool, asked) || closedUp(pool, q.brandTokens) ||
		len(own) > 0 && (allStand(q.brandTokens, own) || allStand(append(slices.Clone(q.brandTokens), q.nameTokens...), own)) ||
		misspelt(own, asked)
}

var firmWords = wordSet(`product products international group enterprise brands brand holding industries industry manufacturing trading store
shop technology tech official direct america american europe france laboratoire laboratoires`)

// retailers sell every brand's products: one of them in a title ("sold
// exclusively at Target") says nothing of the brand.
var retailers = wordSet(`amazon walmart target ebay temu shein aliexpress alibaba costco kohl macy wayfair etsy wish groupon overstock
tjx marshalls homegoods ikea lowe homedepot walgreen cvs kroger aldi lidl carrefour auchan leclerc argos tesco asda sainsbury sam bestbuy`)

// foods are words that the names of countless products hold: such a brand must
// stand as the notice's brand.
var foods = wordSet(`apple banana berry blueberry cherry chicken chocolate cinnamon cocoa coconut corn egg garlic ginger grape honey lemon lime
mango nut oat olive onion orange peach peanut pear pepper potato raspberry rice salt soy spice strawberry sugar tomato vanilla wheat`)

// brandCore is what of a brand tells it from others; all of it when nothing does.
func brandCore(tokens []string) []string {
	core := slices.DeleteFunc(slices.Clone(tokens), func(t string) bool {
		w := Singular(t)
		return Filler(w) || firmWords[w] || commonWords[w] || IsClass(w)
	})
	if len(core) > 0 {
		return core
	}
	core = slices.DeleteFunc(slices.Clone(tokens), func(t string) bool { return Filler(Singular(t)) })
	if len(core) > 0 {
		return core
	}
	return tokens // a brand of one letter
}

// sameBrandWord compares two words of brands. A plural makes no difference in a
// word of four letters or more ("Tonys" for "Tony's"); "BIBS" and "BIB" are two
// brands.
func sameBrandWord(a, b string) bool {
	return a == b || min(len(a), len(b)) >= 4 && Singular(a) == Singular(b)
}

func stands(pool []string, word string) bool {
	return slices.ContainsFunc(pool, func(have string) bool { return sameBrandWord(have, word) })
}

func allStand(pool, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !stands(pool, w) })
}

// misspelt reports whether two brands are the same but for a slip of the
// finger, word by word or written as one.
func misspelt(own, asked []string) bool {
	if len(own) == 0 || len(asked) == 0 {
		return false
	}
	if SimilarWords(strings.Join(own, ""), strings.Join(asked, "")) {
		return true
	}
	return !slices.ContainsFunc(asked, func(a string) bool {
		return !slices.ContainsFunc(own, func(o string) bool { return sameBrandWord(a, o) || SimilarWords(a, o) })
	})
}

// SimilarWords reports whether two words are the same but for one slip: a
// letter doubled or undoubled or two neighbours swapped from five letters, any
// one letter from six, two from nine. An umlaut may be written out ("Kuehne").
// Words with digits must be equal.
func SimilarWords(a, b string) bool {
	if a == b {
		return true
	}
	n := min(len(a), len(b))
	const mostEdits = 2
	if n < 5 || max(len(a), len(b))-n > mostEdits || hasDigit(a) || hasDigit(b) {
		return false
	}
	if len(a) != len(b) && umlauts.Replace(a) == umlauts.Replace(b) {
		return true
	}
	switch {
	case n >= 9:
		return withinEdits(a, b, 2)
	case n >= 6:
		return withinEdits(a, b, 1)
	}
	return undouble(a) == undouble(b) || len(a) == len(b) && swapped(a, b)
}

// umlauts brings the written-out umlauts to what Fold leaves of an umlaut.
var umlauts = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u")

// undouble writes doubled letters once.
func undouble(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if i == 0 || s[i] != s[i-1] {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// swapped reports whether two words of one length differ by two neighbours that
// changed places.
func swapped(a, b string) bool {
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
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

// closedUp reports whether the words, written as one, are a word of the pool or
// two or three neighbours of it written as one.
func closedUp(pool, words []string) bool {
	joined := strings.Join(words, "")
	if len(joined) < 5 {
		return false
	}
	for i, w := range pool {
		if len(words) > 1 && w == joined || i+1 < len(pool) && w+pool[i+1] == joined || i+2 < len(pool) && w+pool[i+1]+pool[i+2] == joined {
			return true
		}
	}
	return false
}
