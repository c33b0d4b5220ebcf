package starter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// fromField is what quotes and barcodes give as their field: the words are
// ours, the agency's field is not at hand.
const fromField = "starter"

// entry is one recall as the embedded files hold it.
type entry struct {
	ID         string              `json:"id"`
	URL        string              `json:"url"`
	Published  string              `json:"published"` // YYYY-MM-DD
	Audience   recall.Audience     `json:"audience"`
	Categories []string            `json:"categories"`
	Hazards    []recall.HazardType `json:"hazards"`
	// Danger says what is wrong, in our words: a clause without a full stop.
	Danger   string              `json:"danger"`
	Remedies []recall.RemedyType `json:"remedies"`
	// Remedy replaces the sentence composed of Remedies where that says too little.
	Remedy string `json:"remedy"`
	// Sold counts the units by country (ISO 3166-1 alpha-2); agencies round
	// unless Exact says otherwise.
	Sold     map[string]int `json:"sold"`
	Exact    bool           `json:"exact"`
	Products []product      `json:"products"`
}

type product struct {
	Brand  string   `json:"brand"`
	Name   string   `json:"name"`   // without the brand, plain words
	Models []string `json:"models"` // the notice's whole list, or none
	GTINs  []string `json:"gtins"`  // as printed
	Limits []limit  `json:"limits"`
}

// limit is one way in which a notice limits itself. Each limit, and each value
// of Any, becomes a group of its own: they are alternatives.
type limit struct {
	Kind recall.UnitKind `json:"kind"`
	// Op is equals for Any and range for From and To when it is left out;
	// prefix and suffix go with Any, all and unreadable stand alone.
	Op   recall.Op `json:"op"`
	Any  []string  `json:"any"`
	From string    `json:"from"`
	To   string    `json:"to"`
	// Below says that To itself is no longer covered.
	Below  bool     `json:"below"`
	Models []string `json:"models"`
	Where  string   `json:"where"`
	// And are further conditions of the same groups, such as the date that is
	// printed beside a lot.
	And []limit `json:"and"`
	// Described says that the notice describes this mark without saying that
	// other units are safe: it can prove that a unit is covered, never that it isn't.
	Described bool `json:"described"`
}

// notice turns an entry into a canonical notice.
func (e *entry) notice(src source) (recall.Notice, error) {
	published, err := time.Parse(time.DateOnly, e.Published)
	if err != nil {
		return recall.Notice{}, fmt.Errorf("reading the day of publication: %w", err)
	}
	n := recall.Notice{
		ID:          e.ID,
		Agency:      src.agency,
		URL:         e.URL,
		Language:    "en", // of our words, not of the agency's
		Title:       e.title(),
		Summary:     e.summary(),
		PublishedAt: published,
		Status:      recall.Active,
		Countries:   []string{src.country},
		Audience:    e.Audience,
		Categories:  e.Categories,
		Remedy:      recall.Remedy{Types: e.Remedies, Text: e.remedyText()},
		Provenance: recall.Provenance{
			FetchedAt:   Edition,
			SourceURL:   src.sourceURL(e),
			Licence:     src.licence,
			Attribution: src.attribution,
		},
	}
	for _, h := range e.Hazards {
		n.Hazards = append(n.Hazards, recall.Hazard{Type: h, Text: e.Danger})
	}
	for _, country := range slices.Sorted(maps.Keys(e.Sold)) {
		n.UnitsCount = append(n.UnitsCount, recall.UnitCount{Country: country, Count: e.Sold[country], Approximate: !e.Exact})
		if country != src.country {
			n.Countries = append(n.Countries, country)
		}
	}
	for i := range e.Products {
		p, err := e.Products[i].canonical()
		if err != nil {
			return recall.Notice{}, fmt.Errorf("reading product %q: %w", e.Products[i].Name, err)
		}
		n.Products = append(n.Products, p)
	}
	n.Normalise()
	return n, nil
}

