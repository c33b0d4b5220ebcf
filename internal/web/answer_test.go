package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// agencies are sources in various states.
type agencies map[string]source.Source

func (a agencies) List(snap *catalogue.Snapshot) []source.Source {
	var list []source.Source
	for _, code := range []string{"ca-hc", "fr-rappelconso", "nz-mbie", "uk-opss", "us-cpsc"} {
		src := a[code]
		src.Agency, src.Notices = code, snap.Counts()[code].Notices
		if src.Notices > 0 {
			src.BarcodeShare = 1
		}
		list = append(list, src)
	}
	return list
}

func fiveAgencies() agencies {
	age := int64(60)
	return agencies{
		"ca-hc":          {Name: "Health Agency", State: source.OK, AgeSeconds: &age, Licence: "Open Government Licence - Canada 2.0", Attribution: "Contains northern information."},
		"fr-rappelconso": {Name: "Agence", State: source.Failing, Reason: "the last poll failed: the line was cut.", AgeSeconds: &age, Licence: "Licence Ouverte", Attribution: "Source: agence"},
		"nz-mbie":        {Name: "Ministry", State: source.Never, Reason: "never polled", Licence: "CC-BY-4.0", Attribution: "© the ministry"},
		"uk-opss":        {Name: "Office", State: source.OK, AgeSeconds: &age, Licence: "Open Government Licence v3.0", Attribution: "Contains island information."},
		"us-cpsc":        {Name: "Commission", State: source.OK, AgeSeconds: &age, Rejected: 3, Quality: source.Quality{Score: 41.5}, Licence: "public domain", Attribution: "The commission"},
	}
}

// notice makes a notice of a Mumblewood rocker, with the sources' credits.
func notice(id, title, model string, aliases ...string) recall.Notice {
	agency, _, _ := strings.Cut(id, ":")
	src := fiveAgencies()[agency]
	n := recall.Notice{
		ID: id, Agency: agency, URL: "https://example.org/" + id, Language: "en", Title: title, PublishedAt: now.AddDate(0, -1, 0),
		Products:   []recall.Product{{Name: "Mumblewood rocker", Brand: "Mumblewood", Models: []string{model}}},
		Provenance: recall.Provenance{SHA256: "00ff", Licence: src.Licence, Attribution: src.Attribution},
	}
	for _, a := range aliases {
		n.Aliases = append(n.Aliases, recall.Alias{ID: a, Kind: recall.Declared})
	}
	n.Normalise()
	return n
}

// jointNotices are an event of two agencies, a notice that possibly belongs to
// it, and one of the same brand that doesn't.
func jointNotices() []recall.Notice {
	possible := notice("uk-opss:2601-0001", "Mumblewood rocker sold by a market place", "MWR-4410")
	possible.PublishedAt = possible.PublishedAt.AddDate(0, -1, 0)
	french := notice("fr-rappelconso:2026-01-0001", "Rappel de la bascule Tournevol", "TV-9000")
	french.Language = "fr"
	french.Products[0].Name, french.Products[0].Brand = "Bascule Tournevol", "Tournevol"
	return []recall.Notice{
		notice("us-cpsc:26-200", "Mumblewood recalls rockers", "MWR-4410", "ca-hc:70001"),
		notice("ca-hc:70001", "Rockers of Mumblewood recalled in the north", "MWR-4411"),
		possible,
		notice("us-cpsc:26-300", "Mumblewood recalls other rockers", "MWR-9000"),
		french,
	}
}

// elements returns the elements of a class.
func (p page) elements(class string) []*html.Node {
	var list []*html.Node
	for n := range p.root.Descendants() {
		for word := range strings.FieldsSeq(attribute(n, "class")) {
			if word == class {
				list = append(list, n)
			}
		}
	}
	return list
}

func textOf(n *html.Node) string { return page{root: n}.text() }

