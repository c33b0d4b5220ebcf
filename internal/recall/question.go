package recall

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/gtin"
)

// Question is a Unit that was read: codes parsed, dates understood, words split.
type Question struct {
	// Unit is the question as it was read: GTIN with 14 digits, dates in their
	// normal form, what a scan held moved to its field.
	Unit     Unit
	GTINs    []string // one, or both readings of an ambiguous code
	Flags    []string
	Rewrites []Rewrite

	brand, name  []string // Words; a model without a digit stands in for the name where none was given
	brandTokens  []string // Tokens of the brand, and of the name
	nameTokens   []string
	model        string // ModelKey
	codes        []givenCode
	made, bought Period
	bestBefore   Period
	expiry       Period
}

// givenCode is one code as it was given under lot, batch, serial or date_code.
type givenCode struct {
	field string // the request's field
	kind  UnitKind
	key   string // codeKey
}

// BadUnit says what about a unit cannot be used.
type BadUnit struct {
	Field       string // of the request; empty: the whole
	Code        string // check_digit, length, characters, no_gtin, date, country, too_long, empty
	Message     string
	Suggestions []string
	Value       string
}

func (e *BadUnit) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// MaxFieldBytes bounds each field of a Unit but gtin and scan, which may hold a
// whole GS1 Digital Link and are bounded by package gtin.
const MaxFieldBytes = 512

// Read reads a unit as somebody typed it. The error is always a *BadUnit: a
// field that holds something that cannot be used is refused, never dropped,
// because a code that was quietly ignored could turn the answer around.
func Read(u Unit) (Question, error) {
	for _, f := range u.fields() {
		if err := checkText(f.name, *f.value); err != nil {
			return Question{}, err
		}
		*f.value = strings.TrimSpace(*f.value)
	}
	if u == (Unit{}) {
		return Question{}, &BadUnit{Code: "empty", Message: "nothing was given; give a barcode, or a brand with a product name or model"}
	}
	q := Question{Flags: []string{}, Rewrites: []Rewrite{}}
	if err := q.readCodes(&u); err != nil {
		return Question{}, err
	}
	if err := q.readDates(&u); err != nil {
		return Question{}, err
	}
	if u.Country != "" {
		country := strings.ToUpper(u.Country)
		if len(country) != 2 || country[0] < 'A' || country[0] > 'Z' || country[1] < 'A' || country[1] > 'Z' {
			return Question{}, &BadUnit{Field: "country", Code: "country", Value: u.Country,
				Message: "is no ISO 3166-1 alpha-2 code; give two letters such as US or FR"}
		}
		u.Country = country
	}
	q.Unit = u
	q.readWords()
	return q, nil
}

type unitField struct {
	name  string
	value *string
}

func (u *Unit) fields() []unitField {
	return []unitField{
		{"gtin", &u.GTIN}, {"scan", &u.Scan}, {"brand", &u.Brand}, {"name", &u.Name}, {"model", &u.Model},
		{"lot", &u.Lot}, {"batch", &u.Batch}, {"serial", &u.Serial}, {"date_code", &u.DateCode},
		{"made_on", &u.MadeOn}, {"bought_on", &u.BoughtOn}, {"best_before", &u.BestBefore}, {"expiry", &u.Expiry},
		{"country", &u.Country},
	}
}

func checkText(field, value string) error {
	if field == "gtin" || field == "scan" {
		return nil
	}
	if len(value) > MaxFieldBytes {
		return &BadUnit{Field: field, Code: "too_long", Value: value[:utf8Cut(value, 100)],
			Message: fmt.Sprintf("has %d bytes; at most %d are read", len(value), MaxFieldBytes)}
	}
	if !utf8.ValidString(value) {
		return &BadUnit{Field: field, Code: "characters", Message: "is not valid UTF-8; send the text as UTF-8"}
	}
	for _, r := range value {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return &BadUnit{Field: field, Code: "characters", Message: "holds control characters; send plain text"}
		}
	}
	return nil
}

