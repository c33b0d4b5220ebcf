package fsa_test

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
	"github.com/crownsafe/api/internal/agency/fsa"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *fsa.Agency { return fsa.New(fsa.Options{Now: now}) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func parse(t *testing.T, payload []byte) (agencytest.Parsed, error) {
	t.Helper()
	a := newAgency()
	r := a.Recognise("payload", payload[:min(len(payload), agency.RecogniseBytes)])
	if r.Kind != agency.Notices {
		t.Fatalf("recognised as %+v, want notices", r)
	}
	return agencytest.Parse(t.Context(), a, r.Format, payload)
}

// alert writes an alert that has everything that a notice needs, and fields.
func alert(fields map[string]any) string {
	all := map[string]any{
		"@id": "http://data.food.gov.uk/food-alerts/id/FSA-PRIN-01-2026", "notation": "FSA-PRIN-01-2026", "created": "2026-03-02",
		"title": "Corvane recalls Corvane Fig Roll because it may contain pieces of plastic",
	}
	for name, value := range fields {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err) // strings and maps are always JSON
	}
	return string(raw)
}

// batches gives the product's batches.
func batches(list ...map[string]any) map[string]any {
	return map[string]any{
		"reportingBusiness": map[string]any{"commonName": "Corvane"},
		"productDetails":    []any{map[string]any{"productName": "Corvane Fig Roll", "batchDescription": list}},
	}
}

