package cpsc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/cpsc"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *cpsc.Agency { return cpsc.New(cpsc.Options{Now: now}) }

// parse reads a payload by what Recognise says that it is.
func parse(t *testing.T, payload []byte) (agencytest.Parsed, error) {
	t.Helper()
	a := newAgency()
	r := a.Recognise("payload", payload[:min(len(payload), agency.RecogniseBytes)])
	if r.Kind != agency.Notices {
		t.Fatalf("recognised as %+v, want notices", r)
	}
	return agencytest.Parse(t.Context(), a, r.Format, payload)
}

func one(t *testing.T, recallJSON string) agency.Record {
	t.Helper()
	p, err := parse(t, []byte("["+recallJSON+"]"))
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	return p.Records[0]
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"rest.json", "export.csv"} {
		t.Run(name, func(t *testing.T) {
			payload, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			first, err := parse(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parse(t, payload)
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
	header := `"Recall Number","Product Safety Warning Number",Date,"Product Safety Warning Date","Recall Heading","Name of product",Description`
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"the REST answer":                      {`[{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-03-05"}]`, agency.Recognition{Kind: agency.Notices, Format: cpsc.FormatREST}},
		"the beginning of a REST answer":       {`[{"RecallID":1,"RecallNumber":"26901","Description":"This rec`, agency.Recognition{Kind: agency.Notices, Format: cpsc.FormatREST}},
		"a broken record in front":             {`[{"RecallID":"abc"},{"RecallID":1,"RecallNumber":"26901","Title":"x"}]`, agency.Recognition{Kind: agency.Notices, Format: cpsc.FormatREST}},
		"an error with status 200":             {`[{"RecallID":0,"RecallNumber":null,"Title":"Error retrieving Recalls: no database."}]`, agency.Recognition{Kind: agency.ErrorBody, Note: "Error retrieving Recalls: no database."}},
		"the export behind its mark":           {"\ufeff" + header + "\n26-901,,", agency.Recognition{Kind: agency.Notices, Format: cpsc.FormatCSV}},
		"an export without recalls":            {header + "\n", agency.Recognition{Kind: agency.Empty, Format: cpsc.FormatCSV, Note: "a header without recalls"}},
		"another table":                        {"Recall Number,Date,Subject\n1,2,3\n", agency.Recognition{}},
		"an empty array is anybody's":          {`[]`, agency.Recognition{}},
		"another agency's array":               {`[{"NID":"1","Title":"x"}]`, agency.Recognition{}},
		"one object that is no array":          {`{"RecallID":1,"RecallNumber":"26901"}`, agency.Recognition{}},
		"a web page":                           {`<!DOCTYPE html><title>Sorry</title>`, agency.Recognition{}},
		"nothing":                              {``, agency.Recognition{}},
		"rows of the export's fields, as JSON": {`{"Recall Number":"26-901","Recall Heading":"x"}`, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever.txt", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNativeIDs(t *testing.T) {
	for wire, want := range map[string]string{
		`"26348"`: "us-cpsc:26-348", `"26-348"`: "us-cpsc:26-348", `26348`: "us-cpsc:26-348", `"00006"`: "us-cpsc:00-006",
		`"01101a"`: "us-cpsc:01-101a", `"01-101A"`: "us-cpsc:01-101a", `" 73-003 "`: "us-cpsc:73-003",
	} {
		record := one(t, `{"RecallID":1,"RecallNumber":`+wire+`,"RecallDate":"2001-01-05","Title":"Toys"}`)
		if record.Notice.ID != want {
			t.Errorf("RecallNumber %s: id %q, want %q", wire, record.Notice.ID, want)
		}
	}
}

func TestBadRecordsAreRejectedAlone(t *testing.T) {
	good := `{"RecallID":2,"RecallNumber":"26902","RecallDate":"2026-01-05","Title":"Toys"}`
	for name, test := range map[string]struct{ record, nativeID, reason string }{
		"no number":              {`{"RecallID":1,"RecallNumber":null,"RecallDate":"2026-01-05","Title":"Toys"}`, "", "no recall number"},
		"a number of another":    {`{"RecallID":1,"RecallNumber":"H-0249-2026","RecallDate":"2026-01-05","Title":"Toys"}`, "H-0249-2026", "no recall number"},
		"no date":                {`{"RecallID":1,"RecallNumber":"26901","Title":"Toys"}`, "26901", "RecallDate"},
		"a date in the future":   {`{"RecallID":1,"RecallNumber":"26901","RecallDate":"2126-01-05","Title":"Toys"}`, "26901", "outside 1967"},
		"a list for a text":      {`{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":["Toys"]}`, "26901", "where a text belongs"},
		"nothing that is named":  {`{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05"}`, "26901", "name anything"},
		"a string for a record":  {`"sorry"`, "", "cannot unmarshal"},
		"null for a record":      {`null`, "", "name anything"},
		"an array for a product": {`{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys","Products":[[1]]}`, "26901", "cannot unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := agencytest.Parse(t.Context(), newAgency(), cpsc.FormatREST, []byte("["+test.record+","+good+"]"))
			if err != nil {
				t.Fatalf("one bad record ended the parse: %v", err)
			}
			if len(p.Records) != 1 || len(p.Rejects) != 1 {
				t.Fatalf("%d records and %d rejects, want one each", len(p.Records), len(p.Rejects))
			}
			r := p.Rejects[0]
			if r.NativeID != test.nativeID || r.Position != 1 || !strings.Contains(r.Reason, test.reason) || r.Excerpt != test.record {
				t.Errorf("reject %+v, want number %q, position 1, a reason with %q and the record", r, test.nativeID, test.reason)
			}
		})
	}
}

func TestPayloadsThatEndEarly(t *testing.T) {
	for _, name := range []string{"rest.json", "export.csv"} {
		t.Run(name, func(t *testing.T) {
			payload, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			whole, err := parse(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			cut := payload[:len(payload)-len(payload)/8]
			p, err := parse(t, cut)
			if !errors.Is(err, agency.ErrTruncated) {
				t.Errorf("error = %v, want one that wraps ErrTruncated", err)
			}
			if want := len(whole.Records) - 1; len(p.Records) != want {
				t.Errorf("%d records before the cut, want %d", len(p.Records), want)
			}
		})
	}
	t.Run("an error record in an answer", func(t *testing.T) {
		_, err := agencytest.Parse(t.Context(), newAgency(), cpsc.FormatREST, []byte(`[{"RecallID":0,"RecallNumber":null,"Title":"Error retrieving Recalls"}]`))
		var answer *agency.AnswerError
		if !errors.As(err, &answer) || answer.Agency != cpsc.Code {
			t.Errorf("error = %v, want an AnswerError of %s", err, cpsc.Code)
		}
	})
	t.Run("something behind the end", func(t *testing.T) {
		if _, err := agencytest.Parse(t.Context(), newAgency(), cpsc.FormatREST, []byte(`[] []`)); err == nil {
			t.Error("no error")
		}
	})
	t.Run("an empty answer", func(t *testing.T) {
		p, err := agencytest.Parse(t.Context(), newAgency(), cpsc.FormatREST, []byte(`[]`))
		if err != nil || len(p.Records)+len(p.Rejects) != 0 {
			t.Errorf("%+v, %v; want nothing", p, err)
		}
	})
	t.Run("a row of a wrong length", func(t *testing.T) {
		payload := "Recall Number,Date,Recall Heading,Name of product,Description\n26-901,\"March 05, 2026\",Toys\n26-902,\"March 05, 2026\",Toys,Toys,Toys\n"
		p, err := agencytest.Parse(t.Context(), newAgency(), cpsc.FormatCSV, []byte(payload))
		if err != nil || len(p.Records) != 1 || len(p.Rejects) != 1 {
			t.Errorf("%d records, %d rejects, error %v; want one of each", len(p.Records), len(p.Rejects), err)
		}
	})
	t.Run("the sink's error ends it", func(t *testing.T) {
		full := errors.New("full")
		err := newAgency().Parse(t.Context(), cpsc.FormatREST, strings.NewReader(`[{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys"}]`),
			agency.Sink{Record: func(agency.Record) error { return full }, Reject: func(agency.Reject) error { return nil }})
		if !errors.Is(err, full) {
			t.Errorf("error = %v, want the sink's", err)
		}
	})
}

func TestBarcodes(t *testing.T) {
	for name, test := range map[string]struct {
		upc  string
		want []recall.PrintedGTIN
	}{
		"twelve digits":               {"036000291452", []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "036000291452", From: "ProductUPCs"}}},
		"with blanks":                 {"0 36000 29145 2", []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "0 36000 29145 2", From: "ProductUPCs"}}},
		"a case of fourteen":          {"10036000291459", []recall.PrintedGTIN{{GTIN: "10036000291459", Printed: "10036000291459", From: "ProductUPCs"}}},
		"two in one field":            {"036000291452 / 012345678905", []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "036000291452", From: "ProductUPCs"}, {GTIN: "00012345678905", Printed: "012345678905", From: "ProductUPCs"}}},
		"eleven, check digit lost":    {"03600029145", []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "03600029145", From: "ProductUPCs"}}},
		"eleven, either may be":       {"36000291452", []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "36000291452", From: "ProductUPCs"}, {GTIN: "00360002914522", Printed: "36000291452", From: "ProductUPCs"}}},
		"a wrong check digit":         {"036000291453", []recall.PrintedGTIN{}},
		"a shop's own number":         {"2000000274249", []recall.PrintedGTIN{}},
		"all zeros":                   {"000000000000", []recall.PrintedGTIN{}},
		"a word":                      {"various", []recall.PrintedGTIN{}},
		"ten digits are no barcode":   {"3600029145", []recall.PrintedGTIN{}},
		"twice the same in two forms": {"036000291452, 0036000291452", []recall.PrintedGTIN{{GTIN: "00036000291452", Printed: "036000291452", From: "ProductUPCs"}}},
	} {
		t.Run(name, func(t *testing.T) {
			record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys","ProductUPCs":[{"UPC":"`+test.upc+`"}]}`)
			if diff := cmp.Diff(test.want, record.Notice.Products[0].GTINs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrayQuestionMarks(t *testing.T) {
	record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Recall?of?Toys",
		"Description":"Toys?for?girls. Why? Ask www.example.com/a?b or https://example.com?c=d. Is it 4?5?"}`)
	if got := record.Notice.Title; got != "Recall of Toys" {
		t.Errorf("title %q", got)
	}
	if got, want := record.Notice.Summary, "Toys for girls. Why? Ask www.example.com/a?b or https://example.com?c=d. Is it 4?5?"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}

// A text that its carrier cut may have lost what else the recall covers, and one
// of several products must not be bound by another's codes: both need a group
// that can't be read, by which no unit is ever excluded.
func TestNothingIsExcludedByHalfATextOrByAnotherProductsCodes(t *testing.T) {
	unreadable := func(p recall.Product) bool {
		for _, u := range p.Units {
			if u.Op == recall.OpUnreadable && !u.Except {
				return true
			}
		}
		return false
	}
	t.Run("a cut text", func(t *testing.T) {
		record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys","Products":[{"Name":"Toys"}],
			"Description":"This recall involves toys with serial numbers 1000 through 2000 and \u2026"}`)
		if record.Completeness != 1 {
			t.Errorf("completeness %d, want 1: a whole copy must replace it", record.Completeness)
		}
		if !unreadable(record.Notice.Products[0]) {
			t.Errorf("units %+v, want one that can't be read", record.Notice.Products[0].Units)
		}
	})
	t.Run("several products and models", func(t *testing.T) {
		record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys","Products":[{"Name":"Red Toys"},{"Name":"Blue Toys"}],
			"Description":"The red toys have model number RT-4501."}`)
		for _, p := range record.Notice.Products {
			if !unreadable(p) || p.Units[0].Op != recall.OpAll || !slices.Equal(p.Units[0].Models, []string{"RT-4501"}) {
				t.Errorf("%s: units %+v, want all of the model and, beside them, one that can't be read", p.Name, p.Units)
			}
		}
	})
	t.Run("several products", func(t *testing.T) {
		record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys","Products":[{"Name":"Red Toys"},{"Name":"Blue Toys"}],
			"Description":"The red toys have serial numbers 1000 through 2000."}`)
		for _, p := range record.Notice.Products {
			if len(p.Units) < 2 || !unreadable(p) {
				t.Errorf("%s: units %+v, want one that can't be read among them", p.Name, p.Units)
			}
		}
	})
}

