package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// shelf feeds a catalogue with fixed notices.
type shelf struct {
	store.Notices
	notices []recall.Notice
}

func (s shelf) Changes(_ context.Context, since int64, _ int, yield func(store.Stored) error) error {
	for i, n := range s.notices {
		if serial := int64(i + 1); serial > since {
			if err := yield(store.Stored{Serial: serial, Notice: n}); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneAgency is the sources' states for the tests.
type oneAgency struct{}

func (oneAgency) List(snap *catalogue.Snapshot) []source.Source {
	age := int64(412)
	return []source.Source{{
		Agency: "us-cpsc", Name: "Consumer Product <Safety> Commission", Country: "US", State: source.Stale, AgeSeconds: &age,
		Notices: snap.Counts()["us-cpsc"].Notices, BarcodeShare: 1, Licence: "public domain", Attribution: "Source: the commission",
	}}
}

func notices() []recall.Notice {
	n := recall.Notice{
		ID: "us-cpsc:26-100", Agency: "us-cpsc", URL: "https://example.org/recalls/26-100", Language: "en",
		Title: "Tumblewick recalls <b>Snoozle</b> strollers", Summary: "The brake can fail.", PublishedAt: now.AddDate(0, -1, 0), Countries: []string{"US"},
		Products: []recall.Product{{
			Name: "Snoozle stroller", Brand: "Tumblewick", GTINs: []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "036000291452", From: "upc"}},
			Units: []recall.Predicate{recall.Equals(1, recall.Lot, "A17", recall.Quote{Text: `lot "A17" & no other`, Field: "description", End: 7})},
		}},
		Hazards:    []recall.Hazard{{Type: recall.HazardFall, Text: "The seat can drop"}},
		Remedy:     recall.Remedy{Types: []recall.RemedyType{recall.RemedyRepair}, Text: "Ask for a free repair kit.", Contact: "0800 123456"},
		Provenance: recall.Provenance{SHA256: "00ff"},
	}
	evil := n
	evil.ID, evil.URL, evil.Title = "us-cpsc:26-101", "javascript:alert(1)", "Glimmerlamp night light"
	evil.Products = []recall.Product{{Name: "Glimmerlamp night light", Brand: "Glimmerlamp"}}
	n.Normalise()
	evil.Normalise()
	return []recall.Notice{n, evil}
}

func newSite(t testing.TB, list []recall.Notice) *web.Site {
	t.Helper()
	return newSiteOver(t, oneAgency{}, list)
}

func newSiteOver(t testing.TB, sources web.Sources, list []recall.Notice, change ...func(*web.Dependencies)) *web.Site {
	t.Helper()
	c := catalogue.New()
	if list != nil {
		if err := c.Load(t.Context(), shelf{notices: list}); err != nil {
			t.Fatal(err)
		}
	}
	d := web.Dependencies{
		Catalogue: c, Lookup: lookup.New(sources, func() time.Time { return now }), Sources: sources, Version: "test",
		OpenAPI: []byte(`{"info":{"title":"Crown Safe","version":"test","description":"Says <b>it</b> with ` + "`code`" + `."},"tags":[{"name":"Safety"}],
			"paths":{"/api/v1/things/{id}":{"get":{"operationId":"get-thing","tags":["Safety"],"summary":"One thing",
			"parameters":[{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":100,"default":20}}],
			"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},"404":{"description":"Not Found"}}}},
			"/api/things/{id}":{"get":{"operationId":"get-thing-2","tags":["Safety"],"responses":{}}}},
			"components":{"schemas":{"Thing":{"properties":{"id":{"type":["string","null"],"description":"its id"}},"required":["id"]}}}}`),
		Problems: []web.ProblemKind{{Code: "not_found", Status: 404, Title: "Not found", Meaning: "There is nothing here."}},
	}
	for _, c := range change {
		c(&d)
	}
	site, err := web.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

type page struct {
	*http.Response
	source string
	root   *html.Node
}

func get(t testing.TB, site *web.Site, target string) page {
	t.Helper()
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, target, nil))
	res := rec.Result()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	return page{res, string(body), root}
}

