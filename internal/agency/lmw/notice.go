package lmw

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// record makes the canonical notice out of a warning.
func (a *Agency) record(w *warning, raw json.RawMessage) (agency.Record, error) {
	native := w.ID.Clean()
	if _, err := strconv.ParseUint(native, 10, 64); err != nil {
		return agency.Record{}, fmt.Errorf("the id %q is no number", native)
	}
	if w.Kind != kindFood && w.Kind != kindProduct {
		return agency.Record{}, fmt.Errorf("notice %s is of an unknown kind %q", native, w.Kind)
	}
	published, err := a.published(w.Published)
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading publishedDate of notice %s: %w", native, err)
	}
	if err := w.agreesWithItself(); err != nil {
		return agency.Record{}, fmt.Errorf("reading notice %s: %w", native, err)
	}
	n := recall.Notice{
		ID:           Code + ":" + native,
		Agency:       Code,
		URL:          webAddress(w.Link.Clean()),
		Language:     "de",
		Title:        w.title(),
		Summary:      w.summary(),
		PublishedAt:  published,
		Status:       recall.Active,
		AgencyStatus: w.agencyStatus(),
		Countries:    []string{"DE"},
		Audience:     w.audience(),
		Categories:   w.categories(),
		Products:     w.products(),
		Hazards:      w.hazards(),
		Remedy:       w.remedy(),
		SoldAt:       cleaned(w.States),
		Images:       slices.DeleteFunc(cleaned(w.Product.Images), func(s string) bool { return webAddress(s) == "" }),
		Aliases:      w.aliases(),
	}
	n.Normalise()
	day, err := strconv.ParseInt(published.Format("20060102"), 10, 64)
	if err != nil {
		return agency.Record{}, fmt.Errorf("numbering the day of notice %s: %w", native, err)
	}
	return agency.Record{Notice: n, SourceHash: agency.HashOf(raw), Version: day, Completeness: 1}, nil
}

// published reads milliseconds since 1970. Midnight in Germany stands for that
// day as such, which is midnight UTC with all agencies.
func (a *Agency) published(ms agency.Text) (time.Time, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(string(ms)), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time in milliseconds", ms)
	}
	t := time.UnixMilli(n).UTC()
	if h := t.Hour(); (h == 22 || h == 23) && t.Truncate(time.Hour).Equal(t) { // summer time, winter time
		t = t.Truncate(24*time.Hour).AddDate(0, 0, 1)
	}
	if t.Year() < 1967 || t.After(a.now().AddDate(0, 0, 1)) {
		return time.Time{}, fmt.Errorf("%s is outside 1967 to tomorrow", t.Format(time.DateOnly))
	}
	return t, nil
}

// agreesWithItself refuses a record whose title speaks of another product than
// its product does: the service has merged two notices into one, and nobody can
// tell which half the number and the hazard belong to.
func (w *warning) agreesWithItself() error {
	title := recall.Tokens(w.Title.Clean())
	own := []agency.Text{w.Product.Designation, w.Product.Brand, w.Product.Description, w.Product.Model}
	if w.Kind == kindProduct {
		own = append(own, w.Product.Manufacturer)
	}
	words := tellingWords(own)
	if len(title) == 0 && len(words) == 0 {
		return fmt.Errorf("it doesn't name anything")
	}
	if len(title) == 0 || len(words) == 0 || slices.ContainsFunc(words, func(word string) bool { return shares(title, word) }) {
		return nil
	}
	return fmt.Errorf("two notices are mixed in it: the title is %q, the product %q", w.Title.Clean(), w.Product.name())
}

// tellingWords are the words of some fields, without those too short to tell
// anything unless there is nothing else.
func tellingWords(fields []agency.Text) []string {
	var all []string
	for _, f := range fields {
		all = append(all, recall.Tokens(f.Clean())...)
	}
	long := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return len(w) < 3 })
	if len(long) > 0 {
		return long
	}
	return all
}

// shares finds a word, or a compound with it: "Käse" in "Schnittkäse".
func shares(title []string, word string) bool {
	const compound = 4
	return slices.ContainsFunc(title, func(t string) bool {
		return t == word || len(word) >= compound && strings.Contains(t, word) || len(t) >= compound && strings.Contains(word, t)
	})
}

func (w *warning) title() string {
	if t := w.Title.Clean(); t != "" {
		return t
	}
	return w.Product.name()
}

func (p *product) name() string {
	for _, t := range []agency.Text{p.Designation, p.Description, p.Brand, p.Manufacturer} {
		if s := t.Clean(); s != "" {
			return s
		}
	}
	return ""
}

// summary says what is wrong and what the product is. Lots and dates of food
// stand on the page alone.
func (w *warning) summary() string {
	var lines []string
	add := func(label string, t agency.Text) {
		if s := t.Clean(); s != "" && !slices.Contains(lines, s) {
			if label != "" {
				s = label + ": " + s
			}
			lines = append(lines, s)
		}
	}
	add("", w.Reasons)
	add("Gefährdung", w.Safety.Hazard)
	add("Verletzung", w.Safety.Injury)
	add("", w.Safety.Ordinance)
	add("", w.SafetyGate.Message)
	add("", w.Product.Description)
	add("Modell", w.Product.Model)
	add("Betroffene Produkte", w.Product.Affected)
	add("Hersteller oder Inverkehrbringer", w.Product.Manufacturer)
	return strings.Join(lines, "\n")
}

func (w *warning) agencyStatus() string {
	if strings.EqualFold(w.Archived.Clean(), "true") {
		return "archived"
	}
	return ""
}

func (w *warning) remedy() recall.Remedy {
	var contact []string
	for _, t := range []agency.Text{w.Recall.Contact, w.Recall.Link} {
		if s := t.Clean(); s != "" {
			contact = append(contact, s)
		}
	}
	text := w.SafetyGate.Message.Clean()
	return recall.Remedy{Types: remedies(text), Text: text, Contact: strings.Join(contact, "\n")}
}

// safetyGateNumber is a number such as A12/01231/21, SR/00939/26 or 0123/12.
var safetyGateNumber = regexp.MustCompile(`\b(?:[A-Z]{1,4}\d{0,2}/)?\d{3,5}/\d{2}\b`)

// aliases links a product to the Safety Gate notice that the agency names.
func (w *warning) aliases() []recall.Alias {
	var links []recall.Alias
	for _, number := range safetyGateNumber.FindAllString(strings.ToUpper(w.SafetyGate.Number.Clean()), -1) {
		links = append(links, recall.Alias{ID: "eu-safety-gate:" + strings.ReplaceAll(number, "/", "-"), Kind: recall.Declared})
	}
	return links
}

func cleaned(list agency.List[agency.Text]) []string {
	var kept []string
	for _, t := range list {
		if s := t.Clean(); s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

func webAddress(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}
