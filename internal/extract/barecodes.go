package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// bareCode is what a field of codes holds without a label.
type bareCode struct {
	value
	kind  recall.UnitKind // empty for a barcode
	first int             // its first token
}

// readBareCodes reads a field that holds nothing but codes without a label:
// lots, dates beside them, or barcodes.
func (r *reader) readBareCodes(t *text) {
	codes, strict := t.bareCodes()
	codes = r.takeBarcodes(t, codes)
	if !strict && !alike(codes) {
		codes = nil
	}
	for len(codes) > 0 {
		n := 1
		for n < len(codes) && codes[n].kind == codes[0].kind {
			n++
		}
		r.marks = append(r.marks, t.bareMark(codes[:n]))
		codes = codes[n:]
	}
	if len(r.marks) == 0 && len(r.found.GTINs) == 0 && t.hasDigits() && !t.onlyNumbersOf(labelGTIN) {
		k := t.bareMark([]bareCode{{kind: recall.Lot}})
		k.values, k.doubt, k.end = nil, true, t.tokens[len(t.tokens)-1].end
		r.marks = append(r.marks, k)
	}
}

// bareMark is the mark of codes of one kind. Dates are most likely best-by
// dates, but nothing says so: they can prove that a unit is covered, not that it
// isn't.
func (t *text) bareMark(codes []bareCode) mark {
	k := mark{text: t, kind: codes[0].kind, label: mention{label: labelLot, first: codes[0].first}, doubt: codes[0].kind == recall.BestBefore}
	for _, c := range codes {
		k.values = append(k.values, c.value)
	}
	k.end = codes[len(codes)-1].at.end
	return k
}

// takeBarcodes keeps the barcodes among bare codes and returns the others.
// Where more numbers as long as a barcode fail the check than pass it, those
// that pass do so by chance: one in ten does.
func (r *reader) takeBarcodes(t *text, codes []bareCode) []bareCode {
	valid, others := 0, 0
	for _, c := range codes {
		if c.kind == "" {
			valid++
		} else if onlyDigits(c.from) && len(c.from) >= 11 {
			others++
		}
	}
	for i := range codes {
		if c := &codes[i]; c.kind == "" && others > valid {
			c.kind = recall.Lot
		} else if c.kind == "" {
			r.addGTIN(t, c.at)
		}
	}
	return slices.DeleteFunc(codes, func(c bareCode) bool { return c.kind == "" || r.found.MisprintedGTIN(c.from) })
}

// bareCodes lists a field's codes in order. strict tells that nothing else
// stands there.
func (t *text) bareCodes() (codes []bareCode, strict bool) {
	m := mention{label: labelLot, strong: true, plural: true}
	strict = true
	for i := 0; i < len(t.tokens); i++ {
		tok := &t.tokens[i]
		if !tok.word {
			continue
		}
		if v, next := t.bareDate(i); next > 0 {
			codes = append(codes, bareCode{v, recall.BestBefore, i})
			i = next - 1
			continue
		}
		if end, printed := t.barcodeAt(i); end > 0 && tok.letters == 0 && t.bareBarcode(printed) {
			codes = append(codes, bareCode{t.whole(printed), "", i})
			i = end - 1
			continue
		}
		if tok.lower == "and" || tok.lower == "code" || tok.lower == "codes" {
			continue
		}
		if i == 0 && t.isOnlyCode() {
			return []bareCode{{t.whole(span{tok.start, t.tokens[len(t.tokens)-1].end}), recall.Lot, i}}, true
		}
		if !t.isCode(i, m, leadIn{}, false) || tok.digits == 0 || tok.lowercase {
			strict = false
			continue
		}
		end := t.bareParts(i)
		codes = append(codes, bareCode{t.whole(span{tok.start, t.tokens[end-1].end}), recall.Lot, i})
		i = end - 1
	}
	return codes, strict
}

