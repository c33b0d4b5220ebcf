package extract

import (
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// notations are the ways to write a date in so many digits: those that sort as
// numbers, and those that don't.
var notations = map[int]struct{ sorted, unsorted []string }{
	4: {[]string{"YYWW", "YYMM"}, []string{"MMYY", "WWYY"}},
	5: {[]string{"YYDDD"}, []string{"DDDYY"}},
	6: {[]string{"YYMMDD", "YYYYMM", "YYYYWW"}, []string{"MMDDYY", "DDMMYY", "MMYYYY", "WWYYYY"}},
	8: {[]string{"YYYYMMDD"}, []string{"MMDDYYYY", "DDMMYYYY"}},
}

// settleFormat guards ranges of codes that may be dates: "0722 to 1223" runs
// from July 2022 to December 2023, and compared as numbers it would leave out
// January 2023. Where the digits allow one reading only, its notation is added
// and the codes count as date codes; where they allow several that disagree,
// the range counts as unreadable.
func (r *reader) settleFormat(k mark) mark {
	if k.kind != recall.DateCode && k.kind != recall.Lot && k.kind != recall.Batch || k.except {
		return k
	}
	kept := k.values[:0:0]
	for _, v := range k.values {
		if v.form != isRange || v.from == "" || v.to == "" {
			kept = append(kept, v)
			continue
		}
		format, safe := readingOf(v.from, v.to, k.kind == recall.DateCode)
		place := r.places[k.kind]
		if stated := squeeze(place.format); stated != "" && len(stated) == len(squeeze(v.from)) {
			_, inOrder := length(stated, squeeze(v.from), squeeze(v.to))
			format, safe = place.format, inOrder
		}
		if !safe {
			k.doubt = true
			continue
		}
		if format != "" {
			place.format = format
			k.kind = recall.DateCode
			r.places[recall.DateCode] = place
		}
		kept = append(kept, v)
	}
	k.values = kept
	return k
}

// readingOf finds the notation in which two codes are dates in order. safe
// tells that comparing by it, or plainly where it is empty, leaves no unit out.
func readingOf(from, to string, dateCode bool) (format string, safe bool) {
	a, b := squeeze(from), squeeze(to)
	if !onlyDigits(a) || !onlyDigits(b) || len(a) != len(b) || len(a) < 6 && !dateCode {
		return "", ordered(from, to)
	}
	known := notations[len(a)]
	plain := readings(known.sorted, from, to)
	shuffled := readings(known.unsorted, from, to)
	switch {
	case len(shuffled) == 0, len(plain) > 0 && plain[0].days <= shuffled[0].days:
		return "", ordered(from, to)
	case len(shuffled) == 1 && len(plain) == 0:
		return shuffled[0].format, true
	}
	return "", false
}

// reading is one notation in which two codes are dates, so many days apart.
type reading struct {
	format string
	days   int
}

// readings returns the notations that fit two codes, the shortest span first.
func readings(formats []string, from, to string) []reading {
	var fit []reading
	for _, f := range formats {
		if !sameGroups(f, from) || !sameGroups(f, to) || !onlyDigits(from) && strings.Contains(f, "W") {
			continue // weeks are printed without separators
		}
		if days, ok := length(f, squeeze(from), squeeze(to)); ok {
			fit = append(fit, reading{f, days})
		}
	}
	slices.SortStableFunc(fit, func(a, b reading) int { return a.days - b.days })
	return fit
}

// sameGroups tells whether the separators of a code, if it has any, stand
// between a notation's parts: 04/2022 can only be MMYYYY.
func sameGroups(format, code string) bool {
	place := 0
	for i := range len(code) {
		if isDigit(code[i]) {
			place++
			continue
		}
		if place == 0 || place >= len(format) || format[place-1] == format[place] {
			return false
		}
	}
	return true
}

// length is how many days lie between two numbers read as dates in a notation.
// ok is false when they are none, or not in order.
func length(format, from, to string) (days int, ok bool) {
	a, okA := decode(format, from)
	b, okB := decode(format, to)
	if !okA || !okB || b.Before(a) {
		return 0, false
	}
	return int(b.Sub(a).Hours() / 24), true
}

// decode reads a number as a date in a notation.
func decode(format, code string) (time.Time, bool) {
	if len(format) != len(code) || !onlyDigits(code) {
		return time.Time{}, false
	}
	var part [128]int
	for i := range len(format) {
		part[format[i]] = part[format[i]]*10 + int(code[i]-'0')
	}
	year := part['Y']
	if strings.Count(format, "Y") == 2 {
		year = fullYear(year)
	}
	if year < 1980 || year > 2045 {
		return time.Time{}, false
	}
	yearDay := part['J']
	if strings.Contains(format, "DDD") {
		yearDay, part['D'] = part['D'], 0
	}
	switch {
	case strings.Contains(format, "W"):
		return time.Date(year, 1, part['W']*7, 0, 0, 0, 0, time.UTC), part['W'] >= 1 && part['W'] <= 53
	case strings.Contains(format, "J") || strings.Contains(format, "DDD"):
		return time.Date(year, 1, yearDay, 0, 0, 0, 0, time.UTC), yearDay >= 1 && yearDay <= 366
	}
	d := date{year, part['M'], part['D']}
	return d.first(), part['M'] > 0 && d.valid() && (part['D'] > 0 || !strings.Contains(format, "D"))
}
