package extract

import "strings"

// span is a stretch of a text in bytes.
type span struct{ start, end int }

// value is one condition read from a text: an operator and its bounds.
type value struct {
	form         form
	from, to     string
	exclusiveEnd bool // the one bound of an open range is itself outside
	at           span
	dates        [2]date // the bounds of a date value
}

type form uint8

const (
	isEqual form = iota
	isRange
	isPrefix
	isSuffix
)

// dateBounds are the words that make an open range of the date behind them.
var dateBounds = []struct {
	words     string
	upper     bool // the date is the end
	exclusive bool
}{
	{"up to and including", true, false}, {"on or before", true, false}, {"prior to and including", true, false},
	{"up to", true, false}, {"prior to", true, true}, {"before", true, true}, {"earlier than", true, true},
	{"no later than", true, false}, {"through", true, false}, {"thru", true, false}, {"until", true, false}, {"or before", true, false},
	{"avant le", true, true}, {"avant", true, true}, {"jusqu’au", true, false}, {"jusqu'au", true, false},
	{"on or after", false, false}, {"on and after", false, false}, {"after", false, true}, {"since", false, false}, {"later than", false, true},
	{"beginning on", false, false}, {"beginning in", false, false}, {"beginning", false, false}, {"starting in", false, false}, {"starting", false, false},
	{"après le", false, true}, {"après", false, true}, {"à partir du", false, false}, {"à partir de", false, false}, {"depuis", false, false},
}

// boundAhead opens the range of the first date where the words for it stand before
// the date's label: "all codes up to and including Sell By 29 September". The date
// itself stays inside, whatever the words: it was named.
func (t *text) boundAhead(m mention, values []value) {
	if len(values) == 0 || values[0].form != isEqual {
		return
	}
	ahead := strings.TrimRight(t.lower[:t.tokens[m.first].start], " \"“'‘:")
	ahead = strings.TrimSuffix(ahead, " the")
	for i := range dateBounds {
		if b := &dateBounds[i]; b.upper && strings.HasSuffix(ahead, " "+b.words) {
			values[0].form, values[0].from, values[0].dates[0] = isRange, "", date{}
			return
		}
	}
}

// rangeWords join the ends of a range.
var rangeWords = []string{"through and including", "up to and including", "and including", "through", "thru", "until", "to", "jusqu’au", "jusqu'au", "à", "au", "et le"}

// dates reads a list of dates and date ranges at the cursor: what was read, and
// whether something date-like stood there that could not be read to its end.
func (c *cursor) dates(years bool) (values []value, doubt bool) {
	for {
		start := c.pos
		v, ok := c.dateValue(years)
		if !ok {
			c.pos = start
			return values, doubt || len(values) > 0 && !c.amount()
		}
		switch read := v.from != "" || v.to != ""; {
		case read:
			values = append(values, v)
		case c.unsure:
			doubt = true // those behind it may be clear
		default:
			return values, true
		}
		mark := c.pos
		if listed := c.separators(); !c.startsDate() || !listed && !c.dateNext(years) {
			c.pos = mark
			return values, doubt
		}
	}
}

// startsDate tells whether what is next may be a date or one of its bounds.
func (c *cursor) startsDate() bool {
	if isDigit(c.peek()) {
		return true
	}
	probe := *c
	if _, ok := probe.month(); ok {
		return true
	}
	probe.fillers()
	if probe.bound() != nil || probe.word("between") || probe.word("from") {
		probe.fillers()
		_, ok := probe.date(true)
		return ok
	}
	return false
}

// separators moves behind what stands between two dates of a list.
func (c *cursor) separators() (listed bool) {
	for ; ; listed = true {
		c.blanks()
		if c.strayStop() {
			continue
		}
		if c.take(",;&/\"") == 0 && !c.sign("“", "”", "•") && !c.word("and") && !c.word("or") && !c.word("et") && !c.word("ou") {
			return listed
		}
	}
}