// isOnlyCode tells whether a field is one word with a number behind it: "Larkm1011".
func (t *text) isOnlyCode() bool {
	const least = 3
	first, last := &t.tokens[0], &t.tokens[len(t.tokens)-1]
	switch {
	case len(t.tokens) == 1:
		return first.capital && first.digits >= least && onlyDigits(first.lower[len(first.lower)-first.digits:])
	case len(t.tokens) == 2: // a long number is cut from its word
		return first.capital && first.digits == 0 && last.gap == adjacent && onlyDigits(last.lower) && last.digits >= least
	}
	return false
}

// whole is the value of a code that is printed at a place.
func (t *text) whole(at span) value {
	code := t.source[at.start:at.end]
	return value{form: isEqual, from: code, to: code, at: at}
}

// bareDate reads a day, or a range of days, that is written as one: not in
// digits alone, which may be a lot. It returns the token behind it, or 0.
func (t *text) bareDate(i int) (value, int) {
	c := t.cursorAt(i)
	v, ok := c.dateValue(false)
	if !ok || v.dates[0].day == 0 || v.dates[1].day == 0 || strings.Trim(t.source[v.at.start:v.at.end], "0123456789 ") == "" {
		return value{}, 0
	}
	next := t.tokenBehind(i, c.pos)
	if next < len(t.tokens) && t.tokens[next].lower > "1999" && t.tokens[next].lower < "2100" && t.tokens[next].digits == 4 {
		return value{}, 0 // 10 APR 24 2027: the first number belongs to something else
	}
	return v, next
}

// bareBarcode tells whether digits that no label announces are printed as a
// barcode is: in one piece or a symbol's groups, and either whole or without the
// zero in front.
func (t *text) bareBarcode(at span) bool {
	printed := t.source[at.start:at.end]
	digits := squeeze(printed)
	if digits == printed {
		return len(digits) >= 12 || len(digits) == 11 && (digits[0] == '0' || gtin.Valid("0"+digits))
	}
	var lengths []int
	for group := range strings.FieldsFuncSeq(printed, func(r rune) bool { return r < '0' || r > '9' }) {
		lengths = append(lengths, len(group))
	}
	return slices.ContainsFunc(groupings, func(g []int) bool { return slices.Equal(g, lengths) })
}

// bareParts returns the token behind a lot that is printed in parts ("10662 5112
// 11"): few of them, of different lengths, up to a date or a mark between codes.
func (t *text) bareParts(i int) int {
	const most = 4
	end, short := i+1, false
	for end < len(t.tokens) && end <= i+most && t.tokens[end].gap == blank && t.tokens[end].word && t.tokens[end].digits > 0 && !t.tokens[end].lowercase {
		if _, next := t.bareDate(end); next > 0 {
			break
		}
		short = short || t.tokens[end].digits <= 2
		end++
	}
	if !short || end > i+most {
		return i + 1
	}
	return end
}

// alike admits bare codes between other words only where they are of one kind
// and at least three are built alike and long.
func alike(codes []bareCode) bool {
	const least, length = 3, 6
	for _, c := range codes {
		if c.kind != codes[0].kind || len(c.from) < length || len(c.from) != len(codes[0].from) {
			return false
		}
	}
	return len(codes) >= least
}

// onlyNumbersOf tells whether all figures stand behind a label of a kind.
func (t *text) onlyNumbersOf(l label) bool {
	first := len(t.tokens)
	for _, m := range t.mentions {
		switch {
		case m.label != l && m.label != labelNothing:
			return false
		case m.label == l:
			first = min(first, m.first)
		}
	}
	for i := range t.tokens {
		if tok := &t.tokens[i]; tok.digits > 0 && (i < first || tok.letters > 0) {
			return false
		}
	}
	return true
}

func (t *text) hasDigits() bool {
	for i := range t.tokens {
		if t.tokens[i].digits > 0 {
			return true
		}
	}
	return false
}