func TestTheSameRecordHasTheSameHashHoweverItIsWritten(t *testing.T) {
	a := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys"}`)
	b := one(t, "{ \"RecallID\" : 1, \"Title\":\"Toys\",\n\"RecallDate\":\"2026-01-05\", \"RecallNumber\":\"26901\"}")
	c := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toy"}`)
	if a.SourceHash != b.SourceHash {
		t.Error("blanks and the order of fields change the hash")
	}
	if a.SourceHash == c.SourceHash {
		t.Error("another title has the same hash")
	}
}

func TestACopyThatNamesNobodyWasThinned(t *testing.T) {
	if record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys","Description":"This recall involves toys."}`); record.Completeness != 1 {
		t.Errorf("completeness %d, want 1: the export's copy must stand", record.Completeness)
	}
}

func TestVersions(t *testing.T) {
	record := one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","LastPublishDate":"2026-02-07T00:00:00","Title":"Toys","ConsumerContact":"Toymaker at 800-555-0100"}`)
	if record.Version != 20260207 || record.Completeness != 3 {
		t.Errorf("version %d, completeness %d; want 20260207 and 3", record.Version, record.Completeness)
	}
	if record = one(t, `{"RecallID":1,"RecallNumber":"26901","RecallDate":"garbage","LastPublishDate":"2026-02-07","Title":"Toys"}`); !record.Notice.PublishedAt.Equal(time.Date(2026, 2, 7, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("published %s, want the day of LastPublishDate where RecallDate is mistyped", record.Notice.PublishedAt)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"rest.json", "export.csv"} {
		payload, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(`[{"RecallID":0,"RecallNumber":null}]`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		a.Recognise("", payload)
		for _, format := range []string{cpsc.FormatREST, cpsc.FormatCSV} {
			p, _ := agencytest.Parse(context.Background(), a, format, payload)
			for _, r := range p.Records {
				if !strings.HasPrefix(r.Notice.ID, "us-cpsc:") || r.Notice.PublishedAt.IsZero() || len(r.Notice.Products) == 0 || r.SourceHash == "" {
					t.Errorf("half a record: %+v", r)
				}
			}
		}
	})
}

func payloadsOf(payloads []agency.Payload) (bodies []string, complete []bool) {
	for _, p := range payloads {
		bodies, complete = append(bodies, string(bytes.TrimSpace(p.Body))), append(complete, p.Complete)
	}
	return bodies, complete
}

func TestADateThatIsNoneIsADoubt(t *testing.T) {
	for name, test := range map[string]struct {
		dates     string
		published string
		doubts    []string
	}{
		"both in order": {`"RecallDate":"2026-01-05","LastPublishDate":"2026-02-07"`, "2026-01-05", nil},
		"a RecallDate that is none": {`"RecallDate":"garbage","LastPublishDate":"2026-02-07"`, "2026-02-07",
			[]string{`RecallDate "garbage" is no date; LastPublishDate stands in for it`}},
		"no RecallDate": {`"LastPublishDate":"2026-02-07"`, "2026-02-07",
			[]string{`RecallDate "" is no date; LastPublishDate stands in for it`}},
		"a LastPublishDate that is none": {`"RecallDate":"2026-01-05","LastPublishDate":"soon"`, "2026-01-05",
			[]string{`LastPublishDate "soon" is no date`}},
	} {
		t.Run(name, func(t *testing.T) {
			record := one(t, `{"RecallID":1,"RecallNumber":"26901","Title":"Toys",`+test.dates+`}`)
			if got := record.Notice.PublishedAt.Format(time.DateOnly); got != test.published {
				t.Errorf("published %s, want %s", got, test.published)
			}
			if diff := cmp.Diff(test.doubts, record.Doubts); diff != "" {
				t.Errorf("doubts (-want +got):\n%s", diff)
			}
		})
	}
}
