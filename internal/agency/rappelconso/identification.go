package rappelconso

import (
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// identificationField is the field that quotes name. Its cleaned text is that
// of the string formats; an array's elements stand between $.
const identificationField = "identification_produits"

// span is a piece of a field's cleaned text.
type span struct {
	text       string
	start, end int
}

func (s span) quote() recall.Quote {
	return recall.Quote{Text: s.text, Field: identificationField, Start: s.start, End: s.end}
}

// trimmed drops what the cut set holds from both ends.
func (s span) trimmed(cut string) span {
	left := strings.TrimLeft(s.text, cut)
	s.start += len(s.text) - len(left)
	s.text = strings.TrimRight(left, cut)
	s.end = s.start + len(s.text)
	return s
}

// sub returns the piece from byte i up to byte j.
func (s span) sub(i, j int) span {
	return span{text: s.text[i:j], start: s.start + i, end: s.start + j}
}

// split cuts at a separator.
func (s span) split(separator string) []span {
	var pieces []span
	for from := 0; ; {
		i := strings.Index(s.text[from:], separator)
		if i < 0 {
			return append(pieces, s.sub(from, len(s.text)))
		}
		pieces = append(pieces, s.sub(from, from+i))
		from += i + len(separator)
	}
}

// marking is one group of identification_produits: a barcode, a lot, a date,
// each of which may be missing.
type marking struct {
	codes []span // valid barcodes; empty: none that names a product everywhere
	shop  []span // codes in the barcode's place that are none, or a shop's own
	lot   span   // prose; empty text: none
	dates datePair
	// loose says that the group doesn't follow the grammar, so that what was
	// taken for its lot may be anything.
	loose bool
}

// datePair is a printed date, or a window of dates.
type datePair struct {
	kind     recall.UnitKind // empty: no date that could be understood
	from, to string          // YYYY-MM-DD
	quote    span
}

// dateKinds leads from RappelConso's kinds of date to ours: "date limite de
// consommation" is a use-by date, the other two are best-before dates
// (Regulation (EU) 1169/2011, annex X). The fourth says that there is none.
var dateKinds = []struct {
	words string
	kind  recall.UnitKind
}{
	{"date limite de consommation", recall.Expiry},
	{"date de durabilité minimale", recall.BestBefore},
	{"date de consommation recommandée", recall.BestBefore},
	{"non concerné", ""},
}

func dateKind(token string) (recall.UnitKind, bool) {
	for _, k := range dateKinds {
		if strings.EqualFold(token, k.words) {
			return k.kind, true
		}
	}
	return "", false
}

// readMarkings reads the grammar GTIN$lot$kind of date$from$to, groups between
// |. The array format drops empty tokens, so that a token's place counts only
// relative to the kind of date, which every group has.
func readMarkings(field string) []marking {
	var markings []marking
	for _, group := range (span{field, 0, len(field)}).split("|") {
		var tokens []span
		for _, token := range group.split("$") {
			tokens = append(tokens, token.trimmed(" \n"))
		}
		if m, ok := readMarking(tokens); ok {
			markings = append(markings, m)
		}
	}
	return markings
}

func readMarking(tokens []span) (m marking, ok bool) {
	kindAt := -1
	for i, t := range tokens {
		if _, is := dateKind(t.text); is {
			kindAt = i
		}
	}
	before := tokens
	if kindAt >= 0 {
		before = tokens[:kindAt]
		m.dates = readDates(tokens[kindAt:])
	} else {
		m.loose = len(tokens) < 5 // a full group may leave the kind of date empty
	}
	if len(before) > 0 && (len(before) > 1 && !m.loose || readsAsCode(before[0].text)) {
		m.takeCode(before[0])
		before = before[1:]
	}
	m.lot = joined(before)
	filled := m.lot.text != "" || len(m.codes) > 0 || len(m.shop) > 0 || m.dates.kind != ""
	return m, filled
}

// joined returns the span from the first token with text to the last one.
func joined(tokens []span) span {
	var whole span
	for _, t := range tokens {
		switch {
		case t.text == "":
		case whole.text == "":
			whole = t
		default:
			whole.text += strings.Repeat("$", t.start-whole.end) + t.text // what stood between them were the marks
			whole.end = t.end
		}
	}
	return whole
}

// readsAsCode tells whether the only token before a date is a barcode rather
// than a lot. Lots of eight digits pass an EAN-8's check in one of ten cases;
// those that start with 0 or 1, where hardly any EAN-8 was ever given out
// (GS1 General Specifications, 1.4.4), are lots.
func readsAsCode(token string) bool {
	code := closed(token)
	switch len(code) {
	case 8:
		return code[0] != '0' && code[0] != '1' && gtin.Valid(code)
	case 12, 13, 14:
		return gtin.Valid(code)
	}
	return false
}

// closed returns a code without the blanks, dashes and full stops that it may
// be printed with, or "" when it holds anything but digits.
func closed(token string) string {
	code := strings.NewReplacer(" ", "", "-", "", ".", "").Replace(token)
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return ""
		}
	}
	return code
}

