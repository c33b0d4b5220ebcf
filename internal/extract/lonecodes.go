package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// Fields of codes name many a code without a label, beside dates that have one:
// "E164QX EXP 1/27 E128QX EXP 7/26". Such a code is a lot, and one mark with the
// date beside it.

// loneCodes is one pass over a field of codes.
type loneCodes struct {
	r     *reader
	t     *text
	taken []bool // tokens that were read, or are of a label
	kept  []bool // tokens of codes that are kept
	codes []bareCode
}

// readLoneCodes reads what stands without a label in a field in which others do.
func (r *reader) readLoneCodes(t *text) {
	l := loneCodes{r: r, t: t, taken: make([]bool, len(t.tokens)), kept: make([]bool, len(t.tokens))}
	l.completeNumbers()
	l.takeRead()
	for i := 0; i < len(t.tokens); {
		end := l.partsAt(i)
		if end == i {
			i++
			continue
		}
		if !l.ofRange(i, end) && l.neighbours(i, end) {
			l.keep(i, end)
		}
		i = end
	}
	r.marks = slices.DeleteFunc(r.marks, l.announced)
	for len(l.codes) > 0 {
		n := 1
		for n < len(l.codes) && !l.markBetween(l.codes[n-1].first, l.codes[n].first) {
			n++
		}
		r.insertMark(t.bareMark(l.codes[:n]))
		l.codes = l.codes[n:]
	}
}

// announced tells whether a mark only doubts what its label announces, and the
// codes behind it were found.
func (l *loneCodes) announced(k mark) bool {
	if k.text != l.t || !k.doubt || len(k.values) > 0 || !k.label.label.code() {
		return false
	}
	for i := k.label.next; i < len(l.t.tokens) && !l.taken[i]; i++ {
		if l.kept[i] {
			return true
		}
	}
	return false
}

// completeNumbers gives a code the number that a sign sets off from it: "40YP#3".
func (l *loneCodes) completeNumbers() {
	for i := range l.r.marks {
		k := &l.r.marks[i]
		for j := range k.values {
			v := &k.values[j]
			sign := l.t.tokenBehind(0, v.at.end)
			if k.text != l.t || v.form != isEqual || isDateKind(k.kind) || sign+1 >= len(l.t.tokens) || l.t.tokens[sign].lower != "#" {
				continue
			}
			if number := &l.t.tokens[sign+1]; l.t.tokens[sign].gap == adjacent && number.gap == adjacent && number.digits > 0 {
				*v = l.t.whole(span{v.at.start, number.end})
			}
		}
	}
}

// takeRead marks the tokens of what was read.
func (l *loneCodes) takeRead() {
	take := func(at span) {
		for i := l.t.tokenBehind(0, at.start); i < len(l.t.tokens) && l.t.tokens[i].start < at.end; i++ {
			l.taken[i] = true
		}
	}
	for _, m := range l.t.mentions {
		for i := m.first; i < m.next && m.label != labelNothing; i++ {
			l.taken[i] = true
		}
	}
	for _, marks := range [][]mark{l.r.marks, l.r.productCodes} {
		for i := range marks {
			if k := &marks[i]; k.text == l.t {
				for _, v := range k.values {
					take(v.at)
				}
			}
		}
	}
	for i := range l.r.modelMarks {
		if m := &l.r.modelMarks[i]; m.text == l.t {
			take(span{l.t.tokens[m.first].start, m.end})
		}
	}
	for _, g := range l.r.found.GTINs {
		for from := 0; g.From == l.t.field; {
			at := strings.Index(l.t.source[from:], g.Printed)
			if at < 0 {
				break
			}
			take(span{from + at, from + at + len(g.Printed)})
			from += at + len(g.Printed)
		}
	}
}

// partsAt returns the token behind the code that begins at token i, printed in
// parts perhaps ("DK21J 4ALC6", "E 20271006"), or i where none does.
func (l *loneCodes) partsAt(i int) int {
	const most = 4
	if !l.isPart(i) {
		return i
	}
	end, digits := i, false
	for end < len(l.t.tokens) && end < i+most && l.isPart(end) && (end == i || l.t.tokens[end].gap == blank) {
		digits = digits || l.t.tokens[end].digits > 0
		end++
	}
	for end > i && l.t.tokens[end-1].digits == 0 {
		end-- // capitals behind a code are the next caption
	}
	if !digits || l.t.source[l.t.tokens[i].start:l.t.tokens[end-1].end] == "" {
		return i
	}
	return end
}

