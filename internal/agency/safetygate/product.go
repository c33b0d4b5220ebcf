package safetygate

import (
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// products makes the notice's product. A notice is about one; where it has
// several brands they are names of the same thing. unread are codes that
// identify no product by themselves, kept for people to search by.
func (a *alert) products() (list []recall.Product, unread []string) {
	models := readModels(a.models)
	gtins, others := readBarcodes(a.barcodes)
	prose := a.prose()
	p := recall.Product{
		Name:   a.name(),
		Brand:  strings.Join(a.brands, ", "),
		GTINs:  appendGTINs(appendGTINs(gtins, models.gtins...), prose.GTINs...),
		Models: appendModels(models.names, prose.Models),
	}
	groups := readBatches(a.batches, a.isVehicle())
	groups = append(groups, producedIn(a.produced)...)
	groups = append(groups, groupsOf(prose.Units)...)
	if models.open && len(p.Models) > 0 {
		groups = append(groups, openModels(a.models, p.Models, len(groups) == 0)...)
	}
	p.Units = agency.NumberGroups(groups)
	list = append(list, p)
	if !a.isVehicle() || len(p.Models) > 0 {
		return list, append(others, models.others...)
	}
	if lines := vehicleLines(p.Name); len(lines) > 0 {
		// A vehicle's name names its lines, by which people ask. A model of a line
		// ("520d" of the "5 Series") is none of them, so that they don't limit the
		// notice: the product stands without them, too.
		named := p
		named.Models = lines
		list = append(list, named)
	}
	return list, append(others, models.others...)
}

func (a *alert) isVehicle() bool { return a.category.slug == "vehicles" }

// lineMarks part the lines of vehicles in a name: "Série 5 (E39) - X5 (E53)".
var lineMarks = regexp.MustCompile(`\s[-–—]\s|[,;/()]|\s(?:and|et|&)\s`)

// vehicleLines returns the lines of vehicles that a name names.
func vehicleLines(name string) []string {
	const mostWords = 3
	var lines []string
	for _, part := range (span{name, 0}).split(lineMarks) {
		if len(recall.ModelKey(part.text)) >= 2 && len(strings.Fields(part.text)) <= mostWords {
			lines = appendModels(lines, []string{part.text})
		}
	}
	return lines
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

// producedIn reads the dates of production that the weekly XML has for vehicles:
// windows of days, and whatever else is a date.
func producedIn(cell agency.Cell) [][]recall.Predicate {
	windows := batchReading{cell: cell, vehicle: true}
	for _, entry := range (span{cell.Text, 0}).split(entries) {
		if !windows.window(entry) {
			cell.Language = dayFirst
			return cell.Dates(recall.Made)
		}
	}
	return windows.groups
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
