package accc

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// How complete the formats are: the feed lacks what identifies units.
const (
	completenessFeed = 1
	completenessPage = 2
)

// language is that of the notices: Australians write the day before the month.
const language = "en-AU"

// emit hands over the notice of a recall, or the reason why there is none.
func (a *Agency) emit(s source, position int, raw []byte, sink agency.Sink) error {
	record, err := a.record(s)
	if err != nil {
		native, _ := nativeID(s.address, true)
		return sink.Reject(agency.Reject{NativeID: native, Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
	}
	return sink.Record(record)
}

func (a *Agency) record(s source) (agency.Record, error) {
	native, ok := nativeID(s.address, true)
	if !ok {
		return agency.Record{}, fmt.Errorf("the address %q is no notice's of %s", s.address, host)
	}
	if s.title == "" {
		return agency.Record{}, fmt.Errorf("notice %s has no title", native)
	}
	if s.fields[keyDescription] == "" && s.fields[keyReason] == "" && s.fields[keyHazards] == "" && s.fields[keyAction] == "" {
		return agency.Record{}, fmt.Errorf("notice %s has neither a description nor a reason, hazards or what to do: the page is built otherwise than we know", native)
	}
	published, err := a.day(s.published)
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading the day on which notice %s was published: %w", native, err)
	}
	record := agency.Record{SourceHash: s.hash(), Completeness: completenessFeed}
	if s.whole {
		record.Completeness = completenessPage
	}
	action, contact := s.remedy()
	n := &record.Notice
	*n = recall.Notice{
		ID: Code + ":" + native, Agency: Code, URL: s.address, Language: language,
		Title: s.title, Summary: s.summary(), PublishedAt: published, Countries: []string{"AU"},
		Audience: s.audience(), Categories: s.categories(),
		Products:  []recall.Product{s.product()},
		Hazards:   s.hazards(),
		Incidents: extract.Incidents(strings.TrimSpace(s.fields[keyHazards] + "\n" + s.fields[keyReason])),
		Remedy:    recall.Remedy{Types: extract.Remedies(action), Text: action, Contact: contact},
		SoldAt:    s.soldAt(), Aliases: s.aliases(Code + ":" + native),
	}
	if changed, err := time.Parse(time.RFC3339, s.changed); err == nil && !changed.After(a.now().AddDate(0, 0, 1)) {
		n.UpdatedAt = &changed
		record.Version, _ = strconv.ParseInt(changed.UTC().Format("20060102150405"), 10, 64) // digits always parse
	}
	n.Normalise()
	return record, nil
}

// hash is of what the notice says, not of how the page is built around it.
func (s *source) hash() string {
	return agency.HashOf([]any{s.address, s.title, s.published, s.topics, s.fields, s.documents, s.whole})
}

// day reads the dates of the site: 2026-07-03 and 3 July 2026.
func (a *Agency) day(text string) (time.Time, error) {
	if t, err := time.Parse("2 January 2006", strings.TrimSpace(text)); err == nil {
		text = t.Format(time.DateOnly)
	}
	return agency.ParseDate(text, a.now())
}

// summary is what the notice says of the product and of what is wrong with it,
// and what a notice has no fields for.
func (s *source) summary() string {
	lines := []string{s.fields[keyDescription], s.fields[keyReason]}
	for _, field := range []struct{ label, key string }{
		{"Model", keyModel}, {"Identifying numbers", keyNumbers}, {"Identifying features", keyFeatures},
		{"Supplier", keySupplier}, {"Available for sale", keySaleDates}, {"Made in", keyOrigin}, {"PRA number", keyPRA},
	} {
		if value := strings.ReplaceAll(s.fields[field.key], "\n", " "); value != "" {
			lines = append(lines, field.label+": "+value)
		}
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

// baby are the topics of what babies and toddlers use.
var baby = regexp.MustCompile(`(?i)\b(?:bab(?:y|ies)|toddlers?|infants?|prams?|strollers?|cots?|dummies)\b`)

func (s *source) audience() recall.Audience {
	if slices.ContainsFunc(s.topics, baby.MatchString) {
		return recall.Infant
	}
	return extract.AudienceOf(s.title, strings.Join(s.topics, "; "), s.fields[keyDescription])
}

func (s *source) categories() []string {
	categories := extract.Categories(append([]string{s.title, s.fields[keyDescription]}, s.topics...)...)
	if slices.ContainsFunc(s.topics, baby.MatchString) && !slices.Contains(categories, "nursery") {
		categories = append(categories, "nursery")
	}
	return categories
}

// product reads the one product that a notice is about.
func (s *source) product() recall.Product {
	action, _ := s.remedy() // phone numbers are no codes
	codes := extract.Read([]extract.Field{
		{Name: "title", Text: s.title},
		{Name: keyDescription, Text: s.fields[keyDescription]},
		{Name: keyFeatures, Text: s.fields[keyFeatures]},
		{Name: keyNumbers, Text: s.fields[keyNumbers]},
		{Name: keyAction, Text: action},
	}, extract.Options{Language: language, Cut: !s.whole})
	s.readModel(&codes)
	agency.ModelsToBarcodes(&codes, keyNumbers)
	numbers := agency.Cell{Field: keyNumbers, Text: s.fields[keyNumbers], Language: language}
	agency.AddBarcodes(&codes, numbers.Barcodes()...)
	if quote, ok := agency.UnreadCode(codes, keyNumbers, s.fields[keyNumbers]); ok {
		agency.Widen(&codes, recall.Lot, quote)
	}
	s.readDocuments(&codes)
	name, _ := agency.SplitShop(s.title)
	return recall.Product{Name: name, Brand: s.brand(name), GTINs: codes.GTINs, Models: codes.Models, Units: codes.Units}
}

var remark = regexp.MustCompile(`\s*\([^()]*\)`)

// readModel reads the model field, in which colours and sizes stand in brackets.
func (s *source) readModel(codes *extract.Codes) {
	text := s.fields[keyModel]
	models, open := agency.Cell{Field: keyModel, Text: remark.ReplaceAllString(text, ""), Language: language}.Models()
	for _, m := range models {
		for part := range strings.SplitSeq(m, " / ") {
			part = strings.TrimSpace(part)
			if part != "" && !slices.ContainsFunc(codes.Models, func(have string) bool { return strings.EqualFold(have, part) }) {
				codes.Models = append(codes.Models, part)
			}
		}
	}
	if open {
		agency.Widen(codes, recall.Lot, recall.Quote{Text: text, Field: keyModel, End: len(text)})
	}
}

// listOfMany names a document that lists the units rather than shows one.
var listOfMany = regexp.MustCompile(`(?i)\b(?:lists?|numbers?|serials?|vins?|batch(?:es)?|lots?|codes?|affected|models?|identif\w*)\b`)

// readDocuments says of the units what an attached list would say: that it
// limits the notice, and that we haven't read it.
func (s *source) readDocuments(codes *extract.Codes) {
	for _, name := range s.documents {
		if listOfMany.MatchString(name) {
			agency.AddUnreadable(codes, recall.Serial, recall.Quote{Text: name, Field: keyAttached, End: len(name)})
			return
		}
	}
}

// brand is the page's word for it; the feed and some pages have none.
func (s *source) brand(name string) string {
	brand := s.fields[keyBrand]
	if brand == "" {
		brand = extract.BrandFromTitle(name, name)
	}
	if agency.Placeholder(brand) {
		return ""
	}
	return brand
}

func (s *source) hazards() []recall.Hazard {
	hazards := extract.Hazards(s.fields[keyHazards])
	if len(hazards) == 0 {
		hazards = extract.Hazards(s.fields[keyReason])
	}
	if text := cmp.Or(s.fields[keyHazards], s.fields[keyReason]); len(hazards) == 0 && text != "" {
		hazards = []recall.Hazard{{Type: recall.HazardOther, Text: text}}
	}
	return hazards
}

// reachable are the lines that tell how to reach somebody.
var reachable = regexp.MustCompile(`(?i)@|\bwww\.|\bhttps?://|\b(?:phone|call|tel(?:ephone)?|contact)\b.*\d`)

// remedy splits what to do from whom to contact.
func (s *source) remedy() (action, contact string) {
	action, contact = s.fields[keyAction], s.fields[keyContact]
	if contact != "" {
		if before, _, ok := strings.Cut(action, "\nContact\n"); ok {
			action = before
		}
		return action, contact
	}
	lines := []string{}
	if supplier := s.fields[keySupplier]; supplier != "" {
		lines = append(lines, supplier)
	}
	for line := range strings.Lines(action) {
		if reachable.MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return action, strings.Join(lines, "\n")
}

func (s *source) soldAt() []string {
	var sold []string
	if _, shop := agency.SplitShop(s.title); shop != "" {
		sold = append(sold, shop)
	}
	for _, key := range []string{keyTraders, keyWhere} {
		for line := range strings.Lines(s.fields[key]) {
			if line = strings.TrimSpace(line); line != "" && !slices.Contains(sold, line) {
				sold = append(sold, line)
			}
		}
	}
	return sold
}

// newZealand is a notice of New Zealand's Product Safety on the same recall.
var newZealand = regexp.MustCompile(`^https?://(?:www\.)?productsafety\.govt\.nz/recalls/([^/?#]+)`)

// aliases are the other notices that the notice links to.
func (s *source) aliases(own string) []recall.Alias {
	var aliases []recall.Alias
	add := func(id string) {
		if id != own && !slices.ContainsFunc(aliases, func(have recall.Alias) bool { return have.ID == id }) {
			aliases = append(aliases, recall.Alias{ID: id, Kind: recall.Declared})
		}
	}
	for _, link := range s.links {
		if newZealand.MatchString(link) {
			add("nz-mbie:" + agency.Slug(link))
			continue
		}
		if strings.HasPrefix(link, "/"+recallFolder) {
			link = DefaultBaseURL + link
		}
		if native, ok := nativeID(link, false); ok {
			add(Code + ":" + native)
		}
	}
	return aliases
}
