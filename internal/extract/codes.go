package extract

import (
	"strings"
)

// codeList is what stands behind a code's label.
type codeList struct {
	values []value
	next   int  // the token behind the list
	doubt  bool // something stands there that was not understood
}

// codesBehind reads the list of codes behind a mention of a code's label.
func (t *text) codesBehind(m mention) codeList {
	in := t.readLeadIn(m.next)
	list := codeList{next: m.next}
	if in.located {
		return list
	}
	in.prefix, in.suffix = t.firstDigits(m.first, in.prefix, in.suffix)
	i := t.behindCaption(in.next, m)
	for i < len(t.tokens) {
		v, next, ok := t.codeValue(i, m, in, len(list.values) > 0)
		if !ok && affixWords[t.tokens[i].lower] { // … or ending in 212
			more := t.readLeadIn(i)
			in.prefix, in.suffix = more.prefix, more.suffix
			v, next, ok = t.codeValue(more.next, m, in, true)
		}
		if !ok {
			break
		}
		if in.headed && v.form == isEqual && len(list.values) == 0 && next < len(t.tokens) && t.tokens[next].word {
			break // the first cell of a column
		}
		if v.at.end == 0 {
			list.doubt, list.next = true, next
			i = next
		} else {
			list.values = append(list.values, t.joinedParts(&v, i, &next, m)...)
			list.values = append(list.values, t.quotedParts(v)...)
			if from, to, ok := splitRange(v.from); ok && v.form == isEqual {
				list.values = append(list.values, value{form: isRange, from: from, to: to, at: v.at}) // one code, or two ends
			}
			list.next, i = next, next
		}
		if behind := t.skipBrackets(i); behind > i && behind < len(t.tokens) && (t.listSeparator(behind, nil) > behind || t.isCode(behind, m, leadIn{}, true)) {
			i = behind // "A12 (blue) and A13"
		}
		sep := t.listSeparator(i, list.values)
		if sep < 0 || sep == i && isDash(t.tokens[i].lower) {
			sep = t.behindDash(i, m)
		}
		if sep < 0 {
			break
		}
		if i = sep; in.prefix || in.suffix {
			i = t.behindKind(i) // "… or the letter D"
		}
	}
	list.doubt = list.doubt || t.listGoesOn(list, m)
	if in.awkward && len(list.values) > 0 {
		list.values, list.doubt = nil, true
	}
	if len(list.values) == 0 && (in.announced || m.colon) && m.plural && !t.noCodesFollow(in.next) {
		list.doubt = true
	}
	return list
}

// behindKind moves behind words that say what kind of character follows.
func (t *text) behindKind(i int) int {
	for k := i; k < len(t.tokens) && k < i+4; k++ {
		switch t.tokens[k].lower {
		case "the", "letter", "letters", "number", "numbers", "digit", "digits", "“", "\"":
			continue
		}
		return k
	}
	return i
}

var affixWords = wordSet(`beginning begins begin starting starts start ending ends end commençant finissant`)

// behindCaption moves behind what a list's colon announces for one of several
// varieties: "Lot codes: Elderberry - E1001, E1002".
func (t *text) behindCaption(i int, m mention) int {
	if i == 0 || i >= len(t.tokens) || t.tokens[i-1].lower != ":" || t.tokens[i].digits > 0 {
		return i
	}
	for k := i; k < len(t.tokens) && k < i+5; k++ {
		tok := &t.tokens[k]
		if tok.lower == "-" || tok.lower == "–" || tok.lower == ":" {
			if k+1 < len(t.tokens) && t.tokens[k+1].digits > 0 {
				return k + 1
			}
			return i
		}
		if !tok.word || tok.digits > 0 {
			return i
		}
		if l, _ := labels.at(t, k); l != noLabel {
			return i
		}
	}
	return i
}

