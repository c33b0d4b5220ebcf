package nhtsa_test

import (
	"bytes"
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
	"github.com/crownsafe/api/internal/agency/nhtsa"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *nhtsa.Agency { return nhtsa.New(nhtsa.Options{Now: now}) }

func read(t *testing.T, name string) []byte {
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

func TestGolden(t *testing.T) {
	for _, name := range []string{"flat.txt", "flat-2002.txt", "socrata.json", "api.json"} {
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
	flat := string(read(t, "flat.txt"))
	for name, c := range map[string]struct {
		payload string
		want    agency.Recognition
	}{
		"29 columns":             {flat, agency.Recognition{Kind: agency.Notices, Format: nhtsa.FormatFlat}},
		"29 columns, marked":     {"\ufeff" + flat, agency.Recognition{Kind: agency.Notices, Format: nhtsa.FormatFlat}},
		"24 columns of 2002":     {string(read(t, "flat-2002.txt")), agency.Recognition{Kind: agency.Notices, Format: nhtsa.FormatFlat}},
		"open data":              {string(read(t, "socrata.json")), agency.Recognition{Kind: agency.Notices, Format: nhtsa.FormatSocrata}},
		"the API":                {string(read(t, "api.json")), agency.Recognition{Kind: agency.Notices, Format: nhtsa.FormatAPI}},
		"the API, nothing found": {`{"Count":0,"Message":"Results returned successfully","results":[]}`, agency.Recognition{Kind: agency.Empty, Format: nhtsa.FormatAPI}},
		"open data's error":      {`{"code":"query.soql","error":true,"message":"Could not parse"}`, agency.Recognition{Kind: agency.ErrorBody, Note: "Could not parse"}},
		"catalogue of car seats": {`[{"id":1,"active":false,"make":"AcornLeaf","productModel":"Infant Seat","modelNumber":"1032"}]`, agency.Recognition{}},
		"retired api.usa.gov":    {`{"success":{"total":1,"results":[{"organization":"NHTSA","recall_number":"13V476000"}]}}`, agency.Recognition{}},
		"the dictionary":         {"RECALLS\n\nFIELDS:\n1 RECORD_ID NUMBER(9)", agency.Recognition{}},
		"another tab file":       {strings.Repeat("a\t", 28) + "b\n", agency.Recognition{}},
		"nothing":                {"", agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, newAgency().Recognise("file", []byte(c.payload))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// column numbers of the flat file, from 0.
const (
	campno, maketxt, modeltxt, yeartxt = 1, 2, 3, 4
	bgman, endman, rcltype, potaff     = 8, 9, 10, 11
	mfgtxt, rcdate, datea              = 14, 15, 16
	defect, corrective                 = 19, 21
)

// line writes a row of the flat file with the given columns over plain ones.
func line(columns map[int]string) string {
	row := make([]string, 29)
	for i, v := range map[int]string{0: "1", campno: "20C001000", maketxt: "ACORNLEAF", modeltxt: "NESTLING", yeartxt: "9999", rcltype: "C", rcdate: "20200502", datea: "20200504"} {
		row[i] = v
	}
	for i, v := range columns {
		row[i] = v
	}
	return strings.Join(row, "\t") + "\r\n"
}

func records(t *testing.T, payload string) []agency.Record {
	t.Helper()
	p, err := parse(t, []byte(payload))
	if err != nil || len(p.Rejects) != 0 {
		t.Fatalf("rejects %+v, error %v", p.Rejects, err)
	}
	return p.Records
}

func made(units []recall.Predicate) [][2]string {
	windows := [][2]string{}
	for _, u := range units {
		if u.Kind != recall.Made || u.Op != recall.OpRange {
			continue
		}
		var w [2]string
		if u.From != nil {
			w[0] = *u.From
		}
		if u.To != nil {
			w[1] = *u.To
		}
		windows = append(windows, w)
	}
	return windows
}

func TestDatesOfManufacture(t *testing.T) {
	for name, c := range map[string]struct {
		rows []map[int]string
		want [][2]string
	}{
		"both ends":          {[]map[int]string{{bgman: "20191101", endman: "20200315"}}, [][2]string{{"2019-11-01", "2020-03-15"}}},
		"no end":             {[]map[int]string{{bgman: "20191101"}}, [][2]string{{"2019-11-01", ""}}},
		"no beginning":       {[]map[int]string{{endman: "20200315"}}, [][2]string{{"", "2020-03-15"}}},
		"unknown beginning":  {[]map[int]string{{bgman: "19010101", endman: "20200315"}}, [][2]string{{"", "2020-03-15"}}},
		"not applicable":     {[]map[int]string{{bgman: "99991231", endman: ""}}, [][2]string{}},
		"the wrong way":      {[]map[int]string{{bgman: "20200315", endman: "20191101"}}, [][2]string{}},
		"two windows":        {[]map[int]string{{bgman: "20200601", endman: "20200630"}, {bgman: "20200101", endman: "20200131"}}, [][2]string{{"2020-01-01", "2020-01-31"}, {"2020-06-01", "2020-06-30"}}},
		"one window, twice":  {[]map[int]string{{bgman: "20200601", endman: "20200630"}, {bgman: "20200601", endman: "20200630"}}, [][2]string{{"2020-06-01", "2020-06-30"}}},
		"one row without":    {[]map[int]string{{bgman: "20200601", endman: "20200630"}, {}}, [][2]string{}},
		"columns over prose": {[]map[int]string{{bgman: "20191101", endman: "20200315", defect: "Seats built from November 5, 2019, through March 1, 2020, may break."}}, [][2]string{{"2019-11-01", "2020-03-15"}}},
	} {
		t.Run(name, func(t *testing.T) {
			payload := ""
			for _, r := range c.rows {
				payload += line(r)
			}
			n := records(t, payload)[0].Notice
			if diff := cmp.Diff(c.want, made(n.Products[0].Units)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, u := range n.Products[0].Units {
				if len(u.Quote.Text) != u.Quote.End-u.Quote.Start || u.Quote.Field == "" {
					t.Errorf("quote %+v is not as long as its place", u.Quote)
				}
			}
		})
	}
}

func TestProducts(t *testing.T) {
	for name, c := range map[string]struct {
		row    map[int]string
		name   string
		models []string
	}{
		"number and name":           {map[int]string{modeltxt: "410 (NESTLING)"}, "Nestling", []string{"410", "Nestling"}},
		"what numbers start with":   {map[int]string{modeltxt: "410 (NESTLING)", defect: "MODEL NUMBERS BEGINNING WITH 4101234A MAY BREAK."}, "Nestling", nil},
		"a name as prose writes it": {map[int]string{modeltxt: "NESTLINGRIDE", defect: "The NestlingRide may break."}, "NestlingRide", []string{"NestlingRide"}},
		"numbers in the prose":      {map[int]string{modeltxt: "TALL TWIG", defect: "Certain Tall Twig seats, Model Nos. 40911173AD and 4091967AD, may break."}, "Tall Twig", []string{"40911173AD", "4091967AD"}},
		"vehicle":                   {map[int]string{campno: "22V001000", rcltype: "V", modeltxt: "DAWN 300", yeartxt: "2022"}, "2022 Dawn 300", []string{"Dawn 300"}},
		"vehicle without a year":    {map[int]string{campno: "22V001000", rcltype: "V", modeltxt: "DAWN 300", yeartxt: "9999"}, "Dawn 300", []string{"Dawn 300"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := records(t, line(c.row))[0].Notice.Products[0]
			if p.Name != c.name {
				t.Errorf("name %q, want %q", p.Name, c.name)
			}
			if c.models == nil { // prefixes must not limit the notice: its own name has to stay among the models
				if !strings.Contains(strings.Join(p.Models, "|"), "Nestling") {
					t.Errorf("models %q, want the name among them", p.Models)
				}
				return
			}
			if diff := cmp.Diff(c.models, p.Models); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpelling(t *testing.T) {
	for name, c := range map[string]struct{ make, prose, want string }{
		"as the prose does":       {"MCKELVIN", "McKelvin is recalling seats.", "McKelvin"},
		"capitals among small":    {"ZEPHYR", "The ZEPHYR seats of the company may break.", "ZEPHYR"},
		"prose all in capitals":   {"ZEPHYR", "THE ZEPHYR SEATS MAY BREAK.", "Zephyr"},
		"an abbreviation":         {"ZMW", "", "ZMW"},
		"parts of a name":         {"ACORN-LEAF", "", "Acorn-Leaf"},
		"small letters are kept":  {"deLeaf", "", "deLeaf"},
		"part of a word is none":  {"ACORN", "The Acornleaf may break.", "Acorn"},
		"letters beyond ASCII":    {"ÅKERBÄR", "", "Åkerbär"},
		"a placeholder is no one": {"UNKNOWN", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := records(t, line(map[int]string{maketxt: c.make, defect: c.prose}))[0].Notice.Products[0].Brand; got != c.want {
				t.Errorf("brand %q, want %q", got, c.want)
			}
		})
	}
}

// A campaign's rows may stand anywhere in the file, in any order.
func TestRowsAreGathered(t *testing.T) {
	a := line(map[int]string{modeltxt: "NESTLING", potaff: "300"})
	b := line(map[int]string{campno: "21C002000", modeltxt: "TWIG"})
	c := line(map[int]string{0: "77", modeltxt: "FLEDGLING", potaff: "500", datea: "20200701"})
	one, other := records(t, a+b+c), records(t, strings.Replace(c, "77", "5", 1)+a+b)
	if len(one) != 2 || one[0].Notice.ID != "us-nhtsa:20C001000" || len(one[0].Notice.Products) != 2 {
		t.Fatalf("records %+v, want 20C001000 with two products first", one)
	}
	if one[0].Version != 20200701 || one[0].Notice.UnitsCount[0].Count != 500 {
		t.Errorf("version %d and units %+v, want the latest record's day and the largest count", one[0].Version, one[0].Notice.UnitsCount)
	}
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("the order of rows makes a difference:\n%s", diff)
	}
	if one[0].SourceHash == records(t, a+b)[0].SourceHash {
		t.Error("a row more doesn't change the hash")
	}
}

// Quotation marks are data: no row may swallow its followers.
func TestQuotationMarksAreData(t *testing.T) {
	got := records(t, line(map[int]string{defect: `THE "CHILD SEAT`})+line(map[int]string{campno: "21C002000"}))
	if len(got) != 2 {
		t.Errorf("%d campaigns, want 2", len(got))
	}
}

func TestTextsAreCleaned(t *testing.T) {
	n := records(t, line(map[int]string{defect: "LABEL \"DISPLAY Â ONLY.\"  The childâ€™s seat", corrective: "GO TO <A HREF=HTTP://X.EXAMPLE>HTTP://X.EXAMPLE</A> ."}))[0].Notice
	if want := "LABEL \"DISPLAY ONLY.\" The child’s seat"; n.Summary != want {
		t.Errorf("summary %q, want %q", n.Summary, want)
	}
	if strings.ContainsAny(n.Remedy.Text, "<>") {
		t.Errorf("remedy %q has tags", n.Remedy.Text)
	}
}

// A row that was cut or can't be read must not make the notice say "outside".
func TestDamagedRows(t *testing.T) {
	whole := line(map[int]string{bgman: "20191101", endman: "20200315"})
	for name, c := range map[string]struct {
		rest string
		want error
	}{
		"too few columns": {"2\t20C001000\tACORNLEAF\r\n", nil},
		"cut":             {"2\t20C001000\tACORN", agency.ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parse(t, []byte(whole+c.rest))
			if !errors.Is(err, c.want) || len(p.Records) != 1 || len(p.Rejects) != 1 {
				t.Fatalf("%d records, %d rejects, error %v; want 1, 1 and %v", len(p.Records), len(p.Rejects), err, c.want)
			}
			if units := p.Records[0].Notice.Products[0].Units; len(units) != 0 {
				t.Errorf("units %+v limit a campaign of which a row is missing", units)
			}
		})
	}
	if p, err := parse(t, []byte(strings.TrimRight(whole, "\r\n"))); err != nil || len(p.Records) != 1 {
		t.Errorf("a last line without its end: %d records, error %v; want it read", len(p.Records), err)
	}
	for _, name := range []string{"socrata.json", "api.json"} {
		payload := bytes.TrimSpace(read(t, name))
		p, err := parse(t, payload[:len(payload)-3])
		if !errors.Is(err, agency.ErrTruncated) || len(p.Records) == 0 {
			t.Errorf("%s cut: %d records, error %v; want the whole ones and ErrTruncated", name, len(p.Records), err)
		}
	}
}

func TestSinkErrorStopsTheParse(t *testing.T) {
	stop := errors.New("disk full")
	for _, name := range []string{"flat.txt", "socrata.json"} {
		payload := read(t, name)
		a := newAgency()
		calls := 0
		err := a.Parse(t.Context(), a.Recognise(name, payload).Format, bytes.NewReader(payload), agency.Sink{
			Record: func(agency.Record) error { calls++; return stop },
			Reject: func(agency.Reject) error { return nil },
		})
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("%s: error %v after %d records, want the sink's own after one", name, err, calls)
		}
		refuse := errors.New("no room for rejects")
		err = a.Parse(t.Context(), a.Recognise(name, payload).Format, bytes.NewReader(payload), agency.Sink{
			Record: func(agency.Record) error { return nil },
			Reject: func(agency.Reject) error { return refuse },
		})
		if !errors.Is(err, refuse) {
			t.Errorf("%s: error %v, want the sink's own", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		payload, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(line(map[int]string{defect: "recalling certain \xff\xfe models İ, and (", corrective: "contact "})))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		recognised := a.Recognise("fuzz", payload)
		for _, format := range []string{recognised.Format, nhtsa.FormatFlat} {
			if format == "" {
				continue
			}
			p, _ := agencytest.Parse(t.Context(), a, format, payload) // any bytes may be no whole payload
			for _, r := range p.Records {
				if r.Completeness <= 0 || r.SourceHash == "" || len(r.Notice.Products) == 0 {
					t.Errorf("record %+v lacks what a notice needs", r)
				}
			}
		}
	})
}
