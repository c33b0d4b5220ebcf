package recall

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// This file reads the words of a notice's product.

const exponents = "¹²³"

// titleWords are the words of a notice's title, read at most once for all its products.
type titleWords struct {
	title     string
	tokensOf  []string // without retailers
	wordsOf   []string
	headsOf   []string // the classes of product that it is about
	tokenised bool
	split     bool
}

func (t *titleWords) tokens() []string {
	if !t.tokenised {
		t.tokenised = true
		t.tokensOf = slices.DeleteFunc(Tokens(t.title), func(token string) bool { return retailers[Singular(token)] })
	}
	return t.tokensOf
}

func (t *titleWords) words() (words, heads []string) {
	if !t.split {
		t.split = true
		t.wordsOf, t.headsOf = Words(t.title), headClasses(openCamel(titleProduct(t.title)))
	}
	return t.wordsOf, t.headsOf
}

// productWords are a product's words as agreement needs them. Those behind the
// blank line are read only where the brand leaves it open that it is the product.
type productWords struct {
	brand      []string // tokens of the brand
	nameTokens []string // tokens of the product's name
	tokens     []string // of brand, name, models and the notice's title without retailers

	name       []string // words of the name, without the brand's and fillers
	heads      []string // the classes of product that the name is about
	titleHeads []string // and the notice's title
	pool       []string // words of brand, name, models and title
	leading    []string // distinctive words of the name up to its first comma
	parts      []namePart
}

// namePart is one of the products that a name joins: "trailers and conversion
// kits".
type namePart struct{ name, heads []string }

// readBrand adds the words that brands are looked for in.
func (w *productWords) readBrand(p *Product, title *titleWords) {
	w.nameTokens = Tokens(p.Name)
	w.tokens = slices.Concat(w.brand, w.nameTokens)
	for _, m := range p.Models {
		w.tokens = append(w.tokens, Tokens(m)...)
	}
	w.tokens = append(w.tokens, title.tokens()...)
}

// tokensOfName are those of the name, whether or not its brand was read.
func (w *productWords) tokensOfName(p *Product) []string {
	if w.nameTokens == nil {
		w.nameTokens = Tokens(p.Name)
	}
	return w.nameTokens
}

// readName adds the words of the product's name.
func (w *productWords) readName(p *Product, title *titleWords) {
	open := openCamel(withoutText(beforePurpose(beforeModels(p)), p.Brand))
	brand, name := meaningful(Words(p.Brand)), Words(open)
	w.name = withoutBrand(meaningful(name), brand)
	w.heads = headClasses(open)
	ofTitle, heads := title.words()
	w.pool, w.titleHeads = slices.Concat(brand, name, ofTitle), heads
	if strings.ContainsAny(p.Name, exponents) {
		w.pool = append(w.pool, Words(norm.NFKC.String(p.Name))...) // people say "YOYO3" too
	}
	w.parts = partsOf(open, brand)
	if first, _, ok := strings.Cut(open, ","); ok {
		w.leading = distinctive(meaningful(Words(first)))
	}
	if open != p.Name {
		w.pool = append(w.pool, Words(p.Name)...)
	}
	for _, m := range p.Models {
		w.pool = append(w.pool, Words(m)...)
	}
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

// partsOf splits a name that joins several products, each with its class.
func partsOf(name string, brand []string) []namePart {
	pieces := strings.FieldsFunc(strings.NewReplacer(" and ", "\x00", " & ", "\x00", " et ", "\x00", " und ", "\x00", ", ", "\x00").Replace(name), func(r rune) bool { return r == 0 })
	if len(pieces) < 2 {
		return nil
	}
	parts := make([]namePart, 0, len(pieces))
	for _, piece := range pieces {
		heads := headClasses(piece)
		if len(heads) == 0 {
			return nil
		}
		parts = append(parts, namePart{withoutBrand(meaningful(Words(piece)), brand), heads})
	}
	return parts
}

// beforeModels cuts off the models that a name ends in: "faucets, model number
// KM-06". They are compared as models.
func beforeModels(p *Product) string {
	for _, words := range []string{", model", ", Model"} {
		if before, _, ok := strings.Cut(p.Name, words); ok && before != "" && len(p.Models) > 0 {
			return before
		}
	}
	return p.Name
}

// beforePurpose cuts off what a name says of the product's purpose: "carabiners
// used in rock climbing".
func beforePurpose(name string) string {
	for _, words := range []string{" used in ", " used for ", " used by ", " for use ", " designed for ", " designed to ", " intended for ", " sold with "} {
		if before, _, ok := strings.Cut(name, words); ok && strings.Contains(before, " ") {
			return before
		}
	}
	return name
}

// withoutText takes the first occurrence of a part out of a text.
func withoutText(s, part string) string {
	if at := strings.Index(s, part); part != "" && at >= 0 {
		return s[:at] + " " + s[at+len(part):]
	}
	return s
}

// openCamel writes words apart that only capitals keep apart: "BabyGlassBottle"
// is "Baby Glass Bottle". Short pieces stay: "McCoy", "iPhone".
func openCamel(s string) string {
	var b strings.Builder
	lower := 0 // lower-case letters since the last capital or blank
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' && lower >= 2 && i+2 < len(s) && isLower(s[i+1]) && isLower(s[i+2]) {
			b.WriteByte(' ')
		}
		if lower++; !isLower(c) {
			lower = 0
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// headClasses finds the classes of product that a name is about: the last one
// of each of its parts. "Crib mattresses" are mattresses; "strollers with car
// seats" are strollers; "cribs and bassinets" are both.
func headClasses(name string) []string {
	var heads []string
	for chunk := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune(",;/()+&", r) }) {
		head := ""
		part := Words(chunk)
	words:
		for _, w := range part {
			switch w {
			case "and", "or", "et", "ou", "und", "oder":
				if head != "" {
					heads = append(heads, head)
				}
				head = ""
			case "with", "for", "on", "in", "sold", "avec", "pour", "mit", "fur", "aus":
				if head != "" {
					break words
				}
			default:
				if IsClass(w) && (head == "" || !collections[w]) {
					head = w
				}
			}
		}
		if head != "" {
			heads = append(heads, head)
		}
	}
	return heads
}

// collections say how a product is sold, not what it is: "pajama sets".
var collections = wordSet(`set`)

// titleProduct is what a title says of the product: "Lumo Recalls Strollers Due to
// Fall Hazard".
func titleProduct(title string) string {
	for _, words := range []string{" Recalls ", " Recall of "} {
		if _, after, ok := strings.Cut(title, words); ok {
			title = after
		}
	}
	for _, words := range []string{" Recalled", " Due to ", " Because of ", ";"} {
		title, _, _ = strings.Cut(title, words)
	}
	return title
}
