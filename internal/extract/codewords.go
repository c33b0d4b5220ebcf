package extract

import "strings"

// isCode tells whether token i may be a code behind a label. more tells that
// codes were read before it in the same list, so that it must look like them.
func (t *text) isCode(i int, m mention, in leadIn, more bool) bool {
	tok := &t.tokens[i]
	if !tok.word || tok.end-tok.start > 40 {
		return false
	}
	if tok.digits == 0 {
		return t.isLetterCode(i, m, in, more) || m.strong && m.label.code() && !more && t.leadsNumber(i)
	}
	if m.label == labelModel && standards[tok.lower] || t.isPhone(i) || t.isAmount(i) || !m.label.date() && t.isTimeOrMonth(i) {
		return false
	}
	if i > 0 && isMoney(t.tokens[i-1].lower) {
		return false
	}
	if t.hasWord(tok) || m.label != labelModel && t.isGluedCell(i) {
		return false // the cell of a table glued to its neighbour
	}
	switch {
	case in.prefix || in.suffix:
		return true
	case tok.digits == 1 && tok.letters == 0, m.label == labelSerial && tok.letters == 0 && len(tok.lower) <= 2 && !more && !in.between:
		return false
	case tok.letters == 0 && tok.digits == 2 && tok.end-tok.start == 2:
		return !more || t.tokens[i].gap != blank || t.tokens[i-1].lower == ","
	}
	return !isOrdinal(tok.lower) && !t.proseNumber(i)
}

// hasWord tells whether small letters make a word in a code: "LumoG71C0009".
func (t *text) hasWord(tok *token) bool {
	const word = 4
	run := 0
	for i := tok.start; i < tok.end; i++ {
		if c := t.source[i]; c < 'a' || c > 'z' || c == 'x' {
			run = 0
		} else if run++; run == word {
			return true
		}
	}
	return false
}

// isGluedCell tells whether a word that is no label and no column's head is
// glued to the front of token i.
func (t *text) isGluedCell(i int) bool {
	if i == 0 || t.tokens[i].gap != adjacent || !t.tokens[i-1].word || !t.tokens[i-1].lowercase || t.tokens[i-1].digits > 0 || headerWords[t.tokens[i-1].lower] {
		return false
	}
	l, _ := labels.at(t, i-1)
	return l == noLabel
}

func isMoney(s string) bool { return s == "$" || s == "€" || s == "£" || s == "us$" }

// isLetterCode admits codes without digits: in quotation marks, as prefixes
// and suffixes, or after a label with a sign, and in capitals only.
func (t *text) isLetterCode(i int, m mention, in leadIn, more bool) bool {
	tok := &t.tokens[i]
	if tok.letters > 10 || proseCapitals[tok.lower] || !tok.capital {
		return false
	}
	if tok.lowercase && !(in.prefix && strings.Contains(tok.lower, "-") && tok.letters > 2 && isUpperLetter(t.source[tok.start+1])) {
		return false
	}
	if l, _ := labels.at(t, i); l != noLabel {
		return false
	}
	if in.prefix || in.suffix {
		return true
	}
	if m.plural && m.strong && t.isLettersList(i) {
		return true
	}
	quoted := i > 0 && (t.tokens[i-1].lower == "“" || t.tokens[i-1].lower == "\"" || t.tokens[i-1].lower == "‘" || t.tokens[i-1].lower == "'")
	return tok.letters >= 2 && m.strong && quoted
}

// isLettersList tells whether token i stands in a list of codes of capitals
// alone, all of one length: "batch codes AAA, AAB and AAC".
func (t *text) isLettersList(i int) bool {
	const shortest, longest = 2, 5
	alike := func(k int) bool {
		return k >= 0 && k < len(t.tokens) && t.tokens[k].word && t.tokens[k].digits == 0 && !t.tokens[k].lowercase &&
			len(t.tokens[k].lower) == len(t.tokens[i].lower) && !proseCapitals[t.tokens[k].lower]
	}
	if n := len(t.tokens[i].lower); n < shortest || n > longest || !alike(i) {
		return false
	}
	return i+2 < len(t.tokens) && t.tokens[i+1].lower == "," && alike(i+2) ||
		i >= 2 && (t.tokens[i-1].lower == "," || t.tokens[i-1].lower == "and" || t.tokens[i-1].lower == "or") && (alike(i-2) || i >= 3 && t.tokens[i-2].lower == "," && alike(i-3))
}

