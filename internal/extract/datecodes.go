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
