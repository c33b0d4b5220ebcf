package healthcanada

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// column is what the cells below a header hold. Each authority has tables of
// its own: food "Brand, Product, Size, UPC, Codes"; drugs "Brand, Product Name,
// Market Authorization, Dosage Form, Strength, Lot Number"; devices "Affected
// products, Lot or serial number, Model or catalogue number"; vehicles "Make,
// Model, Model Year(s) Affected"; consumer products whatever fits.
type column int

const (
	columnOther column = iota
	columnName
	columnSize
	columnBrand
	columnBarcode
	columnModel
	columnCodes // lots and dates, mixed and labelled
	columnLot
	columnSerial
	columnDateCode
	columnExpiry
	columnBestBefore
	columnMade
)

// headers tell the columns apart; the first that matches decides.
var headers = []struct {
	column column
	words  *regexp.Regexp
}{
	{columnBarcode, regexp.MustCompile(`(?i)\b(?:upc|cup|gtin|ean|bar ?codes?|code à barres|codes? universels?)\b`)},
	{columnOther, regexp.MustCompile(`(?i)\b(?:years?|année|authorization|autorisation|din|npn|strength|concentration|dosage|quantity|quantité|class)\b`)},
	{columnExpiry, regexp.MustCompile(`(?i)\b(?:expir\w*|exp\.?|péremption)\b`)},
	{columnBestBefore, regexp.MustCompile(`(?i)\b(?:best before|meilleur avant|use by)\b`)},
	{columnMade, regexp.MustCompile(`(?i)\b(?:manufactur\w*|production|fabrication|made)\b.*\bdates?\b|\bdates?\b.*\b(?:manufactur\w*|production|fabrication)\b`)},
	{columnDateCode, regexp.MustCompile(`(?i)\b(?:date|production|manufacturing) codes?\b|codes? de (?:date|production)`)},
	{columnLot, regexp.MustCompile(`(?i)\b(?:lots?|batch(?:es)?)\b`)},
	{columnSerial, regexp.MustCompile(`(?i)\b(?:serial|série|vin|nivs?)\b`)},
	{columnModel, regexp.MustCompile(`(?i)\b(?:models?|modèles?|catalog(?:ue)?|item|part|sku|style|article|référence|reference|product (?:code|number|no|#)|numéro de produit|ugs|asin)\b`)},
	{columnCodes, regexp.MustCompile(`(?i)\bcodes?\b`)},
	{columnBrand, regexp.MustCompile(`(?i)\b(?:brands?|marques?|make)\b`)},
	{columnSize, regexp.MustCompile(`(?i)\b(?:size|format|taille|colou?r|couleur|flavou?r|saveur)\b`)},
	{columnName, regexp.MustCompile(`(?i)\b(?:products?|produits?|name|nom|description|toy|item name)\b`)},
}

func columnOf(header string) column {
	for _, h := range headers {
		if h.words.MatchString(header) {
			return h.column
		}
	}
	return columnOther
}

// products makes the products of a page: one of each row of its tables, rows
// that differ by their lots alone joined, or the row's own with what the prose
// tells. Prose isn't tied to one of several products: it excludes no unit of
// several.
func (p *page) products(r row) []recall.Product {
	b := &builder{row: r, page: p, byKey: map[string]*affected{}}
	for _, table := range p.Tables {
		b.table(table)
	}
	prose := extract.Read([]extract.Field{
		{Name: fieldTitle, Text: string(r.Title)}, {Name: fieldProduct, Text: string(r.Product)}, {Name: fieldAffected, Text: p.Affected},
	}, extract.Options{Language: r.language(), Cut: extract.HasCutEnd(p.Affected)})
	if len(b.list) == 0 {
		return p.proseProduct(r, prose)
	}
	products := make([]recall.Product, len(b.list))
	for i, a := range b.list {
		products[i] = a.product(prose, b)
	}
	return products
}

func (p *page) proseProduct(r row, prose extract.Codes) []recall.Product {
	products := r.products()
	one := &products[0]
	one.Brand = p.brand(one.Brand)
	one.GTINs, one.Models = prose.GTINs, prose.Models
	if len(prose.Units) > 0 {
		one.Units = prose.Units
	}
	return products
}

// brand takes the page's one brand over the one that the title seems to tell.
func (p *page) brand(otherwise string) string {
	if len(p.Brands) == 1 {
		return p.Brands[0]
	}
	return otherwise
}

// builder gathers the products of a page's tables.
type builder struct {
	row   row
	page  *page
	list  []*affected
	byKey map[string]*affected
	// What columns some table has: prose stands in where none has them.
	limits, models bool
}

// affected is one product with the groups of its rows.
type affected struct {
	name, brand string
	gtins       []recall.PrintedGTIN
	models      []string
	groups      [][]recall.Predicate
	open        *recall.Quote // the models' cell doesn't name them all
	all         bool          // one of its rows names no codes
}