// proseCapitals are words that texts print in capitals and that are no codes.
var proseCapitals = wordSet(`a i no or and the of in on by to at is not us usa uk eu ca tm r nt wt oz lb lbs ct pk fl ml kg mm cm
best use sell exp lot upc sku bb new all any see llc inc co ltd made product brand size name color china keep net dist packed warning
jan feb mar apr may jun jul aug sep oct nov dec with from for only code date number none na n/a tbd gmt est pm am
black white blue red green pink grey gray`)

// standards are codes that notices print and that identify no product.
var standards = wordSet(`cr2032 cr2025 cr2016 cr1632 cr2450 cr1220 cr1616 cr1620 cr123a lr44 lr41 lr43 lr1130 ag13 ag10 ag3 a23 aaa
en71 en71-1 en71-3 en-71 astm-f963 f963 f963-17 f963-23 f2057 f2057-23 f404 f406 f833 f1169 f1821 f2194 f2670 f3118 cpsia ul94 iso9001
h.r 1-800 24/7 1/2 1/4 3/4 5/8 3/8 1/8 covid-19 b12 b6 d3 k2 omega-3 usb-c 4k 5g 2.4ghz mp3 r134a r32 r290 18650 21700
16cfr ce9001 ip67 ip65 ip68 uv-c co2 h2o 3d 2d 4x4 8x10`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// measures are units that make the number before them an amount.
var measures = wordSet(`inch inches in. ounce ounces oz lb lbs pound pounds foot feet ft mm cm meter meters metre metres volt volts v watt watts w amp amps
gallon gallons quart quarts qt pint pints liter liters litre litres l ml g gram grams kg kilograms percent % degrees degree ° years year months month weeks
days day hours hour minutes seconds count ct pack packs piece pieces pcs units unit consumers reports incidents injuries fires cases bags boxes jars cans
bottles pouches capsules tablets servings stores people children times different colors sizes styles models versions mph hp btu ghz mhz mah ah wh hertz hz
fluid fl cups cup cubic square x × mg mcg packages containers retail million thousand dozen sets set pairs pair ans mois inch-long calories sticks bars rolls
cartons lids trays ranges digits digit characters letters lots`)

// isAmount tells whether token i is a number of something: "12 inches".
func (t *text) isAmount(i int) bool {
	tok := &t.tokens[i]
	if tok.letters > 0 {
		at := strings.IndexFunc(tok.lower, func(r rune) bool { return r >= 'a' && r <= 'z' })
		if at > 0 && strings.Trim(tok.lower[:at], "0123456789.-/") == "" {
			if tok.lower[at-1] == '-' && !tok.capital && tok.letters > 3 && t.source[tok.start+at] == tok.lower[at] {
				return true // 2-panel, 12-ounce
			}
			return measures[tok.lower[at:]] && tok.lowercase || amountSuffixes[tok.lower[at:]]
		}
		return false
	}
	if i+1 >= len(t.tokens) {
		return false
	}
	next := t.tokens[i+1].lower
	if next == "x" || next == "×" || next == "%" || next == "°" {
		return true
	}
	if next == "\"" && t.tokens[i+1].gap == adjacent && i > 0 && t.tokens[i-1].lower != "\"" && tok.digits <= 2 {
		return true
	}
	if next == "," && i+2 < len(t.tokens) && tok.digits <= 3 && t.tokens[i+1].gap == adjacent && t.tokens[i+2].gap == adjacent && t.tokens[i+2].digits == 3 && i+3 < len(t.tokens) && measures[t.tokens[i+3].lower] {
		return true
	}
	return tok.digits <= 5 && measures[next] && t.tokens[i+1].lowercase
}

var amountSuffixes = wordSet(`-inch -inches -ounce -oz -pack -piece -pound -foot -volt -watt -count -gallon -quart -cup -in-1 -year -year-old -month -day -digit -speed -liter -hour -ct -lb -ft -pc -mm -cm -fluid-ounce -person -drawer`)

// isPhone tells whether token i is a telephone number: 800-555-0123.
func (t *text) isPhone(i int) bool {
	s := strings.TrimPrefix(t.tokens[i].lower, "1-")
	if len(s) == 12 && s[3] == s[7] && (s[3] == '-' || s[3] == '.') && onlyDigits(s[:3]) && onlyDigits(s[4:7]) && onlyDigits(s[8:]) {
		return true
	}
	if len(s) == 8 && s[3] == '-' && onlyDigits(s[:3]) && onlyDigits(s[4:]) && i > 0 { // (800) 555-0123
		return t.tokens[i-1].lower == ")" || t.tokens[i-1].digits == 3
	}
	return false
}

// isTimeOrMonth tells whether token i is a day or a year of a written-out date.
func (t *text) isTimeOrMonth(i int) bool {
	tok := &t.tokens[i]
	if tok.letters > 0 || tok.digits > 4 {
		return false
	}
	isMonth := func(k int) bool {
		return k >= 0 && k < len(t.tokens) && monthNames[t.tokens[k].lower] > 0 && (t.tokens[k].capital || t.tokens[k].lower != "may" && t.tokens[k].lower != "mar")
	}
	if tok.digits <= 2 && (isMonth(i-1) || isMonth(i+1)) {
		return true
	}
	return tok.digits == 4 && (isMonth(i-1) || i >= 2 && t.tokens[i-1].lower == "," && t.tokens[i-2].digits <= 2 && isMonth(i-3))
}

func isOrdinal(s string) bool {
	return len(s) <= 4 && (strings.HasSuffix(s, "st") || strings.HasSuffix(s, "nd") || strings.HasSuffix(s, "rd") || strings.HasSuffix(s, "th")) && isDigit(s[0])
}

// proseNumber tells whether token i is a number that prose goes on with: "2
// in the United States", or a word with a number in it such as www2 or 3-in-1.
func (t *text) proseNumber(i int) bool {
	s := t.tokens[i].lower
	return strings.HasPrefix(s, "www") || strings.Contains(s, ".com") || strings.Contains(s, "-in-") || strings.HasSuffix(s, "%")
}

// joinedParts handles codes that a text prints in parts between blanks ("10662
// 5112 11"): short parts of different lengths that follow one another without a
// comma are one code. Longer ones are codes of their own.
func (t *text) joinedParts(v *value, i int, next *int, m mention) []value {
	if v.form != isEqual || m.label == labelModel {
		return []value{*v}
	}
	first := t.skipQuotes(i)
	last := first
	for last+1 < len(t.tokens) && t.tokens[last+1].gap == blank && t.tokens[last+1].word && t.tokens[last+1].digits > 0 &&
		last-first < 4 && t.isCode(last+1, m, leadIn{prefix: true}, true) && t.noRangeAt(last+2) && !t.isListNumber(last+1) {
		last++
	}
	if last == first || last+1 != t.skipQuotes(last+1) && last == first {
		return []value{*v}
	}
	same, short := true, false
	for k := first; k <= last; k++ {
		size := len(t.tokens[k].lower)
		same = same && size == len(t.tokens[first].lower) && size >= 4
		short = short || size <= 2
	}
	if same || last-first > 3 {
		return []value{*v}
	}
	whole := span{t.tokens[first].start, t.tokens[last].end}
	if whole.end-whole.start > 30 {
		return []value{*v}
	}
	code := t.source[whole.start:whole.end]
	*next = t.skipQuotes(last + 1)
	joined := []value{{form: isEqual, from: code, to: code, at: whole}}
	for k := first; k <= last && !short; k++ { // they may be codes of their own as well
		joined = append(joined, value{form: isEqual, from: t.code(k), to: t.code(k), at: span{t.tokens[k].start, t.tokens[k].end}})
	}
	return joined
}

// isListNumber tells whether token i numbers the next item: "Lot 0885 2. Lot 0886".
func (t *text) isListNumber(i int) bool {
	return t.tokens[i].digits <= 2 && i+1 < len(t.tokens) && (t.tokens[i+1].lower == "." || t.tokens[i+1].lower == ")" || t.tokens[i+1].lower == ":")
}

// noRangeAt tells that no range word stands at token i, which would make
// the token before it an end of its own.
func (t *text) noRangeAt(i int) bool {
	if i >= len(t.tokens) {
		return true
	}
	switch t.tokens[i].lower {
	case "to", "through", "thru", "until", "–", "—":
		return false
	}
	return true
}
