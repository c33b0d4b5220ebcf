package extract

import "strings"

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
		if t.isColumnCode(first, m) {
			break
		}
	}
	var models []string
	for k := first; k < len(t.tokens) && k < first+rows && len(models) < maxModels; k++ {
		if t.isColumnCode(k, m) && builtLike(t.code(first), t.code(k)) {
			models = append(models, t.code(k))
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
	if tok.end-tok.start > longest || strings.Contains(tok.lower, "/") || t.joinsRange(i-1) || t.joinsRange(i+1) {
		return false // a serial number or a month of the next column
	}
	return tok.word && tok.digits >= 2 && tok.letters >= 1 && !tok.lowercase && tok.end-tok.start >= 5 && isUpperLetter(t.source[tok.start]) && t.isModelCode(i, m, false)
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
