package cpsc

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// How complete a copy of a recall is: the REST answer is all there is, the
// export has no address, no barcodes and no pictures, and a copy that its
// carrier cut may lack what limits the recall.
const (
	completenessCut  = 1
	completenessCSV  = 2
	completenessREST = 3
)

// source is one recall as either format gives it, in cleaned text.
type source struct {
	number, date, changed                  string // as written
	warning                                string // number of the unilateral warning that the recall followed
	title, description, url, contact       string
	incidents, remedy                      string
	products, units, upcs                  []string
	hazards, soldAt, images, captions      []string
	manufacturers, importers, distributors []string
	remedyOptions                          []string
	inconjunctions                         []string // pages of the same recall at other authorities
	completeness                           int
}

// appendText appends a text, cleaned, unless it is missing or there already.
func appendText(list []string, t agency.Text) []string {
	if s := t.Clean(); s != "" && !slices.Contains(list, s) {
		return append(list, s)
	}
	return list
}

// thinned reports that a record names nobody: no contact, seller, maker nor
// importer. The agency always names somebody, so that what passed the record on
// has dropped parts of it, and mostly shortened the description as well.
func (s *source) thinned() bool {
	return s.contact == "" && len(s.soldAt)+len(s.manufacturers)+len(s.importers)+len(s.distributors) == 0
}

// record makes the notice of a recall. It fails where there is no number or no
// date, without which a notice has no place in the catalogue.
func (a *Agency) record(s source) (agency.Record, error) {
	if s.title == "" && len(s.products) == 0 {
		return agency.Record{}, errors.New("neither Title nor Products name anything")
	}
	native, err := printedNumber(s.number)
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading RecallNumber: %w", err)
	}
	published, updated, doubts, err := a.dates(s)
	if err != nil {
		return agency.Record{}, fmt.Errorf("recall %s: %w", native, err)
	}
	s.restoreBlanks()

	record := agency.Record{Completeness: s.completeness, Doubts: doubts}
	if extract.HasCutEnd(s.description) || s.thinned() {
		record.Completeness = completenessCut
	}
	n := &record.Notice
	*n = recall.Notice{
		ID: Code + ":" + native, Agency: Code, URL: s.url, Language: "en",
		Title: s.title, Summary: s.summary(), PublishedAt: published, UpdatedAt: updated,
		Audience:   extract.AudienceOf(append([]string{s.title}, append(slices.Clone(s.products), extract.FirstSentence(s.description))...)...),
		Categories: extract.Categories(append([]string{s.title}, s.products...)...),
		Products:   s.productsOf(),
		Hazards:    s.hazardsOf(),
		Incidents:  extract.Incidents(s.incidents),
		Remedy:     recall.Remedy{Types: s.remedyTypes(), Text: s.remedy, Contact: s.contact},
		UnitsCount: s.unitCounts(),
		SoldAt:     s.soldAt, Images: s.images,
	}
	if n.Title == "" {
		n.Title = s.products[0]
	}
	n.Countries = []string{"US"}
	for _, c := range n.UnitsCount {
		if !slices.Contains(n.Countries, c.Country) {
			n.Countries = append(n.Countries, c.Country)
		}
	}
	if warning, err := printedNumber(s.warning); err == nil && warning != native {
		n.Declare(Code + ":" + warning)
	}
	for _, page := range s.inconjunctions {
		n.Declare(page)
	}
	if updated != nil {
		record.Version, _ = strconv.ParseInt(updated.Format("20060102"), 10, 64) // eight digits always parse
	}
	n.Normalise()
	return record, nil
}

// dates reads the local dates of the recall. The service has always given both,
// but a mistyped one must not cost the whole recall: it is told as a doubt.
func (a *Agency) dates(s source) (published time.Time, updated *time.Time, doubts []string, err error) {
	day := func(text string) (time.Time, error) {
		text = strings.TrimSpace(text)
		if date, _, ok := strings.Cut(text, "T"); ok && len(date) == len(time.DateOnly) {
			text = date
		}
		return agency.ParseDate(text, a.now())
	}
	changed, changedErr := day(s.changed)
	if changedErr == nil {
		updated = &changed
	} else if s.changed != "" {
		doubts = append(doubts, fmt.Sprintf("LastPublishDate %q is no date", s.changed))
	}
	published, err = day(s.date)
	switch {
	case err == nil:
		return published, updated, doubts, nil
	case changedErr == nil:
		return changed, updated, append(doubts, fmt.Sprintf("RecallDate %q is no date; LastPublishDate stands in for it", s.date)), nil
	}
	return time.Time{}, nil, nil, fmt.Errorf("reading RecallDate %q: %w", s.date, err)
}

