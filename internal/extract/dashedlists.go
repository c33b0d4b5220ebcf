package extract

func isDash(word string) bool { return word == "-" || word == "–" || word == "—" }

// inDashedList tells whether the code in front of token next stands in a list
// whose marks are dashes, "A101 - A102 - A103": one dash joins the ends of a range,
// two that follow one another can't.
func (t *text) inDashedList(i, next int, m mention) bool {
	if t.behindDash(next, m) < 0 {
		return false
	}
	behind := t.skipQuotes(next + 2)
	before := i - 1
	return t.behindDash(behind, m) > 0 ||
		before > 0 && isDash(t.tokens[before].lower) && t.tokens[before].gap != adjacent && t.isCode(before-1, m, leadIn{between: true}, true)
}

// behindDash returns the token behind a dash between blanks at token i that leads
// to a code, or -1.
func (t *text) behindDash(i int, m mention) int {
	if i+1 >= len(t.tokens) || !isDash(t.tokens[i].lower) || t.tokens[i].gap == adjacent || t.tokens[i+1].gap == adjacent {
		return -1
	}
	if t.tokens[i+1].digits < 3 || !t.isCode(i+1, m, leadIn{between: true}, true) {
		return -1
	}
	return i + 1
}
