package nhtsa

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// products makes a campaign's products: one for each make, model and, for
// vehicles, model year, in that order.
func (c *campaign) products(t texts, s *spelling) []recall.Product {
	prose := c.readProse(t)
	items := c.sortedItems()
	if len(items) == 1 && items[0].make == "" && items[0].model == "" {
		return c.productsOfProse(t, s, prose)
	}
	single := len(items) == 1
	var list []recall.Product
	for _, one := range items {
		p := recall.Product{Brand: brand(one.make, s)}
		p.Name, p.Models = nameOf(one.itemKey, c.kind, s)
		if c.kind != kindVehicle {
			p.Models = prose.join(p.Models, single)
		}
		p.Units = c.units(one, prose.units)
		list = append(list, p)
	}
	return list
}

// described is what a defect's description says of the products.
type described struct {
	names   []string // of models: "SnugRide Classic Connect"
	numbers []string // of models
	units   []recall.Predicate
	// prefixes says that the numbers are what model numbers start with.
	prefixes bool
}

// readProse reads the defect's description, but for vehicles.
func (c *campaign) readProse(t texts) (d described) {
	if c.kind == kindVehicle {
		return d
	}
	codes := extract.Read([]extract.Field{{Name: "DESC_DEFECT", Text: t.defect}}, extract.Options{Language: "en"})
	for _, m := range codes.Models {
		switch {
		case recall.SpecificModel(recall.ModelKey(m)) && !strings.Contains(m, " "):
			d.numbers = append(d.numbers, m)
		case !isDigits(m):
			d.names = append(d.names, m)
		}
	}
	d.units, d.prefixes = codes.Units, speaksOfPrefixes(t.defect)
	return d
}

// join adds the models in the prose to a product's own. Where the campaign has
// this one product and names model numbers, these limit it, and its name alone
// doesn't tell whether a unit is covered.
func (d described) join(models []string, single bool) []string {
	others := slices.Concat(d.names, d.numbers)
	if single && len(d.numbers) > 0 && !d.prefixes {
		models = slices.DeleteFunc(models, func(m string) bool { return !recall.SpecificModel(recall.ModelKey(m)) })
		others = d.numbers
	}
	var joined []string
	seen := map[string]bool{}
	for _, m := range slices.Concat(models, others) {
		if key := recall.ModelKey(m); !seen[key] {
			seen[key] = true
			joined = append(joined, m)
		}
	}
	return joined
}

func (c *campaign) sortedItems() []*item {
	items := make([]*item, 0, len(c.items))
	for _, one := range c.items {
		items = append(items, one)
	}
	slices.SortFunc(items, func(a, b *item) int {
		return slices.Compare([]string{a.make, a.model, a.year}, []string{b.make, b.model, b.year})
	})
	return items
}

func brand(make string, s *spelling) string {
	if agency.Placeholder(make) {
		return ""
	}
	return s.name(clean(make))
}

// nameOf returns a product's name and its models. A vehicle's name has its
// model year; 9999 stands for none. Other products' models are names and
// numbers in one: "310 (MAESTRO)" is the model 310, called Maestro.
func nameOf(key itemKey, kind string, s *spelling) (name string, models []string) {
	model := s.name(clean(key.model))
	if agency.Missing(model) {
		model = ""
	}
	if kind == kindVehicle {
		name = model
		if len(key.year) == 4 && isDigits(key.year) && key.year != "9999" {
			name = strings.TrimSpace(key.year + " " + model)
		}
		if model != "" {
			models = []string{model}
		}
		return name, models
	}
	number, called, ok := strings.Cut(strings.TrimSuffix(model, ")"), "(")
	number, called = strings.TrimSpace(number), strings.TrimSpace(called)
	switch {
	case model == "":
		return "", nil
	case ok && number != "" && called != "" && !strings.Contains(number, " ") && strings.ContainsAny(number, "0123456789"):
		return called, []string{number, called}
	}
	return model, []string{model}
}

// speaksOfPrefixes tells whether a description limits itself by what model
// numbers start with: then the numbers in it aren't the models themselves.
func speaksOfPrefixes(defect string) bool {
	lower := strings.ToLower(defect)
	for _, words := range []string{"beginning with", "begins with", "begin with", "starting with", "starts with", "start with"} {
		if strings.Contains(lower, words) {
			return true
		}
	}
	return false
}

// units returns which units of a product are covered: the dates of manufacture
// in the columns, and where the prose names other marks (serial numbers, date
// codes), these, with the columns' dates in the place of the prose's own.
func (c *campaign) units(one *item, prose []recall.Predicate) []recall.Predicate {
	var windows []window
	if !one.open && !c.broken {
		windows = one.windows
	}
	otherMarks := slices.ContainsFunc(prose, func(p recall.Predicate) bool { return p.Kind != recall.Made })
	switch {
	case len(windows) == 0:
		return slices.Clone(prose)
	case !otherMarks || len(windows) > 1:
		slices.SortFunc(windows, func(a, b window) int {
			return slices.Compare([]string{a.begin, a.end}, []string{b.begin, b.end})
		})
		var units []recall.Predicate
		for i, w := range windows {
			units = append(units, w.predicate(i+1, c.kind))
		}
		return units
	}
	units := slices.Clone(prose)
	for i := range units {
		if units[i].Kind == recall.Made && !units[i].Except {
			made := windows[0].predicate(units[i].Group, c.kind)
			made.Models = units[i].Models
			units[i] = made
		}
	}
	return units
}

// predicate is the window as a condition. The two columns are quoted as one.
func (w window) predicate(group int, kind string) recall.Predicate {
	quote := recall.Quote{Text: w.begin + "-" + w.end, Field: "BGMAN-ENDMAN"}
	switch {
	case w.begin == "":
		quote = recall.Quote{Text: w.end, Field: "ENDMAN"}
	case w.end == "":
		quote = recall.Quote{Text: w.begin, Field: "BGMAN"}
	}
	quote.End = len(quote.Text)
	p := recall.Range(group, recall.Made, isoDay(w.begin), isoDay(w.end), quote)
	switch kind {
	case kindChildRestraint:
		p.WherePrinted = "on the label of the seat, as the date of manufacture (FMVSS 213, S5.5.2)"
	case kindVehicle:
		p.WherePrinted = "on the certification label at the driver's door, as month and year of manufacture (49 CFR 567.4)"
	}
	return p
}

func isoDay(s string) string {
	if s == "" {
		return ""
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:]
}
