package gtin

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// toASCII gives a text the plain characters that it stands for: digits of any
// script and full-width characters, the many dashes and blanks, and nothing for
// what can't be seen (soft hyphens, zero-width and direction marks, a byte
// order mark). Superscripts stay as they are, unlike in NFKC: one behind a
// number is a footnote, not a digit. A change is recorded as a rewrite, except
// for blanks at the ends.
func toASCII(code string) (string, []Rewrite) {
	given := strings.TrimSpace(code)
	text := strings.TrimSpace(strings.Map(asciiOf, given))
	if text == given {
		return text, nil
	}
	return text, []Rewrite{{given, text, ruleASCII}}
}

func asciiOf(r rune) rune {
	switch {
	case r >= '!' && r <= '~' || r == ' ':
		return r
	case r >= '\t' && r <= '\r', unicode.In(r, unicode.Z):
		return ' '
	case r < utf8.RuneSelf:
		return r
	case r >= '！' && r <= '～': // the full-width forms of ! to ~
		return r - '！' + '!'
	case unicode.In(r, unicode.Pd), r == '−':
		return '-'
	case r == '␝': // the picture of the group separator
		return '\x1d'
	case unicode.In(r, unicode.Cf):
		return -1
	case unicode.In(r, unicode.Nd):
		return '0' + digitOf(r)
	}
	return r
}

// digitOf returns the value of a decimal digit of any script. Unicode encodes
// them in runs of ten from zero to nine, so a digit's value is the number of
// its neighbours below it, modulo ten.
func digitOf(r rune) rune {
	below := r
	for unicode.In(below-1, unicode.Nd) {
		below--
	}
	return (r - below) % 10
}

// unprintable reports whether a character, other than the separator FNC1, can
// stand in no form of a barcode.
func unprintable(r rune) bool {
	return r != rune(fnc1[0]) && (r < ' ' || r == 0x7f || !unicode.IsPrint(r) && r >= utf8.RuneSelf)
}

// withoutSeparators removes what is printed between a number's groups and at
// its ends: blanks, hyphens, the light margin indicators < and >, the asterisks
// of Code 39, quotes, and a full stop at the end of a phrase. A point or comma
// inside a number stays: it is a decimal fraction, which a spreadsheet makes
// of a barcode.
func withoutSeparators(text string) string {
	text = strings.TrimLeft(text, " -<>*\"'`#=:")
	text = strings.TrimRight(text, " -<>*\"'`.,;:")
	if strings.ContainsAny(text, " -") {
		text = separators.Replace(text)
	}
	return text
}

var separators = strings.NewReplacer(" ", "", "-", "")

var (
	label = regexp.MustCompile(`(?i)^(?:(?:bar[ -]?codes?|codes?[ -]?barres|gencode?|upcs?|eans?|gtins?|jan|isbn|itf|ucc|numbers?|codes?|no\b\.?|nr\b\.?)(?:[ -]?[ae]\b)?[ :#=./-]*)+`)
	// digitCount is the number of digits that stands in labels such as EAN-13.
	digitCount = regexp.MustCompile(`^(8|10|12|13|14)([ :#=./-]+)`)
	isUPCE     = regexp.MustCompile(`(?i)upc[ -]?e\b`)
	isEight    = regexp.MustCompile(`(?i)(?:ean|gtin)[ -]?$`)
)

// cutLabel removes a label such as "UPC:", "EAN 13" or "GTIN no.", and returns
// what it says of the form.
func cutLabel(text string) (rest string, form form) {
	if text == "" || !isLetter(rune(text[0])) {
		return text, anyForm
	}
	name := label.FindString(text)
	if name == "" {
		return text, anyForm
	}
	rest = text[len(name):]
	if isUPCE.MatchString(name) {
		form = formUPCE
	}
	count := digitCount.FindStringSubmatch(rest)
	if count == nil || Valid(withoutSeparators(rest)) || !countsDigits(name, count[1], count[2], rest[len(count[0]):]) {
		return rest, form
	}
	if count[1] == "8" && isEight.MatchString(name) {
		form = formEAN8
	}
	return rest[len(count[0]):], form
}

