package gtin

import (
	"regexp"
	"strings"
	"time"
)

// fnc1 is the separator behind a value of variable length as scanners transmit
// it: the ASCII group separator (section 7.8).
const fnc1 = "\x1d"

// Ways to write a separator where the control character itself can't be typed
// or was escaped. What stands in braces, and the caret, can't be part of a value
// (section 7.11); the others can, if only just.
var (
	clearStandIns = strings.NewReplacer("{GS}", fnc1, "{gs}", fnc1, "{FNC1}", fnc1, "{fnc1}", fnc1, "^", fnc1,
		`\x1d`, fnc1, `\x1D`, fnc1, `\u001d`, fnc1, `\u001D`, fnc1)
	likelyStandIns = strings.NewReplacer("<GS>", fnc1, "<gs>", fnc1, "<FNC1>", fnc1, "<fnc1>", fnc1, "%1D", fnc1, "%1d", fnc1)
)

// withSeparators puts FNC1 where something stands in for it.
func withSeparators(text string) string {
	if !strings.ContainsAny(text, "{^<%\\") {
		return text
	}
	text = clearStandIns.Replace(text)
	if strings.Contains(text, fnc1) || isBracketed(text) {
		return text
	}
	return likelyStandIns.Replace(text)
}

// element is one element string: an AI and its value.
type element struct {
	ai, value string
	// uncertain marks a value of which it isn't known where it ends.
	uncertain bool
}

// readElements reads a text that is known to be a GS1 element string, by its
// brackets, its separators or the symbology identifier that stood before it.
func readElements(text string, scanned bool, rewrites []Rewrite, now func() time.Time) (Reading, *Error) {
	elements := splitBracketed(text)
	if elements == nil {
		elements, _ = splitRun(text, scanned)
	}
	return fromElements(text, ruleElements, elements, rewrites, now)
}

// guessElements reads an element string that nothing marks as one; ok says that
// it is one beyond doubt. It must hold a GTIN-14 with the right check digit, and
// either start with it or make sense as a whole. One that does both but for the
// check digit was misread.
func guessElements(text string, rewrites []Rewrite, now func() time.Time) (r Reading, err *Error, ok bool) {
	elements, whole := splitRun(text, false)
	first := len(elements) > 0 && elements[0].ai == aiGTIN
	if !first && !whole {
		return Reading{}, nil, false
	}
	r, err = fromElements(text, ruleElements, elements, rewrites, now)
	return r, err, err == nil || first && whole && err.Code == WrongCheckDigit
}

// bracketedAI is an AI in brackets, as it is printed below a symbol for people
// to read. Square ones are those of some label printers.
var bracketedAI = regexp.MustCompile(`\(\d{2,4}\)|\[\d{2,4}\]`)

// isBracketed reports whether a text starts with an AI in brackets.
func isBracketed(text string) bool {
	if text == "" || text[0] != '(' && text[0] != '[' {
		return false
	}
	loc := bracketedAI.FindStringIndex(text)
	return loc != nil && loc[0] == 0 && isAI(text[1:loc[1]-1])
}

func isAI(s string) bool {
	_, rest, _, ok := cutAI(s)
	return ok && rest == ""
}

// splitBracketed splits "(01)…(10)…" at the AIs. A bracket that holds no AI is
// part of a value. The result is nil if the text has another form.
func splitBracketed(text string) []element {
	if !isBracketed(text) {
		return nil
	}
	var elements []element
	start, ai := 0, ""
	for _, loc := range bracketedAI.FindAllStringIndex(text, -1) {
		next := text[loc[0]+1 : loc[1]-1]
		if !isAI(next) {
			continue
		}
		if ai != "" {
			elements = append(elements, element{ai: ai, value: strings.Trim(text[start:loc[0]], " "+fnc1)})
		}
		start, ai = loc[1], next
	}
	return append(elements, element{ai: ai, value: strings.Trim(text[start:], " "+fnc1)})
}

