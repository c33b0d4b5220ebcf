package extract

import (
	"strings"
	"unicode/utf8"
)

// token is one word, code or punctuation mark of a text.
type token struct {
	start, end int    // bytes in the text
	lower      string // its lower-cased form
	gap        gap    // what stands before it
	word       bool   // a word or a code; otherwise punctuation
	digits     int    // how many of its bytes are digits
	letters    int    // how many of its characters are letters
	capital    bool   // starts with a capital letter
	lowercase  bool   // holds a small letter
}

// gap is the space between a token and the one before it.
type gap uint8

const (
	adjacent gap = iota // nothing between them
	blank               // one blank
	wide                // several blanks: a column of a flattened table
	newline
)

// text is a field's text, tokenised once.
type text struct {
	field  string
	source string
	lower  string
	tokens []token
	order  dateOrder
	// sentences numbers each token's sentence, once cutSentences has run.
	sentences []int32
	// mentions are the labels, in order, once findMentions has run.
	mentions []mention
}

// tokenise cuts a text into tokens. It works on any bytes: what is not UTF-8
// becomes punctuation.
func tokenise(field, source string) *text {
	t := &text{field: field, source: source, lower: lowerSameLength(source)}
	t.tokens = make([]token, 0, len(source)/5+8)
	space := newline
	for i := 0; i < len(source); {
		class, size := classify(source, i)
		if class == classSpace {
			space = widen(space, source[i])
			i += size
			continue
		}
		tok := token{start: i, gap: space}
		if class == classPunctuation {
			i += size
		} else {
			i = t.scanWord(&tok, i)
		}
		tok.end = i
		tok.lower = t.lower[tok.start:tok.end]
		t.tokens = append(t.tokens, tok)
		space = adjacent
	}
	return t
}

func widen(before gap, c byte) gap {
	switch {
	case c == '\n' || c == '\r' || before == newline:
		return newline
	case before == adjacent && c != '\t':
		return blank
	default:
		return wide
	}
}

// scanWord reads a word from i on, counts its letters and digits, and returns
// the offset behind it.
func (t *text) scanWord(tok *token, i int) int {
	tok.word = true
	for i < len(t.source) {
		class, size := classify(t.source, i)
		switch class {
		case classDigit:
			if tok.digits == 0 && t.gluedNumber(tok.start, i) {
				return i
			}
			tok.digits++
		case classLetter:
			if isUpperLetter(t.source[i]) && t.glued(tok.start, i) {
				return i
			}
			tok.letters++
			if c := t.source[i]; c != t.lower[i] || (size > 1 && t.source[i+1] != t.lower[i+1]) {
				tok.capital = tok.capital || i == tok.start
			} else {
				tok.lowercase = true
			}
		default:
			if !t.joins(i, size) {
				return i
			}
		}
		i += size
	}
	return i
}

// headerWords end a table's column heads, to which flattening glues the next
// head or the first cell: "Model NumberColorTB10".
var headerWords = wordSet(`number numbers no nos model models range ranges name names code codes description color colors brand product products
sku skus upc upcs style styles date dates size item items serial manufactured purchased sold location quantity type`)

// glued tells whether the capital at i begins a new word although nothing
// stands before it: behind a column's head, or a code that a written-out word
// follows ("TYCO1012Window").
func (t *text) glued(start, i int) bool {
	if i == start || i+2 >= len(t.source) {
		return false
	}
	if isSmallLetter(t.source[i-1]) {
		return headerWords[t.lower[start:i]] || t.endsWord(start, i, 2) && t.startsCode(i)
	}
	if t.isHeadInCapitals(start, i) {
		return t.startsCode(i)
	}
	small := isSmallLetter
	return i-start >= 4 && i+3 < len(t.source) && small(t.source[i+1]) && small(t.source[i+2]) && small(t.source[i+3]) &&
		strings.ContainsAny(t.source[start:i], "0123456789")
}