// isPart tells whether token i may be a code without a label or a part of one.
func (l *loneCodes) isPart(i int) bool {
	tok := &l.t.tokens[i]
	if l.taken[i] || !tok.word || tok.lowercase {
		return false
	}
	if tok.digits == 0 {
		return tok.letters == 1 && i+1 < len(l.t.tokens) && l.t.tokens[i+1].digits > 2
	}
	return !l.isOther(i) && l.t.isCode(i, mention{label: labelLot, strong: true, plural: true}, leadIn{}, false)
}

// isOther tells whether the figures at token i are of something else: a date, a
// time of day, an amount, a mark of an enumeration, the number of a plant.
func (l *loneCodes) isOther(i int) bool {
	t, tok := l.t, &l.t.tokens[i]
	switch {
	case tok.letters == 0 && tok.digits < 4 && !l.listed(i), t.isAmount(i), plainSize(tok.lower), l.explained(i):
		return true
	case onlyDigits(tok.lower) && len(tok.lower) == 4 && tok.lower > "1990" && tok.lower < "2060": // a year
		return true
	case tok.letters == 0 && strings.Count(tok.lower, "/") == 2, l.ofBarcode(i):
		return true
	}
	if i+1 < len(t.tokens) && t.tokens[i+1].lower == ":" && t.tokens[i+1].gap == adjacent && tok.digits <= 2 || i > 0 && t.tokens[i-1].lower == ":" && tok.gap == adjacent && tok.digits <= 2 {
		return true
	}
	for k := i - 1; k >= 0 && k > i-5; k-- {
		if otherNumbers[t.tokens[k].lower] {
			return true
		}
		if t.tokens[k].digits > 0 || l.taken[k] {
			break
		}
	}
	if onlyDigits(tok.lower) && len(tok.lower) == len("042326") {
		return false // a date only where a label says so
	}
	c := t.cursorAt(i)
	_, ok := c.dateValue(false)
	return ok
}

// listed tells whether a short number stands in a list between codes: "44AC, 45, 51AC".
func (l *loneCodes) listed(i int) bool {
	comma := func(k int) bool { return l.t.tokens[k].lower == "," }
	return i >= 2 && i+2 < len(l.t.tokens) && comma(i-1) && comma(i+1) && l.kept[i-2] && l.isPart(i+2)
}

// explained tells whether words say what the code at token i is: "305 = the day".
func (l *loneCodes) explained(i int) bool {
	if i+1 >= len(l.t.tokens) {
		return false
	}
	switch l.t.tokens[i+1].lower {
	case "=", "is", "are", "indicates", "means", "stands":
		return true
	}
	return false
}

// ofBarcode tells whether token i belongs to a number that is announced as a
// barcode and could not be read as one.
func (l *loneCodes) ofBarcode(i int) bool {
	const reach = 6
	for k := i - 1; k >= 0 && k > i-reach; k-- {
		if l.taken[k] {
			at := slices.IndexFunc(l.t.mentions, func(m mention) bool { return k >= m.first && k < m.next })
			return at >= 0 && l.t.mentions[at].label == labelGTIN
		}
		if tok := &l.t.tokens[k]; tok.letters > 0 {
			return false
		}
	}
	return false
}

// otherNumbers are words that announce a number that no unit differs by.
var otherNumbers = wordSet(`plt plant plants est establishment firm facility store item items sku plu ndc material part catalog ref upc gtin ean phone
count size weight invoice order po license permit fda fce sid`)

// plainSize tells whether a word is a number with its unit written to it: 2lb, 6/8oz.
func plainSize(word string) bool {
	unit := strings.TrimLeft(word, "0123456789./-")
	return unit != word && unit != "" && measures[unit]
}

