package mbie_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/mbie"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *mbie.Agency { return mbie.New(mbie.Options{Now: now}) }

func fixture(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestGolden(t *testing.T) {
	payload := []byte(fixture(t, "page.html"))
	if r := newAgency().Recognise("page.html", payload); r.Kind != agency.Notices || r.Format != mbie.FormatPage {
		t.Fatalf("recognised as %+v", r)
	}
	first, err := agencytest.Parse(t.Context(), newAgency(), mbie.FormatPage, payload)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range first.Records {
		if err := recall.Lint(&r.Notice, now()); err != nil {
			t.Errorf("notice %s: %v", r.Notice.ID, err)
		}
	}
	again, err := agencytest.Parse(t.Context(), newAgency(), mbie.FormatPage, payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("reading twice gives two results (-first +again):\n%s", diff)
	}
	got, err := json.MarshalIndent(first, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	agencytest.Golden(t, filepath.Join("testdata", "page.html.golden"), append(got, '\n'), *update)
}

const address = "https://www.productsafety.govt.nz/recalls/larkmere-toy-drum"

// page writes a page of a notice with a title and sections of label and text.
func page(title string, sections ...string) string {
	var b strings.Builder
	b.WriteString(`<!doctype html><html><head><link rel="canonical" href="` + address + `"></head><body><div id="main"><h1>` + title + `</h1>`)
	for i := 0; i+1 < len(sections); i += 2 {
		if sections[i] == "date" {
			b.WriteString(`<div class="date recall__date">` + sections[i+1] + `</div>`)
			continue
		}
		b.WriteString("<div><h4>" + sections[i] + "</h4>" + sections[i+1] + "</div>\n")
	}
	return b.String() + "</div></body></html>"
}

// drum is a page with everything that a notice needs, and identifiers.
func drum(title, identifiers string) string {
	return page(title, "date", "3 July 2026", "Product Identifiers", identifiers, "The Hazard!", "<p>A child may choke.</p>")
}

func one(t *testing.T, payload string) agency.Record {
	t.Helper()
	p, err := agencytest.Parse(t.Context(), newAgency(), mbie.FormatPage, []byte(payload))
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %+v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	return p.Records[0]
}

func TestRecognise(t *testing.T) {
	notice := agency.Recognition{Kind: agency.Notices, Format: mbie.FormatPage}
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"a notice's page":       {drum("Drum", "<p>A drum</p>"), notice},
		"the beginning of one":  {drum("Drum", "<p>A drum</p>")[:120], notice},
		"the list":              {fixture(t, "list.html"), agency.Recognition{}},
		"a guide":               {`<!doctype html><html><head><link rel="canonical" href="https://www.productsafety.govt.nz/keeping-kids-safe/toys"></head></html>`, agency.Recognition{}},
		"a page below a notice": {`<!doctype html><html><head><link rel="canonical" href="` + address + `/more"></head></html>`, agency.Recognition{}},
		"Australia's":           {`<!doctype html><html><head><link rel="canonical" href="https://www.productsafety.gov.au/recalls/drum"></head></html>`, agency.Recognition{}},
		"an apology":            {"<!doctype html><html><head><title>Sorry</title></head></html>", agency.Recognition{}},
		"a scraper's output":    {`{"records":[{"path":"/recalls/drum","detail":{"productIdentifiers":"Sold at"}}]}`, agency.Recognition{}},
		"nothing":               {"", agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagesThatAreBuiltOtherwiseAreRejected(t *testing.T) {
	for name, test := range map[string]struct{ payload, says string }{
		"no known part":  {page("Drum", "date", "3 July 2026", "Overview", "<p>A drum.</p>"), "neither product identifiers"},
		"no date":        {page("Drum", "Product Identifiers", "<p>A drum.</p>"), "published"},
		"a date to come": {page("Drum", "date", "3 July 2027", "Product Identifiers", "<p>A drum.</p>"), "outside"},
		"no title":       {page("", "date", "3 July 2026", "Product Identifiers", "<p>A drum.</p>"), "no title"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := agencytest.Parse(t.Context(), newAgency(), mbie.FormatPage, []byte(test.payload))
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Records) != 0 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, test.says) || p.Rejects[0].NativeID != "larkmere-toy-drum" {
				t.Errorf("records %d, rejects %+v; want one reject that says %q", len(p.Records), p.Rejects, test.says)
			}
		})
	}
}

func TestTruncatedPage(t *testing.T) {
	whole := fixture(t, "page.html")
	p, err := agencytest.Parse(t.Context(), newAgency(), mbie.FormatPage, []byte(whole[:len(whole)*2/3]))
	if !errors.Is(err, agency.ErrTruncated) || len(p.Records) != 0 {
		t.Errorf("%d notices, error %v; want none and an error of truncation", len(p.Records), err)
	}
}

func TestNameAndShop(t *testing.T) {
	for title, want := range map[string]struct {
		name string
		sold []string
	}{
		"Larkmere Toy Drum":                              {"Larkmere Toy Drum", []string{"Sold at Harrow from May 2024"}},
		"Larkmere Toy Drum - sold at Harrow":             {"Larkmere Toy Drum", []string{"sold at Harrow", "Sold at Harrow from May 2024"}},
		"Larkmere Toy Drum sold via Trade Me":            {"Larkmere Toy Drum", []string{"sold via Trade Me", "Sold at Harrow from May 2024"}},
		"Larkmere Toy Drums that were sold through Temu": {"Larkmere Toy Drums", []string{"that were sold through Temu", "Sold at Harrow from May 2024"}},
		"Sold at Harrow":                                 {"Sold at Harrow", []string{"Sold at Harrow from May 2024"}},
	} {
		t.Run(title, func(t *testing.T) {
			n := one(t, drum(title, "<p>Sold at Harrow from May 2024</p><p>A drum</p>")).Notice
			if n.Products[0].Name != want.name || n.Title != title {
				t.Errorf("title %q, name %q; want %q", n.Title, n.Products[0].Name, want.name)
			}
			if diff := cmp.Diff(want.sold, n.SoldAt); diff != "" {
				t.Errorf("sold at (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIdentifiers(t *testing.T) {
	for name, test := range map[string]struct {
		text          string
		gtins, models []string
		units         []string
	}{
		"EANs behind SKU":       {"<p>SKU: 9399999100107, 9399999100114 &amp; 9399999100121</p>", []string{"9399999100107", "9399999100114", "9399999100121"}, []string{}, []string{}},
		"an SKU that is no EAN": {"<p>Model: LZ-1902,<br>SKU: RC-10174</p>", []string{}, []string{"LZ-1902", "RC-10174"}, []string{}},
		"a wrong check digit":   {"<p>SKU: 9399999100108</p>", []string{}, []string{"9399999100108"}, []string{}},
		"a code unexplained":    {"<p>Model: LZ-1902</p><p>On the box: 44-7731</p>", []string{}, []string{"LZ-1902"}, []string{"all", "unreadable"}},
		"dates and measures":    {"<p>Sold from 11th April 2022 to 13th May 2026.</p><p>Model: LZ-1902. Cord of 120mm, 230V.</p>", []string{}, []string{"LZ-1902"}, []string{}},
		"words alone":           {"<p>A drum as pictured.</p>", []string{}, []string{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			product := one(t, drum("Drum", test.text)).Notice.Products[0]
			gtins, units := []string{}, []string{}
			for _, g := range product.GTINs {
				gtins = append(gtins, g.Printed)
			}
			for _, u := range product.Units {
				units = append(units, string(u.Op))
			}
			if diff := cmp.Diff([][]string{test.gtins, test.models, test.units}, [][]string{gtins, product.Models, units}); diff != "" {
				t.Errorf("barcodes, models, units (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSourceHashIsOfTheContent(t *testing.T) {
	whole := fixture(t, "page.html")
	rebuilt := strings.NewReplacer("squirters.jpg", "squirters__x.jpg", "typography recall__content", "typography  recall__content new").Replace(whole)
	if rebuilt == whole || one(t, rebuilt).SourceHash != one(t, whole).SourceHash {
		t.Error("a page that was built anew around the same words has another hash")
	}
	if one(t, strings.Replace(whole, "November 2025", "December 2025", 1)).SourceHash == one(t, whole).SourceHash {
		t.Error("a page with other words has the same hash")
	}
}

func TestNoPictures(t *testing.T) {
	if images := one(t, fixture(t, "page.html")).Notice.Images; len(images) != 0 {
		t.Errorf("the licence leaves photographs out, the notice has %v", images)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := agencytest.Parse(t.Context(), newAgency(), "json", nil); err == nil || !strings.Contains(err.Error(), "json") {
		t.Errorf("error %v, want one that names the format", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(fixture(f, "page.html"))
	f.Add(drum("Drum sold at Harrow", "<p>SKU: 9399999100107</p>"))
	f.Fuzz(func(t *testing.T, payload string) {
		p, err := agencytest.Parse(t.Context(), newAgency(), mbie.FormatPage, []byte(payload))
		if err == nil && len(p.Records)+len(p.Rejects) != 1 {
			t.Errorf("a page gave %d notices and %d rejects", len(p.Records), len(p.Rejects))
		}
		for _, r := range p.Records {
			if r.Notice.Title == "" || r.Notice.Products[0].Name == "" || r.SourceHash == "" {
				t.Errorf("an empty notice: %+v", r.Notice)
			}
		}
	})
}
