package extract

// quotedCodeEnd returns the token behind a code that stands in quotation marks
// with blanks inside, “100222 U,” or "20309 11", or 0 where none does.
func (t *text) quotedCodeEnd(i int) int {
	const most = 4
	if i == 0 || !isQuote(t.tokens[i-1].lower) || t.tokens[i].gap != adjacent {
		return 0
	}
	end := i
	for end < len(t.tokens) && end <= i+most && (end == i || t.tokens[end].gap == blank) && t.isQuotedPart(end) {
		end++
	}
	closing := end
	if closing < len(t.tokens) && (t.tokens[closing].lower == "," || t.tokens[closing].lower == ".") {
		closing++
	}
	if end < i+2 || closing >= len(t.tokens) || !isQuote(t.tokens[closing].lower) || t.tokens[closing].gap != adjacent {
		return 0
	}
	return end
}

// quotedParts are the parts of a code with blanks inside that are long enough to
// be codes: the mark may be several, printed on one line.
func (t *text) quotedParts(v value) []value {
	const least = 4
	first := t.tokenBehind(0, v.at.start)
	if v.form != isEqual || t.quotedCodeEnd(first) == 0 {
		return nil
	}
	var parts []value
	for i := first; i < len(t.tokens) && t.tokens[i].end <= v.at.end; i++ {
		if len(t.tokens[i].lower) >= least {
			parts = append(parts, t.whole(span{t.tokens[i].start, t.tokens[i].end}))
		}
	}
	return parts
}

// isQuotedPart tells whether token i may be a part of a code with blanks inside.
func (t *text) isQuotedPart(i int) bool {
	tok := &t.tokens[i]
	if !tok.word || tok.lowercase || monthNames[tok.lower] > 0 || t.isAmount(i) || t.isTimeOrMonth(i) {
		return false
	}
	l, _ := labels.at(t, i)
	return l == noLabel
}
