package opss

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// language is that of the notices: dates in numbers have the day first.
const language = "en-GB"

// meaning is what a row of a product's table tells.
type meaning int

const (
	other meaning = iota
	brand
	model
	barcode
	batch
	serial
	dateCode
	made
	bestBefore
	description
	category
	beside // nothing that is asked about: the country of origin, links
)

// rowWords lead from words of a row's label to its meaning, the surest first.
var rowWords = []struct {
	word  string
	means meaning
}{
	{"country", beside}, {"image", beside}, {"asin", beside}, {"risk", beside}, {"website", beside},
	{"barcode", barcode}, {"bar code", barcode}, {"ean", barcode}, {"gtin", barcode}, {"upc", barcode},
	{"best before", bestBefore}, {"expiry", bestBefore}, {"use by", bestBefore},
	{"date code", dateCode}, {"manufacture date", made}, {"date of manufacture", made}, {"manufacturing date", made}, {"production date", made},
	{"batch", batch}, {"lot", batch}, {"serial", serial},
	{"model", model}, {"sku", model}, {"item number", model}, {"item code", model}, {"product code", model}, {"product number", model},
	{"style", model}, {"article", model}, {"part number", model}, {"type number", model}, {"reference", model},
	{"brand", brand}, {"trade mark", brand}, {"trademark", brand},
	{"description", description}, {"type", category}, {"category", category},
}

func meaningOf(label string) meaning {
	label = " " + strings.ToLower(label)
	for _, w := range rowWords {
		if strings.Contains(label, " "+w.word) {
			return w.means
		}
	}
	return other
}

// described is one product as its table and the notice's prose describe it.
type described struct {
	product     recall.Product
	category    string
	description string
}

// products reads every product of a notice. prose is what is said of all.
func (p *page) products(name string, prose extract.Codes) []described {
	if len(p.tables) == 0 {
		return []described{{product: recall.Product{Name: name, GTINs: prose.GTINs, Models: prose.Models, Units: prose.Units}}}
	}
	var out []described
	for _, rows := range p.tables {
		d := readProduct(rows, name, prose, len(p.tables) == 1)
		out = append(out, d)
		for _, r := range rows { // further notifications of one notice: "2209-0124", "Zorbino Twirl 4"
			if psdNumber.FindString(r.label) == r.label && len(r.text) > 0 {
				further := d
				further.product.Name = r.text
				out = append(out, further)
			}
		}
	}
	return out
}

// readProduct reads one product's table. Barcodes of the prose are given to it
// only where it is the notice's one product.
func readProduct(rows []row, name string, prose extract.Codes, only bool) described {
	d := described{product: recall.Product{Name: name}}
	var groups, open [][]recall.Predicate
	if only {
		d.product.GTINs = prose.GTINs
	}
	for _, r := range rows {
		cell := agency.Cell{Field: r.label, Text: r.text, Language: language}
		switch meaningOf(r.label) {
		case brand:
			if !agency.Placeholder(r.text) {
				d.product.Brand = r.text
			}
		case category:
			d.category = r.text
		case description:
			d.description = r.text
		case barcode:
			d.product.GTINs = addGTINs(d.product.GTINs, cell.Barcodes())
		case model:
			models, more := cell.Models()
			d.product.Models = addModels(d.product.Models, models)
			if more && len(models) > 0 {
				open = cell.OpenModels(models)
			}
		case batch:
			groups = append(groups, cell.Codes(recall.Batch)...)
		case serial:
			groups = append(groups, cell.Codes(recall.Serial)...)
		case dateCode:
			groups = append(groups, cell.Codes(recall.DateCode)...)
		case made:
			groups = append(groups, cell.Dates(recall.Made)...)
		case bestBefore:
			groups = append(groups, cell.Dates(recall.BestBefore)...)
		case other:
			found := extract.Read([]extract.Field{{Name: r.label, Text: r.label + ": " + r.text}}, extract.Options{Language: language})
			d.product.GTINs = addGTINs(d.product.GTINs, found.GTINs)
			d.product.Models = addModels(d.product.Models, found.Models)
		}
	}
	d.product.Models = addModels(d.product.Models, prose.Models)
	d.product.Units = units(groups, open, prose.Units)
	return d
}

// units joins what the table and the prose say. Where the table tells the codes,
// the prose's advice to look for them leaves nothing open.
func units(groups, open [][]recall.Predicate, prose []recall.Predicate) []recall.Predicate {
	fromTable := len(groups) > 0
	for start := 0; start < len(prose); {
		end := start + 1
		for end < len(prose) && prose[end].Group == prose[start].Group {
			end++
		}
		unread := slices.ContainsFunc(prose[start:end], func(p recall.Predicate) bool { return p.Op == recall.OpUnreadable })
		if !fromTable || !unread {
			groups = append(groups, prose[start:end])
		}
		start = end
	}
	if len(open) > 0 {
		if len(groups) > 0 {
			open = open[1:] // the codes say which units of the named models are covered
		}
		groups = append(groups, open...)
	}
	return agency.NumberGroups(groups)
}

func addGTINs(list, more []recall.PrintedGTIN) []recall.PrintedGTIN {
	for _, g := range more {
		if !slices.ContainsFunc(list, func(have recall.PrintedGTIN) bool { return have.GTIN == g.GTIN }) {
			list = append(list, g)
		}
	}
	return list
}

func addModels(list, more []string) []string {
	for _, m := range more {
		key := recall.ModelKey(m)
		if key != "" && !slices.ContainsFunc(list, func(have string) bool { return recall.ModelKey(have) == key }) {
			list = append(list, m)
		}
	}
	return list
}