// gluedNumber tells whether a long number begins at i to which flattening glued
// the word before it: "Blue200008005", but not "June2024".
func (t *text) gluedNumber(start, i int) bool {
	const least = 4
	if i-start < 3 || i+least > len(t.source) || monthNames[t.lower[start:i]] > 0 || !t.endsWord(start, i, 3) && !t.isHeadInCapitals(start, i) {
		return false
	}
	return onlyDigits(t.source[i : i+least])
}

// endsWord tells whether source[start:i] is letters alone, at least three, and
// so many small ones at its end.
func (t *text) endsWord(start, i, small int) bool {
	if i-start < 3 {
		return false
	}
	for k := i - small; k < i; k++ {
		if !isSmallLetter(t.source[k]) {
			return false
		}
	}
	for k := start; k < i; k++ {
		if class, _ := classify(t.source, k); class != classLetter {
			return false
		}
	}
	return true
}

// isHeadInCapitals tells whether source[start:i] is UPC or SKU as a column's
// head, glued to the head before it.
func (t *text) isHeadInCapitals(start, i int) bool {
	head := t.source[start:i]
	return (head == "UPC" || head == "SKU") && start > 0 && isSmallLetter(t.source[start-1])
}

// startsCode tells whether capitals and digits follow from i on, a digit among
// them, as in no word.
func (t *text) startsCode(i int) bool {
	const least, longest = 4, 24
	digit := false
	for k := i; k < len(t.source) && k < i+longest; k++ {
		switch c := t.source[k]; {
		case isDigit(c):
			digit = true
		case isUpperLetter(c), c == '-':
		default:
			return digit && k-i >= least
		}
	}
	return digit
}

func isSmallLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// joins tells whether the mark at i stands inside a word or a code: SR-HX13,
// 01/26/2029, 1.5, www.example.com, child's.
func (t *text) joins(i, size int) bool {
	if i == 0 || i+size >= len(t.source) {
		return false
	}
	before, _ := classify(t.source, i-1)
	if t.source[i-1] >= utf8.RuneSelf {
		before = classLetter
	}
	after, _ := classify(t.source, i+size)
	alnum := func(c class) bool { return c == classLetter || c == classDigit }
	if !alnum(before) || !alnum(after) {
		return false
	}
	switch t.source[i] {
	case '-', '_', '+':
		return true
	case '/':
		return before == classDigit || after == classDigit
	case '.':
		next := t.source[i+1]
		return before == classDigit && after == classDigit || next >= 'a' && next <= 'z'
	case '\'':
		return after == classLetter
	}
	return t.source[i:i+size] == "’" && after == classLetter
}

type class uint8

const (
	classPunctuation class = iota
	classSpace
	classLetter
	classDigit
)

// classify tells what the character at i is and how many bytes it has.
func classify(s string, i int) (class, int) {
	c := s[i]
	switch {
	case c >= '0' && c <= '9':
		return classDigit, 1
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return classLetter, 1
	case c == ' ', c == '\t', c == '\n', c == '\r', c == '\f', c == '\v':
		return classSpace, 1
	case c < utf8.RuneSelf:
		return classPunctuation, 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	switch {
	case r == utf8.RuneError && size <= 1:
		return classPunctuation, 1
	case r == ' ', r == '\u202f', r == '\u2009', r == '\u200b', r == '\ufeff':
		return classSpace, size
	case r < 0xc0, r == '×', r == '÷', r >= 0x2000 && r < 0x2c00:
		return classPunctuation, size // signs, dashes, quotation marks, ™, arrows, bullets
	}
	return classLetter, size
}

// lowerSameLength lower-cases the letters of ASCII and Latin-1, whose two
// cases have the same length, so that offsets hold in both texts.
func lowerSameLength(s string) string {
	for i := range len(s) {
		if needsLowering(s, i) {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if needsLowering(s, j) {
					b[j] += 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

func needsLowering(s string, i int) bool {
	c := s[i]
	if c >= 'A' && c <= 'Z' {
		return true
	}
	// À to Þ without the sign × are C3 80 to C3 9E in UTF-8.
	return c >= 0x80 && c <= 0x9e && c != 0x97 && i > 0 && s[i-1] == 0xc3
}
