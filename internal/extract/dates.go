package extract

import (
	"regexp"
	"strconv"
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

// borrowedYear is the year that a month shares with those behind it in a list:
// "July and August 2022". 0: there is none.
func (c *cursor) borrowedYear() int {
	probe := *c
	for range 12 {
		if !probe.separators() {
			return 0
		}
		if _, ok := probe.month(); !ok {
			return 0
		}
		probe.take(".")
		mark := probe
		probe.blanks()
		probe.take(",")
		probe.word("of")
		probe.blanks()
		if year, digits := probe.number(4); digits == 4 && year >= 1950 && year <= 2060 {
			return year
		}
		probe = mark
	}
	return 0
}

// yearFirst reads what follows a number of four digits: 2026-05-08, 2024/4/21,
// 2026-05, 2026 May, or nothing.
func (c *cursor) yearFirst(year int, years bool) (date, bool) {
	if year < 1950 || year > 2060 {
		return date{}, false
	}
	start := c.pos
	if sep := c.take("-/."); sep != 0 {
		if month, ok := c.month(); ok { // 2027-APR-18
			mark := c.pos
			if c.take(string(sep)) != 0 {
				if day, digits := c.number(2); digits > 0 {
					return date{year, month, day}, true
				}
				c.pos = mark
			}
			return date{year: year, month: month}, true
		}
		if month, digits := c.number(2); digits > 0 && month >= 1 && month <= 12 {
			mark := c.pos
			if c.take(string(sep)) != 0 {
				if day, digits := c.number(2); digits > 0 {
					return date{year, month, day}, true
				}
				c.pos = mark
			}
			return date{year: year, month: month}, digits == 2
		}
		c.pos = start
	}
	if c.take("-/.") == 0 || !isDigit(c.peek()) {
		c.pos = start
		return date{year: year}, years
	}
	return date{}, false
}

// smallNumberFirst reads what follows a number of one or two digits.
func (c *cursor) smallNumberFirst(n int) (date, bool) {
	start := c.pos
	if sep := c.take("/-."); sep != 0 {
		second, digits := c.number(4)
		if digits == 0 {
			if month, ok := c.month(); ok { // 30-apr-2026
				c.take("-/. ")
				year, ok := c.year()
				return date{year, month, n}, ok
			}
			return date{}, false
		}
		if digits <= 2 {
			mark := c.pos
			if c.take(string(sep)) != 0 {
				c.blanks()
				figures := isDigit(c.peek())
				if year, ok := c.year(); ok {
					return c.ordered(n, second, year)
				}
				if figures {
					return date{}, false // 8/22/205
				}
				c.pos = mark
			}
			if digits == 2 && sep != '.' && !c.measureNext() { // 05/24, but not 6/31 oz
				return date{year: fullYear(second), month: n}, n >= 1
			}
			return date{}, false
		}
		return date{year: second, month: n}, digits == 4 && n >= 1
	}
	switch c.letters() {
	case "", "st", "nd", "rd", "th", "er":
	default:
		c.pos = start
	}
	c.blanks()
	if month, ok := c.month(); ok {
		c.take(".")
		c.take("-")
		mark := c.pos
		c.blanks()
		c.take(",")
		c.blanks()
		year, ok := c.year()
		if !ok {
			c.pos = mark
		}
		return date{year, month, n}, true
	}
	if c.pos > start { // 10 22 2027, 03 26 27
		if day, digits := c.number(2); digits == 2 && c.blanks() {
			year, digits := c.number(4)
			if digits == 4 && year > 1950 || digits == 2 && year >= 15 && year <= 40 {
				return c.ordered(n, day, fullYear(year))
			}
		}
		c.pos = start
		if c.blanks(); n >= 1 && n <= 12 { // 07 2027
			if year, digits := c.number(4); digits == 4 && year >= 1990 && year <= 2060 {
				return date{year: year, month: n}, true
			}
		}
	}
	return date{}, false
}

// sixDigits reads 042326 as a date's figures, in the order in which they can be
// one: month, day, year as Americans print it, or year, month, day.
func (c *cursor) sixDigits(n int) (date, bool) {
	const earliest, latest = 2010, 2039 // of dates on packs
	plausible := func(d date) bool {
		return d.year >= earliest && d.year <= latest && d.month >= 1 && d.day >= 1 && d.valid()
	}
	a, b, e := n/10000, n/100%100, n%100
	d := date{fullYear(e), a, b}
	if c.order == dayFirst {
		d.month, d.day = b, a
	}
	yearFirst := date{fullYear(a), b, e}
	switch {
	case plausible(d):
		// A year in front of 13 and a month that it could be are told apart.
		c.unsure = c.unsure || a > 12 && plausible(yearFirst) && yearFirst != d
		return d, true
	case plausible(yearFirst):
		return yearFirst, true
	}
	return date{}, false
}

// measureNext tells whether a unit of measure is next.
func (c *cursor) measureNext() bool {
	probe := *c
	probe.blanks()
	return measures[probe.letters()]
}

// ordered decides which of two small numbers is the month.
func (c *cursor) ordered(a, b, year int) (date, bool) {
	month, day := a, b
	if c.order == dayFirst && b <= 12 || a > 12 {
		month, day = b, a
	}
	c.unsure = c.unsure || c.order == bothOrders && a <= 12 && b <= 12 && a != b
	return date{year, month, day}, month >= 1 && day >= 1
}

// namedMonthFirst reads "January 26, 2029", "jan2029", "oct. 12 26", "june".
func (c *cursor) namedMonthFirst() (date, bool) {
	month, ok := c.month()
	if !ok {
		return date{}, false
	}
	c.take(".")
	mark := c.pos
	c.blanks()
	c.take(",-/’'")
	c.word("of")
	c.blanks()
	n, digits := c.number(8)
	switch digits {
	case 4:
		return date{year: n, month: month}, true
	case 6: // jun102023
		return date{n % 10000, month, n / 10000}, true
	case 1, 2:
		return c.dayThenYear(month, n), true
	}
	c.pos = mark
	return date{month: month}, true
}

// dayThenYear reads the year behind a month and a day, if there is one.
func (c *cursor) dayThenYear(month, day int) date {
	start := c.pos
	switch c.letters() {
	case "", "st", "nd", "rd", "th":
	default:
		c.pos = start
	}
	mark := c.pos
	c.take(".")
	c.blanks()
	comma := c.take(",-/")
	c.blanks()
	yearStart := c.pos
	year, digits := c.number(4)
	if digits == 4 && year >= 1950 && year <= 2060 {
		return date{year, month, day}
	}
	if digits == 2 && comma == '-' && c.yearNext() {
		c.pos = mark
		return date{month: month, day: day} // Jan. 10-13, 2027: two days
	}
	if digits == 2 && comma != ',' && yearStart > mark && year >= 5 && year <= 49 {
		if b := c.peek(); b != '/' && b != '-' && b != '.' || c.pos+1 >= len(c.s) || !isDigit(c.s[c.pos+1]) {
			return date{2000 + year, month, day}
		}
	}
	if digits == 2 && comma == ',' && c.listsShortYears() {
		return date{2000 + year, month, day}
	}
	c.pos = mark
	return date{month: month, day: day}
}

// yearNext tells whether a comma and a year of four digits are next.
func (c *cursor) yearNext() bool {
	probe := *c
	if probe.take(",") == 0 {
		return false
	}
	probe.blanks()
	year, digits := probe.number(4)
	return digits == 4 && year >= 1950 && year <= 2060
}

// listsShortYears tells whether a text writes years as "Oct 02, 25": it has no
// year of four digits, and one number of two stands behind the comma of all its
// months and days, or two that follow one another.
func (c *cursor) listsShortYears() bool {
	if fourDigitYear.MatchString(c.s) {
		return false
	}
	least, most := 99, 0
	for _, m := range commaYear.FindAllStringSubmatch(c.s, -1) {
		n, _ := strconv.Atoi(m[1]) // two digits always parse
		least, most = min(least, n), max(most, n)
	}
	return least >= 13 && most <= 45 && most-least <= 1
}

var (
	fourDigitYear = regexp.MustCompile(`\b(?:19|20)\d\d\b`)
	commaYear     = regexp.MustCompile(`\b[a-z]{3,9}\.? \d{1,2}, ?(\d\d)\b`)
)

func (c *cursor) month() (int, bool) {
	start := c.pos
	word := c.letters()
	month, ok := monthNames[word]
	if !ok {
		c.pos = start
	}
	return month, ok
}

// year reads a year of two or four digits.
func (c *cursor) year() (int, bool) {
	n, digits := c.number(4)
	switch digits {
	case 4:
		return n, true
	case 2:
		return fullYear(n), true
	}
	return 0, false
}

// fullYear completes a year of two digits.
func fullYear(n int) int {
	if n > 99 {
		return n
	}
	if n < 60 {
		return 2000 + n
	}
	return 1900 + n
}
