package healthcanada

import (
	"errors"
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

// record makes the notice of a row and, where it was fetched, its page (or nil).
func (a *Agency) record(r row, p *page) (agency.Record, error) {
	switch {
	case !numeric.MatchString(string(r.NID)):
		return agency.Record{}, fmt.Errorf("NID %q is no number", r.NID)
	case r.Title == "":
		return agency.Record{}, errors.New("the row has no Title")
	}
	published, updated, err := a.dates(r, p)
	if err != nil {
		return agency.Record{}, fmt.Errorf("notice %s: %w", r.NID, err)
	}
	record := agency.Record{Completeness: completenessRow}
	if r.french() {
		record.Completeness = completenessFrenchRow
	}
	if updated != nil {
		record.Version, _ = strconv.ParseInt(updated.Format("20060102"), 10, 64) // eight digits always parse
	}
	products := r.products()
	if p != nil {
		record.Completeness = completenessPage
		products = p.products(r)
	}
	audience := r.audience(products)
	n := recall.Notice{
		ID: Code + ":" + string(r.NID), Agency: Code, URL: string(r.URL), Language: r.language(),
		Title: string(r.Title), Summary: r.summary(p), PublishedAt: published, UpdatedAt: updated,
		AgencyStatus: r.status(), Countries: []string{"CA"}, Audience: audience, Categories: r.categories(audience, products),
		Products: products, Hazards: r.hazards(p), Remedy: r.remedy(p),
	}
	if p != nil {
		n.Incidents, n.UnitsCount = p.incidents(), p.unitCounts()
		n.Images, n.Aliases = p.Images, p.aliases()
	} else {
		n.Aliases = cpscNotices(string(r.Action))
	}
	n.Normalise()
	record.Notice = n
	return record, nil
}

// dates: the row tells the day of the last change alone. The first publication
// stands on the page; without it the last change is the best that there is.
func (a *Agency) dates(r row, p *page) (published time.Time, updated *time.Time, err error) {
	changed, err := agency.ParseDate(string(r.Updated), a.now())
	if err == nil {
		published, updated = changed, &changed
	} else {
		err = fmt.Errorf("reading Last updated: %w", err)
	}
	if p != nil {
		if day, pageErr := agency.ParseDate(p.Published, a.now()); pageErr == nil {
			return day, updated, nil
		}
	}
	return published, updated, err
}

func (r row) status() string {
	if r.Archived == "1" || strings.EqualFold(string(r.Archived), "true") {
		return "Archived"
	}
	return ""
}

// summary is what is wrong, and what a notice has no fields for.
func (r row) summary(p *page) string {
	var lines []string
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, label+text)
		}
	}
	add("", string(r.Product))
	add("Issue: ", string(r.Issue))
	if p != nil {
		add("", p.Affected)
		add("", p.Issue)
	}
	add("Category: ", string(r.Category))
	add("Recall class: ", string(r.Class))
	add("Published by: ", string(r.Organization))
	return strings.Join(lines, "\n")
}

var (
	// recalled ends what a title calls the product.
	recalled = regexp.MustCompile(`(?i)\s+(?:(?:is |are |being )?recalled\b|rappelée?s?\b|may (?:pose|contain|be)|due to|fait l['’]objet|font l['’]objet|[-–:] (?:.* )?(?:affected|specific|certain) lots?|: )`)
	// opening is what a title says before the product.
	opening = regexp.MustCompile(`(?i)^(?:(?:expanded|updated?|corrected?)\s*(?:recall|:|-)+\s*|update\s*:\s*|notification\s*[-:]\s*|rappel (?:élargi|mis à jour)\s*:?\s*|mise à jour\s*:\s*|certain(?:e?s)?\s+)`)
	// byMaker is Transport Canada's way: "Child Seat recalled by MAKER".
	byMaker = regexp.MustCompile(`(?i)^(.+?) (?:recalled by|rappelée?s? par) (.+)$`)
	// brandBefore and brandBehind are the food agency's ways.
	brandBefore = regexp.MustCompile(`(?i)^(.{2,60}?) brand(?:ed)?\b`)
	brandBehind = regexp.MustCompile(`\b(?i:de marques?) ((?:[\p{Lu}\d][\p{L}\p{N}'’&.-]*\s?){1,4})`)
	noBrand     = regexp.MustCompile(`(?i)^(?:various|certain|multiple|several|some|select|different|unauthorized|diverses?|certaines?)\b`)
	// someLots says that the notice is about some lots, which the row doesn't name.
	someLots = regexp.MustCompile(`(?i)\b(?:(?:affected|certain|specific|some|one|two|three|select(?:ed)?|various|following|multiple) (?:lots?|batch(?:es)?|serial numbers?)|lots? (?:touchés?|visés?|concernés?)|certains (?:lots?|numéros de série))\b`)
)