// summary is the description, and behind it the firms, whose names are what a
// label shows where the title names only the seller.
func (s *source) summary() string {
	lines := []string{s.description}
	for _, firms := range []struct {
		role  string
		names []string
	}{{"Manufacturer", s.manufacturers}, {"Importer", s.importers}, {"Distributor", s.distributors}} {
		if len(firms.names) > 0 {
			lines = append(lines, firms.role+": "+strings.Join(firms.names, "; "))
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// productsOf makes one product of every name. The service ties neither
// barcodes nor the description's codes to one of several products: every one
// gets them all, and beside them a group that can't be read, so that a code of
// one product never excludes a unit of another.
func (s *source) productsOf() []recall.Product {
	codes := extract.Read([]extract.Field{
		{Name: "title", Text: s.title},
		{Name: "product_name", Text: strings.Join(s.products, "\n")},
		{Name: "description", Text: s.description},
		{Name: "remedy", Text: s.remedy},
	}, extract.Options{Language: "en", Cut: extract.HasCutEnd(s.description)})
	if len(codes.Models) > 0 {
		// Captions never limit a recall: they only add to models that it names.
		codes.Models = s.withCaptionModels(codes.Models)
	}
	gtins := printedBarcodes(s.upcs)
	for _, g := range codes.GTINs {
		if !slices.ContainsFunc(gtins, func(have recall.PrintedGTIN) bool { return have.GTIN == g.GTIN }) {
			gtins = append(gtins, g)
		}
	}
	names := s.products
	if len(names) == 0 {
		names = []string{s.title}
	}
	if len(names) > 1 {
		codes.Units = s.shared(codes)
	}
	products := make([]recall.Product, len(names))
	for i, name := range names {
		products[i] = recall.Product{
			Name: s.fullName(name), Brand: s.brandOf(name), GTINs: slices.Clone(gtins),
			Models: slices.Clone(codes.Models), Units: clonePredicates(codes.Units),
		}
	}
	return products
}

// fullName is a product's name, or where that names nothing but a class of
// product ("Bicycles") what the description calls it, if that says more.
func (s *source) fullName(name string) string {
	brand := strings.Fields(strings.ToLower(s.brandOf(name)))
	if len(s.products) > 1 || namesBeyond(name, brand) {
		return name
	}
	lead := extract.LeadName(s.description, name)
	if len(brand) > 0 && strings.Contains(strings.ToLower(name), brand[0]) && !strings.Contains(strings.ToLower(lead), brand[0]) {
		return name
	}
	if namesBeyond(strings.Join(properNames(lead), " "), brand) {
		return lead
	}
	return name
}

// properNames returns the words of a name that are written as names or codes.
func properNames(name string) []string {
	return slices.DeleteFunc(strings.Fields(name), func(word string) bool {
		return !strings.ContainsFunc(word, unicode.IsUpper)
	})
}

// namesBeyond tells whether a name says more than a brand and a class of product.
func namesBeyond(name string, brand []string) bool {
	name = strings.ToLower(name)
	for _, word := range brand {
		name = strings.ReplaceAll(name, word, " ")
	}
	return recall.NamesProduct(name)
}

// shared turns the units of a whole recall into those of one of its several
// products. Where only models are named, the units of those are covered, and
// those of another model may be: the product may be one that has no model.
func (s *source) shared(codes extract.Codes) []recall.Predicate {
	units := codes.Units
	if len(units) == 0 {
		if len(codes.Models) == 0 {
			return nil
		}
		text := strings.Join(s.products, "\n")
		named := recall.All(1, recall.Lot, recall.Quote{Text: text, Field: "product_name", End: len(text)})
		named.Models = codes.Models
		units = []recall.Predicate{named}
	}
	last := slices.MaxFunc(units, func(p, q recall.Predicate) int { return p.Group - q.Group }).Group
	return append(units, recall.Unreadable(last+1, units[0].Kind, units[0].Quote))
}

func clonePredicates(units []recall.Predicate) []recall.Predicate {
	out := slices.Clone(units)
	for i := range out {
		out[i].Models = slices.Clone(out[i].Models)
	}
	return out
}

func (s *source) withCaptionModels(models []string) []string {
	if len(s.captions) == 0 {
		return models
	}
	seen := extract.Read([]extract.Field{{Name: "caption", Text: strings.Join(s.captions, ".\n")}}, extract.Options{Language: "en"})
	for _, m := range seen.Models {
		if !slices.ContainsFunc(models, func(have string) bool { return strings.EqualFold(have, m) }) {
			models = append(models, m)
		}
	}
	return models
}

func (s *source) brandOf(product string) string {
	brand := extract.BrandFromLead(s.description, product)
	if brand == "" {
		brand = extract.BrandFromTitle(s.title, product)
	}
	// Whoever recalls is often the importer, whose name no label shows: then what
	// the description calls the product counts.
	if brand == "" || !extract.NamedInLead(product, brand) && !extract.NamedInLead(s.description, brand) {
		if stated := extract.BrandFromDescription(s.description, product); stated != "" {
			brand = stated
		}
	}
	if agency.Placeholder(brand) {
		return ""
	}
	return brand
}

// hazardsOf reads the hazards from the service's words; where those name none
// of the taxonomy, from the title ("... Due to Fall Hazard").
func (s *source) hazardsOf() []recall.Hazard {
	hazards := extract.Hazards(s.hazards...)
	if len(hazards) == 0 {
		hazards = extract.Hazards(s.title)
	}
	if text := strings.Join(s.hazards, "\n"); len(hazards) == 0 && text != "" {
		hazards = []recall.Hazard{{Type: recall.HazardOther, Text: text}}
	}
	return hazards
}

// remedyTypes reads RemedyOptions, which hold one of the guide's words each but
// sometimes junk; recalls before 2009 have none, and their words decide.
func (s *source) remedyTypes() []recall.RemedyType {
	var types []recall.RemedyType
	for _, option := range s.remedyOptions {
		if t, ok := remedyOptions[strings.ToLower(option)]; ok && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		types = extract.Remedies(s.remedy)
	}
	return types
}

var remedyOptions = map[string]recall.RemedyType{
	"refund": recall.RemedyRefund, "repair": recall.RemedyRepair, "replace": recall.RemedyReplace,
	"dispose": recall.RemedyDispose, "new instructions": recall.RemedyInstructions, "inspect": recall.RemedyInspect,
	"label": recall.RemedyLabel, "no remedy available": recall.RemedyNone,
}

// unitCounts adds up the products' counts by country; appendText has dropped
// the repetitions where every product states the recall's total.
func (s *source) unitCounts() []recall.UnitCount {
	var total []recall.UnitCount
	for _, text := range s.units {
		for _, c := range extract.UnitCounts(text, "US") {
			i := slices.IndexFunc(total, func(have recall.UnitCount) bool { return have.Country == c.Country })
			if i < 0 {
				total = append(total, c)
				continue
			}
			total[i].Count += c.Count
			total[i].Approximate = total[i].Approximate || c.Approximate
		}
	}
	return total
}

// restoreBlanks undoes what the service did to old records, whose no-break
// blanks became question marks ("for?bicycle?helmets").
func (s *source) restoreBlanks() {
	for _, text := range []*string{&s.title, &s.description, &s.remedy, &s.contact, &s.incidents} {
		*text = withoutStrayMarks(*text)
	}
	for _, list := range [][]string{s.products, s.units, s.hazards, s.soldAt, s.captions, s.manufacturers, s.importers, s.distributors} {
		for i := range list {
			list[i] = withoutStrayMarks(list[i])
		}
	}
}

// withoutStrayMarks replaces a question mark between two letters by a blank,
// but not inside an address, where it starts a query.
func withoutStrayMarks(text string) string {
	if !strings.Contains(text, "?") {
		return text
	}
	out := []byte(text)
	for i := range out {
		if out[i] != '?' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+1:])
		if unicode.IsLetter(before) && unicode.IsLetter(after) && !insideAddress(text, i) {
			out[i] = ' '
		}
	}
	return string(out)
}

func insideAddress(text string, i int) bool {
	start := strings.LastIndexAny(text[:i], " \n(\"") + 1
	word := text[start:i]
	return strings.Contains(word, "/") || strings.Contains(strings.ToLower(word), "www.")
}
