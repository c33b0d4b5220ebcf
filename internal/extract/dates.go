package extract

import (
	"time"
)

// date is a day, a month or a year as a notice gives it. A part that is 0 was
// not given; year 0 with a month is a date whose year stands elsewhere ("June
// 30 through July 30, 2026").
type date struct{ year, month, day int }

// String is the date as predicates hold it: YYYY-MM-DD, YYYY-MM or YYYY.
func (d date) String() string {
	digits := func(n int) byte { return byte('0' + n%10) }
	s := []byte{digits(d.year / 1000), digits(d.year / 100), digits(d.year / 10), digits(d.year),
		'-', digits(d.month / 10), digits(d.month), '-', digits(d.day / 10), digits(d.day)}
	switch {
	case d.month == 0:
		s = s[:len("2026")]
	case d.day == 0:
		s = s[:len("2026-05")]
	}
	return string(s)
}

// first and last are the bounds of the period that the date stands for.
func (d date) first() time.Time {
	return time.Date(d.year, time.Month(max(d.month, 1)), max(d.day, 1), 0, 0, 0, 0, time.UTC)
}

func (d date) last() time.Time {
	switch {
	case d.month == 0:
		return time.Date(d.year, 12, 31, 0, 0, 0, 0, time.UTC)
	case d.day == 0:
		return time.Date(d.year, time.Month(d.month)+1, 0, 0, 0, 0, 0, time.UTC)
	}
	return d.first()
}

func (d date) valid() bool {
	if d.year != 0 && (d.year < 1950 || d.year > 2060) || d.month > 12 || d.month == 0 && d.day != 0 {
		return false
	}
	if d.day == 0 {
		return true
	}
	year := d.year
	if year == 0 {
		year = 2024 // a leap year: 29 February may be meant
	}
	return d.day <= time.Date(year, time.Month(d.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

var monthNames = map[string]int{
	"january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8,
	"september": 9, "october": 10, "november": 11, "december": 12,
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	"janvier": 1, "février": 2, "fevrier": 2, "mars": 3, "avril": 4, "mai": 5, "juin": 6, "juillet": 7,
	"août": 8, "aout": 8, "septembre": 9, "octobre": 10, "novembre": 11, "décembre": 12, "decembre": 12,
	"janv": 1, "févr": 2, "fev": 2, "avr": 4, "juil": 7, "déc": 12,
}

// cursor reads a lower-cased text byte by byte: dates cross the tokens' bounds
// in too many ways ("26jan2029", "11/4/22-4/24/23", "oct. 12 26").
type cursor struct {
	s     string
	pos   int
	order dateOrder // of 03/04/2026
	// unsure says that a date was met that can't be told from another one.
	unsure bool
}

func (c *cursor) peek() byte {
	if c.pos < len(c.s) {
		return c.s[c.pos]
	}
	return 0
}

func (c *cursor) blanks() bool {
	start := c.pos
	for c.pos < len(c.s) {
		class, size := classify(c.s, c.pos)
		if class != classSpace {
			break
		}
		c.pos += size
	}
	return c.pos > start
}

// number reads up to max digits that no further digit follows.
func (c *cursor) number(max int) (n, digits int) {
	start := c.pos
	for c.pos < len(c.s) && c.s[c.pos] >= '0' && c.s[c.pos] <= '9' {
		if c.pos-start == max {
			c.pos = start
			return 0, 0
		}
		n = n*10 + int(c.s[c.pos]-'0')
		c.pos++
	}
	return n, c.pos - start
}

func (c *cursor) letters() string {
	start := c.pos
	for c.pos < len(c.s) {
		class, size := classify(c.s, c.pos)
		if class != classLetter {
			break
		}
		c.pos += size
	}
	return c.s[start:c.pos]
}

// take moves behind one of the bytes if it is next.
func (c *cursor) take(bytes string) byte {
	b := c.peek()
	for i := range len(bytes) {
		if b != 0 && bytes[i] == b {
			c.pos++
			return b
		}
	}
	return 0
}

// date reads a date at the cursor and moves behind it; on failure the cursor
// stays. A lone year counts only with years true.
func (c *cursor) date(years bool) (date, bool) {
	start := c.pos
	d, ok := c.anyDate(years)
	if ok {
		class, _ := classify(c.s+" ", c.pos)
		// Flattening glues words behind a year ("April 2024Model"); anything else
		// that goes on is the head of something longer.
		glued := d.year > 0 && c.pos-start > 4 && c.pos >= 4 && onlyDigits(c.s[c.pos-4:c.pos])
		if class == classDigit || class == classLetter && isDigit(c.s[c.pos-1]) && !glued {
			ok = false
		}
	}
	if !ok || !d.valid() {
		c.pos = start
		return date{}, false
	}
	return d, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (c *cursor) anyDate(years bool) (date, bool) {
	if !isDigit(c.peek()) {
		return c.namedMonthFirst()
	}
	n, digits := c.number(8)
	switch digits {
	case 8:
		if d := (date{n / 10000, n / 100 % 100, n % 100}); d.year > 1970 && d.valid() {
			return d, true
		}
		return date{n % 10000, n / 1000000, n / 10000 % 100}, n/1000000 > 0
	case 6: // 202201, where a month of manufacture is announced
		d := date{year: n / 100, month: n % 100}
		if !years {
			return c.sixDigits(n)
		}
		return d, years && d.year >= 1990 && d.year <= 2045 && d.month >= 1 && d.valid()
	case 4:
		return c.yearFirst(n, years)
	case 1, 2:
		return c.smallNumberFirst(n)
	}
	return date{}, false
}