// splitRun splits element strings that run together, as section 7.8 describes:
// the AI tells how long a value is, or it ends at the next FNC1 or with the
// text. Blanks, which can't be part of a value, are taken for the gaps of print.
// scanned says that the text came with a symbology identifier. whole is false
// when something could not be read.
func splitRun(text string, scanned bool) (elements []element, whole bool) {
	run := run{separated: strings.Contains(text, fnc1), scanned: scanned}
	whole = true
	for text = strings.Trim(text, " "+fnc1); text != ""; text = strings.TrimLeft(text, " "+fnc1) {
		ai, rest, length, ok := cutAI(text)
		var e element
		if ok {
			e, rest, ok = run.cutValue(ai, rest, length)
		}
		if !ok {
			whole = false
			_, text, _ = strings.Cut(text, fnc1)
			continue
		}
		elements, text = append(elements, e), rest
	}
	return elements, whole
}

// run is what is known of element strings that run together.
type run struct {
	separated bool // an FNC1 survived, so none was lost
	scanned   bool
}

// cutValue splits the value of an AI off the text behind it.
func (r run) cutValue(ai, text string, length int) (e element, rest string, ok bool) {
	if length > 0 {
		value, rest, ok := cutDigits(text, length)
		return element{ai: ai, value: value}, rest, ok
	}
	spaced := strings.HasPrefix(text, " ")
	field, rest, _ := strings.Cut(strings.TrimLeft(text, " "), fnc1)
	for i := range len(field) {
		if field[i] == ' ' && startsElement(field[i+1:], spaced) {
			field, rest = field[:i], field[i+1:]+fnc1+rest
			break
		}
	}
	value := strings.TrimRight(field, " ")
	return element{ai: ai, value: value, uncertain: r.swallowed(ai, value)}, rest, value != ""
}

// cutDigits splits a number of that many digits off a text, over blanks.
func cutDigits(text string, length int) (digits, rest string, ok bool) {
	if len(text) >= length && allDigits(text[:length]) {
		return text[:length], text[length:], true
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			b.WriteByte(c)
			if b.Len() == length {
				return b.String(), text[i+1:], true
			}
		case c != ' ':
			return "", text, false
		}
	}
	return "", text, false
}

// startsElement reports whether what stands behind a blank is another element
// string, not the rest of a lot with a blank in it: a number with its check
// digit, a date, or an AI that is set off by a blank as the one before it was.
func startsElement(text string, spaced bool) bool {
	ai, rest, length, ok := cutAI(text)
	if !ok {
		return false
	}
	setOff := spaced && strings.HasPrefix(rest, " ") && strings.Trim(rest, " ") != ""
	if length == 0 {
		return setOff
	}
	value, _, ok := cutDigits(rest, length)
	switch {
	case !ok:
		return false
	case length == gtinDigits:
		return Valid(value)
	case ai[0] == '1':
		return isDate(value)
	}
	return setOff
}

// swallowed reports whether a value of variable length may hold further element
// strings, because the FNC1 behind it was lost on the way: control characters
// rarely survive a text field. By the rules the value reaches to the end; but a
// lot that is too long by a date would wrongly prove that a unit lies outside a
// recall, so such a value counts as uncertain.
func (r run) swallowed(ai, value string) bool {
	if r.separated || ai != aiLot && ai != aiSerial || len(value) > maxLot {
		return false
	}
	for i := 1; i < len(value); i++ {
		next, rest, length, ok := cutAI(value[i:])
		if !ok {
			continue
		}
		if next[0] == '1' && length > 0 {
			if date, after, ok := cutDigits(rest, length); ok && isDate(date) && (after == "" || isAIStart(after)) {
				return true
			}
		}
		if !r.scanned && next != ai && (next == aiLot || next == aiSerial) && rest != "" {
			return true
		}
	}
	return false
}

func isAIStart(s string) bool {
	_, _, _, ok := cutAI(s)
	return ok
}

// isDate reports whether a text is YYMMDD, in whatever century.
func isDate(yymmdd string) bool {
	_, ok := readDate(yymmdd, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	return ok
}
