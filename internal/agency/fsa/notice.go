package fsa

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// notice makes the canonical notice of an alert.
func (a *Agency) notice(al *alert, native string) (recall.Notice, error) {
	published, err := agency.ParseDate(string(al.Created), a.now())
	if err != nil {
		return recall.Notice{}, fmt.Errorf("reading the day on which alert %s was created: %w", native, err)
	}
	title := al.Title.Clean()
	if title == "" {
		title = al.ShortTitle.Clean()
	}
	list := products(al, title)
	advice := paragraphs(al.ActionTaken.Clean(), al.ConsumerAdvice.Clean())
	n := recall.Notice{
		ID:           Code + ":" + native,
		Agency:       Code,
		URL:          string(al.AlertURL),
		Language:     "en",
		Title:        title,
		Summary:      summary(al),
		PublishedAt:  published,
		Status:       recall.Active,
		AgencyStatus: al.Status.Label.Clean(),
		Countries:    []string{"GB"},
		Products:     list,
		Hazards:      hazards(al, title),
		Remedy:       recall.Remedy{Types: extract.Remedies(advice), Text: advice, Contact: contact(advice)},
		SoldAt:       businesses(al),
		Aliases:      aliases(al, native),
	}
	if t, err := agency.ParseDate(string(al.Modified), a.now()); err == nil {
		n.UpdatedAt = &t
	}
	if strings.EqualFold(n.AgencyStatus, "withdrawn") || strings.HasSuffix(string(al.Status.ID), "/withdrawn") {
		n.Status = recall.Withdrawn
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	n.Audience = audience(names)
	n.Categories = categories(n.Audience, names)
	n.Normalise()
	return n, nil
}

// products reads the products of an alert; one that lists none is named by its
// title.
func products(al *alert, title string) []recall.Product {
	business := extract.BrandFromTitle(title, "")
	if len(al.ReportingBusiness) > 0 {
		business = al.ReportingBusiness[0].CommonName.Clean()
	}
	var list []recall.Product
	for _, p := range al.products() {
		name := productName(p.Name.Clean())
		if name == "" {
			continue
		}
		r := recall.Product{Name: name, Brand: brandOf(name, business), Units: units(p.Batches)}
		if code := p.Code.Clean(); code != "" {
			r.GTINs = cell("productCode", code).Barcodes()
		}
		same := func(have recall.Product) bool { return reflect.DeepEqual(have, r) }
		if !slices.ContainsFunc(list, same) { // each size of pack is listed
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		name := titleProduct(title)
		list = []recall.Product{{Name: name, Brand: brandOf(name, business)}}
	}
	return list
}

var nameRemarks = regexp.MustCompile(`(?i)^(?:product )?name\s*:\s*|,?\s*\(all [^()]*\)$`)

func productName(said string) string { return nameRemarks.ReplaceAllString(said, "") }

// brandOf is the business that recalls, or as much of its name as the product's
// begins with ("Rude Oats" of Rude Oats Foods Ltd). Often it is a shop, and the
// maker's brand begins the product's name, where it counts as well; a product
// whose name holds no brand ("gravy mix") would pass for anybody's without it.
func brandOf(name, business string) string {
	words := strings.Fields(business)
	if len(words) > 1 && strings.EqualFold(words[0], "the") {
		words = words[1:]
	}
	own := strings.Join(recall.Words(name), " ") + " "
	for n := len(words); n > 0; n-- {
		brand := strings.Join(words[:n], " ")
		if said := recall.Words(brand); len(said) > 0 && strings.HasPrefix(own, strings.Join(said, " ")+" ") {
			return brand
		}
	}
	return companyForm.ReplaceAllString(business, "")
}

// companyForm is the end of a company's name that no product carries.
var companyForm = regexp.MustCompile(`(?i)(?:,?\s+(?:ltd|limited|plc|llp|inc|company|co|s\.?a|gmbh|uk|gb|\(uk\))\.?)+$`)

// titleParts cuts "Shop recalls Oat Bar because of undeclared milk".
var titleParts = regexp.MustCompile(`(?i)^.*?\b(?:recalls?|recalling|withdraws?)\b\s+(?:its\s+)?(.+?)(?:\s+(?:because|due to|as|over|after|following)\b.*)?$`)

func titleProduct(title string) string {
	if m := titleParts.FindStringSubmatch(title); m != nil {
		return m[1]
	}
	return title
}

// reason is what a title gives as the reason: what stands before it are names.
func reason(title string) string {
	if at := reasonWords.FindStringIndex(title); at != nil {
		return title[at[0]:]
	}
	return ""
}

var reasonWords = regexp.MustCompile(`(?i)\b(?:because|due to|as the|as a|as it|over|after|may contain)\b`)

// summary is what is wrong, with the packs that it is about.
func summary(al *alert) string {
	texts := []string{al.Description.Clean()}
	for _, p := range al.Problem {
		texts = append(texts, p.RiskStatement.Clean())
	}
	for _, p := range al.products() {
		if size := p.PackSize.Clean(); size != "" {
			texts = append(texts, p.Name.Clean()+", "+size)
		}
		if code := p.Code.Clean(); code != "" {
			texts = append(texts, p.Name.Clean()+", product code "+code)
		}
	}
	return paragraphs(texts...)
}

// hazards are the allergens that the agency codes, and what it says in words.
func hazards(al *alert, title string) []recall.Hazard {
	var labels, risks []string
	add := func(allergens []labelled) {
		for _, a := range allergens {
			if label := a.Label.Clean(); label != "" && !slices.Contains(labels, label) {
				labels = append(labels, label)
			}
		}
	}
	for _, p := range al.Problem {
		add(p.Allergen)
		risks = append(risks, p.RiskStatement.Clean())
	}
	for _, p := range al.products() {
		add(p.Allergen)
	}
	var found []recall.Hazard
	if len(labels) > 0 {
		found = append(found, recall.Hazard{Type: recall.HazardAllergen, Text: strings.Join(labels, ", ")})
	}
	for _, h := range extract.Hazards(append([]string{reason(title), al.Description.Clean()}, risks...)...) {
		if !slices.ContainsFunc(found, func(have recall.Hazard) bool { return have.Type == h.Type }) {
			found = append(found, h)
		}
	}
	if len(found) == 0 && slices.ContainsFunc(al.Type, func(t agency.Text) bool { return strings.HasSuffix(string(t), "/AA") }) {
		found = []recall.Hazard{{Type: recall.HazardAllergen, Text: title}}
	}
	return found
}

// audience goes by the products' names. Food is for everybody unless they say
// otherwise in so many words: "Old School Fudge" is not for pupils.
func audience(names []string) recall.Audience {
	said := extract.AudienceOf(names...)
	if said == recall.Child && !slices.ContainsFunc(names, forChildren.MatchString) {
		return recall.General
	}
	return said
}

var forChildren = regexp.MustCompile(`(?i)\b(?:kids?|child(?:ren)?)\b`)

// categories are the food's: a pudding in the shape of a toy is no toy.
func categories(audience recall.Audience, names []string) []string {
	out := []string{"food"}
	if audience != recall.Infant {
		return out
	}
	for _, c := range extract.Categories(names...) {
		if c == "infant-formula" || c == "baby-food" {
			out = append(out, c)
		}
	}
	return out
}

func businesses(al *alert) []string {
	var out []string
	for _, b := range slices.Concat(al.ReportingBusiness, al.OtherBusiness) {
		if name := b.CommonName.Clean(); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

var (
	notation = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9\-.]*$`)
	updateOf = regexp.MustCompile(`(?i)^(.+)-update-\d+$`)
)

// nativeID returns a notation, or "" for what can be none.
func nativeID(s string) string {
	if !notation.MatchString(s) {
		return ""
	}
	return s
}

// aliases are the alerts that this one says it goes on from.
func aliases(al *alert, native string) []recall.Alias {
	var out []recall.Alias
	add := func(id string) {
		alias := recall.Alias{ID: Code + ":" + id, Kind: recall.Declared}
		if id = nativeID(id); id != "" && id != native && !slices.Contains(out, alias) {
			out = append(out, alias)
		}
	}
	for _, previous := range al.PreviousAlert {
		add(string(previous[strings.LastIndexByte(string(previous), '/')+1:]))
	}
	if m := updateOf.FindStringSubmatch(native); m != nil {
		add(m[1])
	}
	return out
}

// contact is what the advice says of whom to turn to.
func contact(advice string) string {
	var lines []string
	for line := range strings.Lines(advice) {
		lower := strings.ToLower(line)
		if strings.ContainsRune(line, '@') || strings.Contains(lower, "contact") || strings.Contains(lower, "customer service") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

func paragraphs(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "\n")
}

// version is the day of the last publication, as YYYYMMDD.
func version(n *recall.Notice) int64 {
	last := n.PublishedAt
	if n.UpdatedAt != nil {
		last = *n.UpdatedAt
	}
	year, month, day := last.Date()
	return int64(year)*10_000 + int64(month)*100 + int64(day)
}
