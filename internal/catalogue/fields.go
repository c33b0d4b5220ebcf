package catalogue

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// field is a set of the parts of a notice in which a word stands.
type field uint16

// The parts of a notice. Those that name the product and those that merely tell
// of it are posted apart: a verdict's candidates are found by the first alone.
const (
	inName field = 1 << iota
	inBrand
	inModel
	inTitle
	inID
	inHazard
	inCategory
	inDescription
	inGTIN // found through the barcode index, never posted

	posted = inGTIN - 1
	naming = inName | inBrand | inModel | inTitle | inID
	// deciding are the parts that make a word known: a word that stands in
	// descriptions alone may be a misspelling of one that names something.
	deciding = naming | inHazard | inCategory | inGTIN
)

var fieldNames = [...]string{"name", "brand", "model", "title", "id", "hazard", "category", "description", "gtin"}

// names lists the fields of a set in the order in which they weigh.
func (f field) names() []string {
	list := make([]string, 0, 4)
	for i, name := range fieldNames {
		if f&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return list
}

// fieldWeights holds, for every set of fields, what a word that stands in them
// is worth: the best field in full and a little for each further one.
var fieldWeights = func() (table [1 << len(fieldNames)]uint32) {
	worth := [len(fieldNames)]uint32{40, 40, 34, 28, 40, 16, 14, 7, 44} // in the order of fieldNames
	for set := range table {
		best, sum := uint32(0), uint32(0)
		for i, w := range worth {
			if set&(1<<i) != 0 {
				best, sum = max(best, w), sum+w
			}
		}
		table[set] = best + (sum-best)/8
	}
	return table
}()

// synonymMark begins a term that stands for the class of a word instead of the
// word itself: "pushchair" is posted as "pushchair" and as this with "stroller".
const synonymMark = "\x00"

// noter notes what stands in a notice.
type noter interface {
	token(token string, in field) // a token of recall.Tokens
	term(term string, in field)   // a term that was made of tokens
}

// addNotice notes every term under which a notice is found, and the fields that
// it stands in.
func addNotice(b noter, n *recall.Notice) {
	addText(b, n.Title, inTitle)
	for i := range n.Products {
		p := &n.Products[i]
		addText(b, p.Name, inName)
		addText(b, p.Brand, inBrand)
		addJoined(b, recall.Tokens(p.Brand))
		for _, m := range p.Models {
			addText(b, m, inModel)
			addCode(b, m, inModel)
		}
		for j := range p.Units {
			if u := &p.Units[j]; u.From != nil && (u.Kind == recall.Lot || u.Kind == recall.Batch || u.Kind == recall.DateCode) {
				addCode(b, *u.From, inDescription)
			}
		}
	}
	addCode(b, n.ID, inID)
	if _, native, ok := strings.Cut(n.ID, ":"); ok {
		addCode(b, native, inID)
	}
	for _, h := range n.Hazards {
		addText(b, strings.ReplaceAll(string(h.Type), "_", " "), inHazard)
		addProse(b, h.Text, inHazard)
	}
	for _, c := range n.Categories {
		addText(b, c, inCategory)
	}
	addProse(b, n.Summary, inDescription)
	for _, s := range n.SoldAt {
		addProse(b, s, inDescription)
	}
}

// addText notes the words of a text, the classes of those that have synonyms,
// and the closed-up form of what hyphens and the like hold together.
func addText(b noter, text string, in field) {
	var tokens []string
	var run compound
	eachToken(recall.Fold(text), func(token string, glued bool) {
		b.token(token, in)
		tokens = append(tokens, recall.Singular(token))
		if in&naming != 0 {
			run.add(b, token, glued, in)
		}
	})
	if len(tokens) == 0 {
		return
	}
	run.end(b, in)
	eachSpan(tokens, recall.Words(text), func(w string, from, to int) {
		if (to-from != 1 || tokens[from] != w) && recall.IsClass(w) && !slices.Contains(tokens, w) {
			b.term(synonymMark+w, in)
		}
	})
	if in == inName {
		addBeginning(b, tokens, in)
	}
}

// addProse notes the words of a long text. Synonyms are left to the short ones:
// what is called a pushchair in a description is called one in the title too.
func addProse(b noter, text string, in field) {
	run := compound{codesOnly: true}
	eachToken(recall.Fold(text), func(token string, glued bool) {
		b.token(token, in)
		run.add(b, token, glued, in)
	})
	run.end(b, in)
}

// compound is what is written in one piece with signs inside: "Fisher-Price",
// "26-348".
type compound struct {
	parts     []string
	codesOnly bool
}

func (c *compound) add(b noter, token string, glued bool, in field) {
	if !glued {
		c.end(b, in)
	}
	c.parts = append(c.parts, token)
}

func (c *compound) end(b noter, in field) {
	if n := len(c.parts); n > 1 && n <= 6 && (!c.codesOnly || slices.ContainsFunc(c.parts, hasDigit)) {
		b.term(closeUp(c.parts), in)
	}
	c.parts = c.parts[:0]
}

// glue are the signs that hold words together in one piece.
const glue = "-/.:+&_"

// eachToken calls yield with the tokens that recall.Tokens would make of a text,
// which is folded already, and whether a token is held to the one before by a
// sign. Letters that stand alone one after the other are one token.
func eachToken(folded string, yield func(token string, glued bool)) {
	initials, initialsGlued := "", false
	eachPiece(folded, func(piece string, glued bool) {
		if len(piece) == 1 && !hasDigit(piece) {
			if initials == "" {
				initialsGlued = glued
			}
			initials += piece
			return
		}
		if initials != "" {
			yield(initials, initialsGlued)
			initials = ""
		}
		yield(piece, glued)
	})
	if initials != "" {
		yield(initials, initialsGlued)
	}
}

// eachPiece calls yield with what stands between signs and blanks.
func eachPiece(folded string, yield func(piece string, glued bool)) {
	start, end := -1, -1
	for i := 0; i <= len(folded); {
		size, inside := 1, false
		if i < len(folded) {
			if c := folded[i]; c < utf8.RuneSelf {
				inside = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z'
			} else {
				var r rune
				r, size = utf8.DecodeRuneInString(folded[i:])
				inside = unicode.IsLetter(r) || unicode.IsDigit(r)
			}
		}
		switch {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			glued := end >= 0 && start == end+1 && strings.IndexByte(glue, folded[end]) >= 0
			yield(folded[start:i], glued)
			start, end = -1, i
		}
		i += size
	}
}

// eachSpan walks tokens (singular) and the words that recall.Words made of them
// in step and tells which tokens each word stands for.
func eachSpan(tokens, words []string, yield func(word string, from, to int)) {
	i := 0
	for j, w := range words {
		taken := min(1, len(tokens)-i)
		if !inStep(tokens[i:], words[j:]) {
			for n := min(3, len(tokens)-i); n > 1; n-- {
				if made := recall.Words(strings.Join(tokens[i:i+n], " ")); len(made) == 1 && made[0] == w {
					taken = n
					break
				}
			}
		}
		yield(w, i, i+taken)
		i += taken
	}
}

// inStep reports whether the first word plainly is the first token.
func inStep(tokens, words []string) bool {
	if len(tokens) == 0 || tokens[0] != words[0] {
		return false
	}
	if len(tokens) == 1 || len(words) == 1 {
		return len(tokens) == len(words)
	}
	return tokens[1] == words[1]
}

// addBeginning notes what the first two words of a product's name become when
// they are written as one, for brands stand there: "snuzpod", "rocknplay".
func addBeginning(b noter, tokens []string, in field) {
	n := 2
	if len(tokens) > 2 && recall.Filler(tokens[1]) {
		n = 3
	}
	if len(tokens) >= n {
		b.term(closeUp(tokens[:n]), in)
	}
}

// addJoined notes what two or three neighbours in a brand become.
func addJoined(b noter, tokens []string) {
	for i := range tokens {
		for n := 2; n <= 3 && i+n <= len(tokens); n++ {
			b.term(closeUp(tokens[i:i+n]), inBrand)
		}
	}
}

// addCode notes a code as it is compared: without blanks, hyphens and case.
func addCode(b noter, code string, in field) {
	if key := strings.ToLower(recall.ModelKey(code)); len(key) >= 3 {
		b.term(key, in)
	}
}

// closeUp writes words as one, its plural folded.
func closeUp(tokens []string) string { return recall.Singular(strings.Join(tokens, "")) }

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// ofCase marks the key of the single item in a case whose number is printed.
const ofCase = 1 << 63

// printedKeys calls add with the keys under which a printed barcode is found:
// its own number and, marked, that of the single item.
func printedKeys(gtin14 string, add func(uint64)) {
	key, ok := barcodeKey(gtin14)
	if !ok {
		return
	}
	add(key)
	if item, ok := barcodeKey(gtin.Item(gtin14)); ok && item != key {
		add(item | ofCase)
	}
}

// askedKeys returns the key of a barcode, and those of its single item and of
// the cases of that item.
func askedKeys(gtin14 string) (own uint64, related []uint64) {
	own, ok := barcodeKey(gtin14)
	if !ok {
		return 0, nil
	}
	item, ok := barcodeKey(gtin.Item(gtin14))
	if !ok {
		return own, nil
	}
	if related = []uint64{item | ofCase}; item != own {
		related = append(related, item)
	}
	return own, related
}

func barcodeKey(digits string) (key uint64, ok bool) {
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		key = key*10 + uint64(digits[i]-'0')
	}
	return key, true
}

// textKey is the key of an id or a model: FNV-1a of 64 bits. A collision finds
// one notice too many, which whoever asked sorts out.
func textKey(s string) uint64 {
	key := uint64(14695981039346656037)
	for i := range len(s) {
		key = (key ^ uint64(s[i])) * 1099511628211
	}
	return key
}
