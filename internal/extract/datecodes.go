package extract

import (
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// dateCodeOf makes the date code of a window of manufacture whose notation the
// notice states, for those who read the code off the product.
func (r *reader) dateCodeOf(k mark, v value, window recall.Predicate) (recall.Predicate, bool) {
	format := r.places[recall.Made].format
	if format == "" {
		format = r.places[recall.DateCode].format
	}
	if k.kind != recall.Made || format == "" || v.exclusiveEnd || r.hasCodes(recall.DateCode) {
		return recall.Predicate{}, false
	}
	var from, to string
	if v.from != "" {
		from = encodeDate(squeeze(format), v.dates[0].first())
	}
	if v.to != "" {
		to = encodeDate(squeeze(format), v.dates[1].last())
	}
	if v.from != "" && v.dates[0].month == 0 || v.to != "" && v.dates[1].month == 0 {
		return recall.Predicate{}, false
	}
	p := window
	where := r.places[recall.Made]
	if where.where == "" {
		where.where = r.places[recall.DateCode].where
	}
	where.format = format
	if from == to && from != "" {
		p = recall.Equals(0, recall.DateCode, from, window.Quote)
	} else {
		p = recall.Range(0, recall.DateCode, from, to, window.Quote)
	}
	p.Models, p.Except, p.WherePrinted = append(p.Models, window.Models...), window.Except, where.String()
	return p, true
}

func (r *reader) hasCodes(kind recall.UnitKind) bool {
	for i := range r.marks {
		if r.marks[i].kind == kind && len(r.marks[i].values) > 0 {
			return true
		}
	}
	return false
}

// encodeDate writes a day in a notation of dateFormats.
func encodeDate(format string, day time.Time) string {
	isoYear, week := day.ISOWeek()
	year := day.Year()
	for _, c := range format {
		if c == 'W' {
			year = isoYear
		}
	}
	var out []byte
	for i := 0; i < len(format); {
		n := 1
		for i+n < len(format) && format[i+n] == format[i] {
			n++
		}
		number := 0
		switch format[i] {
		case 'Y':
			number = year
		case 'M':
			number = int(day.Month())
		case 'D':
			if number = day.Day(); n == 3 {
				number = day.YearDay()
			}
		case 'J':
			number = day.YearDay()
		case 'W':
			number = week
		}
		digits := fmt.Sprintf("%0*d", n, number)
		out = append(out, digits[len(digits)-n:]...)
		i += n
	}
	return string(out)
}

// settleFormat guards ranges of date codes: "0722 to 1223" runs from July 2022
// to December 2023, and compared as numbers it would leave out January 2023.
// Where the digits allow one reading only, that notation is added; where they
// allow several that disagree, the range counts as unreadable.
func (r *reader) settleFormat(k mark) mark {
	if k.kind != recall.DateCode && k.kind != recall.Lot && k.kind != recall.Batch || k.except {
		return k
	}
	kept := k.values[:0:0]
	for _, v := range k.values {
		if v.form != isRange || v.from == "" || v.to == "" || !onlyDigits(v.from) || !onlyDigits(v.to) || len(v.from) != len(v.to) {
			if v.form == isRange && v.from != "" && v.to != "" && !ordered(v.from, v.to) {
				k.doubt = true
				continue
			}
			kept = append(kept, v)
			continue
		}
		format, safe := readingOf(v.from, v.to, k.kind == recall.DateCode)
		if stated := r.places[k.kind].format; stated != "" && len(squeeze(stated)) == len(v.from) {
			format, safe = stated, true
		}
		switch {
		case !safe:
			k.doubt = true
			continue
		case format != "" && k.kind == recall.DateCode && r.places[k.kind].format == "":
			place := r.places[k.kind]
			place.format = format
			r.places[k.kind] = place
		}
		kept = append(kept, v)
	}
	k.values = kept
	return k
}

// readingOf finds the notation in which two numbers are dates in order. safe
// tells that comparing by it, or as plain numbers where it is empty, leaves no
// unit out.
func readingOf(from, to string, dateCode bool) (format string, safe bool) {
	yearFirst, yearLast := "YYWW", []string{"MMYY", "WWYY"}
	switch len(from) {
	case 4:
		if !dateCode {
			return "", from <= to
		}
	case 6:
		yearFirst, yearLast = "YYMMDD", []string{"MMDDYY", "DDMMYY"}
	default:
		return "", from <= to
	}
	plain, plainOK := length(yearFirst, from, to)
	readings, shorter := 0, false
	for _, f := range yearLast {
		if days, ok := length(f, from, to); ok {
			format, readings, shorter = f, readings+1, shorter || days < plain
		}
	}
	sameYear := from[len(from)-2:] == to[len(to)-2:]
	switch {
	case readings == 0 || plainOK && !shorter:
		return "", from <= to
	case readings == 1 && !plainOK && dateCode:
		return format, true
	}
	return "", from <= to && sameYear
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

func decode(format, code string) (time.Time, bool) {
	var part [128]int
	for i := range len(format) {
		part[format[i]] = part[format[i]]*10 + int(code[i]-'0')
	}
	year := part['Y'] + 2000
	if year > 2040 {
		year -= 100
	}
	switch {
	case part['W'] > 53 || year < 1980:
		return time.Time{}, false
	case part['W'] > 0:
		return time.Date(year, 1, part['W']*7, 0, 0, 0, 0, time.UTC), true
	}
	d := date{year, part['M'], part['D']}
	return d.first(), part['M'] > 0 && d.valid()
}
