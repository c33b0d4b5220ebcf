package safetygate

import (
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// product makes the notice's product. A notice is about one product; where it
// has several brands they are names of the same thing. unread are codes that
// identify no product by themselves, kept for people to search by.
func (a *alert) product() (p recall.Product, unread []string) {
	models := readModels(a.models)
	gtins, others := readBarcodes(a.barcodes)
	p = recall.Product{
		Name:   a.name(),
		Brand:  strings.Join(a.brands, ", "),
		GTINs:  gtins,
		Models: models.names,
	}
	p.GTINs = appendGTINs(p.GTINs, models.gtins...)
	groups := readBatches(a.batches, a.category.slug == "vehicles")
	groups = append(groups, producedIn(a.produced)...)
	prose := a.prose()
	p.GTINs = appendGTINs(p.GTINs, prose.GTINs...)
	p.Models = appendModels(p.Models, prose.Models)
	groups = append(groups, groupsOf(prose.Units)...)
	if models.open {
		groups = append(groups, openModels(a.models, p.Models, len(groups) == 0)...)
	}
	p.Units = agency.NumberGroups(groups)
	return p, append(others, models.others...)
}

// dayFirst is the language whose order of dates all of Safety Gate keeps,
// whatever the language of its words.
const dayFirst = "fr"

// prose reads the description of the product and its package, in the languages
// that extraction knows: it may tell what is printed on the product.
func (a *alert) prose() extract.Codes {
	if a.language != "en" && a.language != "fr" {
		return extract.Codes{}
	}
	fields := []extract.Field{{Name: "description", Text: a.description}, {Name: "packageDescription", Text: a.packaging}}
	return extract.Read(fields, extract.Options{Language: dayFirst})
}

// openModels says of a product whose models are not all known that the named
// ones are covered, and that nothing can be said of others. alone tells that
// nothing else limits the notice.
func openModels(cell agency.Cell, named []string, alone bool) [][]recall.Predicate {
	if alone {
		return cell.OpenModels(named)
	}
	return cell.OpenModels(named)[1:]
}

// groupsOf takes predicates apart by their groups.
func groupsOf(units []recall.Predicate) [][]recall.Predicate {
	var groups [][]recall.Predicate
	for i, u := range units {
		if i == 0 || u.Group != units[i-1].Group {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], u)
	}
	return groups
}

// producedIn reads the dates of production that the weekly XML has for vehicles.
func producedIn(cell agency.Cell) [][]recall.Predicate {
	if cell.Text == "" || namesNone(cell.Text) {
		return nil
	}
	cell.Language = dayFirst
	return cell.Dates(recall.Made)
}

func appendGTINs(list []recall.PrintedGTIN, more ...recall.PrintedGTIN) []recall.PrintedGTIN {
	for _, g := range more {
		known := false
		for _, have := range list {
			known = known || have.GTIN == g.GTIN
		}
		if !known {
			list = append(list, g)
		}
	}
	return list
}

func appendModels(list, more []string) []string {
	for _, m := range more {
		known := false
		for _, have := range list {
			known = known || recall.ModelKey(have) == recall.ModelKey(m)
		}
		if !known {
			list = append(list, m)
		}
	}
	return list
}