// text is what a reader of the page sees, without the layout of blanks.
func (p page) text() string {
	var out strings.Builder
	for n := range p.root.Descendants() {
		if n.Type == html.TextNode {
			out.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// links are all addresses that the page leads to.
func (p page) links() []string {
	var list []string
	for n := range p.root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" || a.Key == "src" {
				list = append(list, a.Val)
			}
		}
	}
	return list
}

func TestRemediesInPlainWords(t *testing.T) {
	list := notices()
	list[0].Remedy.Types = recall.RemedyTypes()
	var said []string
	for n := range get(t, newSite(t, list), "/?q=036000291452&lot=A17").root.Descendants() {
		if n.Data == "span" && n.Parent.Data == "p" && slices.Contains(n.Parent.Attr, html.Attribute{Key: "class", Val: "tags"}) {
			said = append(said, n.FirstChild.Data)
		}
	}
	want := []string{"Get a refund", "Get a replacement", "Have it repaired", "Throw it away", "Take it back", "Follow the new instructions",
		"Have it inspected", "Get a new label", "Stop using it", "No remedy offered"}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
}

func TestAnswersInPlainWords(t *testing.T) {
	site := newSite(t, notices())
	tests := map[string]struct {
		query  url.Values
		status int
		says   []string
	}{
		"nothing asked": {status: 200, says: []string{"Is it recalled?", "Barcode, or brand and product name", "2 notices in the catalogue", "Source: the commission", "Licence: public domain", "out of date", "fetched 6 minutes ago"}},
		"affected": {query: url.Values{"q": {"0 36000 29145 2"}, "lot": {"a17"}}, status: 200, says: []string{
			"This unit is recalled", "Covers this unit", `lot "A17" & no other`, "repair", "Ask for a free repair kit.", "0800 123456", "The agency's page",
			"fall", "The seat can drop", "What was looked at", "22 November 2026, 06:00 UTC",
		}},
		"need_code":    {query: url.Values{"q": {"036000291452"}}, status: 200, says: []string{"one more code decides", "lot or batch code", "Check again"}},
		"not_affected": {query: url.Values{"q": {"036000291452"}, "lot": {"B99"}}, status: 200, says: []string{"Not among the recalled units"}},
		"no_match":     {query: url.Values{"q": {"4006381333931"}}, status: 200, says: []string{"No recall notice found", "no all-clear", "Consumer Product <Safety> Commission"}},
		"cannot_tell":  {query: url.Values{"lot": {"A17"}}, status: 200, says: []string{"That isn't enough to tell"}},
		"words": {query: url.Values{"q": {"tumblewick snoozle stroller"}}, status: 200, says: []string{
			"one more code decides", "Tumblewick recalls <b>Snoozle</b> strollers",
		}},
		"words that only find":  {query: url.Values{"q": {"night light"}}, status: 200, says: []string{"Notices with these words", "Glimmerlamp night light"}},
		"wrong check digit":     {query: url.Values{"q": {"036000291453"}, "lot": {"A17"}}, status: 422, says: []string{"last digit doesn't fit", "Did you mean", "036000291452"}},
		"eleven digits":         {query: url.Values{"q": {"03600029145"}}, status: 422, says: []string{"No barcode has this many digits", "Did you mean"}},
		"unreadable date":       {query: url.Values{"q": {"036000291452"}, "made_on": {"soon"}}, status: 422, says: []string{"That date can't be read", "2026-03-01"}},
		"web address":           {query: url.Values{"q": {"https://example.org/"}}, status: 422, says: []string{"That code can't be used"}},
		"wrong UTF-8":           {query: url.Values{"q": {"\xff\xfe"}}, status: 422, says: []string{"can't be read"}},
		"far too long":          {query: url.Values{"q": {strings.Repeat("a", 5000)}}, status: 422, says: []string{"too long"}},
		"too long for one name": {query: url.Values{"q": {strings.Repeat("a", 600)}}, status: 422, says: []string{"too long"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := get(t, site, "/?"+test.query.Encode())
			if p.StatusCode != test.status {
				t.Errorf("status %d, want %d", p.StatusCode, test.status)
			}
			text := p.text()
			for _, want := range test.says {
				if !strings.Contains(text, want) {
					t.Errorf("the page doesn't say %q:\n%s", want, text)
				}
			}
			for _, never := range []string{" is safe", "unsafe", "safe to"} {
				if strings.Contains(strings.ToLower(text), never) {
					t.Errorf("the page says %q", never)
				}
			}
		})
	}
}