// utf8Cut returns the greatest length up to n at which s can be cut.
func utf8Cut(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// readCodes parses the barcode and the scan and moves what a scan holds (lot,
// serial, dates) to the fields that were not given on their own.
func (q *Question) readCodes(u *Unit) error {
	scans := []unitField{{"gtin", &u.GTIN}, {"scan", &u.Scan}}
	for _, f := range scans {
		if *f.value == "" {
			continue
		}
		reading, err := gtin.Parse(*f.value)
		if err != nil {
			return badCode(f.name, *f.value, err)
		}
		if err := q.takeReading(u, f.name, reading); err != nil {
			return err
		}
	}
	u.Scan = ""
	if len(q.GTINs) > 0 {
		u.GTIN = q.GTINs[0]
	}
	return nil
}

func badCode(field, value string, err error) error {
	bad := &BadUnit{Field: field, Code: "characters", Message: err.Error(), Value: strings.ToValidUTF8(value[:utf8Cut(value, 100)], "�")}
	if e, ok := err.(*gtin.Error); ok {
		bad.Code, bad.Message, bad.Suggestions = string(e.Code), e.Message, e.Suggestions
	}
	return bad
}

func (q *Question) takeReading(u *Unit, field string, r gtin.Reading) error {
	if len(q.GTINs) > 0 && len(r.GTINs) > 0 && q.GTINs[0] != r.GTINs[0] {
		return &BadUnit{Field: field, Code: "contradiction", Value: r.GTINs[0],
			Message: fmt.Sprintf("is GTIN %s, but gtin is %s; give one of them", r.GTINs[0], q.GTINs[0])}
	}
	q.GTINs = r.GTINs
	for _, flag := range r.Flags {
		q.Flags = append(q.Flags, string(flag))
	}
	for _, w := range r.Rewrites {
		q.Rewrites = append(q.Rewrites, Rewrite(w))
	}
	for _, move := range []struct {
		from string
		to   *string
	}{{r.Lot, &u.Lot}, {r.Serial, &u.Serial}, {r.BestBefore, &u.BestBefore}, {r.Expiry, &u.Expiry}, {r.MadeOn, &u.MadeOn}} {
		if move.from != "" && *move.to == "" {
			*move.to = move.from
		}
	}
	return nil
}

func (q *Question) readDates(u *Unit) error {
	for _, d := range []struct {
		field string
		value *string
		to    *Period
	}{
		{"made_on", &u.MadeOn, &q.made}, {"bought_on", &u.BoughtOn, &q.bought},
		{"best_before", &u.BestBefore, &q.bestBefore}, {"expiry", &u.Expiry, &q.expiry},
	} {
		if *d.value == "" {
			continue
		}
		period, err := ParsePeriod(*d.value)
		if err != nil {
			return &BadUnit{Field: d.field, Code: "date", Message: err.Error(), Value: (*d.value)[:utf8Cut(*d.value, 100)]}
		}
		*d.to = period
	}
	return nil
}

func (q *Question) readWords() {
	u := &q.Unit
	if !placeholderBrand(u.Brand) {
		q.brand, q.brandTokens = Words(u.Brand), Tokens(u.Brand)
	}
	if !placeholderBrand(u.Name) {
		q.name, q.nameTokens = Words(u.Name), Tokens(u.Name)
	}
	if q.model = ModelKey(stripModelLabel(u.Model)); deniedModel(q.model) || placeholderBrand(u.Model) {
		q.model = ""
	}
	if q.modelIsName() && len(q.name) == 0 {
		q.name = Words(u.Model)
	}
	for _, c := range []struct {
		field, value string
		kind         UnitKind
	}{{"lot", u.Lot, Lot}, {"batch", u.Batch, Lot}, {"serial", u.Serial, Serial}, {"date_code", u.DateCode, DateCode}} {
		if key := codeKey(c.value); key != "" {
			q.codes = append(q.codes, givenCode{c.field, c.kind, key})
		}
	}
}

func placeholderBrand(brand string) bool {
	switch strings.ToLower(strings.Trim(brand, " .-/?")) {
	case "", "unknown", "none", "no brand", "no name", "unbranded", "generic", "n/a", "na", "sans marque", "aucune", "inconnu", "inconnue", "nincs", "ohne marke", "unbekannt", "various", "other":
		return true
	}
	return false
}

// Words returns the words by which candidates are looked up: those of brand,
// name and model.
func (q *Question) Words() []string {
	words := append(append([]string(nil), q.brand...), q.name...)
	return append(words, Words(q.Unit.Model)...)
}

// modelIsName reports that what was given as the model is the name of a line
// ("SnugRide"), not a number: people write either.
func (q *Question) modelIsName() bool { return q.model != "" && !hasDigit(q.model) }

// ModelKeys returns the keys under which candidates' models are looked up: the
// model that was given, and every piece of the name that could be one.
func (q *Question) ModelKeys() []string {
	var keys []string
	if q.model != "" {
		keys = append(keys, q.model)
	}
	tokens := strings.Fields(q.Unit.Name)
	for i, t := range tokens {
		if key := ModelKey(t); SpecificModel(key) {
			keys = append(keys, key)
		}
		if i+1 < len(tokens) {
			if key := ModelKey(t + tokens[i+1]); SpecificModel(key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// CanName reports whether anything given can name a product: a barcode, a
// model, or a name with a word that is not common. A brand alone names none.
func (q *Question) CanName() bool {
	if len(q.GTINs) > 0 || q.model != "" {
		return true
	}
	if len(q.name) == 0 {
		return false
	}
	if len(q.brand) > 0 {
		return anyMeaning(q.name)
	}
	return NamesProduct(q.Unit.Name)
}

func anyMeaning(words []string) bool {
	for _, w := range words {
		if !Filler(w) {
			return true
		}
	}
	return false
}
