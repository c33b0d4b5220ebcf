package catalogue

import (
	"slices"
	"strings"

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

// eachTerm calls add with every term under which a notice is found, and the
// field that it stands in.
func eachTerm(n *recall.Notice, add func(term string, in field)) {
	addText(n.Title, inTitle, add)
	for i := range n.Products {
		p := &n.Products[i]
		addText(p.Name, inName, add)
		addText(p.Brand, inBrand, add)
		addJoined(recall.Tokens(p.Brand), add)
		for _, m := range p.Models {
			addText(m, inModel, add)
			addCode(m, inModel, add)
		}
		for j := range p.Units {
			if u := &p.Units[j]; u.From != nil && (u.Kind == recall.Lot || u.Kind == recall.Batch || u.Kind == recall.DateCode) {
				addCode(*u.From, inDescription, add)
			}
		}
	}
	addCode(n.ID, inID, add)
	if _, native, ok := strings.Cut(n.ID, ":"); ok {
		addCode(native, inID, add)
	}
	for _, h := range n.Hazards {
		addText(strings.ReplaceAll(string(h.Type), "_", " "), inHazard, add)
		addText(h.Text, inHazard, add)
	}
	for _, c := range n.Categories {
		addText(c, inCategory, add)
	}
	addProse(n.Summary, add)
	for _, s := range n.SoldAt {
		addProse(s, add)
	}
}

// addText adds the words of a text, the classes of those that have synonyms,
// and the closed-up form of what hyphens and the like hold together.
func addText(text string, in field, add func(string, field)) {
	tokens := addTokens(text, in, add)
	if len(tokens) == 0 {
		return
	}
	addClasses(tokens, recall.Words(text), in, add)
	if in&naming != 0 {
		addCompounds(text, in, add)
	}
	if in == inName {
		addBeginning(tokens, in, add)
	}
}

// addProse adds the words of a long text. Synonyms are left to the short ones:
// what is called a pushchair in a description is called one in the title too.
func addProse(text string, add func(string, field)) {
	addTokens(text, inDescription, add)
	if hasDigit(text) {
		addCompounds(text, inDescription, add)
	}
}

func addTokens(text string, in field, add func(string, field)) []string {
	tokens := recall.Tokens(text)
	for i, t := range tokens {
		t = recall.Singular(t)
		tokens[i] = t
		if !recall.Filler(t) {
			add(t, in)
		}
	}
	return tokens
}

// addCompounds adds the closed-up form of what is written in one piece with
// signs inside: "Fisher-Price", "26-348". Of prose only codes are taken.
func addCompounds(text string, in field, add func(string, field)) {
	for chunk := range strings.FieldsSeq(text) {
		if !compound(chunk) || in&naming == 0 && !hasDigit(chunk) {
			continue
		}
		if parts := recall.Tokens(chunk); len(parts) > 1 && len(parts) <= 6 {
			add(closeUp(parts), in)
		}
	}
}

// addClasses adds the words that recall.Words put in the place of others.
func addClasses(tokens, words []string, in field, add func(string, field)) {
	eachSpan(tokens, words, func(w string, from, to int) {
		if (to-from != 1 || tokens[from] != w) && recall.IsClass(w) && !slices.Contains(tokens, w) {
			add(synonymMark+w, in)
		}
	})
}

// eachSpan walks tokens (singular) and the words that recall.Words made of them
// in step and tells which tokens each word stands for. Where a phrase became
// one word, the two are brought back into step by the word that follows.
func eachSpan(tokens, words []string, yield func(word string, from, to int)) {
	i := 0
	for j, w := range words {
		taken := 1
		switch {
		case i >= len(tokens):
			taken = 0
		case tokens[i] == w && (j+1 == len(words) || i+1 == len(tokens) || tokens[i+1] == words[j+1]), len(tokens)-i <= len(words)-j:
		case j+1 == len(words):
			taken = len(tokens) - i
		default:
			for taken < 3 && i+taken < len(tokens) && tokens[i+taken] != words[j+1] {
				taken++
			}
		}
		yield(w, i, i+taken)
		i += taken
	}
}

// addBeginning adds what the first two words of a product's name become when
// they are written as one, for brands stand there: "snuzpod", "rocknplay".
func addBeginning(tokens []string, in field, add func(string, field)) {
	n := 2
	if len(tokens) > 2 && recall.Filler(tokens[1]) {
		n = 3
	}
	if len(tokens) >= n {
		add(closeUp(tokens[:n]), in)
	}
}

// addJoined adds what two or three neighbours in a brand become.
func addJoined(tokens []string, add func(string, field)) {
	for i := range tokens {
		for n := 2; n <= 3 && i+n <= len(tokens); n++ {
			add(closeUp(tokens[i:i+n]), inBrand)
		}
	}
}

// addCode adds a code as it is compared: without blanks, hyphens and case.
func addCode(code string, in field, add func(string, field)) {
	if key := strings.ToLower(recall.ModelKey(code)); len(key) >= 3 {
		add(key, in)
	}
}

// closeUp writes words as one, its plural folded.
func closeUp(tokens []string) string { return recall.Singular(strings.Join(tokens, "")) }

// compound reports whether a piece between blanks has a sign inside that holds
// words together.
func compound(chunk string) bool {
	at := strings.IndexAny(chunk, "-/.:+&_'’–")
	return at > 0 && at < len(chunk)-1
}

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
