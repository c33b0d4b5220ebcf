package scan

import (
	"cmp"
	"slices"
)

// linesAgreed is how many lines must read the same code before it counts. A
// symbology with a weak check needs more of them.
var linesAgreed = map[Symbology]int{EAN13: 3, Code128: 3, EAN8: 5, ITF14: 5, UPCE: 8}

// rivalShare is the share of a code's lines from which on another reading of the
// same place makes both of them doubtful.
const rivalShare = 4

// ballot counts on how many lines each code was read, and where.
type ballot struct {
	votes []*votes
}

type votes struct {
	code        Code
	lines       int
	first, last int     // lines
	from, to    float64 // on the lines
}

// count takes in the readings of one line, which may come in several calls.
func (b *ballot) count(line int, start float64, readings []reading) {
	for _, r := range readings {
		from, to := start+r.from, start+r.to
		i := slices.IndexFunc(b.votes, func(v *votes) bool { return v.code == r.code })
		if i < 0 {
			b.votes = append(b.votes, &votes{r.code, 1, line, line, from, to})
			continue
		}
		v := b.votes[i]
		if v.last != line {
			v.lines++
		}
		v.last, v.from, v.to = line, min(v.from, from), max(v.to, to)
	}
}

// result returns the codes on which enough lines agree. A UPC-E has hardly a
// check of its own: it is weak, and counts only when a picture shows nothing
// else.
func (b *ballot) result() (sure, weak []Code) {
	slices.SortStableFunc(b.votes, func(a, b *votes) int { return cmp.Compare(b.lines, a.lines) })
	for _, v := range b.votes {
		if v.lines < linesAgreed[v.code.Symbology] || slices.ContainsFunc(b.votes, v.rivals) {
			continue
		}
		if v.code.Symbology == UPCE {
			weak = append(weak, v.code)
		} else {
			sure = append(sure, v.code)
		}
	}
	return sure, weak
}

// rivals reports whether another reading of the same place makes this one doubtful.
func (v *votes) rivals(other *votes) bool {
	return v != other && other.lines*rivalShare >= v.lines &&
		v.first <= other.last && other.first <= v.last && v.from < other.to && other.from < v.to
}
