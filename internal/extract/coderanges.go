package extract

import (
	"strconv"
	"strings"
)

// firstAndLast tells whether a last number follows a first one: "beginning with
// 1000 and ending with 2000".
func (in *leadIn) firstAndLast(t *text, i int) bool {
	for k := i; k < len(t.tokens) && k < i+3; k++ {
		switch t.tokens[k].lower {
		case "to", "through", "thru", "ending", "ends", "end", "until", "–":
			return true
		case ",", "and":
		default:
			return false
		}
	}
	return false
}

// firstToLast reads the last number. Where the two can't be the ends of a
// range, what was meant is in doubt.
func (t *text) firstToLast(first string, i int, m mention, at span) (v value, next int, ok bool) {
	for next = i; next < len(t.tokens) && next < i+6; next++ {
		if t.tokens[next].digits > 0 && t.isCode(next, m, leadIn{between: true}, true) {
			last := t.code(next)
			if len(last) != len(first) || !ordered(first, last) {
				return value{}, next + 1, true
			}
			if t.tokens[i].lower != "and" && beginnings(first, last) != nil {
				return value{form: isPrefix, from: first, to: last, at: span{at.start, t.tokens[next].end}}, t.skipQuotes(next + 1), true
			}
			return value{form: isRange, from: first, to: last, at: span{at.start, t.tokens[next].end}}, t.skipQuotes(next + 1), true
		}
	}
	return value{}, i, true
}

// beginnings lists what codes may begin with by a range of beginnings: "begin
// with 2003 through 2010". It is nil where the range is none of short numbers:
// "beginning with 12139055 through 12140194" are whole numbers.
func beginnings(first, last string) []string {
	const longest, most = 6, 200
	letters := 0
	for letters < len(first) && first[letters] == last[letters] && !isDigit(first[letters]) {
		letters++
	}
	low, high := first[letters:], last[letters:]
	if len(low) == 1 && isUpperLetter(low[0]) && isUpperLetter(high[0]) && low < high { // RB through RL
		var list []string
		for c := low[0]; c <= high[0]; c++ {
			list = append(list, first[:letters]+string(c))
		}
		return list
	}
	if len(first) > longest || !onlyDigits(low) || !onlyDigits(high) {
		return nil
	}
	from, _ := strconv.Atoi(low)
	to, _ := strconv.Atoi(high)
	if to < from || to-from >= most {
		return nil
	}
	var list []string
	for n := from; n <= to; n++ {
		number := strconv.Itoa(n)
		list = append(list, first[:letters]+strings.Repeat("0", len(low)-len(number))+number)
	}
	return list
}

// longestEnding is how long the endings of a range of endings are at most.
const longestEnding = 3

// affixRange reads the other end of a range of beginnings or endings: "0
// through 9", "RB through RL". It returns the token behind it, or 0.
func (t *text) affixRange(code string, i int) (string, int) {
	if i+1 >= len(t.tokens) {
		return "", 0
	}
	switch t.tokens[i].lower {
	case "through", "thru", "to", "–", "-":
	default:
		return "", 0
	}
	k := t.skipQuotes(i + 1)
	if k >= len(t.tokens) || !t.tokens[k].word || t.tokens[k].lowercase || len(t.code(k)) != len(code) || beginnings(code, t.code(k)) == nil {
		return "", 0
	}
	return t.code(k), k + 1
}

// rangeEnd reads "through 1300" behind the first end of a range. It returns the
// second end and the token behind it, or 0.
func (t *text) rangeEnd(i int, between bool, m mention) (string, int) {
	if behind := t.skipBrackets(i); behind > i && behind < len(t.tokens) { // 2023-10 (October 2023) through 2024-08
		switch t.tokens[behind].lower {
		case "to", "through", "thru", "until", "–", "—", "and":
			i = behind
		}
	}
	if i < len(t.tokens) && t.tokens[i].lower == "," && i+1 < len(t.tokens) {
		switch t.tokens[i+1].lower {
		case "to", "through", "thru", "until":
			i++
		}
	}
	if i+1 >= len(t.tokens) {
		return "", 0
	}
	switch t.tokens[i].lower {
	case "to", "through", "thru", "until", "–", "—", "-", "~", "à", "au", "jusqu’à", "jusqu'à", "−":
	case "and", "et":
		if !between {
			return "", 0
		}
	case "up":
		i++
		if t.tokens[i].lower != "to" {
			return "", 0
		}
	default:
		return "", 0
	}
	j := t.skipQuotes(i + 1)
	for j < len(t.tokens) && (t.tokens[j].lower == "and" || t.tokens[j].lower == "including" || t.tokens[j].lower == "serial" || t.tokens[j].lower == "number" || t.tokens[j].lower == "#" || t.tokens[j].lower == "lot") {
		j++
	}
	j = t.skipQuotes(j)
	if j >= len(t.tokens) || !t.isCode(j, m, leadIn{between: true}, true) {
		return "", 0
	}
	return t.code(j), j + 1
}

// opensRange tells whether a word for a range stands at token i although its
// end could not be read: the code before it must not stand alone.
func (t *text) opensRange(i int, between bool) bool {
	if i+1 >= len(t.tokens) {
		return i < len(t.tokens) && (t.tokens[i].lower == "through" || t.tokens[i].lower == "thru" || t.tokens[i].lower == "until")
	}
	switch t.tokens[i].lower {
	case "through", "thru", "until":
		return true
	case "to", "–", "—", "-":
		return t.tokens[i+1].digits > 0 && !t.isAmount(i+1)
	case "and":
		return between && t.tokens[i+1].digits > 0
	}
	return false
}

// trailingBound reads "and below" (negative) or "and above" (positive) behind a
// code, as the number of its tokens.
func (t *text) trailingBound(i int) int {
	comma := 0
	if i < len(t.tokens) && t.tokens[i].lower == "," {
		comma = 1
		i++
	}
	if i+1 >= len(t.tokens) || t.tokens[i].lower != "and" && t.tokens[i].lower != "or" {
		return 0
	}
	switch t.tokens[i+1].lower {
	case "below", "lower", "earlier", "before", "under", "prior", "older", "less":
		return -2 - comma
	case "above", "higher", "later", "after", "up", "newer", "greater", "over":
		return 2 + comma
	}
	return 0
}