// takeCode reads what stands in the barcode's place: one barcode, or several
// where only one belongs, or a code that is none.
func (m *marking) takeCode(token span) {
	if strings.Trim(token.text, "0 ") == "" {
		return // a row of zeros stands for "none"
	}
	if usable(closed(token.text)) {
		m.codes = append(m.codes, token)
		return
	}
	start := -1
	var pieces []span
	for i := 0; i <= len(token.text); i++ {
		inside := i < len(token.text) && !strings.ContainsRune(" ,;/\n", rune(token.text[i]))
		if inside && start < 0 {
			start = i
		} else if !inside && start >= 0 {
			pieces = append(pieces, token.sub(start, i))
			start = -1
		}
	}
	for _, p := range pieces {
		if !usable(closed(p.text)) {
			m.shop = append(m.shop, token)
			return
		}
	}
	m.codes = append(m.codes, pieces...)
}

// usable reports whether a code names one product everywhere: a GTIN that is
// neither a shop's own nor a coupon.
func usable(code string) bool {
	if len(code) != 8 && len(code) != 12 && len(code) != 13 && len(code) != 14 || !gtin.Valid(code) {
		return false
	}
	padded := gtin.Pad14(code)
	return !gtin.Restricted(padded) && !gtin.Coupon(padded) && strings.Trim(padded, "0") != ""
}

// readDates reads a kind of date and the one or two dates behind it.
func readDates(tokens []span) datePair {
	var found []span
	for _, t := range tokens[1:] {
		if isISODate(t.text) {
			found = append(found, t)
		}
	}
	if len(found) == 0 {
		return datePair{}
	}
	kind, _ := dateKind(tokens[0].text)
	if kind == "" {
		kind = recall.BestBefore // a date that is said to be of no kind: which one can't be told
		return datePair{kind: kind, quote: joined(append([]span{tokens[0]}, found...))}
	}
	first, last := found[0].text, found[len(found)-1].text
	return datePair{kind: kind, from: min(first, last), to: max(first, last), quote: joined(append([]span{tokens[0]}, found...))}
}

func isISODate(s string) bool {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return false
	}
	for i := range len(s) {
		if i != 4 && i != 7 && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s[5:7] >= "01" && s[5:7] <= "12" && s[8:] >= "01" && s[8:] <= "31"
}

// predicate returns what the dates demand of a unit.
func (d datePair) predicate(group int) recall.Predicate {
	switch {
	case d.from == "":
		return recall.Unreadable(group, d.kind, d.quote.quote())
	case d.from == d.to:
		return recall.Equals(group, d.kind, d.from, d.quote.quote())
	}
	return recall.Range(group, d.kind, d.from, d.to, d.quote.quote())
}