func TestOneEventStandsTogether(t *testing.T) {
	p := get(t, newSiteOver(t, fiveAgencies(), jointNotices()), "/?q=mumblewood+rocker&model=MWR-4410")
	events := p.elements("event")
	if len(events) != 1 {
		t.Fatalf("%d events:\n%s", len(events), p.text())
	}
	text := textOf(events[0])
	for _, want := range []string{
		"One event: 2 notices of 2 agencies", "Covers this unit Mumblewood recalls rockers Commission",
		"Also of this event, perhaps about other products or units: Rockers of Mumblewood recalled in the north Health Agency",
		"Possibly the same event.", "No agency says that they belong together. Covers this unit Mumblewood rocker sold by a market place Office",
		"The commission · Licence: public domain", "Contains island information. · Licence: Open Government Licence v3.0",
		"Contains northern information. · Licence: Open Government Licence - Canada 2.0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the event doesn't say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "other rockers") || strings.Contains(text, "Agence") {
		t.Errorf("a stranger stands in the event:\n%s", text)
	}
	for _, n := range p.elements("hits") {
		if text := textOf(n); strings.Contains(text, "sold by a market place") || strings.Contains(text, "in the north") || !strings.Contains(text, "other rockers") {
			t.Errorf("besides the event: %s", text)
		}
	}
}

func TestWhatIsPossiblyTheEventBringsItsOwn(t *testing.T) {
	list := jointNotices()
	list[2].PublishedAt = now // now the strongest
	p := get(t, newSiteOver(t, fiveAgencies(), list), "/?q=mumblewood+rocker&model=MWR-4410")
	events := p.elements("event")
	if len(events) != 1 || strings.Contains(textOf(events[0]), "One event") {
		t.Fatalf("%d events:\n%s", len(events), p.text())
	}
	_, possibly, _ := strings.Cut(textOf(events[0]), "Possibly the same event.")
	if !strings.Contains(possibly, "Mumblewood recalls rockers") || !strings.Contains(possibly, "recalled in the north") {
		t.Errorf("possibly the same event: %s", possibly)
	}
}

func TestASearchGroupsItsHits(t *testing.T) {
	// The brand alone is no product, so that the answer is the search alone.
	p := get(t, newSiteOver(t, fiveAgencies(), jointNotices()), "/?q=mumblewood")
	lists := p.elements("hits")
	if len(lists) != 1 {
		t.Fatalf("no hits:\n%s", p.text())
	}
	text := textOf(lists[0])
	if strings.Count(text, "The same event:") != 1 || strings.Count(text, "Possibly the same event:") != 1 || strings.Count(text, "Mumblewood recalls other rockers") != 1 {
		t.Errorf("the hits are: %s", text)
	}
	for _, want := range []string{"The commission", "Contains northern information.", "Contains island information."} {
		if !strings.Contains(text, want) {
			t.Errorf("the hits lack the credit %q: %s", want, text)
		}
	}
}

func TestManyNoticesOfAnEventAreFoldedAndNoneIsLost(t *testing.T) {
	var list []recall.Notice
	for i := range 9 {
		list = append(list, notice(fmt.Sprintf("us-cpsc:26-%d", 400+i), fmt.Sprintf("Mumblewood recalls lot %d", i), "MWR-4410", "us-cpsc:26-400"))
	}
	p := get(t, newSiteOver(t, fiveAgencies(), list), "/?q=mumblewood+rocker&model=MWR-4410")
	text := p.text()
	if !strings.Contains(text, "One event: 9 notices ") || !strings.Contains(text, "6 more notices of this event") {
		t.Errorf("no fold:\n%s", text)
	}
	for i := range 9 {
		if strings.Count(text, fmt.Sprintf("Mumblewood recalls lot %d", i)) != 1 {
			t.Errorf("lot %d isn't told of once", i)
		}
	}
}

