package rappelconso

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// variant is what the notice says of one barcode: which units are covered.
type variant struct {
	gtins []recall.PrintedGTIN
	units []recall.Predicate
	// every says that one group names the product without naming units.
	every bool
	next  int             // number of the next group of predicates
	seen  map[string]bool // the groups that are in units: notices repeat them
}

// variants gathers groups by barcode, so that a lot of one barcode never
// applies to another. The groups without a barcode make up a variant of their own.
type variants struct {
	list   []*variant
	byCode map[string]*variant
	shop   []string // codes in a barcode's place that name no product everywhere
}

func (v *variants) of(code, printed, from string) *variant {
	if one, ok := v.byCode[code]; ok {
		return one
	}
	one := &variant{next: 1}
	if code != "" {
		one.gtins = []recall.PrintedGTIN{{GTIN: code, Printed: printed, From: from}}
	}
	if v.byCode == nil {
		v.byCode = map[string]*variant{}
	}
	v.byCode[code] = one
	v.list = append(v.list, one)
	return one
}

// take adds a group to the variants of its barcodes.
func (v *variants) take(m marking) {
	for _, s := range m.shop {
		v.shop = append(v.shop, s.text)
	}
	reading := readLot(m.lot)
	if len(m.codes) == 0 {
		v.of("", "", "").add(m, reading)
	}
	for _, code := range m.codes {
		v.of(gtin.Pad14(closed(code.text)), code.text, identificationField).add(m, reading)
	}
}

// add adds the alternatives that a group's lot and date make up.
func (v *variant) add(m marking, lot lotReading) {
	if !m.loose { // a window's kind is known in the prose on vehicles alone
		windows := len(lot.dates)
		lot.dates = slices.DeleteFunc(lot.dates, func(d datePair) bool { return d.kind == recall.Made })
		lot.unread = lot.unread || len(lot.dates) < windows
	}
	dates := m.printedDates(lot.dates)
	for _, d := range dates {
		v.addDated(m, lot, d)
	}
	if len(dates) > 0 {
		return
	}
	v.addDated(m, lot, datePair{})
	switch {
	case lot.unread:
	case lot.all:
		v.every = true
		v.alternative(recall.All(v.next, recall.Lot, m.lot.quote()), datePair{})
	case lot.none:
		v.every = true
	}
}

// printedDates are a group's own date and those in the lot's place, which mostly
// repeat it.
func (m *marking) printedDates(inLot []datePair) []datePair {
	var dates []datePair
	if m.dates.kind != "" {
		dates = append(dates, m.dates)
	}
	for _, d := range inLot {
		if !slices.ContainsFunc(dates, func(have datePair) bool { return have.kind == d.kind && have.from == d.from && have.to == d.to }) {
			dates = append(dates, d)
		}
	}
	return dates
}

// addDated adds the alternatives of a lot's place with a date, or without one.
func (v *variant) addDated(m marking, lot lotReading, dates datePair) {
	for _, value := range lot.values {
		v.alternative(recall.Equals(v.next, recall.Lot, value.text, m.quoteOf(value)), dates)
	}
	for _, prefix := range lot.prefixes {
		v.alternative(recall.Affix(v.next, recall.Lot, recall.OpPrefix, prefix.text, m.quoteOf(prefix)), dates)
	}
	for _, r := range lot.ranges {
		v.alternative(recall.Range(v.next, recall.Lot, r[0].text, r[1].text, m.lot.quote()), dates)
	}
	switch named := len(lot.values)+len(lot.prefixes)+len(lot.ranges) > 0; {
	case lot.unread:
		v.alternative(recall.Unreadable(v.next, recall.Lot, m.lot.quote()), dates)
	case dates.kind != "" && !named: // the date alone limits the notice
		v.alternative(recall.Predicate{}, dates)
	}
}

// quoteOf quotes a code as it is printed.
func (m *marking) quoteOf(code span) recall.Quote {
	code.text = m.lot.text[code.start-m.lot.start : code.end-m.lot.start]
	return code.quote()
}

// alternative adds a group of predicates: a code, or none where its operator is
// empty, and a date, or none.
func (v *variant) alternative(code recall.Predicate, dates datePair) {
	var group []recall.Predicate
	key := dates.from + "|" + dates.to + "|" + string(dates.kind) + "|" + string(code.Op) + "|"
	if code.Op != "" {
		group = append(group, code)
		for _, bound := range []*string{code.From, code.To} {
			if bound != nil {
				key += *bound + "|"
			}
		}
	}
	if dates.kind != "" {
		group = append(group, dates.predicate(v.next))
	}
	if code.Op == recall.OpUnreadable {
		key += code.Quote.Text
	}
	if v.seen[key] {
		return
	}
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	v.seen[key] = true
	v.units = append(v.units, group...)
	v.next++
}

// limits returns the variant's predicates. Where one group covers every unit
// and says so in no words, the other groups don't limit the notice.
func (v *variant) limits() []recall.Predicate {
	if !v.every {
		return v.units
	}
	var said []recall.Predicate
	for _, u := range v.units {
		if u.Op == recall.OpAll {
			said = append(said, u)
		}
	}
	return said[:min(len(said), 1)]
}

