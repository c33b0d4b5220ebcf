package mbie

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// completeness is the same for every copy: there is one format only.
const completeness = 1

// language is that of the notices: the day stands before the month.
const language = "en-NZ"

func (a *Agency) record(s source) (agency.Record, error) {
	native, ok := nativeID(s.address)
	if !ok {
		return agency.Record{}, fmt.Errorf("the address %q is no notice's of %s", s.address, host)
	}
	if s.title == "" {
		return agency.Record{}, fmt.Errorf("notice %s has no title", native)
	}
	if s.fields[keyIdentifiers] == "" && s.fields[keyHazard] == "" && s.fields[keyAction] == "" {
		return agency.Record{}, fmt.Errorf("notice %s has neither product identifiers nor a hazard nor what to do: the page is built otherwise than we know", native)
	}
	published, err := a.day(s.published)
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading the day on which notice %s was published: %w", native, err)
	}
	name, _ := agency.SplitShop(s.title)
	record := agency.Record{SourceHash: s.hash(), Completeness: completeness}
	n := &record.Notice
	*n = recall.Notice{
		ID: Code + ":" + native, Agency: Code, URL: s.address, Language: language,
		Title: s.title, Summary: s.summary(), PublishedAt: published, AgencyStatus: s.status, Countries: []string{"NZ"},
		Audience:   extract.AudienceOf(name, strings.Join(s.categories, "; "), s.fields[keyIdentifiers]),
		Categories: extract.Categories(append([]string{name, s.fields[keyIdentifiers]}, s.categories...)...),
		Products:   []recall.Product{s.product()},
		Hazards:    s.hazards(),
		Incidents:  extract.Incidents(s.fields[keyHazard]),
		Remedy: recall.Remedy{
			Types: extract.Remedies(s.fields[keyAction]), Text: s.fields[keyAction], Contact: s.fields[keySupplier],
		},
		SoldAt: s.soldAt(), Aliases: s.aliases(),
	}
	n.Normalise()
	return record, nil
}

// hash is of what the notice says, not of how the page is built around it.
func (s *source) hash() string {
	return agency.HashOf([]any{s.address, s.title, s.published, s.status, s.categories, s.fields})
}

func (a *Agency) day(text string) (time.Time, error) {
	if t, err := time.Parse("2 January 2006", text); err == nil {
		text = t.Format(time.DateOnly)
	}
	return agency.ParseDate(text, a.now())
}

func (s *source) summary() string {
	lines := []string{s.fields[keyIdentifiers], s.fields[keyHazard]}
	if supplier, _, _ := strings.Cut(s.fields[keySupplier], "\n"); supplier != "" {
		lines = append(lines, "Supplier: "+supplier)
	}
	if responsible := strings.ReplaceAll(s.fields[keyAgency], "\n", " "); responsible != "" {
		lines = append(lines, "Responsible agency: "+responsible)
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

// product reads the one product that a notice is about. The identifiers are
// prose: what is sold where and when, names, models and numbers, EANs among
// them behind "SKU:".
func (s *source) product() recall.Product {
	codes := extract.Read([]extract.Field{
		{Name: "title", Text: s.title},
		{Name: keyIdentifiers, Text: s.fields[keyIdentifiers]},
		{Name: keyHazard, Text: s.fields[keyHazard]},
		{Name: keyAction, Text: s.fields[keyAction]},
	}, extract.Options{Language: language})
	agency.ModelsToBarcodes(&codes, keyIdentifiers)
	if quote, ok := agency.UnreadCode(codes, keyIdentifiers, s.fields[keyIdentifiers]); ok {
		agency.Widen(&codes, recall.Lot, quote)
	}
	name, _ := agency.SplitShop(s.title)
	return recall.Product{Name: name, Brand: brandOf(name), GTINs: codes.GTINs, Models: codes.Models, Units: codes.Units}
}

func brandOf(name string) string {
	brand := extract.BrandFromTitle(name, name)
	if agency.Placeholder(brand) {
		return ""
	}
	return brand
}

func (s *source) hazards() []recall.Hazard {
	text := s.fields[keyHazard]
	hazards := extract.Hazards(text)
	if len(hazards) == 0 && text != "" {
		hazards = []recall.Hazard{{Type: recall.HazardOther, Text: text}}
	}
	return hazards
}

// soldAt is the shop of the title and the lines that tell where and when the
// product was sold.
func (s *source) soldAt() []string {
	var sold []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" && !slices.Contains(sold, text) {
			sold = append(sold, text)
		}
	}
	_, shop := agency.SplitShop(s.title)
	add(shop)
	for line := range strings.Lines(s.fields[keyIdentifiers]) {
		if strings.HasPrefix(strings.ToLower(line), "sold ") {
			add(line)
		}
	}
	return sold
}

// australian is a notice of Product Safety Australia on the same recall.
var australian = regexp.MustCompile(`^https?://(?:www\.)?productsafety\.gov\.au/search-consumer-product-recalls/([^/?#]+)`)

// aliases are the Australian notices that the notice links to.
func (s *source) aliases() []recall.Alias {
	var aliases []recall.Alias
	for _, link := range s.links {
		alias := recall.Alias{ID: "au-accc:" + agency.Slug(link), Kind: recall.Declared}
		if australian.MatchString(link) && !slices.Contains(aliases, alias) {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}