func TestAnAnswerTellsWhatItCouldNotRestOn(t *testing.T) {
	site := newSiteOver(t, fiveAgencies(), jointNotices())
	for name, c := range map[string]struct {
		query string
		gaps  bool
	}{
		"no match":     {"q=4006381333931", true},
		"not affected": {"q=mumblewood+rocker&model=MWR-4410&lot=A1", false}, // covered all the same: the notices name no lot
	} {
		t.Run(name, func(t *testing.T) {
			p := get(t, site, "/?"+c.query)
			text := ""
			for _, n := range p.elements("verdict") {
				text += textOf(n)
			}
			absent, aged := strings.Contains(text, "Not looked at: the notices of Ministry."), strings.Contains(text, "Perhaps not the newest: the notices of Agence.")
			if absent != c.gaps || aged != c.gaps {
				t.Errorf("gaps are told: %v %v, want %v:\n%s", absent, aged, c.gaps, text)
			}
			if !strings.Contains(p.text(), "Agence can't be reached") || !strings.Contains(p.text(), "Ministry not loaded") {
				t.Errorf("the coverage hides a source:\n%s", p.text())
			}
		})
	}
}

func TestNoGapsWhereEverySourceIsUpToDate(t *testing.T) {
	sources := fiveAgencies()
	for code, src := range sources {
		src.State = source.OK
		sources[code] = src
	}
	if p := get(t, newSiteOver(t, sources, jointNotices()), "/?q=mumblewood+slide+tower"); len(p.elements("gap")) != 0 {
		t.Errorf("gaps are told:\n%s", p.text())
	}
}

func TestTheFormAsksForTheOneCodeThatDecides(t *testing.T) {
	p := get(t, newSite(t, notices()), "/?q=036000291452&brand=Tumblewick")
	forms := p.elements("need")
	if len(forms) != 1 {
		t.Fatalf("%d forms ask for the code", len(forms))
	}
	sent := url.Values{}
	for n := range forms[0].Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" {
			sent.Add(attribute(n, "name"), attribute(n, "value"))
		}
	}
	if got := sent.Encode(); got != "brand=Tumblewick&lot=&q=036000291452" {
		t.Errorf("the form sends %s", got)
	}
	sent.Set("lot", "A17")
	if p := get(t, newSite(t, notices()), "/?"+sent.Encode()); !strings.Contains(p.text(), "This unit is recalled") || len(p.elements("need")) != 0 {
		t.Errorf("after the code:\n%s", p.text())
	}
}

func TestWordsOfAnotherLanguageAreMarked(t *testing.T) {
	p := get(t, newSiteOver(t, fiveAgencies(), jointNotices()), "/?q=bascule+tournevol")
	marked := 0
	for n := range p.root.Descendants() {
		if attribute(n, "lang") == "fr" {
			marked++
		}
	}
	if marked < 2 { // the title and a quote
		t.Errorf("%d French passages are marked:\n%s", marked, p.source)
	}
}

func TestEverySourceStandsOnThePage(t *testing.T) {
	p := get(t, newSiteOver(t, fiveAgencies(), jointNotices()), "/")
	lists := p.elements("sources")
	if len(lists) != 1 {
		t.Fatal("no sources")
	}
	text := textOf(lists[0])
	for _, want := range []string{
		"Commission up to date 2 notices, fetched just now · 100 % with a barcode · quality 42 · 3 records couldn't be read The commission · Licence: public domain",
		"Ministry not loaded 0 notices Never polled. © the ministry · Licence: CC-BY-4.0",
		"Agence can't be reached 1 notice, fetched just now", "The last poll failed: the line was cut. Source: agence",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the sources don't say %q:\n%s", want, text)
		}
	}
	if links := strings.Join(p.links(), " "); !strings.Contains(links, "creativecommons.org/licenses/by/4.0/") || !strings.Contains(links, "etalab.gouv.fr") {
		t.Errorf("licences aren't linked: %s", links)
	}
}
