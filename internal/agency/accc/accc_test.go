package accc_test

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
	"github.com/crownsafe/api/internal/agency/accc"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *accc.Agency { return accc.New(accc.Options{Now: now}) }

func fixture(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestGolden(t *testing.T) {
	for name, format := range map[string]string{"page.html": accc.FormatPage, "attached.html": accc.FormatPage, "feed.xml": accc.FormatRSS} {
		t.Run(name, func(t *testing.T) {
			payload := []byte(fixture(t, name))
			if r := newAgency().Recognise(name, payload); r.Kind != agency.Notices || r.Format != format {
				t.Fatalf("recognised as %+v", r)
			}
			first, err := agencytest.Parse(t.Context(), newAgency(), format, payload)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range first.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil {
					t.Errorf("notice %s: %v", r.Notice.ID, err)
				}
			}
			again, err := agencytest.Parse(t.Context(), newAgency(), format, payload)
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
			agencytest.Golden(t, filepath.Join("testdata", name+".golden"), append(got, '\n'), *update)
		})
	}
}

// page writes a page of a notice at an address, with sections of label and text.
func page(address string, sections ...string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><link rel="canonical" href="` + address + `"><title>t</title></head><body class="page-node-type-psa-recall field-psa-recall"><h1>Larkmere Toy Drum</h1><main>`)
	for i := 0; i+1 < len(sections); i += 2 {
		b.WriteString("<div><h3>" + sections[i] + "</h3><div>" + sections[i+1] + "</div></div>\n")
	}
	return b.String() + "</main></body></html>"
}

const address = "https://www.productsafety.gov.au/search-consumer-product-recalls/larkmere-toy-drum"

func TestRecognise(t *testing.T) {
	notice := agency.Recognition{Kind: agency.Notices, Format: accc.FormatPage}
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"a notice's page":              {page(address), notice},
		"the beginning of one":         {page(address)[:200], notice},
		"og:url alone":                 {strings.Replace(page(address), `<link rel="canonical" href="`, `<meta property="og:url" content="`, 1), notice},
		"an old page by its number":    {page("https://www.productsafety.gov.au/node/19706"), notice},
		"an old page in another place": {page("https://www.productsafety.gov.au/recalls/larkmere-drum"), notice},
		"the list":                     {`<!DOCTYPE html><html><head><link rel="canonical" href="https://www.productsafety.gov.au/recalls"></head></html>`, agency.Recognition{}},
		"a guide":                      {`<!DOCTYPE html><html><head><link rel="canonical" href="https://www.productsafety.gov.au/node/12"></head></html>`, agency.Recognition{}},
		"another site's recall":        {page("https://www.foodstandards.gov.au/food-recalls/recall-alert/drum"), agency.Recognition{}},
		"a page without an address":    {"<!DOCTYPE html><html><head><title>Access Denied</title></head></html>", agency.Recognition{}},
		"the feed":                     {fixture(t, "feed.xml"), agency.Recognition{Kind: agency.Notices, Format: accc.FormatRSS}},
		"the feed with a style sheet":  {strings.Replace(fixture(t, "feed.xml"), "<rss", "<?xml-stylesheet href='x'?>\n<!-- a -->\n<rss", 1), agency.Recognition{Kind: agency.Notices, Format: accc.FormatRSS}},
		"a feed without items":         {`<?xml version="1.0"?><rss xml:base="https://www.productsafety.gov.au/"><channel></channel></rss>`, agency.Recognition{Kind: agency.Empty, Format: accc.FormatRSS, Note: "a feed without items"}},
		"another site's feed":          {`<?xml version="1.0"?><rss><channel><item><link>https://example.org/x</link></item></channel></rss>`, agency.Recognition{}},
		"a scraper's output":           {`{"records":[{"sourceUrl":"` + address + `","detail":{"brand":"Brand Larkmere"}}]}`, agency.Recognition{}},
		"nothing":                      {"", agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func one(t *testing.T, payload string) agency.Record {
	t.Helper()
	p, err := agencytest.Parse(t.Context(), newAgency(), accc.FormatPage, []byte(payload))
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %+v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	return p.Records[0]
}

func TestNativeIDIsTheSlug(t *testing.T) {
	for name, test := range map[string]struct{ address, id string }{
		"a slug":            {address, "au-accc:larkmere-toy-drum"},
		"used again":        {address + "-0", "au-accc:larkmere-toy-drum-0"},
		"with a final /":    {address + "/", "au-accc:larkmere-toy-drum"},
		"escaped letters":   {"https://www.productsafety.gov.au/search-consumer-product-recalls/drum%C2%AE-%E2%80%93-blue", "au-accc:drum®-–-blue"},
		"in lower case hex": {"https://www.productsafety.gov.au/search-consumer-product-recalls/drum%c2%ae", "au-accc:drum®"},
		"without www":       {"https://productsafety.gov.au/search-consumer-product-recalls/drum", "au-accc:drum"},
		"a number":          {"https://www.productsafety.gov.au/node/19706", "au-accc:node-19706"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := one(t, page(test.address, "Recall published", "3 July 2026", "Product description", "A drum.")).Notice.ID; got != test.id {
				t.Errorf("id %q, want %q", got, test.id)
			}
		})
	}
}

func TestPagesThatAreBuiltOtherwiseAreRejected(t *testing.T) {
	for name, test := range map[string]struct{ payload, says string }{
		"no known part":        {page(address, "Recall published", "3 July 2026", "Overview", "A drum."), "neither a description"},
		"no date":              {page(address, "Product description", "A drum."), "published"},
		"a date in a language": {page(address, "Recall published", "3 Juli 2026", "Product description", "A drum."), "published"},
		"a date to come":       {page(address, "Recall published", "3 July 2027", "Product description", "A drum."), "outside"},
		"no title":             {strings.Replace(page(address, "Recall published", "3 July 2026", "Product description", "A drum."), "Larkmere Toy Drum", "", 1), "no title"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := agencytest.Parse(t.Context(), newAgency(), accc.FormatPage, []byte(test.payload))
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Records) != 0 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, test.says) || p.Rejects[0].NativeID != "larkmere-toy-drum" {
				t.Errorf("records %d, rejects %+v; want one reject that says %q", len(p.Records), p.Rejects, test.says)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	whole := fixture(t, "page.html")
	feed := fixture(t, "feed.xml")
	for name, test := range map[string]struct{ format, payload string }{
		"a page":              {accc.FormatPage, whole[:len(whole)*2/3]},
		"a feed in an item":   {accc.FormatRSS, feed[:len(feed)*2/3]},
		"a feed before items": {accc.FormatRSS, feed[:200]},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := agencytest.Parse(t.Context(), newAgency(), test.format, []byte(test.payload))
			if !errors.Is(err, agency.ErrTruncated) {
				t.Errorf("error %v, want one of truncation", err)
			}
			if test.format == accc.FormatPage && len(p.Records) != 0 {
				t.Errorf("half a page gave %d notices", len(p.Records))
			}
		})
	}
}