// neighbours tells whether the code in tokens [i, end) stands beside something
// that was read, or between other codes: with nothing but marks, times of day and
// the captions of varieties between.
func (l *loneCodes) neighbours(i, end int) bool {
	return l.meets(i, -1) || l.meets(end-1, 1)
}

// ofRange tells whether a code may be an end of a range.
func (l *loneCodes) ofRange(i, end int) bool {
	joint := func(k int) bool {
		if k < 0 || k >= len(l.t.tokens) {
			return false
		}
		return rangeJoint[l.t.tokens[k].lower]
	}
	dash := func(k int) bool {
		if k <= 0 || k+1 >= len(l.t.tokens) {
			return false
		}
		word := l.t.tokens[k].lower
		return (word == "-" || word == "–" || word == "—") && l.t.tokens[k-1].digits > 0 && l.t.tokens[k+1].digits > 0
	}
	return joint(i-1) || joint(end) || dash(i-1) || dash(end)
}

// meets looks from token i into one direction for a mark that was read.
func (l *loneCodes) meets(i, step int) bool {
	const reach = 40
	for k := i + step; k >= 0 && k < len(l.t.tokens) && k != i+reach*step; k += step {
		tok := &l.t.tokens[k]
		switch {
		case l.kept[k]:
			return true
		case l.taken[k]:
			return l.ofUnit(k)
		case !tok.word, l.isPart(k), tok.digits > 0 && l.isOther(k):
			if r := tok.lower; r == "." && step < 0 {
				return false
			}
		case rangeJoint[tok.lower]:
			return false // an end of a range
		case tok.lower == "and", tok.lower == "or", measures[tok.lower]:
		case step < 0 && l.caption(k):
		default:
			return false
		}
	}
	return false
}

var rangeJoint = wordSet(`through thru to until from between`)

// caption tells whether the word at token k belongs to the words for a variety
// that a dash or a colon sets off from its codes: "Sysco - A77".
func (l *loneCodes) caption(k int) bool {
	for end := k; end < len(l.t.tokens) && end < k+4; end++ {
		switch tok := &l.t.tokens[end]; {
		case tok.lower == "-" || tok.lower == ":" || tok.lower == "–":
			return tok.gap != adjacent || tok.lower == ":"
		case !tok.word || !tok.capital || tok.digits > 0 || l.taken[end]:
			return false
		}
	}
	return false
}

// ofUnit tells whether a token that was read belongs to a mark of units.
func (l *loneCodes) ofUnit(k int) bool {
	for _, m := range l.t.mentions {
		if k >= m.first && k < m.next {
			return m.label.code() || isDateKind(m.label.kind())
		}
	}
	for i := range l.r.marks {
		if m := &l.r.marks[i]; m.text == l.t && (m.label.label.code() || isDateKind(m.kind)) {
			for _, v := range m.values {
				if v.at.start <= l.t.tokens[k].start && l.t.tokens[k].end <= v.at.end {
					return true
				}
			}
		}
	}
	return false
}

// keep keeps a code. One in parts may be several: it is kept as a whole, and so
// is each part that is long enough to be a code.
func (l *loneCodes) keep(i, end int) {
	const least = 4
	tokens := l.t.tokens
	for k := i; k < end; k++ {
		l.kept[k] = true
	}
	if end == i+1 || !l.alike(i, end) {
		l.codes = append(l.codes, bareCode{l.t.whole(span{tokens[i].start, tokens[end-1].end}), recall.Lot, i})
	}
	for k := i; k < end && end > i+1; k++ {
		if len(tokens[k].lower) >= least {
			l.codes = append(l.codes, bareCode{l.t.whole(span{tokens[k].start, tokens[k].end}), recall.Lot, i})
		}
	}
}

// alike tells whether the tokens [i, end) are codes of one build: a list.
func (l *loneCodes) alike(i, end int) bool {
	return !slices.ContainsFunc(l.t.tokens[i:end], func(tok token) bool {
		first := l.t.tokens[i].lower
		return len(tok.lower) < 4 || len(tok.lower) != len(first) || !sameClasses(tok.lower, first)
	})
}

// markBetween tells whether a mark that was read stands between two tokens.
func (l *loneCodes) markBetween(i, end int) bool {
	return slices.Contains(l.taken[i:end], true)
}
