package extract

import "strings"

// ordered tells whether two codes can be the ends of a range.
func ordered(from, to string) bool {
	from, to = squeeze(from), squeeze(to)
	if onlyDigits(from) && onlyDigits(to) {
		from, to = strings.TrimLeft(from, "0"), strings.TrimLeft(to, "0")
		return len(from) < len(to) || len(from) == len(to) && from <= to
	}
	if len(from) != len(to) {
		return false
	}
	for i := range len(from) {
		if isDigit(from[i]) != isDigit(to[i]) {
			return false
		}
	}
	return from <= to
}

// squeeze leaves a code's letters and digits, in capitals.
func squeeze(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 0x80:
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, code)
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// splitRange cuts "2313-2416" at its hyphen when both halves are numbers of one
// length in ascending order.
func splitRange(code string) (from, to string, ok bool) {
	from, to, found := strings.Cut(code, "-")
	if !found || len(from) != len(to) || len(from) < 4 || !onlyDigits(from) || !onlyDigits(to) || from >= to {
		return "", "", false
	}
	return from, to, true
}

// codesBefore reads the codes that stand in quotation marks before their label:
// "with a “JUL24” or “AUG24” date code".
func (t *text) codesBefore(m mention) []value {
	if v, ok := t.yearBefore(m); ok {
		return []value{v}
	}
	var values []value
	k := m.first - 1
	for k >= 2 {
		switch t.tokens[k].lower {
		case ",", "or", "and":
			k--
			continue
		}
		if !isQuote(t.tokens[k].lower) || !isQuote(t.tokens[k-2].lower) || t.tokens[k-1].digits == 0 || !t.tokens[k-1].word {
			break
		}
		code := t.code(k - 1)
		values = append(values, value{form: isEqual, from: code, to: code, at: span{t.tokens[k-1].start, t.tokens[k-1].end}})
		k -= 3
	}
	return values
}

// yearBefore reads the year in "a 1996 date code".
func (t *text) yearBefore(m mention) (value, bool) {
	k := m.first - 1
	if m.label != labelDateCode || k < 1 || t.tokens[k].letters > 0 || t.tokens[k].digits != 4 || t.tokens[k-1].lower != "a" {
		return value{}, false
	}
	code := t.code(k)
	return value{form: isEqual, from: code, to: code, at: span{t.tokens[k].start, t.tokens[k].end}}, true
}

func isQuote(s string) bool { return s == "“" || s == "”" || s == "\"" }

// placeholderStem is what stands before the places of a code that a notice
// leaves open: "2312" of "2312xx". It is empty when the code leaves none.
func placeholderStem(code string) string {
	stem := strings.TrimRight(code, "xX*")
	if len(code)-len(stem) < 2 || stem == "" || !isDigit(stem[len(stem)-1]) {
		return ""
	}
	return stem
}

// fillPlaceholders puts a digit into the places that a code leaves open.
func fillPlaceholders(code string, digit byte) string {
	stem := placeholderStem(code)
	if stem == "" {
		return code
	}
	return stem + strings.Repeat(string(digit), len(code)-len(stem))
}

// twoSerials tells whether a hyphen joins what may be two serial numbers.
func twoSerials(code string) bool {
	const least = 5
	from, to, found := strings.Cut(code, "-")
	digits := func(s string) (n int) {
		for i := range len(s) {
			if isDigit(s[i]) {
				n++
			}
		}
		return n
	}
	return found && !strings.Contains(to, "-") && !onlyDigits(from+to) && digits(from) >= least && digits(to) >= least
}