func TestUnits(t *testing.T) {
	kinds := func(units []recall.Predicate) []string {
		out := []string{}
		for _, u := range units {
			text := string(u.Kind) + " " + string(u.Op)
			if u.From != nil {
				text += " " + *u.From
			}
			out = append(out, text)
		}
		return out
	}
	for name, test := range map[string]struct {
		sections []string
		models   []string
		units    []string
	}{
		"models alone":                   {[]string{"Model", "LD-10 &amp; LD-11"}, []string{"LD-10", "LD-11"}, []string{}},
		"models with a slash":            {[]string{"Model", "LD 10 / LD 11"}, []string{"LD 10", "LD 11"}, []string{}},
		"various models":                 {[]string{"Model", "Various"}, []string{}, []string{}},
		"models among others":            {[]string{"Model", "LD-10, LD-11 and others"}, []string{"LD-10", "LD-11"}, []string{"lot all", "lot unreadable"}},
		"a number that nothing explains": {[]string{"Model", "LD-10", "Other identifying numbers", "77-4401"}, []string{"LD-10"}, []string{"lot all", "lot unreadable"}},
		"a list that is attached": {[]string{"Model", "LD-10", "Identifying features",
			`<div class="field--name-field-psa-recall-ident-attach">Batch numbers.pdf</div>`}, []string{"LD-10"}, []string{"serial unreadable"}},
		"a picture that is attached": {[]string{"Model", "LD-10", "Identifying features",
			`<div class="field--name-field-psa-recall-ident-attach">Photo of the drum.pdf</div>`}, []string{"LD-10"}, []string{}},
		"nothing": {nil, []string{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			product := one(t, page(address, append([]string{"Recall published", "3 July 2026", "Product description", "A drum."}, test.sections...)...)).Notice.Products[0]
			if diff := cmp.Diff(test.models, product.Models); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.units, kinds(product.Units)); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBarcodesOfFieldsOfTheirOwn(t *testing.T) {
	const numbers = `<div class="field field--name-field-psa-recall-gtin"><h3 class="field__label">GTIN</h3><div class="field__item">9399999100107</div></div>` +
		`<div class="field field--name-field-psa-recall-other-identify"><h3 class="field__label">Other identifying numbers</h3><div class="field__item">9399999100114</div></div>`
	product := one(t, page(address, "Recall published", "3 July 2026", "Product description", "A drum.", "Identifying numbers", numbers)).Notice.Products[0]
	got := []string{}
	for _, g := range product.GTINs {
		got = append(got, g.GTIN)
	}
	if diff := cmp.Diff([]string{"09399999100107", "09399999100114"}, got); diff != "" {
		t.Errorf("barcodes (-want +got):\n%s", diff)
	}
}

func TestSourceHashIsOfTheContent(t *testing.T) {
	whole := fixture(t, "page.html")
	rebuilt := strings.NewReplacer("1791065968", "1799999999", "itok=aaaaaaaa", "itok=cccccccc", `<div class="accc-field__section">`, `<div  class="accc-field__section x">`).Replace(whole)
	if rebuilt == whole || one(t, rebuilt).SourceHash != one(t, whole).SourceHash {
		t.Error("a page that was built anew around the same words has another hash")
	}
	edited := strings.Replace(whole, "PNR0418", "PNR0419", 1)
	if one(t, edited).SourceHash == one(t, whole).SourceHash {
		t.Error("a page with another batch number has the same hash")
	}
}

func TestQuotesAreTheFieldsWords(t *testing.T) {
	for _, u := range one(t, fixture(t, "page.html")).Notice.Products[0].Units {
		if len(u.Quote.Text) != u.Quote.End-u.Quote.Start || u.Quote.Field == "" || u.Quote.Text == "" {
			t.Errorf("quote %+v", u.Quote)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := agencytest.Parse(t.Context(), newAgency(), "json", nil); err == nil || !strings.Contains(err.Error(), "json") {
		t.Errorf("error %v, want one that names the format", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(fixture(f, "page.html"), false)
	f.Add(fixture(f, "attached.html"), false)
	f.Add(fixture(f, "feed.xml"), true)
	f.Fuzz(func(t *testing.T, payload string, feed bool) {
		format := accc.FormatPage
		if feed {
			format = accc.FormatRSS
		}
		p, err := agencytest.Parse(t.Context(), newAgency(), format, []byte(payload))
		if err == nil && format == accc.FormatPage && len(p.Records)+len(p.Rejects) != 1 {
			t.Errorf("a page gave %d notices and %d rejects", len(p.Records), len(p.Rejects))
		}
		for _, r := range p.Records {
			if r.Notice.Title == "" || r.SourceHash == "" {
				t.Errorf("an empty notice: %+v", r.Notice)
			}
		}
	})
}
