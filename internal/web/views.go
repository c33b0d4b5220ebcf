package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// verdictView is a verdict in plain words.
type verdictView struct {
	Outcome  recall.Outcome
	Title    string
	Text     string
	Do, Then string   // the advice: its first sentence, and the rest
	Read     []readAs // how what was typed was read
	Matches  []matchView
	Further  int // matches that aren't shown
	Coverage []coverageView
	AsOf     time.Time
	Serial   int64
}

type readAs struct{ Label, Value string }

type matchView struct {
	recall.Match
	Agency   string
	Label    string
	Hazards  []string // in the taxonomy's words
	Dangers  []string // in the agency's words
	Remedies []string
	Link     string
	Document string
}

type coverageView struct {
	Name, State, Age string
	Notices          int
	CouldMatch       bool
}

type hitView struct {
	Title, Agency, Link, Document string
	Published                     time.Time
}

type sourceView struct {
	source.Source
	StateWords, Age string
}

// headings words the outcomes. None of them may sound like an all-clear.
var headings = map[recall.Outcome][2]string{
	recall.Affected:    {"This unit is recalled", "A recall notice covers it."},
	recall.NeedCode:    {"It may be recalled: one more code decides", "A notice covers this product, but only some units of it."},
	recall.NotAffected: {"Not among the recalled units", "Notices cover this product, and the codes that you gave lie outside all of them."},
	recall.NoMatch:     {"No recall notice found", "Nothing in the notices below matches what you typed. That is no all-clear: an agency may not have published one yet, or may describe the product in other words."},
	recall.CannotTell:  {"That isn't enough to tell", "Give the barcode, or the brand together with the product name or model."},
}

var outcomeLabels = map[recall.Outcome]string{
	recall.Affected: "Covers this unit", recall.NeedCode: "May cover this unit", recall.NotAffected: "Doesn't cover this unit",
}

var stateWords = map[source.State]string{
	source.OK: "up to date", source.Stale: "out of date", source.Partial: "partly read", source.Failing: "can't be reached", source.Never: "not loaded",
}

func (s *Site) verdictView(v *recall.Verdict, names map[string]string) *verdictView {
	heading := headings[v.Verdict]
	view := &verdictView{
		Outcome: v.Verdict, Title: heading[0], Text: heading[1],
		Read: readings(&v.Query), AsOf: v.AsOf, Serial: v.Serial,
	}
	view.Do, view.Then, _ = strings.Cut(v.Advice, ". ")
	if view.Then != "" {
		view.Do += "."
	}
	for i := range v.Matches {
		if i == shownMatches {
			view.Further = len(v.Matches) - i
			break
		}
		view.Matches = append(view.Matches, matchOf(&v.Matches[i], names))
	}
	for _, c := range v.Coverage {
		view.Coverage = append(view.Coverage, coverageView{
			Name: named(names, c.Agency), State: stateWords[source.State(c.State)], Age: age(c.AgeSeconds, c.Notices), Notices: c.Notices, CouldMatch: c.CouldMatch,
		})
	}
	return view
}

func readings(u *recall.Unit) []readAs {
	var list []readAs
	for _, r := range []readAs{
		{"Barcode", u.GTIN}, {"Brand", u.Brand}, {"Product", u.Name}, {"Model", u.Model}, {"Lot or batch", u.Lot}, {"Serial number", u.Serial},
		{"Made", u.MadeOn}, {"Best before", u.BestBefore}, {"Expiry", u.Expiry},
	} {
		if r.Value != "" {
			list = append(list, r)
		}
	}
	return list
}

func matchOf(m *recall.Match, names map[string]string) matchView {
	view := matchView{
		Match: *m, Agency: named(names, m.Recall.Agency), Label: outcomeLabels[m.Verdict],
		Link: webAddress(m.Recall.URL), Document: documentAddress(m.Recall.ID),
	}
	for _, h := range m.Recall.Hazards {
		view.Hazards = append(view.Hazards, words(string(h.Type)))
		if h.Text != "" && !slices.Contains(view.Dangers, h.Text) { // one sentence often names several hazards
			view.Dangers = append(view.Dangers, h.Text)
		}
	}
	for _, t := range m.Recall.Remedy.Types {
		view.Remedies = append(view.Remedies, words(string(t)))
	}
	return view
}