// leadsNumber tells whether token i is a code's letters, set apart from its
// number by a blank.
func (t *text) leadsNumber(i int) bool {
	tok := &t.tokens[i]
	if tok.lowercase || tok.letters > 3 || i+1 >= len(t.tokens) || proseCapitals[tok.lower] {
		return false
	}
	next := &t.tokens[i+1]
	return next.gap == blank && next.word && next.digits >= 2 && !t.isAmount(i+1)
}

// noCodesFollow tells whether what stands behind an announcing label says that
// there are no codes ("Lots: not provided"), or is a date with its own label
// ("Lot numbers: (b) Best by 02/28/2017").
func (t *text) noCodesFollow(i int) bool {
	for k := i; k < len(t.tokens) && k < i+4; k++ {
		switch t.tokens[k].lower {
		case "not", "none", "n/a", "na", "unknown", "no", "tbd":
			return true
		}
		if l, _ := labels.at(t, k); l == labelBestBefore || l == labelExpiry {
			return true
		}
	}
	return false
}

// listGoesOn tells whether another code stands behind a list, in its sentence
// and under no label of its own: the list was not read whole.
func (t *text) listGoesOn(list codeList, m mention) bool {
	const reach = 14
	if len(list.values) == 0 {
		return false
	}
	last := list.values[len(list.values)-1]
	for i := list.next; i < len(t.tokens) && i < list.next+reach && t.sentences[i] == t.sentences[list.next-1]; i++ {
		if l, _ := labels.at(t, i); l != noLabel && l != labelNothing {
			return false
		}
		tok := &t.tokens[i]
		alike := len(tok.lower) == len(last.from) && sameClasses(tok.lower, last.from)
		if tok.digits > 0 && (alike && len(tok.lower) >= 3 || tok.digits >= 3 && len(tok.lower) >= 4) && t.isCode(i, m, leadIn{}, false) {
			return true
		}
	}
	return false
}

// firstDigits reads "the first four digits of the lot code" in front of a label.
func (t *text) firstDigits(label int, prefix, suffix bool) (bool, bool) {
	places := false
	for i := label - 1; i >= 0 && i > label-8; i-- {
		switch t.tokens[i].lower {
		case "first":
			return prefix || places, suffix
		case "last", "final":
			return prefix, suffix || places
		case "digits", "numbers", "characters", "letters":
			places = true
		case "of", "the", "their", "its", "two", "three", "four", "five", "six", "seven", "eight", "each", "in", "following":
		default:
			return prefix, suffix
		}
	}
	return prefix, suffix
}

