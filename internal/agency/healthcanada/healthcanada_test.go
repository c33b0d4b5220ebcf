package healthcanada_test

import (
	"context"
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
	"github.com/crownsafe/api/internal/agency/healthcanada"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *healthcanada.Agency { return healthcanada.New(healthcanada.Options{Now: now}) }

func parse(t *testing.T, format, payload string) agencytest.Parsed {
	t.Helper()
	p, err := agencytest.Parse(t.Context(), newAgency(), format, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func file(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// row writes a row that has everything that a notice needs, and fields.
func row(fields map[string]any) string {
	all := map[string]any{
		"NID": "90100", "Title": "Larkmere Wooden Blocks recalled due to choking hazard", "Product": "Larkmere Wooden Blocks",
		"URL": "https://recalls-rappels.canada.ca/en/alert-recall/larkmere-wooden-blocks", "Organization": "Consumer product safety",
		"Issue": "Choking hazard", "What you should do": "", "Category": "Household items", "Recall class": "",
		"Last updated": "2026-11-20", "Archived": "0",
	}
	for name, value := range fields {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err) // maps of strings are always JSON
	}
	return string(raw)
}

func rows(list ...string) string { return "[" + strings.Join(list, ",") + "]" }

// saved writes a page with its row as Fetch hands them over.
func saved(row, html string) string {
	raw, err := json.Marshal(map[string]any{"source": "ca-hc notice page", "url": "https://recalls-rappels.canada.ca/en/alert-recall/page", "row": json.RawMessage(row), "html": html})
	if err != nil {
		panic(err) // row is JSON
	}
	return string(raw)
}

func one(t *testing.T, fields map[string]any) agency.Record {
	t.Helper()
	p := parse(t, healthcanada.FormatRows, rows(row(fields)))
	if len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v; want one record", len(p.Records), p.Rejects)
	}
	return p.Records[0]
}

// onPage parses a page whose section of affected products holds this.
func onPage(t *testing.T, fields map[string]any, affected string) agency.Record {
	t.Helper()
	p := parse(t, healthcanada.FormatPage, saved(row(fields), `<main><h1>x</h1><section class="ar-affected-products"><h2>Affected products</h2>`+affected+`</section></main>`))
	if len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v; want one record", len(p.Records), p.Rejects)
	}
	return p.Records[0]
}

// told writes the predicates of products, one line each.
func told(products []recall.Product) []string {
	var lines []string
	for _, p := range products {
		line := p.Name
		for i, u := range p.Units {
			separator := " |"
			if i > 0 && p.Units[i-1].Group == u.Group {
				separator = " +"
			}
			line += separator + " " + string(u.Kind) + " " + string(u.Op)
			if u.From != nil {
				line += " " + *u.From
			}
			if u.To != nil && u.Op == recall.OpRange {
				line += ".." + *u.To
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestGolden(t *testing.T) {
	for name, test := range map[string]struct{ format, payload string }{
		"rows.json": {healthcanada.FormatRows, file(t, "rows.json")},
		"page.html": {healthcanada.FormatPage, saved(row(map[string]any{"NID": "90001"}), file(t, "page.html"))},
	} {
		t.Run(name, func(t *testing.T) {
			if r := newAgency().Recognise(name, []byte(test.payload)); r.Kind != agency.Notices || r.Format != test.format {
				t.Fatalf("recognised as %+v", r)
			}
			p := parse(t, test.format, test.payload)
			for _, r := range p.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil {
					t.Errorf("%s: %v", r.Notice.ID, err)
				}
			}
			got, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			agencytest.Golden(t, filepath.Join("testdata", name+".golden"), append(got, '\n'), *update)
		})
	}
}

func TestRecognise(t *testing.T) {
	whole := rows(row(nil), row(nil))
	page := saved(row(nil), file(t, "page.html"))
	for name, test := range map[string]struct{ head, format string }{
		"the file":                    {whole, healthcanada.FormatRows},
		"the beginning of the file":   {whole[:len(whole)-40], healthcanada.FormatRows},
		"a broken row in front":       {rows(`{"NID":1}`, row(nil)), healthcanada.FormatRows},
		"a saved page":                {page, healthcanada.FormatPage},
		"the beginning of a page":     {`{"source":"ca-hc notice page","url":"u","row":` + row(nil) + `,"html":"<ht`, healthcanada.FormatPage},
		"rows that somebody reshaped": {`{"_note":"x","records":` + whole + `}`, ""},
		"a page of somebody else's":   {strings.Replace(page, "ca-hc", "xx", 1), ""},
		"an empty list is anybody's":  {`[]`, ""},
		"another agency's array":      {`[{"RecallID":1,"RecallNumber":"26901"}]`, ""},
		"a web page":                  {file(t, "page.html"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := newAgency().Recognise("whatever", []byte(test.head))
			if got.Format != test.format || (got.Kind == agency.Notices) != (test.format != "") {
				t.Errorf("recognised as %+v, want %q", got, test.format)
			}
		})
	}
}

func TestOneNoticeForBothLanguages(t *testing.T) {
	english := row(nil)
	french := row(map[string]any{"URL": "https://recalls-rappels.canada.ca/fr/avis-rappel/blocs", "Title": "Rappel de blocs"})
	for name, test := range map[string]struct{ payload, want string }{
		"English first": {rows(english, french), "en"},
		"French first":  {rows(french, english), "en"},
		"French alone":  {rows(french), "fr"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, healthcanada.FormatRows, test.payload)
			if len(p.Records) != 1 || p.Records[0].Notice.Language != test.want {
				t.Errorf("records %+v, want one in %q", p.Records, test.want)
			}
		})
	}
}

func TestAPageReplacesItsRow(t *testing.T) {
	fields := map[string]any{"URL": "https://recalls-rappels.canada.ca/fr/avis-rappel/blocs"}
	french, english := one(t, fields), one(t, nil)
	page := onPage(t, nil, "<p>Lot 4417.</p>")
	if !(french.Completeness < english.Completeness && english.Completeness < page.Completeness) {
		t.Errorf("completeness %d, %d, %d; want French row < row < page", french.Completeness, english.Completeness, page.Completeness)
	}
	if english.Version != page.Version || english.Notice.ID != page.Notice.ID || english.Version != 20261120 {
		t.Errorf("versions %d and %d, ids %s and %s; want the same", english.Version, page.Version, english.Notice.ID, page.Notice.ID)
	}
}

func TestSourceHashIsOfTheContent(t *testing.T) {
	const affected = `<table><tr><th>Product</th><th>Lot</th></tr><tr><td>Ox</td><td>4417</td></tr></table>`
	first := onPage(t, nil, affected)
	if again := onPage(t, nil, `<!-- served at 10:00 -->`+strings.ReplaceAll(affected, "><", ">\n <")); again.SourceHash != first.SourceHash {
		t.Error("blanks and a remark changed the hash")
	}
	if other := onPage(t, nil, strings.Replace(affected, "4417", "4418", 1)); other.SourceHash == first.SourceHash {
		t.Error("another lot did not change the hash")
	}
}

func TestNamesAndBrands(t *testing.T) {
	for title, test := range map[string]struct {
		fields map[string]any
		want   [2]string
	}{
		"Larkmere Wooden Blocks recalled due to choking hazard":       {map[string]any{"Product": "Larkmere Wooden Blocks"}, [2]string{"Larkmere Wooden Blocks", "Larkmere"}},
		"Penny Oats brand Oat Bars recalled due to undeclared milk":   {map[string]any{"Product": "Oat Bars", "Organization": "CFIA"}, [2]string{"Oat Bars", "Penny Oats"}},
		"Various brands of sandwiches recalled due to Listeria":       {map[string]any{"Product": "Sandwiches", "Organization": "CFIA"}, [2]string{"Sandwiches", ""}},
		"Transport Canada Recall - 2026900 - CALDRY":                  {map[string]any{"Product": "Child Seat recalled by CALDRY", "Organization": "TC"}, [2]string{"Child Seat", "CALDRY"}},
		"Barres d'avoine de marque Penny Oats rappelées":              {map[string]any{"Product": "Barres d'avoine", "Organization": "ACIA", "URL": "https://x/fr/y"}, [2]string{"Barres d'avoine", "Penny Oats"}},
		"Expanded recall: Larkmere Cribs recalled due to fall hazard": {map[string]any{"Product": ""}, [2]string{"Larkmere Cribs", "Larkmere"}},
	} {
		t.Run(title, func(t *testing.T) {
			test.fields["Title"] = title
			p := one(t, test.fields).Notice.Products[0]
			if got := [2]string{p.Name, p.Brand}; got != test.want {
				t.Errorf("name and brand %q, want %q", got, test.want)
			}
		})
	}
}

func TestRowsThatLimitThemselvesWithoutSayingHow(t *testing.T) {
	for name, test := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"a product":           {nil, "Larkmere Wooden Blocks"},
		"an affected lot":     {map[string]any{"Title": "QRV 5 mg: Affected lot may contain particles.", "Product": "QRV"}, "QRV | lot unreadable"},
		"certain lots":        {map[string]any{"Title": "Certain lots of QRV recalled", "Product": "QRV"}, "QRV | lot unreadable"},
		"a maker's vehicles":  {map[string]any{"Product": "School Bus recalled by CALDRY"}, "School Bus | serial unreadable"},
		"a lot that is named": {map[string]any{"Title": "QRV, lot 4417, recalled", "Product": "QRV"}, "QRV | lot equals 4417"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{test.want}, told(one(t, test.fields).Notice.Products)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAudienceAndCategories(t *testing.T) {
	for name, test := range map[string]struct {
		fields     map[string]any
		audience   recall.Audience
		categories []string
	}{
		"a toy by its category": {map[string]any{"Category": "Toys and games"}, recall.Child, []string{"toys"}},
		"a food for babies":     {map[string]any{"Product": "Infant cereal", "Organization": "CFIA"}, recall.Infant, []string{"food", "baby-food"}},
		"a child seat":          {map[string]any{"Product": "Child Seat recalled by X", "Title": "TC", "Organization": "TC", "Category": "Child Car Seat"}, recall.Infant, []string{"vehicles", "car-seats"}},
		"a booster":             {map[string]any{"Product": "Booster Seat recalled by X", "Title": "TC", "Organization": "TC", "Category": "Child Car Seat"}, recall.Child, []string{"vehicles", "car-seats"}},
		"a school bus":          {map[string]any{"Product": "School Bus recalled by X", "Title": "TC", "Organization": "TC", "Category": "School Bus"}, recall.General, []string{"vehicles"}},
		"a device":              {map[string]any{"Product": "Shower trolley", "Title": "Shower trolley", "Organization": "Medical devices"}, recall.General, []string{"device"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := one(t, test.fields).Notice
			if n.Audience != test.audience {
				t.Errorf("audience %q, want %q", n.Audience, test.audience)
			}
			if diff := cmp.Diff(test.categories, n.Categories); diff != "" {
				t.Errorf("categories (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHazards(t *testing.T) {
	for issue, want := range map[string][]recall.HazardType{
		"Fire hazard - Burn hazard": {recall.HazardFire, recall.HazardBurn},
		"Milk":                      {recall.HazardAllergen},
		"Listeria":                  {recall.HazardMicrobial},
		"Sterility":                 {recall.HazardMicrobial},
		"High Voltage":              {recall.HazardShock},
		"Labelling and packaging":   {recall.HazardMislabelled},
		"Risque d'étouffement":      {recall.HazardChoking},
		"Risque de chute":           {recall.HazardFall},
		"Something new":             {recall.HazardOther},
	} {
		t.Run(issue, func(t *testing.T) {
			var got []recall.HazardType
			for _, h := range one(t, map[string]any{"Issue": issue, "Title": "Larkmere goods"}).Notice.Hazards {
				got = append(got, h.Type)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRemedyGetsItsParagraphsBack(t *testing.T) {
	action := "Stop&nbsp;using the product and contact Larkmere for a refund.For more information, consumers can contact Larkmere at 555-010-0123.Please note that you may return nothing."
	want := recall.Remedy{
		Types:   []recall.RemedyType{recall.RemedyStopUse, recall.RemedyRefund},
		Text:    "Stop using the product and contact Larkmere for a refund.\nFor more information, consumers can contact Larkmere at 555-010-0123.\nPlease note that you may return nothing.",
		Contact: "For more information, consumers can contact Larkmere at 555-010-0123.",
	}
	if diff := cmp.Diff(want, one(t, map[string]any{"What you should do": action}).Notice.Remedy); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOnlyANumberDeclaresACommissionsNotice(t *testing.T) {
	for action, want := range map[string][]recall.Alias{
		"Joint recall with Health Canada, the US CPSC and Larkmere.":          {},
		"See CPSC recall number 26-901.":                                      {{ID: "us-cpsc:26-901", Kind: recall.Declared}},
		"See https://www.cpsc.gov/cpscpub/prerel/prhtml11/11901.html for it.": {{ID: "us-cpsc:11-901", Kind: recall.Declared}},
		"See https://www.cpsc.gov/Recalls/2026/larkmere-blocks for it.":       {},
		"Call the CPSC at 555-638-2772.":                                      {},
	} {
		t.Run(action, func(t *testing.T) {
			if diff := cmp.Diff(want, one(t, map[string]any{"What you should do": action}).Notice.Aliases); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	for name, test := range map[string]struct{ row, reason string }{
		"no NID":               {row(map[string]any{"NID": ""}), "no number"},
		"no title":             {row(map[string]any{"Title": ""}), "no Title"},
		"no day":               {row(map[string]any{"Last updated": ""}), "Last updated"},
		"a day in the future":  {row(map[string]any{"Last updated": "2031-01-01"}), "outside"},
		"an object in a field": {row(map[string]any{"Issue": map[string]string{"a": "b"}}), "reading the row"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, healthcanada.FormatRows, rows(test.row, row(nil)))
			if len(p.Rejects) != 1 || len(p.Records) != 1 || !strings.Contains(p.Rejects[0].Reason, test.reason) || p.Rejects[0].Position != 1 {
				t.Errorf("%d records, rejects %+v; want one of each and a reason that says %q", len(p.Records), p.Rejects, test.reason)
			}
		})
	}
}

func TestParseOfBrokenPayloads(t *testing.T) {
	whole := rows(row(map[string]any{"URL": "https://x/fr/y", "NID": "90101"}), row(nil), row(nil))
	p, err := agencytest.Parse(t.Context(), newAgency(), healthcanada.FormatRows, []byte(whole[:len(whole)-30]))
	if !errors.Is(err, agency.ErrTruncated) || len(p.Records) != 2 {
		t.Errorf("%d records, error %v; want the two that came whole and ErrTruncated", len(p.Records), err)
	}
	page := saved(row(nil), "<main>")
	if _, err := agencytest.Parse(t.Context(), newAgency(), healthcanada.FormatPage, []byte(page[:len(page)-5])); !errors.Is(err, agency.ErrTruncated) {
		t.Errorf("a cut page: error %v, want ErrTruncated", err)
	}
	if _, err := agencytest.Parse(t.Context(), newAgency(), "other", nil); err == nil {
		t.Error("an unknown format was read")
	}
}

func TestSinkAndContextStopTheParse(t *testing.T) {
	full := errors.New("full")
	calls := 0
	err := newAgency().Parse(t.Context(), healthcanada.FormatRows, strings.NewReader(rows(row(map[string]any{"URL": "https://x/fr/y", "NID": "9"}), row(nil), row(nil))), agency.Sink{
		Record: func(agency.Record) error { calls++; return full },
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error %v after %d records, want the sink's after one", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for format, payload := range map[string]string{healthcanada.FormatRows: rows(row(nil)), healthcanada.FormatPage: saved(row(nil), file(t, "page.html"))} {
		if p, err := agencytest.Parse(ctx, newAgency(), format, []byte(payload)); !errors.Is(err, context.Canceled) || len(p.Records) != 0 {
			t.Errorf("%s: %d records, error %v; want none and context.Canceled", format, len(p.Records), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file(f, "rows.json")))
	f.Add([]byte(saved(row(nil), file(f, "page.html"))))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		a.Recognise("", payload)
		for _, format := range []string{healthcanada.FormatRows, healthcanada.FormatPage} {
			p, _ := agencytest.Parse(context.Background(), a, format, payload)
			for _, r := range p.Records {
				if !strings.HasPrefix(r.Notice.ID, "ca-hc:") || r.Notice.PublishedAt.IsZero() || len(r.Notice.Products) == 0 || r.SourceHash == "" || r.Completeness < 1 {
					t.Errorf("half a record: %+v", r)
				}
			}
		}
	})
}