// unitWords are the page's words for a unit's fields, within a sentence.
var unitWords = map[string]string{
	"gtin": "barcode", "name": "product name", "serial": "serial number", "lot": "lot or batch code", "batch": "lot or batch code",
	"date_code": "date code", "made_on": "production date", "bought_on": "date of purchase", "best_before": "best-before date", "expiry": "expiry date",
}

func fieldWords(field string) string { return cmp.Or(unitWords[field], words(field)) }

// place says where a quote stands. Starter entries are our words, not an agency's.
func place(field string) string {
	if field == "starter" {
		return "in our own short entry for this notice"
	}
	return "in the notice's field “" + field + "”"
}

// hits are the notices that the words find besides those of the verdict.
func (s *Site) hits(snap *catalogue.Snapshot, typed string, v *recall.Verdict, names map[string]string) []hitView {
	page, err := snap.Search(catalogue.Query{Words: typed, Limit: shownHits})
	if err != nil { // a query without a cursor has nothing that could be refused
		panic(fmt.Errorf("searching for the page: %w", err))
	}
	told := map[string]bool{}
	for i := range v.Matches {
		told[v.Matches[i].Recall.ID] = true
	}
	var hits []hitView
	for i := range page.Hits {
		n := &page.Hits[i].Notice
		if !told[n.ID] {
			hits = append(hits, hitView{Title: n.Title, Agency: named(names, n.Agency), Link: webAddress(n.URL), Document: documentAddress(n.ID), Published: n.PublishedAt})
		}
	}
	return hits
}

func (s *Site) sourceViews(snap *catalogue.Snapshot) []sourceView {
	var views []sourceView
	for _, src := range s.Sources.List(snap) {
		views = append(views, sourceView{src, stateWords[src.State], age(src.AgeSeconds, src.Notices)})
	}
	return views
}

// agencyNames are the agencies' own names by code.
func agencyNames(sources []sourceView) map[string]string {
	names := map[string]string{}
	for i := range sources {
		names[sources[i].Agency] = sources[i].Name
	}
	return names
}

func named(names map[string]string, agency string) string {
	if name := names[agency]; name != "" {
		return name
	}
	return agency
}

// webAddress returns an agency's link only when it leads to a web page.
func webAddress(link string) string {
	if u, err := url.Parse(link); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return link
	}
	return ""
}

func documentAddress(id string) string { return "/api/v1/recalls/" + url.PathEscape(id) }

func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// age words an age in seconds. Without one nothing was fetched from the agency:
// what notices there are came from files.
func age(seconds *int64, notices int) string {
	if seconds == nil {
		if notices > 0 {
			return "loaded from files"
		}
		return "never fetched"
	}
	d := time.Duration(*seconds) * time.Second
	switch {
	case d < 2*time.Minute:
		return "fetched just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("fetched %d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("fetched %d hours ago", int(d.Hours()))
	}
	return fmt.Sprintf("fetched %d days ago", int(d.Hours()/24))
}

func (s *Site) functions() template.FuncMap {
	return template.FuncMap{
		"asset":   s.asset,
		"version": func() string { return s.Version },
		"day":     func(t time.Time) string { return t.UTC().Format("2 January 2006") },
		"instant": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":    func(items []string) string { return strings.Join(items, ", ") },
		"field":   fieldWords,
		"place":   place,
		"prose":   prose,
		"plural":  plural,
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// prose turns the document's descriptions into HTML: blank lines part
// paragraphs, and what stands between backticks is code. All else is escaped.
func prose(text string) template.HTML {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		out.WriteString("<p>")
		for i, piece := range strings.Split(paragraph, "`") {
			escaped := template.HTMLEscapeString(piece)
			if i%2 == 1 {
				escaped = "<code>" + escaped + "</code>"
			}
			out.WriteString(escaped)
		}
		out.WriteString("</p>")
	}
	return template.HTML(out.String())
}