// strayStop moves behind a full stop in a list of dates in figures, where a comma
// was meant: "07/30/27. 07/31/27, 08/01/27".
func (c *cursor) strayStop() bool {
	probe := *c
	if probe.take(".") == 0 || !probe.blanks() || !isDigit(probe.peek()) {
		return false
	}
	start := probe.pos
	if _, ok := probe.date(false); !ok || strings.Count(c.s[start:probe.pos], "/") != 2 {
		return false
	}
	c.pos = start
	return true
}

// dateNext tells whether a whole date is next.
func (c *cursor) dateNext(years bool) bool {
	probe := *c
	_, ok := probe.dateValue(years)
	return ok
}

// amount tells whether a number that is no date is next: "12 oz", a code.
func (c *cursor) amount() bool {
	probe := *c
	for probe.pos < len(probe.s) && (isDigit(probe.peek()) || probe.peek() == '.' || probe.peek() == ',') {
		probe.pos++
	}
	if class, _ := classify(probe.s+" ", probe.pos); class == classLetter && probe.pos > c.pos {
		return true // a code: 1C1880723
	}
	probe.blanks()
	probe.take("-")
	return measures[probe.letters()]
}

// fillers moves behind words that may stand between a label and its date.
func (c *cursor) fillers() {
	for range 12 {
		c.blanks()
		if probe := *c; probe.bound() != nil {
			return // "on" of "on or after" is no filler
		}
		if c.take(":#.\"'(=*") == 0 && !c.sign("“", "‘", "n°") && !c.anyWord("date", "dates", "code", "codes", "of", "is", "are", "on", "in", "the", "following", "any", "a", "with", "le", "du", "en", "printed", "listed", "as", "all", "ranging", "range", "ranges", "dated", "s)", "either", "was", "were", "and/or", "within", "be", "that", "include", "includes", "end", "span", "spans", "spanning") {
			return
		}
	}
}

func (c *cursor) anyWord(words ...string) bool {
	for _, w := range words {
		if c.word(w) {
			return true
		}
	}
	return false
}

func (c *cursor) sign(signs ...string) bool {
	for _, s := range signs {
		if strings.HasPrefix(c.s[c.pos:], s) {
			c.pos += len(s)
			return true
		}
	}
	return false
}

// word moves behind a word (or several) if it is next and ends there.
func (c *cursor) word(w string) bool {
	if !strings.HasPrefix(c.s[c.pos:], w) {
		return false
	}
	if end := c.pos + len(w); end < len(c.s) {
		if class, _ := classify(c.s, end); class == classLetter || class == classDigit && !isDigit(w[len(w)-1]) && len(w) < 4 {
			return false
		}
	}
	c.pos += len(w)
	return true
}

// dateValue reads one date or one range. ok tells that a date stands here; a
// value without bounds, that it could not be read whole.
func (c *cursor) dateValue(years bool) (v value, ok bool) {
	c.unsure = false
	c.fillers()
	start := c.pos
	bound := c.bound()
	between := bound == nil && (c.word("between") || c.word("from") || c.word("du") || c.word("entre"))
	c.fillers()
	first, ok := c.date(years || between || bound != nil)
	if !ok {
		return value{}, false
	}
	if second, ok := c.laterDay(first); ok {
		return rangeOf(first, second, span{start, c.pos}), true
	}
	if second, closed := c.rangeEnd(years, between); closed {
		if c.unsure {
			return value{at: span{start, c.pos}}, true
		}
		return rangeOf(first, second, span{start, c.pos}), true
	}
	if c.opensRange(between) {
		return value{at: span{start, c.pos}}, true
	}
	at := span{start, c.pos}
	if first.year == 0 && first.month > 0 && first.day == 0 && bound == nil {
		first.year = c.borrowedYear()
	}
	if first.year == 0 || c.unsure {
		return value{at: at}, true
	}
	upper, exclusive := false, false
	switch {
	case bound != nil:
		upper, exclusive = bound.upper, bound.exclusive
	case c.trailing("and before", "and earlier", "or before", "or earlier", "and prior", "or prior", "and all prior", "and all earlier", "and all previous", "et avant", "ou avant"):
		upper = true
	case c.trailing("and later", "and after", "or later", "or after", "and beyond", "onward", "onwards", "to present", "through present", "to the present", "through the present", "et après"):
	default:
		return value{form: isEqual, from: first.String(), to: first.String(), at: at, dates: [2]date{first, first}}, true
	}
	v = value{form: isRange, exclusiveEnd: exclusive, at: span{start, c.pos}}
	if upper {
		v.to, v.dates[1] = first.String(), first
	} else {
		v.from, v.dates[0] = first.String(), first
	}
	return v, true
}

