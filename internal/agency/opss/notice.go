package opss

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

// notice makes the canonical notice of an item and its page, which is empty for
// a result of the search.
func (a *Agency) notice(it *item, p page, native string) (recall.Notice, error) {
	title := it.Title.Clean()
	meta := &it.Details.Metadata
	published, err := a.published(it)
	if err != nil {
		return recall.Notice{}, fmt.Errorf("reading the date of notice %s: %w", native, err)
	}
	name, shop := productName(title, p.told("Product"))
	hazard, action := p.section("hazard"), p.section("corrective action")
	offered, contact := splitAction(action)
	prose := extract.Read(p.fields(it, name), extract.Options{Language: language})
	list := p.products(name, prose)
	n := recall.Notice{
		ID:           Code + ":" + native,
		Agency:       Code,
		URL:          DefaultBaseURL + string(it.BasePath),
		Language:     locale(it.Locale.Clean()),
		Title:        title,
		Summary:      paragraphs(it.Description.Clean(), list[0].description, hazard),
		PublishedAt:  published,
		UpdatedAt:    a.updated(it),
		Status:       recall.Active,
		AgencyStatus: alertTypes[string(meta.AlertType)],
		Countries:    []string{"GB"},
		Hazards:      hazards(p.told("Hazard"), it.Description.Clean(), hazard),
		Remedy: recall.Remedy{
			Types:   remedies(meta.MeasureType, action),
			Text:    offered,
			Contact: contact,
		},
		Incidents:  extract.Incidents(hazard),
		UnitsCount: extract.UnitCounts(paragraphs(list[0].description, hazard), "GB"),
		SoldAt:     shop,
		Images:     images(it.Details.Attachments),
	}
	for _, d := range list {
		n.Products = append(n.Products, d.product)
	}
	n.Audience = audience(string(meta.Category), name, list[0])
	n.Categories = categories(string(meta.Category), name, list[0].category)
	if it.Withdrawn.says() {
		n.Status, n.AgencyStatus = recall.Withdrawn, "Withdrawn"
	}
	n.Normalise()
	return n, nil
}

// fields are the prose in which codes may stand beside the table's.
func (p *page) fields(it *item, name string) []extract.Field {
	fields := []extract.Field{{Name: "title", Text: name}}
	for _, rows := range p.tables {
		for _, r := range rows {
			if meaningOf(r.label) == description {
				fields = append(fields, extract.Field{Name: r.label, Text: r.text})
			}
		}
	}
	for _, s := range p.sections {
		switch {
		case strings.HasPrefix(s.heading, "summary"), strings.HasPrefix(s.heading, "additional information"):
			// The summary repeats the sections; the other holds the agency's own numbers.
		case s.heading == "":
			fields = append(fields, extract.Field{Name: "body", Text: s.text})
		default:
			fields = append(fields, extract.Field{Name: s.heading, Text: s.text})
		}
	}
	if len(p.sections) == 0 {
		fields = append(fields, extract.Field{Name: "description", Text: it.Description.Clean()})
	}
	return fields
}

// nativeID finds the number in the Product Safety Database: in the title, else
// in the body, else at the end of the address.
func nativeID(title, stated, path string) string {
	if open := strings.LastIndexByte(title, '('); open >= 0 {
		if n := psdNumber.FindString(title[open:]); n != "" {
			return strings.ToLower(n)
		}
	}
	if stated != "" {
		return stated
	}
	if n := lastNumber(path); n != "" && strings.HasSuffix(strings.ToLower(path), n) {
		return n
	}
	return ""
}

// published prefers the date of the recall to that of the page.
func (a *Agency) published(it *item) (time.Time, error) {
	var err error
	for _, field := range []agency.Text{it.Details.Metadata.AlertDate, it.FirstPublished, it.PublicUpdated} {
		if field == "" {
			continue
		}
		var t time.Time
		if t, err = agency.ParseDate(string(field), a.now()); err == nil {
			return t, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("there is neither product_recall_alert_date nor a date of publication")
	}
	return time.Time{}, err
}

// updated is the last change that readers were told of, by the page's own date
// or its history.
func (a *Agency) updated(it *item) *time.Time {
	var last *time.Time
	for _, field := range append([]agency.Text{it.PublicUpdated}, changes(it)...) {
		if t, err := agency.ParseDate(string(field), a.now()); err == nil && (last == nil || t.After(*last)) {
			last = &t
		}
	}
	return last
}

func changes(it *item) []agency.Text {
	var at []agency.Text
	for _, c := range it.Details.ChangeHistory {
		at = append(at, c.At)
	}
	return at
}

var (
	titleKind = regexp.MustCompile(`(?i)^(?:important )?product (?:recall|safety report|safety alert|alert)s?\s*[:\-–—]\s*`)
	titleEnd  = regexp.MustCompile(`\s*\([^()]*\d{4}-\d{4}[^()]*\)\s*$`)
	soldBy    = regexp.MustCompile(`(?i)[,;]?\s+(?:sold|supplied|available|purchased|offered)\s+(?:exclusively\s+)?(?:by|via|on|at|through|in|from)\s+(.+)$`)
)

// productName takes the product, and who sold it, out of the summary's line or
// the title.
func productName(title, stated string) (name string, shops []string) {
	name = titleEnd.ReplaceAllString(titleKind.ReplaceAllString(title, ""), "")
	if stated != "" {
		name = stated
	}
	if at := soldBy.FindStringSubmatchIndex(name); at != nil && at[0] > 0 {
		shop := strings.TrimRight(name[at[2]:at[3]], " .")
		return name[:at[0]], []string{shop}
	}
	return name, nil
}

// sentenceEnd is between two sentences for certain: the word before it is too
// long for an abbreviation, such as those of firms and streets.
var sentenceEnd = regexp.MustCompile(`(\p{Ll}{4,}[.!?])[ \t]+(\p{Lu})`)

// splitAction parts what the corrective action says of whom to turn to from the
// rest, sentence by sentence, so that each stands in one place only.
func splitAction(action string) (rest, contact string) {
	var others, contacts []string
	for line := range strings.Lines(action) {
		var told, turn []string
		for sentence := range strings.SplitSeq(sentenceEnd.ReplaceAllString(line, "$1\n$2"), "\n") {
			switch sentence = strings.TrimSpace(sentence); {
			case sentence == "":
			case saysWhomToTurnTo(sentence):
				turn = append(turn, sentence)
			default:
				told = append(told, sentence)
			}
		}
		others, contacts = append(others, strings.Join(told, " ")), append(contacts, strings.Join(turn, " "))
	}
	return paragraphs(others...), paragraphs(contacts...)
}

func saysWhomToTurnTo(sentence string) bool {
	lower := strings.ToLower(sentence)
	return strings.ContainsRune(sentence, '@') || strings.Contains(lower, "contact") || strings.Contains(lower, "telephone") || strings.Contains(lower, "email")
}

func images(attachments []attachment) []string {
	var out []string
	for _, a := range attachments {
		if strings.HasPrefix(string(a.ContentType), "image/") && !slices.Contains(out, string(a.URL)) {
			out = append(out, string(a.URL))
		}
	}
	return out
}

func locale(tag string) string {
	if tag == "" {
		return "en"
	}
	return tag
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
