package recall

import (
	"fmt"
	"strings"
	"time"
)

// Date codes are production dates in a notation that the notice may explain:
// "(format YYYYMMDD)". Where it does, a date of manufacture decides the code
// and the code decides the date.

// datePatterns are the notations that are understood, longest first so that
// YYYYMMDD is not taken for YYYYMM. Y, M, D, W stand for digits of year, month,
// day and week (ISO 8601); J for the day of the year.
var datePatterns = []string{
	"YYYYMMDD", "DDMMYYYY", "MMDDYYYY", "YYYYMM", "MMYYYY", "YYMMDD", "MMDDYY", "DDMMYY", "WWYYYY", "YYYYWW", "YYDDD", "DDDYY", "YYJJJ", "JJJYY", "WWYY", "YYWW", "MMYY", "YYMM",
}

// monthCode reads a date code that spells its month: "JUL24", "Aug 2024".
func monthCode(code string) (Period, bool) {
	key := codeRunes(code)
	letters := strings.TrimRight(key, "0123456789")
	figures := key[len(letters):]
	if len(letters) < 3 || len(figures) != 2 && len(figures) != 4 {
		return Period{}, false
	}
	for month := time.January; month <= time.December; month++ {
		name := strings.ToUpper(month.String())
		if letters != name && letters != name[:3] {
			continue
		}
		if len(figures) == 2 {
			figures = "20" + figures
		}
		p, err := ParsePeriod(fmt.Sprintf("%s-%02d", figures, month))
		return p, err == nil
	}
	return Period{}, false
}

// datePattern finds the notation that a predicate's words state, or "".
func datePattern(p *Predicate) string {
	for _, text := range []string{p.WherePrinted, p.Quote.Text} {
		squeezed := strings.Map(func(r rune) rune {
			switch r {
			case '/', '-', '.', ' ':
				return -1
			}
			return r
		}, strings.ToUpper(text))
		for _, pattern := range datePatterns {
			if strings.Contains(squeezed, pattern) && statesPattern(text, pattern) {
				return pattern
			}
		}
	}
	return ""
}

// statesPattern makes sure that the letters stand as a notation of their own:
// "YYWW" must not be found across the words "…y y/w…".
func statesPattern(text, pattern string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToUpper(text), func(r rune) bool {
		return r == ' ' || r == '(' || r == ')' || r == '"' || r == '“' || r == '”' || r == ',' || r == ';' || r == '\'' || r == '’'
	}) {
		word = strings.Map(func(r rune) rune {
			if r == '/' || r == '-' || r == '.' {
				return -1
			}
			return r
		}, word)
		if word == pattern {
			return true
		}
	}
	return false
}

// decodeDate reads a date code in a notation. ok is false when it is none.
func decodeDate(pattern, code string) (Period, bool) {
	key := codeRunes(code)
	if pattern == "" || len(key) != len(pattern) || !allDigits(key) {
		return Period{}, false
	}
	var year, month, day, week, yday int
	digits := map[byte]int{}
	for i := range len(pattern) {
		d := int(key[i] - '0')
		c := pattern[i]
		digits[c]++
		switch c {
		case 'Y':
			year = year*10 + d
		case 'M':
			month = month*10 + d
		case 'D':
			day = day*10 + d
		case 'W':
			week = week*10 + d
		case 'J':
			yday = yday*10 + d
		}
	}
	if digits['Y'] == 2 {
		year += 2000
	}
	if digits['D'] == 3 {
		yday, day = day, 0
	}
	return periodOf(year, month, day, week, yday)
}

func periodOf(year, month, day, week, yday int) (Period, bool) {
	if year < 1960 || year > 2100 {
		return Period{}, false
	}
	switch {
	case week > 0:
		if week > 53 {
			return Period{}, false
		}
		// ISO 8601: week 1 holds the 4th of January.
		fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
		monday := fourth.AddDate(0, 0, -(int(fourth.Weekday())+6)%7+(week-1)*7)
		return Period{First: monday, Last: monday.AddDate(0, 0, 6), known: true}, true
	case yday > 0:
		if yday > 366 {
			return Period{}, false
		}
		d := time.Date(year, 1, yday, 0, 0, 0, 0, time.UTC)
		return Period{First: d, Last: d, known: true}, true
	case month < 1 || month > 12:
		return Period{}, false
	case day == 0:
		first := time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC)
		return Period{First: first, Last: first.AddDate(0, 1, -1), known: true}, true
	}
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if d.Day() != day {
		return Period{}, false
	}
	return Period{First: d, Last: d, known: true}, true
}

// dateCodeWindow reads a date-code predicate's bounds by the notation that it
// states. A pattern that cannot be read gives ok false.
func dateCodeWindow(p *Predicate) (Period, bool) {
	pattern := datePattern(p)
	if pattern == "" || p.Op != OpEquals && p.Op != OpRange {
		return Period{}, false
	}
	w := Period{known: true}
	if p.From != nil {
		from, ok := decodeDate(pattern, *p.From)
		if !ok || !p.FromInclusive {
			return Period{}, false
		}
		w.First = from.First
	}
	if p.To != nil {
		to, ok := decodeDate(pattern, *p.To)
		if !ok || !p.ToInclusive {
			return Period{}, false
		}
		w.Last = to.Last
	}
	return w, p.From != nil || p.To != nil
}