// laterDay reads the second of two days of a month: "Jan. 10-13, 2027".
func (c *cursor) laterDay(first date) (date, bool) {
	start := c.pos
	c.blanks()
	if first.year == 0 && first.day > 0 && (c.take("-") != 0 || c.sign("–", "—")) {
		c.blanks()
		if day, digits := c.number(2); digits > 0 && c.yearNext() {
			c.take(",")
			c.blanks()
			year, _ := c.number(4)
			return date{year, first.month, day}, true
		}
	}
	c.pos = start
	return date{}, false
}

func (c *cursor) bound() *struct {
	words     string
	upper     bool
	exclusive bool
} {
	for i := range dateBounds {
		if c.word(dateBounds[i].words) {
			return &dateBounds[i]
		}
	}
	return nil
}

// rangeEnd reads "through August 20, 2024" behind the first date.
func (c *cursor) rangeEnd(years, between bool) (date, bool) {
	start := c.pos
	c.brackets()
	c.take("\"),")
	c.sign("”")
	c.blanks()
	joined := c.sign("–", "—", "‑") || c.take("-~") != 0 || c.anyWord(rangeWords...)
	if !joined && between {
		joined = c.word("and") || c.word("et")
	}
	if joined {
		c.fillers()
		c.anyWord("thru", "through") // twice by mistake
		c.anyWord("sell by", "sell-by", "best by", "use by", "exp")
		c.fillers()
		if d, ok := c.date(years || between); ok {
			return d, true
		}
	}
	c.pos = start
	return date{}, false
}

// opensRange tells whether a word for a range follows although its end could
// not be read: the date before it must not stand alone.
func (c *cursor) opensRange(between bool) bool {
	probe := *c
	probe.brackets()
	probe.take("\",")
	probe.blanks()
	if probe.anyWord("to present", "through present", "to the present", "through the present") {
		return false
	}
	if probe.anyWord("through", "thru", "until") || between && probe.anyWord("and", "et") {
		return true
	}
	if probe.take("-") == 0 && !probe.sign("–", "—") && !probe.anyWord("to") {
		return false
	}
	probe.blanks()
	if isDigit(probe.peek()) {
		return !probe.amount()
	}
	_, month := probe.month()
	return month
}

// brackets moves behind a remark such as "(December 2024)".
func (c *cursor) brackets() {
	start := c.pos
	c.blanks()
	if c.take("(") != 0 {
		if end := strings.IndexByte(c.s[c.pos:min(len(c.s), c.pos+30)], ')'); end >= 0 {
			c.pos += end + 1
			return
		}
	}
	c.pos = start
}

// trailing reads words behind a date that open its range.
func (c *cursor) trailing(phrases ...string) bool {
	start := c.pos
	c.brackets()
	c.take("\"”),")
	c.blanks()
	for _, p := range phrases {
		if c.word(p) {
			return true
		}
	}
	c.pos = start
	return false
}

// rangeOf makes a range; a missing year of its start is that of its end. A
// range that ends before it starts is left without bounds: it was misread.
func rangeOf(first, second date, at span) value {
	if first.year == 0 {
		first.year = second.year
	}
	if first.year == 0 || second.year == 0 || !first.valid() || first.first().After(second.last()) {
		return value{at: at}
	}
	return value{form: isRange, from: first.String(), to: second.String(), at: at, dates: [2]date{first, second}}
}