func TestSuggestionsKeepWhatElseWasTyped(t *testing.T) {
	p := get(t, newSite(t, notices()), "/?q=036000291453&lot=A17&brand=Tumblewick")
	want := "/?brand=Tumblewick&lot=A17&q=036000291452"
	if !strings.Contains(strings.Join(p.links(), " "), want) {
		t.Errorf("no link to %s among %q", want, p.links())
	}
}

func TestWhatComesFromOutsideIsEscaped(t *testing.T) {
	site := newSite(t, notices())
	for _, target := range []string{"/?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&lot=%22%3E%3Cimg+src%3Dx%3E", "/?q=glimmerlamp+night+light", "/?q=036000291452&lot=A17"} {
		p := get(t, site, target)
		for n := range p.root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "script" || n.Data == "b" || n.Data == "style" {
				t.Errorf("%s: there is a <%s> in the page", target, n.Data)
			}
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s> has %s=%q, which the policy forbids", target, n.Data, a.Key, a.Val)
				}
			}
		}
		for _, link := range p.links() {
			if strings.HasPrefix(link, "javascript:") {
				t.Errorf("%s links to %s", target, link)
			}
		}
	}
}

func TestEveryFieldHasALabelAndEveryImageAText(t *testing.T) {
	site := newSite(t, notices())
	for _, target := range []string{"/", "/?q=036000291452", "/docs", "/docs/errors", "/nowhere"} {
		p := get(t, site, target)
		labels, ids, headings := map[string]bool{}, map[string]bool{}, 0
		for n := range p.root.Descendants() {
			switch n.Data {
			case "html":
				if n.Type == html.ElementNode && attribute(n, "lang") != "en" {
					t.Errorf("%s: no language", target)
				}
			case "label":
				labels[attribute(n, "for")] = true
			case "h1":
				headings++
			}
			if id := attribute(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s: id %s is given twice", target, id)
				}
				ids[id] = true
			}
		}
		if headings != 1 {
			t.Errorf("%s has %d h1", target, headings)
		}
		for n := range p.root.Descendants() {
			if n.Type == html.ElementNode && n.Data == "input" && attribute(n, "type") != "hidden" && !labels[attribute(n, "id")] {
				t.Errorf("%s: the field %s has no label", target, attribute(n, "id"))
			}
			if by := attribute(n, "aria-labelledby"); by != "" && !ids[by] {
				t.Errorf("%s: nothing has the id %s", target, by)
			}
			if link := attribute(n, "href"); strings.HasPrefix(link, "#") && !ids[link[1:]] {
				t.Errorf("%s: %s leads nowhere", target, link)
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	if n.Type == html.ElementNode {
		for _, a := range n.Attr {
			if a.Key == name {
				return a.Val
			}
		}
	}
	return ""
}

func TestBeforeTheCatalogueIsLoaded(t *testing.T) {
	site := newSite(t, nil)
	if p := get(t, site, "/"); p.StatusCode != 200 {
		t.Errorf("the form: %d", p.StatusCode)
	}
	if p := get(t, site, "/?q=036000291452"); p.StatusCode != 503 || !strings.Contains(p.text(), "still being loaded") {
		t.Errorf("a question: %d %s", p.StatusCode, p.text())
	}
}

func TestStaticFiles(t *testing.T) {
	site := newSite(t, notices())
	var sheet string
	for _, link := range get(t, site, "/").links() {
		if strings.HasPrefix(link, "/static/style.css?v=") {
			sheet = link
		}
	}
	p := get(t, site, sheet)
	if p.StatusCode != 200 || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/css") || !strings.Contains(p.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", sheet, p.StatusCode, p.Header)
	}
	if p := get(t, site, "/static/style.css"); strings.Contains(p.Header.Get("Cache-Control"), "immutable") {
		t.Error("an address without the hash is kept for ever")
	}
	req := httptest.NewRequest(http.MethodGet, sheet, nil)
	req.Header.Set("If-None-Match", p.Header.Get("ETag"))
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, req)
	if rec.Code != http.StatusNotModified || rec.Body.Len() != 0 {
		t.Errorf("If-None-Match: %d, %d bytes", rec.Code, rec.Body.Len())
	}
	for _, target := range []string{"/static/", "/static/none.css", "/static/..%2fweb.go"} {
		if p := get(t, site, target); p.StatusCode != 404 {
			t.Errorf("%s: %d", target, p.StatusCode)
		}
	}
}

