package extract

// dateOrder is the order in which a text writes the day and the month of a date
// in numbers.
type dateOrder uint8

const (
	monthFirst dateOrder = iota
	dayFirst
	// bothOrders is that of a text whose dates prove either: those of its dates
	// that could be meant either way can't be read.
	bothOrders
)

// dateOrder is the order that is usual in the notice's language and country.
// English without a country is that of the United States; Canadians write
// either.
func (o Options) dateOrder() dateOrder {
	switch o.Language {
	case "", "en", "en-US":
		return monthFirst
	case "en-CA":
		return bothOrders
	}
	return dayFirst
}

// orderOfDates decides the order of a text's dates once for all of them: a
// number above twelve proves which one is the day, and its neighbours were
// written by the same hand. Where nothing proves it, the usual order stands.
func orderOfDates(lower string, usual dateOrder) dateOrder {
	days, months := false, false // are proved to come first
	for i := 0; i < len(lower); i++ {
		if !isDigit(lower[i]) {
			continue
		}
		c := cursor{s: lower, pos: i}
		if first, second, ok := c.numericDate(); ok {
			days = days || first > 12 && second <= 12
			months = months || second > 12 && first <= 12
		}
		for i = max(i, c.pos-1); i+1 < len(lower) && isDigit(lower[i+1]); i++ {
		}
	}
	switch {
	case days && months:
		return bothOrders
	case days:
		return dayFirst
	case months:
		return monthFirst
	}
	return usual
}

// numericDate reads a date whose parts are all numbers and returns the first
// two, of which one is the day. On failure the cursor stays.
func (c *cursor) numericDate() (first, second int, ok bool) {
	start := c.pos
	first, n := c.number(2)
	sep := c.take("/-. ")
	if n == 0 || sep == 0 {
		c.pos = start
		return 0, 0, false
	}
	second, n = c.number(2)
	if n == 0 || c.take(string(sep)) == 0 {
		c.pos = start
		return 0, 0, false
	}
	year, n := c.number(4)
	d := date{year: fullYear(year), month: min(first, second), day: max(first, second)}
	if n != 4 && (n != 2 || sep == ' ' || sep == '.') || d.month == 0 || !d.valid() {
		c.pos = start
		return 0, 0, false
	}
	return first, second, true
}