func one(t *testing.T, alert string) agency.Record {
	t.Helper()
	p, err := parse(t, []byte("["+alert+"]"))
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	if err := recall.Lint(&p.Records[0].Notice, now()); err != nil {
		t.Fatal(err)
	}
	return p.Records[0]
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"detail.json", "list.json", "literal.js"} {
		t.Run(name, func(t *testing.T) {
			first, err := parse(t, read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			again, err := parse(t, read(t, name))
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

func TestRecognise(t *testing.T) {
	const id = `"@id":"http://data.food.gov.uk/food-alerts/id/FSA-AA-01-2018"`
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"an answer":                 {`{"@context":"x","meta":{},"items":[{` + id + `,"notation":"FSA-AA-01-2018"}]}`, agency.Recognition{Kind: agency.Notices, Format: fsa.FormatAPI}},
		"its items alone":           {`[{` + id + `,"notation":"FSA-AA-01-2018"}]`, agency.Recognition{Kind: agency.Notices, Format: fsa.FormatAPI}},
		"one alert":                 {`{` + id + `,"notation":"FSA-AA-01-2018","title":"cut of`, agency.Recognition{Kind: agency.Notices, Format: fsa.FormatAPI}},
		"a script":                  {"export const a = [\n {" + id + `, notation: "FSA-AA-01-2018"`, agency.Recognition{Kind: agency.Notices, Format: fsa.FormatLiteral}},
		"another script":            {`export const a = [{notation: "x"}]`, agency.Recognition{}},
		"no alerts":                 {`{"@context":"http://data.food.gov.uk/food-alerts/c","meta":{},"items":[]}`, agency.Recognition{Kind: agency.Empty, Format: fsa.FormatAPI}},
		"another service's nothing": {`{"meta":{},"items":[]}`, agency.Recognition{}},
		"another of its services":   {`{"meta":{},"items":[{"@id":"http://data.food.gov.uk/codes/alerts/def/allergen/nuts","notation":"nuts"}]}`, agency.Recognition{}},
		"a web page":                {`<!DOCTYPE html><title>Sorry</title>`, agency.Recognition{}},
		"nothing":                   {``, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// ask answers a question from one notice.
func ask(t *testing.T, n recall.Notice, u recall.Unit) recall.Outcome {
	t.Helper()
	u.Brand, u.Name = "Corvane", "fig roll"
	q, err := recall.Read(u)
	if err != nil {
		t.Fatal(err)
	}
	return recall.Decide(&q, []*recall.Notice{&n}).Outcome
}

func TestVerdictsOfBatches(t *testing.T) {
	type m = map[string]any
	for name, test := range map[string]struct {
		batches []m
		unit    recall.Unit
		want    recall.Outcome
	}{
		"the date of the list":               {[]m{{"bestBeforeDescription": "31 January 2027"}}, recall.Unit{BestBefore: "2027-01-31"}, recall.Affected},
		"another date":                       {[]m{{"bestBeforeDescription": "31 January 2027"}}, recall.Unit{BestBefore: "2027-02-28"}, recall.NotAffected},
		"no date given":                      {[]m{{"bestBeforeDescription": "31 January 2027"}}, recall.Unit{}, recall.NeedCode},
		"the day first":                      {[]m{{"useByDescription": "05/02/2027"}}, recall.Unit{Expiry: "2027-02-05"}, recall.Affected},
		"the month is no day":                {[]m{{"useByDescription": "05/02/2027"}}, recall.Unit{Expiry: "2027-05-02"}, recall.NotAffected},
		"a date as a date":                   {[]m{{"bestBeforeDate": "2027-02-05"}}, recall.Unit{BestBefore: "2027-02-05"}, recall.Affected},
		"several as a list":                  {[]m{{"useByDate": []string{"2027-02-05", "2027-02-06T00:00:00Z"}}}, recall.Unit{Expiry: "2027-02-06"}, recall.Affected},
		"all dates":                          {[]m{{"bestBeforeDescription": "All dates"}}, recall.Unit{BestBefore: "2027-02-28"}, recall.Affected},
		"all batches of a date":              {[]m{{"batchCode": "All", "bestBeforeDescription": "31 January 2027"}}, recall.Unit{Lot: "L1", BestBefore: "2027-02-28"}, recall.NotAffected},
		"all batches of a date, not given":   {[]m{{"batchCode": "All", "bestBeforeDescription": "31 January 2027"}}, recall.Unit{Lot: "L1"}, recall.NeedCode},
		"all dates of a batch":               {[]m{{"batchCode": "L6032", "bestBeforeDescription": "All"}}, recall.Unit{Lot: "L7000", BestBefore: "2027-02-28"}, recall.NotAffected},
		"everything":                         {[]m{{"batchCode": "All", "bestBeforeDescription": "All dates"}}, recall.Unit{Lot: "L7000"}, recall.Affected},
		"either half of a mark":              {[]m{{"batchCode": "L6032", "bestBeforeDescription": "31 January 2027"}}, recall.Unit{Lot: "L6032"}, recall.Affected},
		"the other batch's date":             {[]m{{"batchCode": "L6032", "bestBeforeDescription": "31 January 2027"}}, recall.Unit{Lot: "L6032", BestBefore: "2027-02-28"}, recall.NotAffected},
		"a further batch":                    {[]m{{"batchCode": "L6032"}, {"lotNumber": "9001"}}, recall.Unit{Lot: "9001"}, recall.Affected},
		"words that nothing is made of":      {[]m{{"batchCode": "see lid"}}, recall.Unit{Lot: "9001"}, recall.NeedCode},
		"a remark about batches":             {[]m{{"batchTextDescription": "Batch codes beginning 60"}}, recall.Unit{Lot: "9001"}, recall.NotAffected},
		"a remark that limits nothing":       {[]m{{"batchCode": "L6032", "batchTextDescription": "Sold in boxes of six"}}, recall.Unit{Lot: "L7000"}, recall.NotAffected},
		"a list without batches limits none": {nil, recall.Unit{Lot: "L7000"}, recall.Affected},
	} {
		t.Run(name, func(t *testing.T) {
			n := one(t, alert(batches(test.batches...))).Notice
			if got := ask(t, n, test.unit); got != test.want {
				t.Errorf("%s, want %s (units %+v)", got, test.want, n.Products[0].Units)
			}
		})
	}
}

func TestManyBatchesStaySmall(t *testing.T) {
	var codes, dates []string
	for i := range 100 {
		codes = append(codes, "L6"+string(rune('0'+i/10))+string(rune('0'+i%10)))
		dates = append(dates, time.Date(2027, 1, 1+i, 0, 0, 0, 0, time.UTC).Format("2 January 2006"))
	}
	n := one(t, alert(batches(map[string]any{"batchCode": strings.Join(codes, ", "), "bestBeforeDescription": strings.Join(dates, ", ")}))).Notice
	if units := len(n.Products[0].Units); units != 200 {
		t.Errorf("%d predicates, want 200: pairs would be 20,000", units)
	}
	if got := ask(t, n, recall.Unit{Lot: "L699"}); got != recall.Affected {
		t.Errorf("%s, want affected", got)
	}
}

func TestBrands(t *testing.T) {
	for name, test := range map[string]struct{ business, product, want string }{
		"in full":              {"Corvane", "Corvane Fig Roll", "Corvane"},
		"its beginning":        {"Corvane Bakery Holdings", "Corvane Fig Roll", "Corvane"},
		"behind an article":    {"The Fig Trust", "Fig Trust Rolls", "Fig Trust"},
		"a shop":               {"Hollin Stores Ltd", "Fig Roll", "Hollin Stores"},
		"a shop of a country":  {"HOLLIN UK", "Fig Roll", "HOLLIN"},
		"from the title alone": {"", "Corvane Fig Roll", "Corvane"},
	} {
		fields := map[string]any{"productDetails": map[string]any{"productName": test.product}}
		if test.business != "" {
			fields["reportingBusiness"] = map[string]any{"commonName": test.business}
		}
		if got := one(t, alert(fields)).Notice.Products[0].Brand; got != test.want {
			t.Errorf("%s: brand %q, want %q", name, got, test.want)
		}
	}
}

func TestProductsOfTheTitle(t *testing.T) {
	if got := one(t, alert(nil)).Notice.Products[0].Name; got != "Corvane Fig Roll" {
		t.Errorf("product %q, want the title's", got)
	}
	nested := alert(map[string]any{"problem": []any{map[string]any{"productDetails": []any{map[string]any{"productName": "Nested Bun"}}}}})
	if got := one(t, nested).Notice.Products[0].Name; got != "Nested Bun" {
		t.Errorf("product %q, want the one that stands with the problem", got)
	}
}

func TestHazardsAreNotReadOutOfNames(t *testing.T) {
	n := one(t, alert(map[string]any{"title": "Flames Foods recalls Choc Burst Bar because of undeclared milk"})).Notice
	if len(n.Hazards) != 1 || n.Hazards[0].Type != recall.HazardAllergen {
		t.Errorf("hazards %+v, want the allergen alone", n.Hazards)
	}
}

func TestChangedBytesWithEqualContent(t *testing.T) {
	before := one(t, alert(map[string]any{"modified": "2026-03-02T10:00:00Z"}))
	if after := one(t, alert(map[string]any{"modified": "2026-09-09T10:00:00Z", "twitterText": "new"})); after.SourceHash != before.SourceHash {
		t.Error("another time of modification changes the hash")
	}
	if after := one(t, alert(map[string]any{"description": "More."})); after.SourceHash == before.SourceHash {
		t.Error("an edit doesn't change the hash")
	}
}

func TestDetailsReplaceTheList(t *testing.T) {
	list, detail := one(t, alert(batches())), one(t, alert(batches(map[string]any{"batchCode": "L6032"})))
	if list.Completeness >= detail.Completeness {
		t.Errorf("the list is as complete (%d) as the alert itself (%d)", list.Completeness, detail.Completeness)
	}
}

func TestBadRecordsAreRejectedAlone(t *testing.T) {
	good := alert(nil)
	for name, test := range map[string]struct{ record, reason string }{
		"no notation":          {alert(map[string]any{"notation": ""}), "is no alert's"},
		"a notation with a /":  {alert(map[string]any{"notation": "a/b"}), "is no alert's"},
		"no day":               {alert(map[string]any{"created": nil}), "reading the day"},
		"a day to come":        {alert(map[string]any{"created": "2031-01-01"}), "outside 1967"},
		"a list where a title": {alert(map[string]any{"title": []any{[]any{1}, map[string]any{"en": []any{}}}}), "reading the alert"},
		"no object":            {`7`, "reading the alert"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parse(t, []byte("["+good+","+test.record+","+good+"]"))
			if err != nil || len(p.Records) != 2 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, test.reason) || p.Rejects[0].Position != 2 {
				t.Errorf("%d records, rejects %+v, error %v", len(p.Records), p.Rejects, err)
			}
		})
	}
}

func TestParseStops(t *testing.T) {
	stop := errors.New("stop")
	err := newAgency().Parse(t.Context(), fsa.FormatAPI, strings.NewReader(alert(nil)), agency.Sink{Record: func(agency.Record) error { return stop }})
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want the sink's", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := agencytest.Parse(ctx, newAgency(), fsa.FormatAPI, []byte(alert(nil))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	for format, name := range map[string]string{fsa.FormatAPI: "list.json", fsa.FormatLiteral: "literal.js"} {
		payload := read(t, name)
		if _, err := agencytest.Parse(t.Context(), newAgency(), format, payload[:len(payload)/2]); !errors.Is(err, agency.ErrTruncated) {
			t.Errorf("%s: error %v, want one of a cut payload", name, err)
		}
	}
	for _, format := range []string{"pdf", fsa.FormatLiteral} {
		if _, err := agencytest.Parse(t.Context(), newAgency(), format, []byte("const a = 1")); err == nil {
			t.Errorf("%s: read what it can't be", format)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"detail.json", "list.json", "literal.js"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, format := range []string{fsa.FormatAPI, fsa.FormatLiteral} {
			p, _ := agencytest.Parse(t.Context(), newAgency(), format, payload)
			for _, r := range p.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil && r.Notice.Title != "" {
					t.Errorf("%v: %+v", err, r.Notice)
				}
			}
		}
	})
}
