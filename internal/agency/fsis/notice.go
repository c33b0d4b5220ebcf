package fsis

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

// How complete a copy of a notice is. A copy whose carrier cut the list of
// products may have lost what limits the notice; one whose carrier cut the
// press release has lost what to do.
const (
	completenessSpanish     = 1
	completenessCutProducts = 2
	completenessCutSummary  = 3
	completenessWhole       = 4
)

// nativeID returns the number as an id, or "" when there is none.
func (r row) nativeID() string {
	return strings.ReplaceAll(strings.Join(strings.Fields(r["field_recall_number"]), "-"), "/", "-")
}

// record makes the notice of a row.
func (a *Agency) record(r row) (agency.Record, error) {
	native := r.nativeID()
	switch {
	case native == "":
		return agency.Record{}, errors.New("the row has no field_recall_number")
	case r[fieldTitle] == "":
		return agency.Record{}, fmt.Errorf("notice %s has no field_title", native)
	}
	published, err := agency.ParseDate(r["field_recall_date"], a.now())
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading field_recall_date of notice %s: %w", native, err)
	}
	var updated *time.Time
	changed := published
	if day, err := agency.ParseDate(r["field_last_modified_date"], a.now()); err == nil {
		updated, changed = &day, day
	}
	version, _ := strconv.ParseInt(changed.Format("20060102"), 10, 64) // eight digits always parse

	s := a.story(r)
	products, cut := s.products()
	n := recall.Notice{
		ID: Code + ":" + native, Agency: Code, URL: webAddress(r["field_recall_url"]), Language: s.language(),
		Title: r[fieldTitle], Summary: r.summary(), PublishedAt: published, UpdatedAt: updated,
		AgencyStatus: r.status(), Countries: []string{"US"}, Products: products,
		Audience: audience(s, products), Hazards: s.hazards(), Remedy: s.remedy(),
		Incidents: s.incidents(), SoldAt: r.list("field_states"), Images: pictures(r["field_labels"]), Aliases: expanded(native),
	}
	n.Categories = categories(n.Audience, s, products)
	n.Normalise()
	return agency.Record{Notice: n, SourceHash: agency.HashOf(r), Version: version, Completeness: r.completeness(cut)}, nil
}

func (r row) completeness(cutProducts bool) int {
	switch {
	case r.spanish():
		return completenessSpanish
	case cutProducts:
		return completenessCutProducts
	case extract.HasCutEnd(r[fieldSummary]):
		return completenessCutSummary
	}
	return completenessWhole
}

// status is the agency's word: "Active Recall", "Closed Recall", "Public Health
// Alert". Most rows say "Recall" and leave the state to two booleans, and the
// nature of an alert to its risk level or its title.
func (r row) status() string {
	const alert = "Public Health Alert"
	kind := r["field_recall_type"]
	if strings.EqualFold(r["field_risk_level"], alert) || strings.Contains(strings.ToLower(r[fieldTitle]), strings.ToLower(alert)) {
		return alert
	}
	switch {
	case !strings.EqualFold(kind, "recall"):
		return kind
	case r.says("field_active_notice"):
		return "Active Recall"
	case r.says("field_archive_recall"):
		return "Archived Recall"
	}
	return "Closed Recall"
}

// summary is the press release, the list of products, and what a notice has no
// fields for: why, how grave, and who.
func (r row) summary() string {
	var lines []string
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, label+text)
		}
	}
	add("", r[fieldSummary])
	add("Products:\n", r[fieldProducts])
	add("Reason: ", r["field_recall_reason"])
	add("Risk: ", r["field_risk_level"])
	add("Establishment: ", r["field_establishment"])
	return strings.Join(lines, "\n")
}

// expansion is the number of a notice that widens another one, or that keeps
// the wording from before it was widened: "050-2011-EXP", "027-2016 expansion-3",
// "014-2015(Original)".
var expansion = regexp.MustCompile(`(?i)^((?:\d{2,3}-\d{4})|pha-\d{6,8}(?:-\d+)?)[-(]+(?:exp|expansion|original)[-\d)]*$`)

// expanded links an expansion to the notice that it widens, which its number names.
func expanded(native string) []recall.Alias {
	if m := expansion.FindStringSubmatch(native); m != nil {
		return []recall.Alias{{ID: Code + ":" + m[1], Kind: recall.Declared}}
	}
	return nil
}

// forInfants and forChildren are the foods that are made for them. The words
// that tell a toy or a garment mislead among foods: a baby rope sausage, a salad
// called Shake Rattle & Bowl, an importer by the name of Walker.
var (
	forInfants  = regexp.MustCompile(`(?i)\b(?:baby[ -]?foods?|infants?|toddlers?|babies|first foods?|stage [1-4] (?:meals?|dinners?|foods?))\b`)
	forChildren = regexp.MustCompile(`(?i)\b(?:kids?['’]?s?['’]? (?:meals?|menu|cuisine|lunch(?:es)?|combos?)|child(?:ren)?['’]s|for kids)\b`)
)

func audience(s story, products []recall.Product) recall.Audience {
	text := s.title
	for _, p := range products {
		text += "\n" + p.Name
	}
	switch {
	case forInfants.MatchString(text):
		return recall.Infant
	case forChildren.MatchString(text):
		return recall.Child
	}
	return recall.General
}

// categories are food, and for the young what the words name besides it.
func categories(audience recall.Audience, s story, products []recall.Product) []string {
	out := []string{"food"}
	if audience == recall.General {
		return out
	}
	for _, c := range extract.Categories(s.title, products[0].Name) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// pictures are the addresses of labels; mostly the field names a file alone.
func pictures(labels string) []string {
	var out []string
	for word := range strings.FieldsFuncSeq(labels, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		if webAddress(word) != "" && !strings.HasSuffix(strings.ToLower(word), ".pdf") {
			out = append(out, word)
		}
	}
	return out
}

func webAddress(text string) string {
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return text
	}
	return ""
}