// products makes the notice's products out of its row.
func products(r row, v1 bool) ([]recall.Product, []string) {
	field := r["identification_produits"]
	var v variants
	if v1 {
		for _, m := range readProse(field) {
			v.take(m)
		}
	} else {
		v.takeMarkings(readMarkings(field), r)
	}
	v.takeColumn(r["gtin"])
	models := modelCodes(r["modeles_ou_references"], isFood(r))
	v.takeModels(r["modeles_ou_references"])
	if len(v.list) == 0 {
		v.of("", "", "")
	}
	name, brand := productName(r), brandOf(r)
	var list []recall.Product
	whole := -1 // the product of all barcodes whose every unit is covered
	for _, one := range v.list {
		if one.every && len(one.gtins) > 0 {
			if whole >= 0 {
				list[whole].GTINs = append(list[whole].GTINs, one.gtins...)
				continue
			}
			whole = len(list)
		}
		list = append(list, recall.Product{Name: name, Brand: brand, GTINs: one.gtins, Models: models, Units: one.limits()})
	}
	return list, v.shop
}

// takeMarkings takes the groups of version 2. Groups that don't follow the
// grammar are prose (as all notices from Safety Gate are): what is in there
// may limit any of the products.
func (v *variants) takeMarkings(markings []marking, r row) {
	var loose []marking
	for _, m := range markings {
		if m.loose && len(m.codes) == 0 {
			loose = append(loose, m)
			continue
		}
		v.take(m)
	}
	if len(loose) == 0 {
		return
	}
	codes := extract.Read([]extract.Field{{Name: identificationField, Text: r["identification_produits"]}}, extract.Options{Language: "fr"})
	for _, g := range codes.GTINs {
		v.of(g.GTIN, g.Printed, g.From)
	}
	if len(v.list) == 0 {
		v.of("", "", "")
	}
	for _, one := range v.list {
		one.addLoose(loose, codes.Units)
	}
}

// addLoose adds what prose says of a variant's units: lists of codes as they
// are, predicates where extraction found some, and always that more may be
// meant than was understood.
func (v *variant) addLoose(loose []marking, found []recall.Predicate) {
	for _, m := range loose {
		reading := readLot(m.lot)
		if reading.unread && len(found) > 0 {
			reading.values, reading.prefixes, reading.ranges = nil, nil, nil
		}
		v.add(m, reading)
	}
	last := v.next - 1
	for _, u := range found {
		u.Group += last
		v.units = append(v.units, u)
		v.next = max(v.next, u.Group+1)
	}
}

// takeColumn takes the barcodes of FormatTrie's column, a number that lost its
// leading zeros, as far as the identification doesn't hold them already.
func (v *variants) takeColumn(column string) {
	for code := range strings.FieldsSeq(column) {
		if code = closed(strings.TrimSuffix(code, ".0")); code == "" || len(code) > 14 {
			continue
		}
		printed := strings.Repeat("0", max(13-len(code), 0)) + code
		if !usable(printed) {
			continue
		}
		padded := gtin.Pad14(printed)
		if _, known := v.byCode[padded]; !known {
			v.of(padded, printed, "gtin").every = true
		}
	}
}

// takeModels takes a barcode that stands among the models' names: it belongs to
// what was said without a barcode.
func (v *variants) takeModels(models string) {
	for word := range strings.FieldsSeq(models) {
		if len(word) != 13 && len(word) != 12 || !usable(word) {
			continue
		}
		code := gtin.Pad14(word)
		if _, known := v.byCode[code]; known {
			continue
		}
		one := v.byCode[""]
		if one == nil {
			v.of(code, word, "modeles_ou_references").every = true
			continue
		}
		one.gtins = append(one.gtins, recall.PrintedGTIN{GTIN: code, Printed: word, From: "modeles_ou_references"})
		v.byCode[code] = one
	}
}

// brandOf returns the brand, or "" for the words for having none.
func brandOf(r row) string {
	if brand := r["marque_produit"]; !agency.Placeholder(brand) {
		return brand
	}
	return ""
}

// longestName is the length in bytes up to which the models' words may stand in
// for the product's name.
const longestName = 160

// productName returns the product's name: the title of version 2, or the
// models' names where these say the same and more, or where there is no title.
func productName(r row) string {
	title, models := r["libelle"], r["modeles_ou_references"]
	switch {
	case title == "" && namesNothing(models):
		return r["sous_categorie_produit"]
	case title == "":
		return commonName(lines(models))
	case len(models) > len(title) && len(models) <= longestName && !strings.Contains(models, "\n") && containsFold(models, title) && !containsFold(models, "lot"):
		return models
	}
	return strings.Join(lines(title), ", ")
}

// namesNothing tells whether models' names are nothing but codes.
func namesNothing(models string) bool {
	for word := range strings.FieldsSeq(models) {
		if !isCode(word) {
			return false
		}
	}
	return true
}

// commonName returns the words that all of the models' names start with, where
// there are at least two; else the names up to the longest name.
func commonName(names []string) string {
	common := strings.Fields(names[0])
	joined := names[0]
	for _, name := range names[1:] {
		words := strings.Fields(name)
		n := 0
		for n < len(common) && n < len(words) && strings.EqualFold(common[n], words[n]) {
			n++
		}
		common = common[:n]
		if len(joined)+len(name) <= longestName {
			joined += ", " + name
		}
	}
	if len(common) >= 2 {
		return strings.Join(common, " ")
	}
	return joined
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
