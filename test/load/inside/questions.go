package inside

import (
	"strings"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// sample returns so many notices of a snapshot, evenly taken.
func sample(snap *catalogue.Snapshot, count int) []recall.Notice {
	var notices []recall.Notice
	for i := range count {
		page, _ := snap.Changes(snap.Serial()*int64(i)/int64(count), 1)
		for _, c := range page {
			if c.Notice != nil {
				notices = append(notices, *c.Notice)
			}
		}
	}
	return notices
}

// byBarcode asks for a barcode that the notice prints.
func byBarcode(n *recall.Notice) (recall.Unit, bool) {
	for i := range n.Products {
		for _, g := range n.Products[i].GTINs {
			if !g.Possible() {
				return readable(recall.Unit{GTIN: g.GTIN})
			}
		}
	}
	return recall.Unit{}, false
}

// byModel asks for the brand, the name and the model of a product.
func byModel(n *recall.Notice) (recall.Unit, bool) {
	for i := range n.Products {
		if p := &n.Products[i]; p.Brand != "" && p.Name != "" && len(p.Models) > 0 {
			return readable(recall.Unit{Brand: p.Brand, Name: p.Name, Model: p.Models[len(p.Models)/2]})
		}
	}
	return recall.Unit{}, false
}

// byName asks for the brand and the name of a product.
func byName(n *recall.Notice) (recall.Unit, bool) {
	for i := range n.Products {
		if p := &n.Products[i]; p.Name != "" {
			return readable(recall.Unit{Brand: p.Brand, Name: p.Name})
		}
	}
	return recall.Unit{}, false
}

func readable(u recall.Unit) (recall.Unit, bool) {
	_, err := recall.Read(u)
	return u, err == nil
}

// Units returns so many units to ask for, a quarter each by barcode, by brand,
// name and model, by brand and name, and such as no notice knows; fewer where
// the notices give no more.
func Units(notices []recall.Notice, count int) []recall.Unit {
	kinds := []func(*recall.Notice) (recall.Unit, bool){byBarcode, byModel, byName, byNothing}
	var units []recall.Unit
	for _, ask := range kinds {
		taken := 0
		for i := range notices {
			if u, ok := ask(&notices[i]); ok && taken < count/len(kinds) {
				units = append(units, u)
				taken++
			}
		}
	}
	return units
}

// byNothing asks for what no notice is about.
func byNothing(n *recall.Notice) (recall.Unit, bool) {
	return recall.Unit{Brand: "Quollabert", Name: "wooden reading lamp", Model: "QB-" + n.PublishedAt.Format("060102")}, true
}

// Queries returns searches such as people make of the notices' words.
func Queries(notices []recall.Notice) []catalogue.Query {
	var queries []catalogue.Query
	for i := range notices {
		if q, ok := kinds[i%len(kinds)](&notices[i], i/len(kinds)); ok {
			q.Limit = 20
			queries = append(queries, q)
		}
	}
	return queries
}

// The words that very many notices hold, and that people type.
var (
	dangers  = []string{"fire hazard", "choking hazard", "fall", "burn hazard", "salmonella", "battery overheating", "strangulation risk", "undeclared milk"}
	products = []string{"stroller", "baby crib", "children's toy", "electric bicycle", "power bank", "dresser", "chicken salad", "car seat", "pajamas", "space heater"}
)

// kinds are the kinds of searches; each takes a notice and a number.
var kinds = []func(n *recall.Notice, i int) (catalogue.Query, bool){
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // brand and product
		return words(brandOf(n) + " " + first(nameOf(n), 3))
	},
	func(n *recall.Notice, i int) (catalogue.Query, bool) { // common words
		return words(dangers[i%len(dangers)] + " " + products[i/len(dangers)%len(products)])
	},
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // mistyped
		return words(mistyped(longest(nameOf(n))) + " " + brandOf(n))
	},
	func(n *recall.Notice, i int) (catalogue.Query, bool) { // common words, filtered and counted
		q, ok := words(products[i%len(products)] + " recall")
		q.Facets = []string{"agency", "hazard", "year"}
		q.Countries = n.Countries
		return q, ok
	},
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // the notice's title
		return words(n.Title)
	},
	func(n *recall.Notice, i int) (catalogue.Query, bool) { // a danger, among some years' notices
		q, ok := words(dangers[i%len(dangers)])
		q.From, q.To = n.PublishedAt.AddDate(-1, 0, 0), n.PublishedAt.AddDate(0, 6, 0)
		return q, ok
	},
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // a model
		for i := range n.Products {
			if models := n.Products[i].Models; len(models) > 0 {
				return words(models[0])
			}
		}
		return catalogue.Query{}, false
	},
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // the beginning of a brand
		const typed = 4
		brand := first(brandOf(n), 1)
		return words(brand[:min(typed, len(brand))])
	},
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // the newest first
		q, ok := words(nameOf(n))
		q.Sort = catalogue.ByNewest
		return q, ok
	},
	func(n *recall.Notice, _ int) (catalogue.Query, bool) { // no words: filters and facets
		return catalogue.Query{Agencies: []string{n.Agency}, Audiences: []recall.Audience{n.Audience}, To: n.PublishedAt.Add(24 * time.Hour),
			Facets: []string{"agency", "country", "hazard", "remedy", "year"}}, true
	},
}

func words(text string) (catalogue.Query, bool) {
	const shortest = 3
	return catalogue.Query{Words: text}, len(strings.TrimSpace(text)) >= shortest
}

func brandOf(n *recall.Notice) string {
	if len(n.Products) == 0 {
		return ""
	}
	return n.Products[0].Brand
}

func nameOf(n *recall.Notice) string {
	if len(n.Products) == 0 {
		return n.Title
	}
	return n.Products[0].Name
}

// first returns the first words of a text.
func first(text string, count int) string {
	fields := strings.Fields(text)
	return strings.Join(fields[:min(count, len(fields))], " ")
}

func longest(text string) string {
	best := ""
	for word := range strings.FieldsSeq(text) {
		if len(word) > len(best) {
			best = word
		}
	}
	return best
}

// mistyped exchanges two letters in the middle of a word.
func mistyped(word string) string {
	const shortest = 5
	if len(word) < shortest {
		return word
	}
	letters := []byte(word)
	middle := len(letters) / 2
	letters[middle], letters[middle-1] = letters[middle-1], letters[middle]
	return string(letters)
}
