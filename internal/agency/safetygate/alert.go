package safetygate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// alert is one notice as all formats tell it, in cleaned text. What a format
// doesn't have is empty.
type alert struct {
	number    string // as printed: SR/00939/26
	url       string
	language  string    // of the prose, a BCP 47 tag
	published time.Time // the day of the weekly report where a format has no other
	modified  time.Time // zero: the format doesn't tell

	category    category
	generic     string // what the product is, in the prose's language: "Soft toy"
	specific    string // what it is called, in the language of who notified it
	brands      []string
	description string
	packaging   string
	counterfeit bool
	models      agency.Cell
	batches     agency.Cell
	barcodes    agency.Cell
	produced    agency.Cell
	listings    []string // what online shops call the product
	recallCode  string   // the company's own number of its recall

	risks      []string // in the words of the agency's list: "damage to sight"
	danger     string
	legal      string
	defect     string
	measures   []measure
	recalls    []string // addresses of companies' and authorities' recall pages
	countries  []string // ISO 3166-1 alpha-2, who notified first
	sellers    []string
	images     []string
	correction string

	hash         string
	completeness int
}

// record makes the canonical notice out of an alert.
func (a *alert) record() (agency.Record, error) {
	native := nativeID(a.number)
	switch {
	case a.number == "":
		return agency.Record{}, errors.New("the record has no number")
	case native == "":
		return agency.Record{}, fmt.Errorf("%q is no case number", a.number)
	case a.published.IsZero():
		return agency.Record{}, fmt.Errorf("notice %s has no date", a.number)
	case a.name() == "":
		return agency.Record{}, fmt.Errorf("notice %s names no product", a.number)
	}
	products, unread := a.products()
	n := recall.Notice{
		ID:           Code + ":" + native,
		Agency:       Code,
		URL:          a.url,
		Language:     a.language,
		Title:        a.title(),
		Summary:      a.summary(unread),
		PublishedAt:  a.published,
		Status:       recall.Active,
		AgencyStatus: statusOf(a.measures),
		Countries:    unique(a.countries),
		Audience:     a.audience(),
		Categories:   a.categories(),
		Products:     products,
		Hazards:      a.hazards(),
		Incidents:    extract.Incidents(a.danger),
		Remedy:       a.remedy(),
		SoldAt:       unique(a.sellers),
		Images:       unique(a.images),
		Aliases:      a.aliases(),
	}
	if !a.modified.IsZero() {
		n.UpdatedAt = &a.modified
	}
	n.Normalise()
	completeness := a.completeness
	if a.language == "en" {
		completeness++
	}
	return agency.Record{Notice: n, SourceHash: a.hash, Version: a.version(), Completeness: completeness}, nil
}

// version is the day of the last change, as YYYYMMDD: the formats tell it to
// the second, but not to the same one.
func (a *alert) version() int64 {
	if a.modified.IsZero() {
		return 0
	}
	day, err := strconv.ParseInt(a.modified.UTC().Format("20060102"), 10, 64)
	if err != nil {
		return 0
	}
	return day
}

// nativeID returns a case number in upper case with dashes for slashes, or ""
// when it is none.
func nativeID(number string) string {
	number = strings.ToUpper(strings.TrimSpace(number))
	digit := false
	for i := range len(number) {
		switch c := number[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'A' && c <= 'Z', c == '-', c == '/', c == '_', c == '.':
		default:
			return ""
		}
	}
	if !digit {
		return ""
	}
	return strings.ReplaceAll(number, "/", "-")
}

// name is what the product is called, or what it is where it has no name of its own.
func (a *alert) name() string {
	if a.specific != "" {
		return a.specific
	}
	return a.generic
}

// title names brand, name and kind of product, each once.
func (a *alert) title() string {
	title := a.name()
	if brand := strings.Join(a.brands, ", "); brand != "" && !containsFold(title, brand) {
		title = brand + " " + title
	}
	if a.generic != "" && !containsFold(title, a.generic) {
		title += " (" + a.generic + ")"
	}
	return title
}

// summary joins what the notice says of the product and of what is wrong.
// Codes that identify no product by themselves can still be searched for in it.
func (a *alert) summary(unread []string) string {
	paragraphs := []string{a.description, a.packaging, a.danger, a.defect, a.legal, a.correction}
	say := english
	if a.language == "fr" {
		say = french
	}
	if a.counterfeit {
		paragraphs = append(paragraphs, say.counterfeit)
	}
	for _, codes := range []struct {
		label  string
		values []string
	}{{say.codes, unread}, {say.listings, unique(a.listings)}, {say.recallCode, []string{a.recallCode}}} {
		if joined := strings.Join(codes.values, "; "); joined != "" {
			paragraphs = append(paragraphs, codes.label+joined)
		}
	}
	return strings.Join(unique(paragraphs), "\n")
}

// summaryWords stand before what a summary adds to the agency's sentences.
type summaryWords struct{ counterfeit, codes, listings, recallCode string }

var (
	english = summaryWords{"The product is counterfeit.", "Other codes: ", "Online listings: ", "Company recall code: "}
	french  = summaryWords{"Le produit est une contrefaçon.", "Autres codes : ", "Offres en ligne : ", "Code de rappel de l'entreprise : "}
)

// rappelConsoPages begin the addresses of RappelConso's notices.
const rappelConsoPages = "rappel.conso.gouv.fr/fiche-rappel/"

// aliases links the notice that a company's recall has in France's own
// register, whose addresses of version 2 hold its number.
func (a *alert) aliases() []recall.Alias {
	var found []recall.Alias
	for _, page := range a.recalls {
		_, number, ok := strings.Cut(strings.ToLower(page), rappelConsoPages)
		number, _, _ = strings.Cut(number, "/")
		if !ok || !isFicheNumber(number) {
			continue
		}
		alias := recall.Alias{ID: "fr-rappelconso:" + number, Kind: recall.Declared}
		if !slices.Contains(found, alias) {
			found = append(found, alias)
		}
	}
	return found
}

// isFicheNumber tells RappelConso's numbers, such as 2026-02-0062.
func isFicheNumber(s string) bool {
	if len(s) != len("2026-02-0062") {
		return false
	}
	for i := range len(s) {
		if dash := i == 4 || i == 7; dash != (s[i] == '-') || !dash && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// unique drops empty and repeated texts.
func unique(list []string) []string {
	var kept []string
	for _, s := range list {
		if s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
