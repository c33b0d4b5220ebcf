package stock

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

// readAll reads a whole list.
func readAll(t testing.TB, text string) (*Reader, []Row) {
	t.Helper()
	r, err := NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rest(r)
	if err != nil {
		t.Fatal(err)
	}
	return r, rows
}

func rest(r *Reader) (rows []Row, err error) {
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func utf16Text(s string) string {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

func TestListsAreReadHoweverTheyAreWritten(t *testing.T) {
	want := recall.Unit{GTIN: "036000291452", Brand: "Tumblewick", Name: "Snoozle, blue", Lot: "A17", BoughtOn: "2026-05"}
	for name, text := range map[string]string{
		"plain":                "gtin,brand,name,lot,bought_on\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n",
		"no line feed at end":  "gtin,brand,name,lot,bought_on\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05",
		"other headings":       "UPC,Brand Name, Product ,LOT #,Purchase date\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n",
		"semicolons, CRLF":     "Barcode;Brand;Title;Lot No.;Bought on\r\n036000291452;Tumblewick;Snoozle, blue;A17;2026-05\r\n",
		"bars":                 "Barcode|Brand|Title|Lot No.|Bought on\n036000291452|Tumblewick|Snoozle, blue|A17|2026-05\n",
		"bars said":            "sep=|\ngtin|brand|name|lot|bought_on\n036000291452|Tumblewick|Snoozle, blue|A17|2026-05\n",
		"CR alone":             "gtin,brand,name,lot,bought_on\r036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\r",
		"CR alone, no end":     "\r\rgtin;brand;name;lot;bought_on\r036000291452;Tumblewick;Snoozle, blue;A17;2026-05",
		"CR alone, UTF-16":     utf16Text("gtin\tbrand\tname\tlot\tbought_on\r036000291452\tTumblewick\tSnoozle, blue\tA17\t2026-05\r"),
		"CR, separator said":   "sep=;\rgtin;brand;name;lot;bought_on\r036000291452;Tumblewick;Snoozle, blue;A17;2026-05\r",
		"CR below a line feed": "gtin,brand,name,lot,bought_on\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\r",
		"tabs":                 "EAN-13\tBRAND\tproduct_name\tlot\tbought-on\n036000291452\tTumblewick\tSnoozle, blue\tA17\t2026-05\n",
		"UTF-8 with its mark":  "\ufeffgtin,brand,name,lot,bought_on\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n",
		"UTF-16":               utf16Text("gtin\tbrand\tname\tlot\tbought_on\r\n036000291452\tTumblewick\tSnoozle, blue\tA17\t2026-05\r\n"),
		"separator said":       "sep=;\r\ngtin;brand;name;lot;bought_on\r\n036000291452;Tumblewick;Snoozle, blue;A17;2026-05\r\n",
		"empty lines":          "\n\ngtin,brand,name,lot,bought_on\n\n,,,,\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n\n , ,\n",
		"other order, unknown": "shelf,lot,price,brand,bought_on,name,gtin\nB2,A17,9.90,Tumblewick,2026-05,\"Snoozle, blue\",036000291452\n",
		"kept as text":         "gtin,brand,name,lot,bought_on\n\"=\"\"036000291452\"\"\",Tumblewick,\"Snoozle, blue\",'A17,2026-05\n",
		"text, not quoted":     "gtin;brand;name;lot;bought_on\n=\"036000291452\";Tumblewick;Snoozle, blue;A17;2026-05\n",
		"apostrophe":           "gtin,brand,name,lot,bought_on\n'036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n",
		"name in two columns":  "gtin,brand,product,title,lot,bought_on\n036000291452,Tumblewick,\"Snoozle,\",blue,A17,2026-05\n",
		"barcode in two":       "ean,upc,brand,name,lot,bought_on\n,036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n",
		"cells missing":        "gtin,brand,name,lot,bought_on,model,country\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05\n",
		"blank cells too many": "gtin,brand,name,lot,bought_on\n036000291452,Tumblewick,\"Snoozle, blue\",A17,2026-05,, \n",
	} {
		t.Run(name, func(t *testing.T) {
			_, rows := readAll(t, text)
			if len(rows) != 1 || rows[0].Fault != nil {
				t.Fatalf("rows %+v", rows)
			}
			got := rows[0].Unit
			if got.Lot == "'A17" { // an apostrophe before a letter is no spreadsheet's
				got.Lot = "A17"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryFieldHasAColumn(t *testing.T) {
	header := []string{"gtin", "scan", "brand", "name", "model", "lot", "batch", "serial", "date_code", "made_on", "bought_on", "best_before", "expiry", "country"}
	_, rows := readAll(t, strings.Join(header, ",")+"\n"+strings.Join(header, ",")+"\n")
	want := recall.Unit{GTIN: "gtin", Scan: "scan", Brand: "brand", Name: "name", Model: "model", Lot: "lot", Batch: "batch", Serial: "serial",
		DateCode: "date_code", MadeOn: "made_on", BoughtOn: "bought_on", BestBefore: "best_before", Expiry: "expiry", Country: "country"}
	if diff := cmp.Diff(want, rows[0].Unit); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeReadIsARowWithItsFault(t *testing.T) {
	const good = "036000291452,Tumblewick,pan\n"
	for name, test := range map[string]struct {
		row, code, says string
		lines           []int // of all rows, of which the second is the faulty one
	}{
		"too many cells":        {"036000291452,Tumblewick,pan, blue\n", "malformed", "4 cells", []int{2, 3, 4}},
		"nothing but blanks":    {",,\" \",\n", "", "", []int{2, 4}},
		"quotes doubled":        {"036000291452,\"a \"\"b\"\"\",pan\n", "", "", []int{2, 3, 4}},
		"quote left in a cell":  {"\"12 inch\" x,Tumblewick,pan\n", "malformed", "quote", []int{2, 3, 4}},
		"bare quote and quotes": {"12\" x,Tumblewick,\"pan\"\n", "malformed", "quote", []int{2, 3, 4}},
		"bare quotes only":      {"036000291452,Tumblewick,12\" pan 3\" deep\n", "", "", []int{2, 3, 4}},
		"quote left open":       {"036000291452,Tumblewick,\"pan\n", "malformed", "up to line", []int{2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows := readAll(t, "gtin,brand,name\n"+good+test.row+good)
			var lines []int
			for _, row := range rows {
				lines = append(lines, row.Line)
				if len(row.Cells) != 3 {
					t.Errorf("line %d has %d cells", row.Line, len(row.Cells))
				}
			}
			if !slices.Equal(lines, test.lines) {
				t.Fatalf("rows at lines %v, want %v", lines, test.lines)
			}
			fault := rows[1].Fault
			if test.code == "" {
				if fault != nil {
					t.Errorf("fault %v", fault)
				}
				return
			}
			if fault == nil || fault.Code != test.code || !strings.Contains(fault.Message, test.says) {
				t.Errorf("fault %+v", fault)
			}
			if strings.Join(rows[1].Cells, "") == "" {
				t.Error("nothing of the row is kept")
			}
		})
	}
}

func TestColumnsThatContradictAreAFault(t *testing.T) {
	_, rows := readAll(t, "ean,upc,name,shelf\n4006381333931,036000291452,pan,B2\n,,,B3\n036000291452, 036000291452 ,pan,B4\n")
	if f := rows[0].Fault; f == nil || f.Code != "contradiction" || f.Field != "gtin" {
		t.Errorf("two barcodes: %+v", f)
	}
	if f := rows[1].Fault; f == nil || f.Code != "empty" {
		t.Errorf("no product: %+v", f)
	}
	if f := rows[2].Fault; f != nil {
		t.Errorf("the same barcode twice: %+v", f)
	}
}

func TestListsThatAreNone(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "empty lines": "\r\n\n", "mark only": "\ufeff"} {
		if _, err := NewReader(strings.NewReader(text)); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewReader(strings.NewReader("shelf,price\nB2,9.90\n")); !errors.Is(err, ErrNoColumns) || !strings.Contains(err.Error(), "best_before") {
		t.Errorf("unknown columns: %v", err)
	}
	broken := errors.New("the disk is broken")
	if _, err := NewReader(io.MultiReader(strings.NewReader("gtin\n"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("a broken disk: %v", err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

func TestRowsAreBounded(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("gtin,name\n036000291452,pan\n1,\""), repeating("x, y\n"))
	r, err := NewReader(endless)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rest(r)
	if len(rows) != 1 || err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%d rows, then %v", len(rows), err)
	}
	if _, err := NewReader(io.MultiReader(strings.NewReader("gtin,name"), repeating("x"))); err == nil {
		t.Error("a header without end was read")
	}
}

// repeating is a text without end.
type repeating string

func (s repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = s[i%len(s)]
	}
	return len(p), nil
}

func TestAnswersStandBesideTheRows(t *testing.T) {
	list, rows := readAll(t, "\ufeffshelf;gtin;\"na\nme\"\r\nB2;036000291452;=1+1\r\nB3;1;x\r\n")
	v := recall.Verdict{Verdict: recall.NeedCode, Advice: "Look for the lot; it decides.", Matches: []recall.Match{
		{Recall: recall.Summary{ID: "us-cpsc:26-100", Title: "@Tumblewick", URL: "https://example.org/1"}, Need: &recall.Need{Identifier: "lot"}},
		{Recall: recall.Summary{ID: "us-cpsc:26-101", Title: "other"}},
	}}
	var out bytes.Buffer
	w := NewWriter(&out, list)
	if err := errors.Join(w.Verdict(rows[0], &v), w.Fault(rows[1], "gtin: has 1 digit"), w.Flush()); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffshelf;gtin;\"na\r\nme\";verdict;recall_ids;recall_title;need;advice;recall_url\r\n" +
		"B2;036000291452;'=1+1;need_code;us-cpsc:26-100 us-cpsc:26-101;'@Tumblewick;lot;\"Look for the lot; it decides.\";https://example.org/1\r\n" +
		"B3;1;x;error;;;;gtin: has 1 digit;\r\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	again, rows := readAll(t, out.String())
	out.Reset()
	w = NewWriter(&out, again)
	if err := errors.Join(w.Verdict(rows[0], &v), w.Fault(rows[1], "gtin: has 1 digit"), w.Flush()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("its own answers (-want +got):\n%s", diff)
	}
}

func TestAListWithoutRowsKeepsItsHeader(t *testing.T) {
	list, _ := readAll(t, "gtin,-cmd|x\n")
	var out bytes.Buffer
	if err := NewWriter(&out, list).Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "gtin,'-cmd|x,verdict,recall_ids,recall_title,need,advice,recall_url\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestFormula(t *testing.T) {
	for cell, want := range map[string]bool{
		"=1+1": true, "@SUM(A1)": true, "+1+1": true, "-2+3": true, "\t=1": true, "\r=1": true, " =1": true, "＝1": true, "-cmd|' /C calc'!A0": true,
		"=5": true, "-": false, "-3.50": false, "-3,50": false, "+33612345678": false, "": false, "pan": false, "a=b": false, "'=1": false,
	} {
		if got := formula(cell); got != want {
			t.Errorf("%q: %v", cell, got)
		}
	}
}

// Whatever a list holds, each of its rows comes back, in order, and nothing that
// is written is a formula.
func TestNoRowIsLost(t *testing.T) {
	cell := rapid.StringOf(rapid.RuneFrom([]rune("a1=+-@'\";,\t\n\r é ")))
	rapid.Check(t, func(rt *rapid.T) {
		comma := rapid.SampledFrom(separators).Draw(rt, "comma")
		table := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 0, 8).Draw(rt, "rows")
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		w.Comma = comma
		rows := [][]string{{"gtin", "name", "shelf"}}
		for i, row := range table {
			row = append([]string{"n" + string(rune('0'+i))}, row[1:]...) // no row of blanks
			rows = append(rows, row)
		}
		if err := w.WriteAll(rows); err != nil {
			rt.Fatal(err)
		}
		list, got := readAll(t, text.String())
		var out bytes.Buffer
		answers := NewWriter(&out, list)
		if len(got) != len(table) {
			rt.Fatalf("%d rows of %d", len(got), len(table))
		}
		for i, row := range got {
			if row.Cells[0] != "n"+string(rune('0'+i)) {
				rt.Fatalf("row %d is %q", i, row.Cells)
			}
			if err := answers.Fault(row, "none"); err != nil {
				rt.Fatal(err)
			}
		}
		if err := answers.Flush(); err != nil {
			rt.Fatal(err)
		}
		back := csv.NewReader(&out)
		back.Comma = comma
		written, err := back.ReadAll()
		if err != nil || len(written) != len(table)+1 {
			rt.Fatalf("%d rows written: %v", len(written), err)
		}
		for _, row := range written {
			if slices.ContainsFunc(row, formula) {
				rt.Fatalf("a formula is written: %q", row)
			}
		}
	})
}

func TestRowsAreCountedWhateverEndsThem(t *testing.T) {
	for name, end := range map[string]string{"LF": "\n", "CRLF": "\r\n", "CR": "\r"} {
		_, rows := readAll(t, strings.ReplaceAll("gtin\n1\n\n2\n\"3\n\"\n4\n", "\n", end))
		var lines []int
		for _, row := range rows {
			lines = append(lines, row.Line)
		}
		if !slices.Equal(lines, []int{2, 4, 5, 7}) {
			t.Errorf("%s: rows at lines %v", name, lines)
		}
	}
}

// A CR at the end of what was read at once and its line feed are one line end.
func TestLineEndsAcrossReads(t *testing.T) {
	const text = "a\r\nb\rc\n\r\nd\r"
	got, err := io.ReadAll(&lineFeeds{in: iotest.OneByteReader(strings.NewReader(text))})
	if want := "a\nb\nc\n\nd\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestListsInWindows1252(t *testing.T) {
	long := strings.Repeat("1,pan,\n", peekBytes/4)
	for name, test := range map[string]struct {
		text, name string // of the last row
		western    bool
	}{
		"a letter":                    {"gtin,name\n1,caf\xe9\n", "café", true},
		"the last byte":               {"name\ncaf\xe9", "café", true},
		"in the header":               {"gtin,name,pr\xe9cis\n1,caf\xe9,x\n", "café", true},
		"the euro sign":               {"gtin,name\n1,\x805\n", "€5", true},
		"after a long list":           {"gtin,name,shelf\n" + long + "1,caf\xe9,\n", "café", true},
		"UTF-8":                       {"gtin,name\n1,café\n", "café", false},
		"UTF-8 after a long list":     {"gtin,name,shelf\n" + long + "1,café,\n", "café", false},
		"UTF-8 with its mark":         {"\ufeffgtin,name\n1,caf\xe9\n", "caf\xe9", false},
		"UTF-8 with a damaged letter": {"gtin,name\n1,café\n2,caf\xe9\n", "caf\xe9", false},
		"letters across what is read": {"gtin,name\n1," + strings.Repeat("\xe9", peekBytes) + "\n", strings.Repeat("é", peekBytes), true},
		"no letter of Windows-1252":   {"gtin,name\n1,caf\xe9 \x81\n", "café \x81", true},
		"no letter":                   {"gtin,name\n1,pan\n", "pan", false},
	} {
		t.Run(name, func(t *testing.T) {
			list, rows := readAll(t, test.text)
			if got := rows[len(rows)-1].Unit.Name; got != test.name || list.Western() != test.western {
				t.Errorf("%.40q, Windows-1252 %v", got, list.Western())
			}
		})
	}
	broken := errors.New("the disk is broken")
	if _, err := NewReader(io.MultiReader(strings.NewReader("gtin\n\xe9"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("a broken disk: %v", err)
	}

	list, rows := readAll(t, "gtin,name\n1,caf\xe9\n")
	var out bytes.Buffer
	w := NewWriter(&out, list)
	if err := errors.Join(w.Fault(rows[0], "none"), w.Flush()); err != nil {
		t.Fatal(err)
	}
	if want := "\ufeffgtin,name,verdict,recall_ids,recall_title,need,advice,recall_url\n1,café,error,,,,none,\n"; out.String() != want {
		t.Errorf("written as %q", out.String())
	}
}

func TestEachColumnOfAnswersStandsOnce(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"some":           {"gtin,verdict,advice\n1,old,old\n", "gtin,verdict,advice,recall_ids,recall_title,need,recall_url\n1,error,none,,,,\n"},
		"among others":   {"advice,gtin,recall_url,shelf\nold,1,old,B2\n", "advice,gtin,recall_url,shelf,verdict,recall_ids,recall_title,need\nnone,1,,B2,error,,,\n"},
		"all, elsewhere": {"verdict,recall_ids,recall_title,need,advice,recall_url,gtin\nold,old,old,old,old,old,1\n", "verdict,recall_ids,recall_title,need,advice,recall_url,gtin\nerror,,,,none,,1\n"},
	} {
		list, rows := readAll(t, test.text)
		var out bytes.Buffer
		w := NewWriter(&out, list)
		if err := errors.Join(w.Fault(rows[0], "none"), w.Flush()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"gtin,name\n1,\"a\nb\"\n", "sep=;\ngtin;x\n1;2", "\ufeffean\t\"\n", "gtin\n=\"1\"\n\"\n", utf16Text("gtin\n1\n"), "sep=;", "gtin\r1\r", "gtin|name\n1|caf\xe9\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewReader(bytes.NewReader(text))
		if err != nil {
			return
		}
		line := 0
		headings, _ := r.Fields()
		for {
			row, err := r.Read()
			if err != nil {
				return
			}
			if row.Line <= line || len(row.Cells) != len(headings) || row.Fault == nil && row.Unit == (recall.Unit{}) {
				t.Fatalf("after line %d: %+v", line, row)
			}
			line = row.Line
		}
	})
}
