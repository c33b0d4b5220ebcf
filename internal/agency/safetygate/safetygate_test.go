package safetygate_test

import (
	"bytes"
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
	"github.com/crownsafe/api/internal/agency/safetygate"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *safetygate.Agency { return safetygate.New(safetygate.Options{Now: now}) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

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

// noticeOf reads a payload and returns the notice of an id.
func noticeOf(t *testing.T, payload []byte, id string) recall.Notice {
	t.Helper()
	p, err := parse(t, payload)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Records {
		if r.Notice.ID == id {
			return r.Notice
		}
	}
	t.Fatalf("there is no notice %s among %d (%v)", id, len(p.Records), p.Rejects)
	return recall.Notice{}
}

var payloads = []string{"weekly.xml", "notification.json", "mostrecent.json", "mirror.json", "mirror-fr.json", "mirror-v1.json"}

func TestGolden(t *testing.T) {
	for _, name := range payloads {
		t.Run(name, func(t *testing.T) {
			payload := read(t, name)
			first, err := parse(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parse(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("a second parse differs:\n%s", diff)
			}
			for _, r := range first.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil {
					t.Errorf("%s: %v", r.Notice.ID, err)
				}
			}
			got, err := json.MarshalIndent(first, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			agencytest.Golden(t, filepath.Join("testdata", "golden", name+".json"), append(got, '\n'), *update)
		})
	}
}

func TestRecognise(t *testing.T) {
	notices := func(format string) agency.Recognition {
		return agency.Recognition{Kind: agency.Notices, Format: format}
	}
	for name, c := range map[string]struct {
		name, payload string
		want          agency.Recognition
	}{
		"weekly report":            {"f", string(read(t, "weekly.xml")), notices(safetygate.FormatWeekly)},
		"weekly report with mark":  {"f", "\ufeff" + string(read(t, "weekly.xml")), notices(safetygate.FormatWeekly)},
		"cut in its first alert":   {"f", string(read(t, "weekly.xml"))[:500], notices(safetygate.FormatWeekly)},
		"weekly report, no alerts": {"f", "<Safety-Gate><report_date>06/11/2026</report_date></Safety-Gate>", agency.Recognition{Kind: agency.Empty, Format: safetygate.FormatWeekly}},
		"list of reports":          {"f", string(read(t, "weekly-list.xml")), agency.Recognition{Kind: agency.Empty, Format: safetygate.FormatWeeklyList, Note: "the list of weekly reports"}},
		"notification":             {"f", string(read(t, "notification.json")), notices(safetygate.FormatNotification)},
		"newest notifications":     {"f", string(read(t, "mostrecent.json")), notices(safetygate.FormatNotification)},
		"array of notifications":   {"f", "[" + string(read(t, "notification.json")) + "]", notices(safetygate.FormatNotification)},
		"page of the copy":         {"f", string(read(t, "mirror.json")), notices(safetygate.FormatMirror)},
		"broken row in front":      {"f", strings.Replace(string(read(t, "mirror.json")), `"results": [`, `"results": [{"alert_number":[]},`, 1), notices(safetygate.FormatMirror)},
		"export of the copy":       {"f", string(read(t, "mirror-fr.json")), notices(safetygate.FormatMirror)},
		"version 1 of the portal":  {"f", string(read(t, "mirror-v1.json")), notices(safetygate.FormatMirror)},
		"addresses alone": {"f", `{"total_count":31118,"results":[{"modification_date":"2026-03-27T14:39:36+00:00","rapex_url":"https://ec.europa.eu/x/1"}]}`,
			agency.Recognition{Kind: agency.Empty, Format: safetygate.FormatMirror, Note: "the addresses of notices, without their numbers and products"}},
		"empty page of the copy":    {"https://public.opendatasoft.com/healthref-europe-rapex-en/records", `{"total_count":0,"results":[]}`, agency.Recognition{Kind: agency.Empty, Format: safetygate.FormatMirror}},
		"empty page of some set":    {"f", `{"total_count":0,"results":[]}`, agency.Recognition{}},
		"the portal's error":        {"https://public.opendatasoft.com/healthref-europe-rapex-en/records", `{"error_code":"ODSQLError","message":"where is wrong"}`, agency.Recognition{Kind: agency.ErrorBody, Note: "ODSQLError: where is wrong"}},
		"error of some set":         {"f", `{"error_code":"ODSQLError","message":"where is wrong"}`, agency.Recognition{}},
		"page of JavaScript":        {"f", `<!doctype html><html><head><title>Safety Gate</title><script src="main.js"></script></head></html>`, agency.Recognition{}},
		"some feed":                 {"f", `<?xml version="1.0"?><rss><channel><item><title>x</title></item></channel></rss>`, agency.Recognition{}},
		"France's register":         {"f", `{"total_count":1,"results":[{"numero_fiche":"sr/00001/26","rappel_guid":"g"}]}`, agency.Recognition{}},
		"another agency's array":    {"f", `[{"RecallID":1,"RecallNumber":"26001"}]`, agency.Recognition{}},
		"somebody's own processing": {"f", `[{"id":"eu-SR/00001/26","source":"Safety Gate","reference":"SR/00001/26"}]`, agency.Recognition{}},
		"an empty array":            {"f", `[]`, agency.Recognition{}},
		"nothing":                   {"f", "", agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, newAgency().Recognise(c.name, []byte(c.payload))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The three formats give one notice the same id, and France's register names it so.
func TestFormatsAgreeOnIDs(t *testing.T) {
	for _, name := range payloads {
		noticeOf(t, read(t, name), "eu-safety-gate:SR-02901-26")
	}
	noticeOf(t, read(t, "mirror.json"), "eu-safety-gate:A12-00123-20")
	noticeOf(t, read(t, "mostrecent.json"), "eu-safety-gate:A12-00077-21")
}

// A copy from a richer format replaces one from a poorer one; of one format the
// English copy does.
func TestCompleteness(t *testing.T) {
	richness := func(name string, position int) int {
		p, err := parse(t, read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return p.Records[position].Completeness
	}
	excerpt, err := agencytest.Parse(t.Context(), newAgency(), safetygate.FormatMirror, []byte(`[{"alert_number":"SR/1/26","alert_date":"2026-01-01","product_name":"Ball"}]`))
	if err != nil {
		t.Fatal(err)
	}
	order := []int{
		excerpt.Records[0].Completeness, // of a row that was asked for by some of its fields
		richness("weekly.xml", 0), richness("mirror-fr.json", 0), richness("mirror.json", 0), richness("mostrecent.json", 0), richness("notification.json", 0),
	}
	if !slices.IsSorted(order) || len(slices.Compact(order)) != len(order) {
		t.Errorf("from poor to rich: %v, want it to grow", order)
	}
}

// Versions order copies by the day of the last change; the weekly report tells none.
func TestVersions(t *testing.T) {
	for name, want := range map[string]int64{"weekly.xml": 0, "notification.json": 20261109, "mirror.json": 20261109} {
		p, err := parse(t, read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Records[0].Version; got != want {
			t.Errorf("%s: version %d, want %d", name, got, want)
		}
	}
}

func TestMeasuresAreNotCalledRecalls(t *testing.T) {
	for _, c := range []struct {
		file, id, status string
		remedies         []recall.RemedyType
	}{
		{"weekly.xml", "SR-02901-26", "Recall of the product from end users; Withdrawal of the product from the market", []recall.RemedyType{recall.RemedyReturn}},
		{"weekly.xml", "SR-02902-26", "Import rejected at border", []recall.RemedyType{recall.RemedyNone}},
		{"mirror.json", "A12-00123-20", "Import rejected at border; Removal of this product listing by the online marketplace", []recall.RemedyType{recall.RemedyNone}},
		{"mirror.json", "INFO-00021-24", "Destruction by who bought it", []recall.RemedyType{recall.RemedyOther}},
		{"notification.json", "SR-02901-26", "Recall of product from consumers; Do not use the product", []recall.RemedyType{recall.RemedyReturn, recall.RemedyStopUse}},
		{"mirror-fr.json", "SR-02901-26", "", []recall.RemedyType{}},
	} {
		n := noticeOf(t, read(t, c.file), "eu-safety-gate:"+c.id)
		if n.AgencyStatus != c.status {
			t.Errorf("%s %s: agency status %q, want %q", c.file, c.id, n.AgencyStatus, c.status)
		}
		if diff := cmp.Diff(c.remedies, n.Remedy.Types); diff != "" {
			t.Errorf("%s %s: remedies (-want +got):\n%s", c.file, c.id, diff)
		}
		if n.Status != recall.Active {
			t.Errorf("%s %s: status %s; no measure takes a notice back", c.file, c.id, n.Status)
		}
	}
}

func TestAliases(t *testing.T) {
	want := []recall.Alias{{ID: "fr-rappelconso:2026-10-0777", Kind: recall.Declared}}
	for _, name := range []string{"weekly.xml", "notification.json", "mirror.json"} {
		n := noticeOf(t, read(t, name), "eu-safety-gate:SR-02901-26")
		if diff := cmp.Diff(want, n.Aliases); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ file, id, want string }{
		{"notification.json", "SR-02901-26", "en"},
		{"mostrecent.json", "SR-02901-26", "fr"},
		{"mostrecent.json", "A12-00077-21", "hu"},
		{"mirror-fr.json", "SR-02901-26", "fr"},
		{"mirror.json", "SR-02901-26", "en"},
		{"weekly.xml", "SR-02901-26", "en"},
	} {
		if got := noticeOf(t, read(t, c.file), "eu-safety-gate:"+c.id).Language; got != c.want {
			t.Errorf("%s %s: language %q, want %q", c.file, c.id, got, c.want)
		}
	}
}

// People ask for a car by its line, or by a model of a line that the notice
// doesn't print.
func TestVehiclesAreFoundByTheirLines(t *testing.T) {
	n := noticeOf(t, read(t, "weekly.xml"), "eu-safety-gate:SR-02903-26")
	for name, c := range map[string]struct {
		unit recall.Unit
		want recall.Outcome
	}{
		"line, made inside":                {recall.Unit{Brand: "Velocar", Model: "Tundrix", MadeOn: "2018-05-01"}, recall.Affected},
		"line, made outside":               {recall.Unit{Brand: "Velocar", Model: "K12", MadeOn: "2021-05-01"}, recall.NotAffected},
		"name, made inside":                {recall.Unit{Brand: "Velocar", Name: "Corvella 3", MadeOn: "2018"}, recall.Affected},
		"name and a model of it":           {recall.Unit{Brand: "Velocar", Name: "Corvella 3", Model: "320d", MadeOn: "2018"}, recall.Affected},
		"name without the day it was made": {recall.Unit{Brand: "Velocar", Name: "Corvella 3"}, recall.NeedCode},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := recall.Read(c.unit)
			if err != nil {
				t.Fatal(err)
			}
			if got := recall.Decide(&q, []*recall.Notice{&n}).Outcome; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	for name, c := range map[string]struct{ payload, reason string }{
		"no number":         {`[{"alert_number":null,"alert_date":"2026-11-10","product_name":"Ball","rapex_url":"u"}]`, "no number"},
		"no case number":    {`{"reference":"to be given","product":{"nameSpecific":"Ball"},"risk":{},"publicationDate":"2026-11-01"}`, "no case number"},
		"no date":           {`[{"alert_number":"SR/1/26","product_name":"Ball","rapex_url":"u"}]`, "no date"},
		"date to come":      {`[{"alert_number":"SR/1/26","alert_date":"2031-01-01","product_name":"Ball","rapex_url":"u"}]`, "2031"},
		"no product":        {`[{"alert_number":"SR/1/26","alert_date":"2026-01-01","product_name":"Unknown","rapex_url":"u"}]`, "names no product"},
		"product is a text": {`{"reference":"SR/1/26","product":"Ball","risk":{},"publicationDate":"2026-11-01"}`, "SR/1/26"},
		"no report date":    {`<Safety-Gate><notifications><caseNumber>SR/1/26</caseNumber><product>Ball</product></notifications></Safety-Gate>`, "no date"},
	} {
		t.Run(name, func(t *testing.T) {
			format := safetygate.FormatMirror
			switch {
			case strings.HasPrefix(c.payload, "{"):
				format = safetygate.FormatNotification
			case strings.HasPrefix(c.payload, "<"):
				format = safetygate.FormatWeekly
			}
			p, err := agencytest.Parse(t.Context(), newAgency(), format, []byte(c.payload))
			if err != nil || len(p.Records) != 0 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, c.reason) || p.Rejects[0].Position != 1 || p.Rejects[0].Excerpt == "" {
				t.Errorf("%d records, rejects %+v, error %v; want one reject that says %q", len(p.Records), p.Rejects, err, c.reason)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	for _, name := range payloads {
		payload := bytes.TrimSpace(read(t, name))
		for _, cut := range []int{1, 3, 30} {
			a := newAgency()
			format := a.Recognise(name, payload).Format
			_, err := agencytest.Parse(t.Context(), a, format, payload[:len(payload)-cut])
			if !errors.Is(err, agency.ErrTruncated) {
				t.Errorf("%s without its last %d bytes: error %v, want ErrTruncated", name, cut, err)
			}
		}
	}
	cut, err := parse(t, read(t, "weekly.xml")[:2600])
	if !errors.Is(err, agency.ErrTruncated) || len(cut.Records) != 1 {
		t.Errorf("%d records, error %v; want the alert before the cut and ErrTruncated", len(cut.Records), err)
	}
}

// The order of fields and the blanks between them make no difference.
func TestSourceHash(t *testing.T) {
	hash := func(payload string) string {
		p, err := agencytest.Parse(t.Context(), newAgency(), safetygate.FormatMirror, []byte(payload))
		if err != nil || len(p.Records) != 1 {
			t.Fatalf("%d records, error %v", len(p.Records), err)
		}
		return p.Records[0].SourceHash
	}
	one := hash(`[{"alert_number":"SR/1/26","alert_date":"2026-01-01","product_name":"Ball"}]`)
	if same := hash(`{"results":[ {"product_name" : "Ball", "alert_date":"2026-01-01","alert_number":"SR/1/26"} ]}`); same != one {
		t.Error("changed bytes with equal content have another hash")
	}
	if other := hash(`[{"alert_number":"SR/1/26","alert_date":"2026-01-01","product_name":"Bell"}]`); other == one {
		t.Error("another content has the same hash")
	}
	weekly := func(payload []byte) string {
		p, err := parse(t, payload)
		if err != nil {
			t.Fatal(err)
		}
		return p.Records[0].SourceHash
	}
	report := read(t, "weekly.xml")
	if weekly(report) != weekly(bytes.ReplaceAll(report, []byte("\n    <"), []byte("<"))) {
		t.Error("a weekly report without line breaks has other hashes")
	}
}

func TestSinkErrorsEndTheParse(t *testing.T) {
	stop := errors.New("enough")
	for _, name := range payloads {
		a := newAgency()
		payload := read(t, name)
		calls := 0
		err := a.Parse(t.Context(), a.Recognise(name, payload).Format, bytes.NewReader(payload), agency.Sink{
			Record: func(agency.Record) error { calls++; return stop },
			Reject: func(agency.Reject) error { return nil },
		})
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("%s: error %v after %d calls, want the sink's own after the first", name, err, calls)
		}
	}
}

func TestParseRefusesUnknownFormats(t *testing.T) {
	if _, err := agencytest.Parse(t.Context(), newAgency(), "carousel", nil); err == nil {
		t.Error("an unknown format was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range payloads {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		r := a.Recognise("payload", payload)
		if r.Kind != agency.Notices {
			return
		}
		p, _ := agencytest.Parse(t.Context(), a, r.Format, payload)
		for _, rec := range p.Records {
			if err := recall.Lint(&rec.Notice, now()); err != nil {
				t.Errorf("%s: %v", rec.Notice.ID, err)
			}
			for _, product := range rec.Notice.Products {
				for _, u := range product.Units {
					if len(u.Quote.Text) != u.Quote.End-u.Quote.Start {
						t.Errorf("%s: the quote %q is not bytes %d to %d", rec.Notice.ID, u.Quote.Text, u.Quote.Start, u.Quote.End)
					}
				}
			}
		}
	})
}

func TestWeeklyReportInAnotherEncoding(t *testing.T) {
	report := "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Safety-Gate><report_date>06/11/2026</report_date><notifications>" +
		"<caseNumber>SR/1/26</caseNumber><product>Poup\xe9e</product></notifications></Safety-Gate>"
	if n := noticeOf(t, []byte(report), "eu-safety-gate:SR-1-26"); n.Products[0].Name != "Poupée" {
		t.Errorf("the product is called %q", n.Products[0].Name)
	}
}