// codeValue reads one code, range, prefix or suffix at token i. A value whose
// span is empty was there but could not be read.
func (t *text) codeValue(i int, m mention, in leadIn, more bool) (v value, next int, ok bool) {
	i = t.skipQuotes(i)
	if i < len(t.tokens) && t.tokens[i].lower == "-" && in.suffix {
		i++
	}
	if i >= len(t.tokens) || !t.isCode(i, m, in, more) {
		return v, i, false
	}
	first := &t.tokens[i]
	at := span{first.start, first.end}
	if first.digits == 0 && !in.prefix && !in.suffix && t.leadsNumber(i) { // LOT# AP 1700
		i++
		at.end = t.tokens[i].end
	}
	if end := t.quotedCodeEnd(i); end > 0 && !in.prefix && !in.suffix {
		whole := t.source[at.start:t.tokens[end-1].end]
		return value{form: isEqual, from: whole, to: whole, at: span{at.start, t.tokens[end-1].end}}, t.skipQuotes(end), true
	}
	code := t.source[at.start:at.end]
	next = t.skipQuotes(i + 1)
	if to, end := t.affixRange(code, next); in.prefix && end > 0 && first.digits == 0 {
		return value{form: isPrefix, from: code, to: to, at: span{at.start, t.tokens[end-1].end}}, t.skipQuotes(end), true
	}
	if in.prefix && in.firstAndLast(t, next) {
		return t.firstToLast(code, next, m, at)
	}
	switch {
	case in.prefix:
		if stem := placeholderStem(code); stem != "" {
			code = stem
		}
		return value{form: isPrefix, from: code, at: at}, next, true
	case in.suffix:
		if to, end := t.affixRange(code, next); end > 0 && len(code) <= longestEnding {
			return value{form: isSuffix, from: code, to: to, at: span{at.start, t.tokens[end-1].end}}, t.skipQuotes(end), true
		}
		return value{form: isSuffix, from: code, at: at}, next, true
	}
	if t.inDashedList(i, next, m) {
		return value{form: isEqual, from: code, to: code, at: at}, next, true
	}
	if to, end := t.rangeEnd(next, in.between && !more, m); end > 0 {
		second := &t.tokens[end-1]
		next = t.skipQuotes(end)
		if code, to = fillPlaceholders(code, '0'), fillPlaceholders(to, '9'); !ordered(code, to) && m.label != labelDateCode {
			return value{}, next, true
		}
		return value{form: isRange, from: code, to: to, at: span{at.start, second.end}}, next, true
	}
	if strings.Contains(code, "/") && strings.Contains(code, "-") {
		return value{}, next, true // 21/3-23/10: a range in a notation of its own
	}
	if t.opensRange(next, in.between && !more) {
		return value{}, next, true
	}
	if stem := placeholderStem(code); stem != "" {
		return value{form: isPrefix, from: stem, at: at}, next, true
	}
	if twoSerials(code) && m.label == labelSerial {
		return value{}, next, true // 22D00001-23C087042: no telling whether one or two
	}
	if from, to, ok := splitRange(code); ok && (m.plural || in.between || more) {
		return value{form: isRange, from: from, to: to, at: at}, next, true
	}
	if behind := t.skipBrackets(next); t.trailingBound(behind) != 0 { // March 2018 (“03-18”) or earlier
		next = behind
	}
	switch bound := t.trailingBound(next); {
	case bound < 0 || in.upper:
		end := max(next, next-bound)
		return value{form: isRange, to: code, at: span{at.start, t.tokens[end-1].end}, exclusiveEnd: in.exclusive}, end, true
	case bound > 0 || in.lower:
		end := next + bound
		return value{form: isRange, from: code, at: span{at.start, t.tokens[end-1].end}, exclusiveEnd: in.exclusive}, end, true
	}
	return value{form: isEqual, from: code, to: code, at: at}, next, true
}

// code is the code at token i without signs that aren't part of it.
func (t *text) code(i int) string {
	return t.source[t.tokens[i].start:t.tokens[i].end]
}

// skipQuotes moves behind quotation marks and the full stop or comma that
// American usage puts inside them.
func (t *text) skipQuotes(i int) int {
	for i < len(t.tokens) {
		switch t.tokens[i].lower {
		case "\"", "“", "”", "‘", "’", "'", "«", "»", "*", "''":
			i++
		case ",", ".":
			if i+1 < len(t.tokens) && (t.tokens[i+1].lower == "”" || t.tokens[i+1].lower == "\"") && t.tokens[i+1].gap == adjacent && i > 0 {
				i++
				continue
			}
			return i
		default:
			return i
		}
	}
	return i
}

// listSeparator returns the token behind the mark between two codes of a list,
// or -1 when the list ends at token i.
func (t *text) listSeparator(i int, values []value) int {
	start := i
	for i < len(t.tokens) && i < start+4 {
		switch t.tokens[i].lower {
		case ",", ";", "&", "/", "and", "or", "et", "ou", "and/or", "•", "|", "\"", "“", "‘", "'", "#", "«":
			i++
			continue
		}
		break
	}
	if i >= len(t.tokens) {
		return -1
	}
	if i == start && (len(values) == 0 || t.tokens[i].gap == adjacent && !isQuote(t.tokens[i-1].lower)) {
		return -1
	}
	return i
}