// countsDigits tells the number in a label from the first digits of a barcode
// ("EAN 8 711111 …" begins 13 digits), where both together are no valid one. It
// belongs to the label when punctuation joins it to the name or parts it from
// the rest, or when that many digits follow.
func countsDigits(name, count, behind, rest string) bool {
	if strings.HasSuffix(name, "-") || strings.ContainsAny(behind, ":#=") {
		return true
	}
	number := withoutSeparators(rest)
	return allDigits(number) && strconv.Itoa(len(number)) == count
}

// payload is what a symbol with a given symbology identifier carries.
type payload int

const (
	plainData    payload = iota // no identifier
	anyData                     // nothing is known: digits, a web address, text
	elementData                 // a GS1 element string
	eanWithAddOn                // an EAN-13 with the 2 or 5 digits beside it
	addOnOnly
)

// symbology is what an identifier says of the data behind it.
type symbology struct {
	data payload
	form form
}

// cutSymbology removes the symbology identifier that a scanner puts before the
// data: a closing bracket, a letter for the kind of symbol, and a modifier
// (section 5.1.2; ISO/IEC 15424).
func cutSymbology(text string) (symbology, string) {
	if len(text) < 3 || text[0] != ']' || !isLetter(rune(text[1])) {
		return symbology{}, text
	}
	s := symbology{data: anyData}
	switch text[1:3] {
	case "C1", "e0", "e1", "e2", "d2", "Q3", "J1": // GS1-128, DataBar and composite, DataMatrix, QR Code, DotCode
		s.data = elementData
	case "E1", "E2":
		s.data = addOnOnly
	case "E3":
		s.data = eanWithAddOn
	case "E4":
		s.form = formEAN8
	}
	return s, strings.TrimSpace(text[3:])
}

// notDigits explains a text that is neither digits nor any other known form.
// number is the text without separators.
func notDigits(text, number string) *Error {
	if isbn, ok := isbn13(strings.ToUpper(number)); ok {
		return failf(WrongLength, "%s is an ISBN of 10 characters; the barcode of a book has 13 digits", excerpt(text)).suggest(isbn)
	}
	odd := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' })
	if odd < 0 {
		return failf(WrongCharacters, "%s holds no digits; a barcode has 8, 12, 13 or 14", excerpt(text))
	}
	r, _ := utf8.DecodeRuneInString(number[odd:])
	if fixed := lookalikes.Replace(number); Valid(fixed) && mostlyDigits(number) {
		return failf(WrongCharacters, "%s holds the character %q where a barcode has digits only", excerpt(text), r).suggest(fixed)
	}
	if isCode(number) && !mostlyDigits(number) {
		return failf(NoGTIN, "%s looks like a lot, serial or model number; the barcode is the 8, 12, 13 or 14 digits below the bars", excerpt(text))
	}
	return failf(WrongCharacters, "%s holds the character %q; a barcode has 8, 12, 13 or 14 digits", excerpt(text), r)
}

// lookalikes are letters that are read, or typed, for digits.
var lookalikes = strings.NewReplacer("O", "0", "o", "0", "I", "1", "l", "1", "|", "1", "S", "5", "B", "8")

// mostlyDigits reports whether a text is a barcode but for one or two characters.
func mostlyDigits(s string) bool {
	others := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			others++
		}
	}
	return others <= 2 && len(s) >= 12 && len(s) <= 14
}

// isCode reports whether a text is what lots and models look like: letters and
// digits, both, and not more than a lot can have.
func isCode(s string) bool {
	if len(s) > maxLot {
		return false
	}
	letter, digit := false, false
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digit = true
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
			letter = true
		case r != '/' && r != '.' && r != '_' && r != '#' && r != ':':
			return false
		}
	}
	return letter && digit
}