// name returns what the row calls the product, and its maker where the row
// names one apart from it.
func (r row) name() (name, maker string) {
	name = string(r.Product)
	if name == "" {
		name = opening.ReplaceAllString(string(r.Title), "")
		if at := recalled.FindStringIndex(name); at != nil && at[0] > 3 {
			name = name[:at[0]]
		}
	}
	if m := byMaker.FindStringSubmatch(name); m != nil {
		return m[1], m[2]
	}
	return strings.TrimSpace(name), ""
}

// brand reads the brand of a product that is called so.
func (r row) brand(name, maker string) string {
	title := opening.ReplaceAllString(string(r.Title), "")
	brand := maker
	if m := brandBefore.FindStringSubmatch(title); brand == "" && m != nil {
		brand = m[1]
	}
	if m := brandBehind.FindStringSubmatch(title); brand == "" && m != nil {
		brand = strings.TrimSpace(m[1])
	}
	if brand == "" && !r.french() && r.consumer() {
		brand = extract.BrandFromTitle(title, name)
	}
	if agency.Placeholder(brand) || noBrand.MatchString(brand) || strings.EqualFold(brand, name) || strings.HasPrefix(brand, "Health Canada") {
		return ""
	}
	return brand
}

// products makes the one product that a row names. It has no codes of its own;
// what its words tell limits the notice.
func (r row) products() []recall.Product {
	name, maker := r.name()
	codes := extract.Read([]extract.Field{{Name: fieldTitle, Text: string(r.Title)}, {Name: fieldProduct, Text: string(r.Product)}},
		extract.Options{Language: r.language()})
	if !slices.ContainsFunc(codes.Units, func(u recall.Predicate) bool { return u.Op != recall.OpUnreadable }) {
		if quote, kind, ok := r.unnamed(); ok {
			codes.Units = nil
			agency.AddUnreadable(&codes, kind, quote)
		}
	}
	return []recall.Product{{Name: name, Brand: r.brand(name, maker), GTINs: codes.GTINs, Models: codes.Models, Units: codes.Units}}
}

// unnamed quotes the words by which a row limits a notice without telling how:
// some lots, or, for Transport Canada's, some of a maker's vehicles or seats.
func (r row) unnamed() (recall.Quote, recall.UnitKind, bool) {
	for _, f := range []struct {
		field string
		text  agency.Text
	}{{fieldTitle, r.Title}, {fieldProduct, r.Product}} {
		text := string(f.text)
		if at := someLots.FindStringIndex(text); at != nil {
			return recall.Quote{Text: text[at[0]:at[1]], Field: f.field, Start: at[0], End: at[1]}, recall.Lot, true
		}
	}
	product := string(r.Product)
	if byMaker.MatchString(product) {
		return recall.Quote{Text: product, Field: fieldProduct, End: len(product)}, recall.Serial, true
	}
	return recall.Quote{}, "", false
}

func (r row) audience(products []recall.Product) recall.Audience {
	if authorities[strings.ToLower(string(r.Organization))] == "vehicles" {
		switch kind := string(r.Category + " " + r.Product); {
		case !childSeat.MatchString(kind):
			return recall.General // a school bus is no child's
		case !booster.MatchString(kind):
			return recall.Infant
		}
		return recall.Child
	}
	texts := []string{string(r.Title), string(r.Product)}
	for _, p := range products {
		texts = append(texts, p.Name)
	}
	audience := extract.AudienceOf(texts...)
	if audience == recall.General && forChildren.MatchString(string(r.Category)) {
		return recall.Child
	}
	return audience
}

// categories are the kind of product that its authority looks after, what the
// product's words name, and for consumer products the row's own category.
func (r row) categories(audience recall.Audience, products []recall.Product) []string {
	var out []string
	kind := authorities[strings.ToLower(string(r.Organization))]
	if kind != "" {
		out = append(out, kind)
	}
	if kind == "" || audience != recall.General {
		name := ""
		if len(products) > 0 {
			name = products[0].Name
		}
		for _, c := range extract.Categories(string(r.Product), name, string(r.Category)) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	if own := strings.ToLower(string(r.Category)); len(out) == 0 && own != "" {
		out = append(out, own)
	}
	return out
}

// consumer tells the rows of Health Canada's consumer product safety program.
func (r row) consumer() bool {
	return strings.EqualFold(string(r.Organization), "consumer product safety") || strings.EqualFold(string(r.Organization), "sécurité des produits de consommation")
}
