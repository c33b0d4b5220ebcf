package openfda_test

import (
	"context"
	"crypto/sha256"
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
	"github.com/crownsafe/api/internal/agency/openfda"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *openfda.Agency { return openfda.New(openfda.Options{Now: now}) }

func parse(t *testing.T, payload []byte) (agencytest.Parsed, error) {
	t.Helper()
	return agencytest.Parse(t.Context(), newAgency(), openfda.FormatEnforcement, payload)
}

// report writes a report that has everything that a notice needs, and fields.
func report(fields map[string]string) string {
	all := map[string]string{
		"recall_number": "F-0001-2026", "event_id": "90001", "product_description": "Larkmere Oat Snack", "recalling_firm": "Larkmere Dairy",
		"reason_for_recall": "Undeclared milk.", "recall_initiation_date": "20260105", "report_date": "20260204", "status": "Ongoing",
	}
	for name, value := range fields {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err) // a map of strings is always JSON
	}
	return string(raw)
}

func results(reports ...string) []byte {
	return fmt.Appendf(nil, `{"meta":{"results":{"skip":0,"limit":1000,"total":%d}},"results":[%s]}`, len(reports), strings.Join(reports, ","))
}

func one(t *testing.T, fields map[string]string) agency.Record {
	t.Helper()
	p, err := parse(t, results(report(fields)))
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	return p.Records[0]
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"food.json", "example.json"} {
		t.Run(name, func(t *testing.T) {
			payload, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			if r := newAgency().Recognise(name, payload); r.Kind != agency.Notices || r.Format != openfda.FormatEnforcement {
				t.Fatalf("recognised as %+v", r)
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
	whole := string(results(report(nil), report(nil)))
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"an answer":                      {whole, agency.Recognition{Kind: agency.Notices, Format: openfda.FormatEnforcement}},
		"the beginning of an answer":     {whole[:len(whole)-40], agency.Recognition{Kind: agency.Notices, Format: openfda.FormatEnforcement}},
		"a broken report in front":       {`{"results":[{"event_id":7},` + report(nil) + `]}`, agency.Recognition{Kind: agency.Notices, Format: openfda.FormatEnforcement}},
		"no match":                       {`{"error":{"code":"NOT_FOUND","message":"No matches found!"}}`, agency.Recognition{Kind: agency.Empty, Format: openfda.FormatEnforcement, Note: "NOT_FOUND: No matches found!"}},
		"a failure":                      {`{"error":{"code":"SERVER_ERROR","message":"Check your request"}}`, agency.Recognition{Kind: agency.ErrorBody, Note: "SERVER_ERROR: Check your request"}},
		"another data set's answer":      {`{"meta":{},"results":[{"patient":{},"receiver":{}}]}`, agency.Recognition{}},
		"an empty list is anybody's":     {`{"meta":{},"results":[]}`, agency.Recognition{}},
		"an array":                       {`[{"recalling_firm":"x"}]`, agency.Recognition{}},
		"an error of somebody's else":    {`{"error":"nope"}`, agency.Recognition{}},
		"an error without a code":        {`{"error":{"message":"nope"}}`, agency.Recognition{}},
		"a web page":                     {`<html></html>`, agency.Recognition{}},
		"a list of texts for a result":   {`{"result":["x"]}`, agency.Recognition{}},
		"results that are no list":       {`{"results":{"recalling_firm":"x"}}`, agency.Recognition{}},
		"nothing but an opening bracket": {`{`, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever.txt", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNativeIDs(t *testing.T) {
	description := "Larkmere  Oat Snack, 4 oz "
	provisional := fmt.Sprintf("us-fda:event-90001-%x", sha256.Sum256([]byte(description)))[:len("us-fda:event-90001-")+8]
	for name, test := range map[string]struct {
		number, id string
		former     []string
	}{
		"a number":       {"H-0249-2026", "us-fda:H-0249-2026", []string{provisional}},
		"with blanks":    {" z-0123-2024 ", "us-fda:Z-0123-2024", []string{provisional}},
		"with a slash":   {"D-12/3-2024", "us-fda:D-12-3-2024", []string{provisional}},
		"none yet":       {"", provisional, nil},
		"N/A":            {"N/A", provisional, nil},
		"no such number": {"see letter", provisional, nil},
	} {
		t.Run(name, func(t *testing.T) {
			record := one(t, map[string]string{"recall_number": test.number, "product_description": description})
			if record.Notice.ID != test.id {
				t.Errorf("id %q, want %q", record.Notice.ID, test.id)
			}
			if diff := cmp.Diff(test.former, record.FormerIDs); diff != "" {
				t.Errorf("former ids (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]recall.Alias{{ID: "us-fda:event-90001", Kind: recall.Declared}}, record.Notice.Aliases); diff != "" {
				t.Errorf("aliases (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReportsThatShareAProvisionalIDAreJoined(t *testing.T) {
	p, err := parse(t, results(
		report(map[string]string{"recall_number": "", "code_info": "Lot 51"}),
		report(map[string]string{"recall_number": "N/A", "code_info": "Lot 52"}),
		report(map[string]string{"recall_number": "F-0002-2026"}),
	))
	if err != nil || len(p.Records) != 2 {
		t.Fatalf("%d records, error %v; want two", len(p.Records), err)
	}
	if summary := p.Records[1].Notice.Summary; !strings.Contains(summary, "Lot 51") || !strings.Contains(summary, "Lot 52") {
		t.Errorf("summary %q lacks the codes of one of the two", summary)
	}
	if p.Records[0].Notice.ID != "us-fda:F-0002-2026" {
		t.Errorf("the first record is %s, want the one with a number", p.Records[0].Notice.ID)
	}
}

func TestDates(t *testing.T) {
	for name, test := range map[string]struct {
		fields    map[string]string
		published string
		rejected  bool
	}{
		"begun":                       {map[string]string{}, "2026-01-05", false},
		"not begun":                   {map[string]string{"recall_initiation_date": ""}, "2026-02-04", false},
		"mistyped, in the future":     {map[string]string{"recall_initiation_date": "21210207"}, "2026-02-04", false},
		"mistyped, before all":        {map[string]string{"recall_initiation_date": "19301211"}, "2026-02-04", false},
		"with dashes":                 {map[string]string{"recall_initiation_date": "2013-02-19"}, "2013-02-19", false},
		"classified and nothing else": {map[string]string{"recall_initiation_date": "", "report_date": "", "center_classification_date": "20260301"}, "2026-03-01", false},
		"no date at all":              {map[string]string{"recall_initiation_date": "02121207", "report_date": "-"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parse(t, results(report(test.fields)))
			if err != nil {
				t.Fatal(err)
			}
			if test.rejected {
				if len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, "report_date") || p.Rejects[0].NativeID != "F-0001-2026" {
					t.Errorf("rejects %+v, want one that names the date", p.Rejects)
				}
				return
			}
			if got := p.Records[0].Notice.PublishedAt.Format(time.DateOnly); got != test.published {
				t.Errorf("published %s, want %s", got, test.published)
			}
		})
	}
}

func TestAStatusThatMovesOnMakesALaterVersion(t *testing.T) {
	var versions []int64
	for _, fields := range []map[string]string{
		{"status": "Pending"}, {"status": "Ongoing"}, {"status": "Completed"}, {"status": "Terminated"},
		{"status": "Ongoing", "report_date": "20260205"},
	} {
		record := one(t, fields)
		versions = append(versions, record.Version)
		if record.Notice.Status != recall.Active {
			t.Errorf("%s: status %s, want active: the units are still out there", fields["status"], record.Notice.Status)
		}
		if record.Notice.AgencyStatus != fields["status"] {
			t.Errorf("agency status %q, want %q", record.Notice.AgencyStatus, fields["status"])
		}
	}
	if diff := cmp.Diff([]int64{202602040, 202602041, 202602042, 202602043, 202602051}, versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestProducts(t *testing.T) {
	for name, test := range map[string]struct {
		description string
		names       []string
		brand       string // of the first
	}{
		"one":                        {"Larkmere brand Oat Snack, Net Wt 4 oz, UPC 0 12345-67890 5. Distributed by Larkmere Dairy", []string{"Larkmere brand Oat Snack, 4 oz"}, "Larkmere"},
		"branded":                    {"WREN branded OAT powder; 10- 2-pound bag/case NO UPC.", []string{"WREN branded OAT powder; 10- 2-pound bag/case NO"}, "WREN"},
		"a hyphen before brand":      {"Deep-brand Oat Snack", []string{"Deep-brand Oat Snack"}, "Deep"},
		"the firm's own":             {"LARKMERE DAIRY Oat Snack 12 Harbour Rd Duluth MN", []string{"LARKMERE DAIRY Oat Snack"}, "Larkmere Dairy"},
		"a packer's":                 {"Great Oats Snack", []string{"Great Oats Snack"}, ""},
		"an enumeration":             {"1) Oat Snack, UPC 012345678905  2) Barley Snack", []string{"Oat Snack", "Barley Snack"}, ""},
		"an enumeration by letters":  {"a.) Oat Snack b.) Barley Snack c.) Rye Snack", []string{"Oat Snack", "Barley Snack", "Rye Snack"}, ""},
		"an enumeration with a lead": {"Larkmere Snacks: 1. Oat 2. Barley", []string{"Larkmere Snacks Oat", "Larkmere Snacks Barley"}, "Larkmere"},
		"figures that are no marks":  {"Vitamin B. Complex with 9 in. tray, 2. layer", []string{"Vitamin B. Complex with 9 in. tray, 2. layer"}, ""},
		"nothing but a code":         {"UPC 012345678905", []string{"UPC 012345678905"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			products := one(t, map[string]string{"product_description": test.description}).Notice.Products
			var names []string
			for _, p := range products {
				names = append(names, p.Name)
			}
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if products[0].Brand != test.brand {
				t.Errorf("brand %q, want %q", products[0].Brand, test.brand)
			}
		})
	}
}

func TestCodesThatAreNotUnderstoodNeverExcludeAUnit(t *testing.T) {
	unreadable := func(units []recall.Predicate) bool {
		for _, u := range units {
			if u.Op == recall.OpUnreadable && !u.Except {
				return true
			}
		}
		return false
	}
	for name, test := range map[string]struct {
		fields map[string]string
		want   bool
	}{
		"codes in no known form":      {map[string]string{"code_info": "ZX*81*07 / ZX*81*09"}, true},
		"one code of several":         {map[string]string{"code_info": "Lot 4417A\nand (QX)99881 of the night shift"}, true},
		"codes and a quantity":        {map[string]string{"code_info": "Lot 4417A, 12 cases"}, false},
		"codes and an item's number":  {map[string]string{"code_info": "Item # 88123, Lot 4417A"}, false},
		"all units":                   {map[string]string{"code_info": "All units made since 2019"}, false},
		"no code on the label":        {map[string]string{"code_info": "No lot code on label"}, false},
		"nothing":                     {map[string]string{"code_info": ""}, false},
		"words without figures":       {map[string]string{"code_info": "see the letter"}, false},
		"a list that was cut":         {map[string]string{"code_info": "Lot 4417A, Lot 4418A, …"}, true},
		"barcodes with a misprint":    {map[string]string{"code_info": "UPC: 812345000016; 812345000023; 8123450000304"}, false},
		"a date named before":         {map[string]string{"product_description": "Oat Snack, Best By 09/13/2024", "code_info": "Best By 09/13/2024"}, false},
		"part of a code named before": {map[string]string{"product_description": "Oat Snack, Lot 9913204", "code_info": "night shift (Q)13204"}, true},
		"products with their own lot": {map[string]string{"product_description": "1) Oat Snack 2) Rye Snack", "code_info": "1) Lot 4417A 2) Lot 4418A"}, false},
		"a product without a code":    {map[string]string{"product_description": "1) Oat Snack 2) Rye Snack", "code_info": "1) Lot 4417A 2) see letter"}, true},
		"codes and the sizes of bags": {map[string]string{"code_info": "2lb - Lot 4417A 5lb - Lot 4418A"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range one(t, test.fields).Notice.Products {
				if got := unreadable(p.Units); got != test.want {
					t.Errorf("%s: units %+v; one that can't be read: %v, want %v", p.Name, p.Units, got, test.want)
				}
			}
		})
	}
}

func TestCounts(t *testing.T) {
	for quantity, want := range map[string]int{
		"1,250 cans": 1250, "66779 individual bars": 66779, "18,190 bottles total": 18190, "61 cakes (total)": 61, "18 devices": 18,
		"342 cases": 0, "230 units (46 cases)": 0, "4,400 pounds": 0, "Unknown": 0, "": 0, "24- 9.5oz jars": 0, "486.65 lbs": 0,
	} {
		counts := one(t, map[string]string{"product_quantity": quantity}).Notice.UnitsCount
		got := 0
		if len(counts) > 0 {
			got = counts[0].Count
		}
		if got != want {
			t.Errorf("%q: %d, want %d", quantity, got, want)
		}
	}
}

func TestCountries(t *testing.T) {
	for pattern, want := range map[string][]string{
		"Nationwide":                                {"US"},
		"CA, New Mexico, Georgia":                   {"US"},
		"MN, Mexico and Canada; Republic of Korea.": {"US", "MX", "CA", "KR"},
		"": {"US"},
	} {
		got := one(t, map[string]string{"distribution_pattern": pattern}).Notice.Countries
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", pattern, diff)
		}
	}
}

func TestPayloads(t *testing.T) {
	for name, test := range map[string]struct {
		payload          string
		records, rejects int
		is               error
		said             string // by an AnswerError
	}{
		"no match":                         {payload: `{"error":{"code":"NOT_FOUND","message":"No matches found!"}}`},
		"a failure":                        {payload: `{"error":{"code":"SERVER_ERROR","message":"sorry"}}`, said: "SERVER_ERROR: sorry"},
		"cut in the second report":         {payload: string(results(report(nil), report(nil)))[:450], records: 1, is: agency.ErrTruncated},
		"cut behind the last report":       {payload: `{"results":[` + report(nil), records: 1, is: agency.ErrTruncated},
		"cut, with a report held back":     {payload: `{"results":[` + report(map[string]string{"recall_number": ""}) + `,{`, records: 1, is: agency.ErrTruncated},
		"nothing":                          {payload: ``, is: agency.ErrTruncated},
		"one bad report among good ones":   {payload: string(results(report(nil), `{"recall_number":["x"]}`, `7`, report(map[string]string{"recall_number": "F-0002-2026"}))), records: 2, rejects: 2},
		"a report without event or number": {payload: string(results(report(map[string]string{"recall_number": "", "event_id": ""}))), rejects: 1},
		"a report without a product":       {payload: string(results(report(map[string]string{"product_description": " "}))), rejects: 1},
		"results are null":                 {payload: `{"results":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parse(t, []byte(test.payload))
			if len(p.Records) != test.records || len(p.Rejects) != test.rejects {
				t.Errorf("%d records and %d rejects, want %d and %d", len(p.Records), len(p.Rejects), test.records, test.rejects)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error = %v, want one that wraps %v", err, test.is)
			}
			answer, _ := errors.AsType[*agency.AnswerError](err)
			if test.said != "" && (answer == nil || answer.Said != test.said) {
				t.Errorf("error = %v, want an AnswerError that says %q", err, test.said)
			}
			if test.is == nil && test.said == "" && err != nil {
				t.Errorf("error = %v", err)
			}
		})
	}
	t.Run("the sink's error ends it", func(t *testing.T) {
		full, calls := errors.New("full"), 0
		payload := string(results(report(map[string]string{"recall_number": ""}), report(nil), report(map[string]string{"recall_number": "F-0002-2026"})))
		err := newAgency().Parse(t.Context(), openfda.FormatEnforcement, strings.NewReader(payload), agency.Sink{
			Record: func(agency.Record) error { calls++; return full },
			Reject: func(agency.Reject) error { return nil },
		})
		if !errors.Is(err, full) || calls != 1 {
			t.Errorf("error = %v after %d records, want the sink's after 1", err, calls)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"food.json", "example.json"} {
		payload, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(`{"error":{"code":"NOT_FOUND"}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		a.Recognise("", payload)
		p, _ := agencytest.Parse(context.Background(), a, openfda.FormatEnforcement, payload)
		for _, r := range p.Records {
			if !strings.HasPrefix(r.Notice.ID, "us-fda:") || r.Notice.PublishedAt.IsZero() || len(r.Notice.Products) == 0 || r.SourceHash == "" {
				t.Errorf("half a record: %+v", r)
			}
		}
	})
}
