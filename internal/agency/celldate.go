package agency

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// Dates reads best-before, expiry or production dates, likewise.
func (c Cell) Dates(kind recall.UnitKind) [][]recall.Predicate {
	if cellSaysNone.MatchString(c.Text) || Missing(c.Text) {
		return nil
	}
	if cellSaysAll.MatchString(c.Text) {
		return [][]recall.Predicate{{recall.All(1, kind, c.quote(0, len(c.Text)))}}
	}
	var groups [][]recall.Predicate
	for _, p := range cellParts(c.Text) {
		date, ok := c.printedDate(p.text)
		if !ok {
			if c.orderUnproved() {
				return [][]recall.Predicate{{recall.Unreadable(1, kind, c.quote(0, len(c.Text)))}}
			}
			return c.prose(kind)
		}
		groups = append(groups, []recall.Predicate{recall.Equals(1, kind, date, c.quote(p.start, p.start+len(p.text)))})
	}
	return groups
}

// dayFirst tells whether the cell's language writes 03/04/2026 for the third of
// April: all do but American English, which "en" alone stands for.
func (c Cell) dayFirst() bool { return c.Language != "" && c.Language != "en" && c.Language != "en-US" }

// cellDates are the ways in which a cell prints one date or month, with the
// form that a predicate gives it; some hold only where the day stands first.
var cellDates = []struct {
	layout, form string
	dayFirst     bool
}{
	{layout: "2 January 2006", form: time.DateOnly}, {layout: "2 Jan 2006", form: time.DateOnly},
	{layout: "2 January 06", form: time.DateOnly}, {layout: "2 Jan 06", form: time.DateOnly},
	{layout: "2006-01-02", form: time.DateOnly},
	{layout: "January 2006", form: "2006-01"}, {layout: "Jan 2006", form: "2006-01"}, {layout: "01/2006", form: "2006-01"},
	{"2/1/2006", time.DateOnly, true}, {"2/1/06", time.DateOnly, true},
	{"2.1.2006", time.DateOnly, true}, {"2.1.06", time.DateOnly, true},
	{"2-1-2006", time.DateOnly, true}, {"2-1-06", time.DateOnly, true},
}

var (
	cellWeekday = regexp.MustCompile(`(?i)^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? `)
	cellOrdinal = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)\b`)
	// cellNumericDate is a date in numbers.
	cellNumericDate = regexp.MustCompile(`\b(\d{1,2})[./\-](\d{1,2})[./\-]\d{2,4}\b`)
)

func (c Cell) printedDate(s string) (date string, ok bool) {
	s = cellOrdinal.ReplaceAllString(cellWeekday.ReplaceAllString(strings.Trim(s, " ."), ""), "$1")
	for _, f := range cellDates {
		if f.dayFirst && !c.dayFirst() {
			continue
		}
		if t, err := time.Parse(f.layout, s); err == nil {
			return t.Format(f.form), true
		}
	}
	return "", false
}

// orderUnproved tells whether a date in numbers could be read either way round:
// the prose reader takes such a one for American.
func (c Cell) orderUnproved() bool {
	dates := cellNumericDate.FindAllStringSubmatch(c.Text, -1)
	proved := slices.ContainsFunc(dates, func(d []string) bool { return d[1] > "12" && len(d[1]) == 2 })
	return c.dayFirst() && len(dates) > 0 && !proved
}