func (p *product) canonical() (recall.Product, error) {
	c := recall.Product{Name: p.Name, Brand: p.Brand, Models: p.Models}
	for _, printed := range p.GTINs {
		if len(printed) > 14 || strings.Trim(printed, "0123456789") != "" {
			return c, fmt.Errorf("barcode %q is not at most 14 digits", printed)
		}
		c.GTINs = append(c.GTINs, recall.PrintedGTIN{
			GTIN:    strings.Repeat("0", 14-len(printed)) + printed,
			Printed: printed,
			From:    fromField,
		})
	}
	group, described := 0, false
	for i := range p.Limits {
		groups, err := p.Limits[i].groups()
		if err != nil {
			return c, err
		}
		for _, predicates := range groups {
			group++
			for _, predicate := range predicates {
				predicate.Group = group
				c.Units = append(c.Units, predicate)
			}
		}
		described = described || p.Limits[i].Described
	}
	if described {
		// One alternative that nothing can exclude keeps a mark that is merely
		// described from ever clearing a unit.
		first := &p.Limits[0]
		open := recall.Unreadable(group+1, first.Kind, quote("the notice describes this mark, but does not say that units with another one are safe"))
		open.WherePrinted = first.Where
		c.Units = append(c.Units, open)
	}
	return c, nil
}

// groups returns the limit's alternatives, each a list of conditions that must
// all hold. Groups are numbered by the caller.
func (l *limit) groups() ([][]recall.Predicate, error) {
	own, err := l.predicates()
	if err != nil {
		return nil, err
	}
	var shared []recall.Predicate
	for i := range l.And {
		further, err := l.And[i].predicates()
		if err != nil {
			return nil, err
		}
		if len(further) != 1 {
			return nil, fmt.Errorf("a further condition on %s must have one value, not %d", l.And[i].Kind, len(further))
		}
		shared = append(shared, further...)
	}
	groups := make([][]recall.Predicate, len(own))
	for i := range own {
		groups[i] = append([]recall.Predicate{own[i]}, shared...)
	}
	return groups, nil
}

// predicates returns one predicate for each value of the limit.
func (l *limit) predicates() ([]recall.Predicate, error) {
	op := l.Op
	if op == "" {
		op = recall.OpRange
		if len(l.Any) > 0 {
			op = recall.OpEquals
		}
	}
	var made []recall.Predicate
	switch op {
	case recall.OpEquals:
		for _, v := range l.Any {
			made = append(made, recall.Equals(0, l.Kind, v, recall.Quote{}))
		}
	case recall.OpPrefix, recall.OpSuffix:
		for _, v := range l.Any {
			made = append(made, recall.Affix(0, l.Kind, op, v, recall.Quote{}))
		}
	case recall.OpRange:
		if l.From == "" && l.To == "" {
			return nil, fmt.Errorf("the limit on %s has neither values nor bounds", l.Kind)
		}
		r := recall.Range(0, l.Kind, l.From, l.To, recall.Quote{})
		r.ToInclusive = !l.Below
		made = append(made, r)
	case recall.OpAll:
		made = append(made, recall.All(0, l.Kind, recall.Quote{}))
	case recall.OpUnreadable:
		made = append(made, recall.Unreadable(0, l.Kind, recall.Quote{}))
	default:
		return nil, fmt.Errorf("the limit on %s has the unknown operator %q", l.Kind, op)
	}
	if len(made) == 0 {
		return nil, fmt.Errorf("the limit on %s has no value to compare with", l.Kind)
	}
	for i := range made {
		made[i].Models = append(made[i].Models, l.Models...)
		made[i].WherePrinted = l.Where
		made[i].Quote = quote(l.words(&made[i]))
	}
	return made, nil
}

// quote wraps our own words in the place of the notice's.
func quote(words string) recall.Quote {
	return recall.Quote{Text: words, Field: fromField, End: len(words)}
}