func (b *builder) table(rows [][]string) {
	if len(rows) < 2 {
		return
	}
	columns := make([]column, len(rows[0]))
	useful := false
	for i, header := range rows[0] {
		columns[i] = columnOf(header)
		useful = useful || columns[i] != columnOther
		b.limits = b.limits || columns[i] >= columnCodes
		b.models = b.models || columns[i] == columnModel
	}
	if !useful {
		return
	}
	for _, cells := range rows[1:] {
		b.tableRow(rows[0], columns, cells)
	}
}

func (b *builder) tableRow(header []string, columns []column, cells []string) {
	if !slices.ContainsFunc(cells, func(c string) bool { return !agency.Missing(c) }) {
		return
	}
	own, maker := b.row.name()
	a := affected{}
	var size string
	var lots, dates [][]recall.Predicate
	for i, text := range cells {
		if i >= len(columns) || agency.Missing(text) {
			continue
		}
		cell := agency.Cell{Field: oneLine(header[i]), Text: text, Language: b.row.language() + "-CA"}
		switch columns[i] {
		case columnName:
			a.name = strings.TrimSpace(a.name + " " + oneLine(text))
		case columnSize:
			size = oneLine(text)
		case columnBrand:
			a.brand = oneLine(text)
		case columnBarcode:
			a.gtins = append(a.gtins, cell.Barcodes()...)
		case columnModel:
			models, open := cell.Models()
			a.models = append(a.models, models...)
			if open {
				a.open = &recall.Quote{Text: text, Field: cell.Field, End: len(text)}
			}
		case columnCodes:
			lots = append(lots, mixedCodes(cell)...)
		case columnLot:
			lots = append(lots, cell.Codes(recall.Lot)...)
		case columnSerial:
			lots = append(lots, cell.Codes(recall.Serial)...)
		case columnDateCode:
			lots = append(lots, cell.Codes(recall.DateCode)...)
		case columnExpiry:
			dates = append(dates, datesIn(cell, recall.Expiry)...)
		case columnBestBefore:
			dates = append(dates, datesIn(cell, recall.BestBefore)...)
		case columnMade:
			dates = append(dates, datesIn(cell, recall.Made)...)
		}
	}
	if a.name == "" {
		a.name = own
	}
	if size != "" && !strings.Contains(a.name, size) {
		a.name += " " + size
	}
	if agency.Placeholder(a.brand) {
		a.brand = b.page.brand(b.row.brand(own, maker))
	}
	b.add(a, joined(lots, dates))
}

// add joins rows that differ by their codes alone.
func (b *builder) add(a affected, groups [][]recall.Predicate) {
	key := strings.Join([]string{a.name, a.brand, strings.Join(a.models, "|")}, "\x00")
	for _, g := range a.gtins {
		key += "\x00" + g.GTIN
	}
	have := b.byKey[key]
	if have == nil {
		have = &a
		b.byKey[key] = have
		b.list = append(b.list, have)
	}
	have.groups = append(have.groups, groups...)
	have.all = have.all || len(groups) == 0
	if have.open == nil {
		have.open = a.open
	}
}

// product makes a product out of its rows and, for what the tables have no
// column for, the prose.
func (a *affected) product(prose extract.Codes, b *builder) recall.Product {
	codes := extract.Codes{GTINs: a.gtins, Models: a.models}
	if !a.all {
		codes.Units = agency.NumberGroups(a.groups)
	}
	several := len(b.list) > 1
	if !b.models && len(prose.Models) > 0 {
		codes.Models = slices.Clone(prose.Models)
		if several && len(codes.Units) == 0 && (b.limits || len(prose.Units) == 0) {
			quote := recall.Quote{Text: b.page.Affected, Field: fieldAffected, End: len(b.page.Affected)}
			agency.Widen(&codes, recall.Lot, quote)
		}
	}
	if !b.limits && len(prose.Units) > 0 {
		codes.Units = slices.Clone(prose.Units)
		if several {
			agency.AddUnreadable(&codes, prose.Units[0].Kind, prose.Units[0].Quote)
		}
	}
	if a.open != nil {
		agency.Widen(&codes, recall.Lot, *a.open)
	}
	for i := range codes.Units {
		if u := &codes.Units[i]; u.WherePrinted == "" {
			u.WherePrinted = b.page.where(u.Kind)
		}
	}
	return recall.Product{Name: a.name, Brand: a.brand, GTINs: codes.GTINs, Models: codes.Models, Units: codes.Units}
}

// mostGroups is how many pairs of codes and dates are told apart; of more the
// codes alone count, which covers more units.
const mostGroups = 60

// joined puts the codes and the dates of a row together. Which date belongs to
// which code a row of several doesn't tell: each may stand with each.
func joined(codes, dates [][]recall.Predicate) [][]recall.Predicate {
	switch {
	case len(codes) == 0:
		return dates
	case len(dates) == 0, len(codes)*len(dates) > mostGroups:
		return codes
	}
	var out [][]recall.Predicate
	for _, code := range codes {
		for _, date := range dates {
			out = append(out, slices.Concat(code, date))
		}
	}
	return out
}

