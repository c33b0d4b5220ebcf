package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// Incidents reads how many reports, injuries and deaths a text speaks of. A
// number that it doesn't give is nil; "no injuries" is 0. Of several numbers of
// one kind the first counts, which is the total in the agencies' wording.
func Incidents(source string) recall.Incidents {
	t := tokenise("", source)
	var in recall.Incidents
	if t.saysNone() {
		// What may follow speaks of other products or of the hazard at large.
		set(&in.Reports, 0)
		set(&in.Injuries, 0)
		set(&in.Deaths, 0)
		return in
	}
	for i := range t.tokens {
		n, span := t.numberAt(i)
		if span == 0 {
			continue
		}
		t.countIncident(&in, i, i+span, n)
	}
	return in
}

// countIncident looks behind a number for what it counts.
func (t *text) countIncident(in *recall.Incidents, number, from, n int) {
	if number > 0 {
		switch t.tokens[number-1].lower {
		case "$", "age", "aged", "model", "ages", "than":
			return
		}
	}
	article := t.tokens[number].lower == "a" || t.tokens[number].lower == "an"
	reach := 6
	if year := t.tokens[number].lower; article || len(year) == 4 && year >= "1950" && year < "2050" {
		reach = 2 // "an alert due to illnesses" counts none, nor does a year
	}
	for i := from; i < len(t.tokens) && i < from+reach; i++ {
		switch word := t.tokens[i].lower; {
		case word == "." || word == ";" || word == "(" || word == ",":
			return
		case strings.HasPrefix(word, "report") || strings.HasPrefix(word, "incident") || strings.HasPrefix(word, "complaint") || strings.HasPrefix(word, "signalement"):
			if n == 0 && t.speaksOf(i, "injur", "death", "fatal", "illness") {
				continue
			}
			if !article {
				set(&in.Reports, n)
			}
			return
		case strings.HasPrefix(word, "injur") || strings.HasPrefix(word, "illness") || word == "blessés" || word == "blessures":
			set(&in.Injuries, n)
			if n == 0 && t.speaksOf(i, "death", "fatal") {
				set(&in.Deaths, 0)
			}
			return
		case strings.HasPrefix(word, "death") || strings.HasPrefix(word, "fatal") || word == "died" || word == "deceased" || word == "décès":
			set(&in.Deaths, n)
			return
		}
	}
}

// speaksOf tells whether one of the next words in the sentence starts so.
func (t *text) speaksOf(i int, starts ...string) bool {
	for ; i < len(t.tokens) && t.tokens[i].lower != "."; i++ {
		for _, start := range starts {
			if strings.HasPrefix(t.tokens[i].lower, start) {
				return true
			}
		}
	}
	return false
}

// saysNone tells whether a text begins with "None reported".
func (t *text) saysNone() bool {
	words := strings.TrimLeft(t.lower, " \n")
	return strings.HasPrefix(words, "none reported") || strings.Trim(words, " .\n") == "none"
}

func set(to **int, n int) {
	if *to == nil {
		*to = &n
	}
}
