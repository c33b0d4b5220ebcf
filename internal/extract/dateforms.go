package extract

import (
	"regexp"
	"strconv"
)

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
