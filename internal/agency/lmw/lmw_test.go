package lmw_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/lmw"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *lmw.Agency { return lmw.New(lmw.Options{Now: now}) }

func read(t testing.TB) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", "merged.json"))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func parse(t *testing.T, docs ...string) agencytest.Parsed {
	t.Helper()
	p, err := agencytest.Parse(t.Context(), newAgency(), lmw.FormatMerged, []byte(`{"response":{"docs":[`+strings.Join(docs, ",")+`],"numFound":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// food is a food warning of a title.
func food(t *testing.T, title, manufacturer string) recall.Notice {
	t.Helper()
	p := parse(t, fmt.Sprintf(`{"_type":".FoodWarning","id":1,"publishedDate":1767225600000,"title":%q,"warning":"Allergene","product":{"designation":%[1]q,"manufacturer":%q}}`, title, manufacturer))
	if len(p.Records) != 1 {
		t.Fatalf("rejected: %+v", p.Rejects)
	}
	return p.Records[0].Notice
}

// product is a product warning with some fields of its product.
func product(t *testing.T, fields string) recall.Notice {
	t.Helper()
	p := parse(t, `{"_type":".ProductWarning","id":1,"publishedDate":1767225600000,"title":"Trollinka Lampe","product":{"designation":"Lampe","brandName":"Trollinka",`+fields+`}}`)
	if len(p.Records) != 1 {
		t.Fatalf("rejected: %+v", p.Rejects)
	}
	return p.Records[0].Notice
}

func TestGolden(t *testing.T) {
	payload := read(t)
	a := newAgency()
	if r := a.Recognise("", payload); r.Kind != agency.Notices || r.Format != lmw.FormatMerged {
		t.Fatalf("recognised as %+v", r)
	}
	parsed, err := agencytest.Parse(t.Context(), a, lmw.FormatMerged, payload)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range parsed.Records {
		if err := recall.Lint(&r.Notice, now()); err != nil {
			t.Errorf("%s: %v", r.Notice.ID, err)
		}
	}
	got, err := json.MarshalIndent(parsed, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	agencytest.Golden(t, filepath.Join("testdata", "merged.json.golden"), append(got, '\n'), *update)
}

func TestRecognise(t *testing.T) {
	notices := agency.Recognition{Kind: agency.Notices, Format: lmw.FormatMerged}
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"an answer":                         {`{"response":{"numFound":1,"docs":[{"_type":".FoodWarning","id":1,"publishedDate":1}]}}`, notices},
		"the beginning of one":              {`{"response":{"docs":[{"_type":".ProductWarning","id":1,"publishedDate":1},{"_type":".Foo`, notices},
		"behind a broken record":            {`{"response":{"docs":[17,{"_type":".FoodWarning","id":1,"publishedDate":1}]}}`, notices},
		"another search service's answer":   {`{"response":{"numFound":1,"docs":[{"id":1,"title":"x"}]}}`, agency.Recognition{}},
		"an empty list is anybody's":        {`{"response":{"docs":[],"numFound":0}}`, agency.Recognition{}},
		"the portal scraped into a table":   {"warningtype,date,producer,product\nLebensmittel,13.04.2026,x,y\n", agency.Recognition{}},
		"an array of warnings":              {`[{"_type":".FoodWarning","id":1,"publishedDate":1}]`, agency.Recognition{}},
		"a web page":                        {`<!DOCTYPE html><title>Wartung</title>`, agency.Recognition{}},
		"nothing":                           {``, agency.Recognition{}},
		"an envelope around something else": {`{"response":"no"}`, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGermanUnits(t *testing.T) {
	for text, want := range map[string]string{
		"Mindesthaltbarkeitsdatum: 28.01.2026":                    "best_before equals 2026-01-28 2026-01-28",
		"MHD 10.4.2026 und 13.4.2026":                             "best_before equals 2026-04-10 2026-04-10; best_before equals 2026-04-13 2026-04-13",
		"MHD bis einschließlich 15. April 2026":                   "best_before range . 2026-04-15",
		"MHD vom 01.03. bis 15.04.2026":                           "best_before range 2026-03-01 2026-04-15",
		"ab MHD 01.02.2025":                                       "best_before range 2025-02-01 .",
		"MHD Ende Februar 2025":                                   "best_before equals 2025-02 2025-02",
		"mindestens haltbar bis Ende 03/2026":                     "best_before equals 2026-03 2026-03",
		"Verbrauchsdatum 03.05.2025":                              "expiry equals 2025-05-03 2025-05-03",
		"zu verbrauchen bis 03.05.2025":                           "expiry equals 2025-05-03 2025-05-03",
		"Charge: L23145A, MHD: 31.12.2025":                        "lot equals L23145A L23145A & best_before equals 2025-12-31 2025-12-31",
		"L-Nr. 12345, 12346 und 12347":                            "lot equals 12345 12345; lot equals 12346 12346; lot equals 12347 12347",
		"Los-Nr. 4711":                                            "lot equals 4711 4711",
		"Charge 12.03.2025":                                       "lot equals 12.03.2025 12.03.2025",
		"Charge ab L2304":                                         "lot range L2304 .",
		"ab Charge L2304":                                         "lot range L2304 .",
		"Chargen L2304 bis L2399":                                 "lot range L2304 L2399",
		"Chargennummern L100, L101 u. a.":                         "lot equals L100 L100; lot equals L101 L101; lot unreadable . .",
		"Chargen: 2401-17 sowie alle weiteren Chargen":            "lot equals 2401-17 2401-17; lot unreadable . .",
		"alle Chargen":                                            "lot all . .",
		"alle":                                                    "lot all . .",
		"Seriennummern: 1000 bis 2000":                            "serial range 1000 2000",
		"Herstellungsdaten: 31.12.2025 bis 31.01.2026":            "made range 2025-12-31 2026-01-31",
		"hergestellt vor März 2020":                               "made range . 2020-03",
		"Produktionszeitraum 12/2022 - 03/2023":                   "made range 2022-12 2023-03",
		"siehe Rückrufseite des Herstellers":                      "lot unreadable . .",
		"Geräte mit rotem Punkt":                                  "lot unreadable . .",
		"Nicht bekannt":                                           "",
		"":                                                        "",
		"Herstellungsdaten: 01.01.2026 Rückruf-Code: unbekannt":   "made equals 2026-01-01 2026-01-01",
		"Charge A12, außer Charge A13":                            "lot equals A12 A12 & except lot equals A13 A13",
		"Chargen, die mit L23 beginnen":                           "lot prefix L23 .",
		"MHD zwischen 01.02.2025 und 01.03.2025 sowie 05.06.2025": "best_before range 2025-02-01 2025-03-01; best_before equals 2025-06-05 2025-06-05",
	} {
		t.Run(text, func(t *testing.T) {
			n := product(t, fmt.Sprintf(`"affectedProducts":%q`, text))
			if got := describe(n.Products[0].Units); got != want {
				t.Errorf("units %q, want %q", got, want)
			}
			for _, u := range n.Products[0].Units {
				if u.Quote.Field != "affectedProducts" || text[u.Quote.Start:u.Quote.End] != u.Quote.Text {
					t.Errorf("quote %+v is not the field's words", u.Quote)
				}
			}
		})
	}
}

// describe writes groups apart by ; and their predicates by &.
func describe(units []recall.Predicate) string {
	bound := func(s *string) string {
		if s == nil {
			return "."
		}
		return *s
	}
	var b strings.Builder
	for i, u := range units {
		if i > 0 && u.Group == units[i-1].Group {
			b.WriteString(" & ")
		} else if i > 0 {
			b.WriteString("; ")
		}
		if u.Except {
			b.WriteString("except ")
		}
		fmt.Fprintf(&b, "%s %s %s %s", u.Kind, u.Op, bound(u.From), bound(u.To))
	}
	return b.String()
}

func TestModels(t *testing.T) {
	for cell, test := range map[string]struct {
		models []string
		units  string
	}{
		"TB-100, TB-200":                    {[]string{"TB-100", "TB-200"}, ""},
		"TB-100 u. a.":                      {[]string{}, ""},
		"TB-100, TB-200 und weitere":        {[]string{"TB-100", "TB-200"}, "lot all . .; lot unreadable . ."},
		"TB-100; TB-200; diverse":           {[]string{"TB-100", "TB-200"}, "lot all . .; lot unreadable . ."},
		"alle Modelle":                      {[]string{}, ""},
		"Nicht bekannt":                     {[]string{}, ""},
		"e13*2007/46 - 02 Verkaufsname: U5": {[]string{}, ""},
	} {
		t.Run(cell, func(t *testing.T) {
			p := product(t, fmt.Sprintf(`"model":%q`, cell)).Products[0]
			if diff := cmp.Diff(test.models, p.Models); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if got := describe(p.Units); got != test.units {
				t.Errorf("units %q, want %q", got, test.units)
			}
		})
	}
}

func TestNamesAndBrands(t *testing.T) {
	for title, test := range map[string]struct {
		firm string
		want []string // name and brand by turns
	}{
		"Kräuterquark, 250 Gramm":                              {"Hersteller: Molkerei Talblick", []string{"Kräuterquark", ""}},
		"Almruh Kräuterquark im Glas, 2x200 Gramm":             {"Almruh Handels GmbH, Bergweg 1", []string{"Almruh Kräuterquark im Glas", "Almruh"}},
		"Bio Kräuterquark":                                     {"Bio Handels GmbH", []string{"Bio Kräuterquark", "Bio Handels"}},
		"Halva der Marke „Sonnora“, 350 Gramm":                 {"Import GmbH", []string{"Halva der Marke „Sonnora“", "Sonnora"}},
		"0,5 Liter Limonade der Marken Zisch, Pling und Fizzo": {"", []string{"Limonade der Marken Zisch, Pling und Fizzo", "Zisch", "Limonade der Marken Zisch, Pling und Fizzo", "Pling", "Limonade der Marken Zisch, Pling und Fizzo", "Fizzo"}},
		"K-Classic Kräuterquark, 1L":                           {"Molkerei Talblick", []string{"K-Classic Kräuterquark", "K-Classic"}},
		"Kräuterquark naturell, ja!, 200 Gramm":                {"Molkerei Talblick", []string{"Kräuterquark naturell, ja!", "ja!"}},
		"Rewerts Kräuterquark":                                 {"Molkerei Talblick", []string{"Rewerts Kräuterquark", ""}},
		`"Zisch! Schorle" und "Pling Schorle"`:                 {"", []string{"Zisch! Schorle", "", "Pling Schorle", ""}},
		"Pesto Verde 220 Gramm und Pesto Rosso 300 Milliliter": {"", []string{"Pesto Verde", "", "Pesto Rosso", ""}},
		"Halva 350 Gramm und 700 Gramm":                        {"", []string{"Halva", ""}},
		"Diverse Salate 150-/200-Gramm-Packung":                {"", []string{"Salate", ""}},
		"500 Gramm":                                            {"", []string{"500 Gramm", ""}},
	} {
		t.Run(title, func(t *testing.T) {
			var got []string
			for _, p := range food(t, title, test.firm).Products {
				got = append(got, p.Name, p.Brand)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The service has merged a notice on juice and one on cars into one record: it
// must not answer for either, and the sound one of the same number stays.
func TestMixedNotices(t *testing.T) {
	const sound = `{"_type":".FoodWarning","id":9,"publishedDate":1767225600000,"title":"Zisch Schorle","warning":"Allergene","product":{"designation":"Zisch Schorle"}}`
	const mixed = `{"_type":".ProductWarning","id":9,"publishedDate":1767225600000,"title":"Zisch Schorle","product":{"brandName":"Ramsauer","manufacturer":"Ramsauer","category":"Kraftfahrzeuge"}}`
	const namesake = `{"_type":".ProductWarning","id":9,"publishedDate":1767225600000,"title":"Ramsauer Kombi","product":{"brandName":"Ramsauer"}}`
	for name, test := range map[string]struct {
		docs   []string
		reason string
	}{
		"the sound one first":          {[]string{sound, mixed}, "two notices are mixed"},
		"the mixed one first":          {[]string{mixed, sound}, "two notices are mixed"},
		"another with the same number": {[]string{sound, namesake}, "has this number"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, test.docs...)
			if len(p.Records) != 1 || p.Records[0].Notice.Title != "Zisch Schorle" || p.Records[0].Notice.Products[0].Brand != "" {
				t.Errorf("records %+v, want the sound notice alone", p.Records)
			}
			if len(p.Rejects) != 1 || p.Rejects[0].NativeID != "9" || !strings.Contains(p.Rejects[0].Reason, test.reason) {
				t.Errorf("rejects %+v, want one that says %q", p.Rejects, test.reason)
			}
		})
	}
}

func TestBadRecordsAreRejectedAlone(t *testing.T) {
	const good = `{"_type":".FoodWarning","id":2,"publishedDate":1767225600000,"title":"Zisch","product":{}}`
	for name, test := range map[string]struct{ record, reason string }{
		"no number":           {`{"_type":".FoodWarning","publishedDate":1767225600000,"title":"x"}`, "no number"},
		"a path for a number": {`{"_type":".FoodWarning","id":"../2","publishedDate":1767225600000,"title":"x"}`, "no number"},
		"no date":             {`{"_type":".FoodWarning","id":1,"title":"x"}`, "no time in milliseconds"},
		"seconds for ms":      {`{"_type":".FoodWarning","id":1,"publishedDate":-999999999999,"title":"x"}`, "outside 1967"},
		"a date to come":      {`{"_type":".FoodWarning","id":1,"publishedDate":4102444800000,"title":"x"}`, "outside 1967"},
		"an unknown kind":     {`{"_type":".Notice","id":1,"publishedDate":1767225600000,"title":"x"}`, "unknown kind"},
		"no words":            {`{"_type":".FoodWarning","id":1,"publishedDate":1767225600000,"product":{}}`, "name anything"},
		"a list for a text":   {`{"_type":".FoodWarning","id":1,"publishedDate":1767225600000,"title":["x"]}`, "where a text belongs"},
		"no object":           {`17`, "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, test.record, good)
			if len(p.Records) != 1 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, test.reason) || p.Rejects[0].Position != 1 {
				t.Errorf("%d records, rejects %+v; want one each, the reason with %q", len(p.Records), p.Rejects, test.reason)
			}
		})
	}
}

func TestDates(t *testing.T) {
	for ms, want := range map[string]string{
		"1735571946000":   "2024-12-30T15:19:06Z",
		`"1735571946000"`: "2024-12-30T15:19:06Z",
		"1630015200000":   "2021-08-27T00:00:00Z", // midnight in summer
		"1767222000000":   "2026-01-01T00:00:00Z", // midnight in winter
	} {
		p := parse(t, `{"_type":".FoodWarning","id":1,"publishedDate":`+ms+`,"title":"Zisch","product":{}}`)
		if len(p.Records) != 1 || p.Records[0].Notice.PublishedAt.Format(time.RFC3339) != want {
			t.Errorf("%s: %+v, want %s", ms, p, want)
		}
	}
}

func TestSourceHashIgnoresBlanksAndOrder(t *testing.T) {
	one := parse(t, `{"_type":".FoodWarning","id":1,"publishedDate":1767225600000,"title":"Zisch","product":{}}`)
	two := parse(t, `{ "product" : {}, "title":"Zisch", "publishedDate":1767225600000,"id":1 ,"_type":".FoodWarning"}`)
	if one.Records[0].SourceHash != two.Records[0].SourceHash {
		t.Error("equal content has two hashes")
	}
}

func TestPayloadsThatCantBeRead(t *testing.T) {
	whole := read(t)
	t.Run("cut", func(t *testing.T) {
		p, err := agencytest.Parse(t.Context(), newAgency(), lmw.FormatMerged, whole[:len(whole)-len(whole)/3])
		if !errors.Is(err, agency.ErrTruncated) || len(p.Records) != 2 {
			t.Errorf("%d records, error %v; want the two before the cut", len(p.Records), err)
		}
	})
	for name, payload := range map[string]string{
		"without a list":       `{"response":{"numFound":3}}`,
		"with something after": `{"response":{"docs":[]}} {}`,
		"no object":            `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := agencytest.Parse(t.Context(), newAgency(), lmw.FormatMerged, []byte(payload)); err == nil {
				t.Error("no error")
			}
		})
	}
	t.Run("an unknown format", func(t *testing.T) {
		if err := newAgency().Parse(t.Context(), "other", bytes.NewReader(whole), agency.Sink{}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("the sink's error ends it", func(t *testing.T) {
		full := errors.New("full")
		err := newAgency().Parse(t.Context(), lmw.FormatMerged, bytes.NewReader(whole), agency.Sink{
			Record: func(agency.Record) error { return full }, Reject: func(agency.Reject) error { return nil },
		})
		if !errors.Is(err, full) {
			t.Errorf("error = %v, want the sink's", err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(read(f))
	f.Add([]byte(`{"response":{"docs":[{"_type":".ProductWarning","id":1,"publishedDate":1767225600000,"title":"a","product":{"affectedProducts":"Charge 1.2.","designation":"a"}}]}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, _ := agencytest.Parse(t.Context(), newAgency(), lmw.FormatMerged, payload)
		for _, r := range p.Records {
			if err := recall.Lint(&r.Notice, now()); err != nil {
				t.Errorf("%s: %v", r.Notice.ID, err)
			}
		}
	})
}