func TestDocumentationPages(t *testing.T) {
	site := newSite(t, notices())
	text := get(t, site, "/docs").text()
	for _, want := range []string{"/api/v1/things/{id}", "One thing", "The same handler: /api/things/{id}", "integer, 1 to 100 (default 20)", "Says <b>it</b> with code .", "404 Not Found", "string or null", "its id"} {
		if !strings.Contains(text, want) {
			t.Errorf("/docs doesn't say %q:\n%s", want, text)
		}
	}
	if p := get(t, site, "/docs/errors"); !strings.Contains(p.source, `id="not_found"`) || !strings.Contains(p.text(), "There is nothing here.") {
		t.Errorf("/docs/errors: %s", p.text())
	}
}

func TestErrorPages(t *testing.T) {
	site := newSite(t, notices())
	for status, want := range map[int]string{404: "There is no such page", 405: "Back to the question", 500: "request r1"} {
		rec := httptest.NewRecorder()
		site.Error(rec, httptest.NewRequest(http.MethodGet, "/x", nil), status, "r1")
		if rec.Code != status || !strings.Contains(rec.Body.String(), want) || rec.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%d: %d %s", status, rec.Code, rec.Body)
		}
	}
}

func TestABrokenDocumentIsRefused(t *testing.T) {
	if _, err := web.New(web.Dependencies{OpenAPI: []byte("{")}); err == nil {
		t.Error("a broken OpenAPI document was taken")
	}
}

// failing is a lookup that fails in a way that is not the asker's fault.
type failing struct{}

func (failing) Verdict(*catalogue.Snapshot, recall.Unit) (recall.Verdict, error) {
	return recall.Verdict{}, errors.New("out of order")
}

func (failing) Barcode(*catalogue.Snapshot, string, recall.Unit) (recall.Verdict, error) {
	return recall.Verdict{}, errors.New("out of order")
}

func TestAFailingLookupNeverLooksLikeAnAnswer(t *testing.T) {
	site := newSite(t, notices())
	site.Lookup = failing{}
	defer func() {
		if recover() == nil {
			t.Error("the page was rendered without an answer")
		}
	}()
	get(t, site, "/?q=036000291452")
}

func FuzzHome(f *testing.F) {
	site := newSite(f, notices())
	for _, seed := range []string{"036000291452", "stroller", "]C1010003600029145210A17", "https://id.gs1.org/01/00036000291452", "\xff", "０３６０００２９１４５２"} {
		f.Add(seed, "A17", "2026-03")
	}
	f.Fuzz(func(t *testing.T, q, lot, madeOn string) {
		p := get(t, site, "/?"+url.Values{"q": {q}, "lot": {lot}, "made_on": {madeOn}}.Encode())
		if p.StatusCode != 200 && p.StatusCode != 422 {
			t.Errorf("status %d", p.StatusCode)
		}
	})
}
