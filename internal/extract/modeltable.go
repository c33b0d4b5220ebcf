package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/gtin"
)

// modelColumn reads the models of a flattened table, in whose head the label
// stands: the first code behind the head, and those built like it.
func (t *text) modelColumn(i int, m mention) []string {
	const head, rows = 14, 400
	if i >= len(t.tokens) || t.tokens[i].lowercase && !t.tokens[i].capital || !m.strong && !m.plural && !headerWords[t.tokens[i].lower] {
		return nil
	}
	first := i
	for ; ; first++ {
		if first >= len(t.tokens) || first > i+head || t.tokens[first].lower == "." && t.tokens[max(first-1, 0)].lower != "no" && t.tokens[max(first-1, 0)].lower != "nos" {
			return nil
		}
		if t.isColumnCode(first, m) || t.isColumnNumber(first) {
			break
		}
	}
	var models []string
	numbers := t.tokens[first].letters == 0
	for k := first; k < len(t.tokens) && k < first+rows && len(models) < maxModels; k++ {
		switch {
		case numbers && t.isColumnNumber(k) && t.tokens[k].digits == t.tokens[first].digits,
			!numbers && t.isColumnCode(k, m) && builtLike(t.code(first), t.code(k)):
			models = append(models, t.cell(k))
		}
		if k > first && t.tokens[k].lower == "." && k+1 < len(t.tokens) && t.endsSentence(k) && t.tokens[k-1].digits == 0 {
			break
		}
	}
	return models
}

// isColumnCode admits only codes that no word of prose looks like.
func (t *text) isColumnCode(i int, m mention) bool {
	const longest = 20
	tok := &t.tokens[i]
	if len(t.cell(i)) > longest || strings.Contains(tok.lower, "/") || t.joinsRange(i-1) || t.joinsRange(i+1) {
		return false // a serial number or a month of the next column
	}
	return tok.word && tok.digits >= 2 && tok.letters >= 1 && !tok.lowercase && tok.end-tok.start >= 5 && isUpperLetter(t.source[tok.start]) && t.isModelCode(i, m, false)
}

// isColumnNumber admits numbers without letters that are cells: other cells are
// glued to them.
func (t *text) isColumnNumber(i int) bool {
	const shortest, longest = 4, 11
	tok := &t.tokens[i]
	if tok.digits == 4 && (tok.lower[:2] == "19" || tok.lower[:2] == "20") {
		return false // a year
	}
	return tok.word && tok.letters == 0 && tok.digits == tok.end-tok.start && tok.digits >= shortest && tok.digits <= longest &&
		t.isGlued(digitRun{span: span{tok.start, tok.end}}) && !t.isTimeOrMonth(i)
}

// cell is the code at token i without the barcode that flattening glued to its
// end: "QF156-MT" of "QF156-MT012345678905".
func (t *text) cell(i int) string {
	const shortest, longest = 12, 13
	code := t.code(i)
	end := len(code)
	for end > 0 && isDigit(code[end-1]) {
		end--
	}
	if n := len(code) - end; n >= shortest && n <= longest && end > 0 && gtin.Valid(code[end:]) {
		return code[:end]
	}
	return code
}

// joinsRange tells whether token i stands between the ends of a range.
func (t *text) joinsRange(i int) bool {
	if i < 0 || i >= len(t.tokens) {
		return false
	}
	switch t.tokens[i].lower {
	case "to", "through", "thru", "–", "—", "-", "~":
		return true
	}
	return false
}

func isUpperLetter(c byte) bool { return c >= 'A' && c <= 'Z' }

// builtLike tells whether two codes start alike: with one letter in common and
// letters and digits in the same order in the first three places.
func builtLike(a, b string) bool {
	if len(a) < 3 || len(b) < 3 || a[0] != b[0] {
		return len(a) == len(b) && sameClasses(a, b)
	}
	return isDigit(a[1]) == isDigit(b[1]) && isDigit(a[2]) == isDigit(b[2])
}

func sameClasses(a, b string) bool {
	for i := range len(a) {
		if isDigit(a[i]) != isDigit(b[i]) {
			return false
		}
	}
	return true
}