// canadian reads the dates that Canadian food carries, whose months are two
// letters that serve both languages (Food and Drug Regulations, B.01.007).
var canadian = agency.NewGlossary([]agency.DateForm{{
	Pattern: `\b(?P<year>20\d\d|\d\d)[ ./-]?(?P<month>JA|FE|MR|AL|MA|JN|JL|AU|SE|OC|NO|DE)[ ./-]?(?P<day>\d{1,2})?\b`,
	Months:  map[string]int{"ja": 1, "fe": 2, "mr": 3, "al": 4, "ma": 5, "jn": 6, "jl": 7, "au": 8, "se": 9, "oc": 10, "no": 11, "de": 12},
}}, []agency.Gloss{
	{Pattern: `(?i)\b(?:BB/MA|meilleur avant)\b`, English: "best before"},
	{Pattern: `(?i)\b(?:up to and including|jusqu['’]au)\b`, English: "through"},
})

var (
	datedCode = regexp.MustCompile(`\b(?:20\d\d|\d\d)[ ./-]?(?:JA|FE|MR|AL|MA|JN|JL|AU|SE|OC|NO|DE)[ ./-]?\d{0,2}\b`)
	// onlyDates is a cell that holds nothing but such dates.
	onlyDates = regexp.MustCompile(`^(?:[\s,;&]|\band\b|\bet\b|\b(?:20\d\d|\d\d)[ ./-]?(?:JA|FE|MR|AL|MA|JN|JL|AU|SE|OC|NO|DE)[ ./-]?\d{0,2}\b)+$`)
	labelWord = regexp.MustCompile(`(?i)\b(?:best before|meilleur avant|bb|bb/ma|lots?|batch|exp|expiry|code|use by|packed|produced)\b`)
)

// mixedCodes reads a cell of lots and dates, such as "Best before 2026 OC 14 or
// lot 6123".
func mixedCodes(cell agency.Cell) [][]recall.Predicate {
	text := cell.Text
	if onlyDates.MatchString(text) {
		return datesIn(cell, recall.BestBefore)
	}
	if !labelWord.MatchString(text) && !datedCode.MatchString(text) {
		return cell.Codes(recall.Lot)
	}
	read := canadian.Read([]extract.Field{{Name: cell.Field, Text: text}}, extract.Options{})
	if len(read.Units) == 0 {
		return cell.Codes(recall.Lot)
	}
	return grouped(read.Units)
}

// datesIn reads a cell of dates of one kind.
func datesIn(cell agency.Cell, kind recall.UnitKind) [][]recall.Predicate {
	if !datedCode.MatchString(cell.Text) {
		return cell.Dates(kind)
	}
	label := "best before: "
	read := canadian.Read([]extract.Field{{Name: cell.Field, Text: label + cell.Text}}, extract.Options{})
	for i := range read.Units {
		u := &read.Units[i]
		if u.Kind == recall.BestBefore {
			u.Kind = kind
		}
		u.Quote.Start, u.Quote.End = max(u.Quote.Start-len(label), 0), max(u.Quote.End-len(label), 0)
		u.Quote.Text = cell.Text[u.Quote.Start:u.Quote.End]
	}
	if len(read.Units) == 0 {
		return cell.Dates(kind)
	}
	return grouped(read.Units)
}

// grouped cuts predicates into their groups.
func grouped(units []recall.Predicate) [][]recall.Predicate {
	var groups [][]recall.Predicate
	for i, u := range units {
		if i == 0 || u.Group != units[i-1].Group {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], u)
	}
	return groups
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// printed is a sentence that tells where on the product a mark stands.
var printed = regexp.MustCompile(`(?i)\b(lots?|batch|serial|date codes?|codes?|best before|expiry)\b[^.\n]{0,60}?\b(?:is|are|can be found|printed|located|stamped|found|marked)\b[^.\n]{0,40}?\b((?:on|under|inside|at|beneath) (?:the|its|each)\b[^.,;\n]{2,80})`)

// kindWords are the words by which prose calls a kind of mark.
var kindWords = map[recall.UnitKind][]string{
	recall.Lot: {"lot", "batch", "code"}, recall.Batch: {"batch", "lot", "code"}, recall.Serial: {"serial"},
	recall.DateCode: {"date code", "code"}, recall.BestBefore: {"best before"}, recall.Expiry: {"expiry"},
}

// where returns what the page's prose says of the place of a kind of mark, as
// the tables don't; "" when it says nothing.
func (p *page) where(kind recall.UnitKind) string {
	for _, m := range printed.FindAllStringSubmatch(p.Affected, -1) {
		for _, word := range kindWords[kind] {
			if strings.HasPrefix(strings.ToLower(m[1]), word) {
				return strings.TrimSpace(m[2])
			}
		}
	}
	return ""
}
