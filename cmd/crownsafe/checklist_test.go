package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/stock"
)

// What the starter catalogue says of these is what the README says of them.
const (
	affectedRow   = "850044968008,,\n"
	noMatchRow    = "4006381333931,,\n"
	faultyRow     = "850044968009,,\n"
	cannotTellRow = ",Zorbino,\n"
	header        = "gtin,brand,name\n"
)

// crownsafe runs one command in this process.
func crownsafe(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	lookup := func(name string) (string, bool) {
		if name == "CROWNSAFE_OFFLINE" {
			return "1", true
		}
		return "", false
	}
	code = realMain(t.Context(), args, environment{lookup: lookup, stdin: strings.NewReader(stdin), stdout: &out, stderr: &errOut})
	return code, out.String(), errOut.String()
}

func writeList(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stock.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAListEndsWithTheStatusOfItsWorstRow(t *testing.T) {
	data := t.TempDir()
	for name, test := range map[string]struct {
		rows string
		code int
	}{
		"no rows":                    {"", 2},
		"no match":                   {noMatchRow, 0},
		"one cannot tell":            {noMatchRow + cannotTellRow + noMatchRow, 5},
		"one that cannot be read":    {noMatchRow + faultyRow, 5},
		"a row that names nothing":   {noMatchRow + "x,y,z,too many\n", 5},
		"affected beats all":         {noMatchRow + cannotTellRow + affectedRow + faultyRow, 3},
		"more rows than are grouped": {strings.Repeat(noMatchRow, 3*rowsAtOnce) + affectedRow, 3},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := crownsafe(t, header+test.rows, "check", "--file", "-", "--data", data)
			if code != test.code {
				t.Errorf("exit %d, want %d\n%s%s", code, test.code, stdout, stderr)
			}
			if lines, want := strings.Count(stdout, "\n"), 1+strings.Count(test.rows, "\n"); lines != want {
				t.Errorf("%d lines, want %d:\n%.2000s", lines, want, stdout)
			}
		})
	}
}

func TestAListWithoutRowsIsNoAllClear(t *testing.T) {
	out := filepath.Join(t.TempDir(), "answers.csv")
	for name, test := range map[string]struct{ text, says string }{
		"a header":            {header, "no rows"},
		"a header and blanks": {header + "\n,,\n", "no rows"},
		"nothing":             {"", "empty"},
		"line ends":           {"\r\r", "empty"},
	} {
		for _, more := range [][]string{nil, {"--json"}, {"--out", out}} {
			code, _, stderr := crownsafe(t, test.text, append([]string{"check", "--file", "-", "--data", t.TempDir()}, more...)...)
			if code != 2 || !strings.Contains(stderr, test.says) {
				t.Errorf("%s %v: exit %d\n%s", name, more, code, stderr)
			}
		}
	}
}

func TestAListOfOldMacsIsAnswered(t *testing.T) {
	code, stdout, stderr := crownsafe(t, "barcode,brand\r850044968008,x\r", "check", "--file", "-", "--data", t.TempDir())
	if code != 3 || !strings.Contains(stdout, "\n850044968008,x,affected,") || !strings.Contains(stderr, "1 row: 1 affected") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// A letter that spreadsheets wrote in their own way is no reason for an error.
func TestAListInWindows1252IsAnsweredAndSaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		told int
	}{
		"Windows-1252":               {header + "850044968008,,caf\xe9\n4006381333931,,caf\xe9\n", 1},
		"Windows-1252 after 256 KiB": {header + strings.Repeat("4006381333931,,pan\n", 16<<10) + "850044968008,,caf\xe9\n", 1},
		"UTF-8":                      {header + "850044968008,,café\n", 0},
	} {
		code, stdout, stderr := crownsafe(t, test.text, "check", "--file", "-", "--data", t.TempDir())
		if code != 3 || strings.Contains(stdout, ",error,") || !strings.Contains(stdout, "\n850044968008,,café,affected,") || strings.Count(stderr, "Windows-1252") != test.told {
			t.Errorf("%s: exit %d\n%.500s\n%.500s", name, code, stdout, stderr)
		}
	}
}

// Notices are other people's texts: none may steer the terminal.
func TestNoticesDoNotSteerTheTerminal(t *testing.T) {
	const evil = "a\x1b[2Jb\u009bc\u202ed\u2066e\x00f\rg\u200bh"
	v := recall.Verdict{Verdict: recall.NeedCode, Advice: evil, Matches: []recall.Match{{
		Recall:   recall.Summary{ID: "xx-none:" + evil, Title: evil, URL: "https://example.org/" + evil, Remedy: recall.Remedy{Text: evil}},
		Evidence: []recall.Evidence{{Identifier: "lot", Quote: evil, Field: "description"}},
		Need:     &recall.Need{Identifier: "lot", WherePrinted: evil},
	}}}
	var out strings.Builder
	if err := printVerdict(&out, &v); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%U is printed: %q", r, out.String())
		}
	}
	if n := strings.Count(out.String(), "a [2Jb cde f gh"); n != 7 {
		t.Errorf("%d texts of 7: %q", n, out.String())
	}
}

func TestStatusOfATally(t *testing.T) {
	for _, test := range []struct {
		outcomes []recall.Outcome
		code     int
	}{
		{[]recall.Outcome{recall.NotAffected, recall.NoMatch}, 0},
		{[]recall.Outcome{recall.NotAffected, recall.NeedCode}, 4},
		{[]recall.Outcome{recall.NeedCode, recall.CannotTell}, 5},
		{[]recall.Outcome{recall.NeedCode, stock.Faulty}, 5},
		{[]recall.Outcome{recall.NeedCode, stock.Faulty, recall.CannotTell, recall.Affected}, 3},
	} {
		var counted tally
		for _, outcome := range test.outcomes {
			counted.add(outcome)
		}
		code := 0
		if status, ok := errors.AsType[*exitStatus](counted.status()); ok {
			code = status.code
		}
		if code != test.code {
			t.Errorf("%v ends with %d, want %d", test.outcomes, code, test.code)
		}
	}
}

func TestAListIsAnsweredInCSV(t *testing.T) {
	code, stdout, stderr := crownsafe(t, "Shelf;EAN;Brand\r\nB1;850044968008;\r\nB2;850044968009;=A1\r\n", "check", "--file", "-", "--data", t.TempDir())
	lines := strings.Split(stdout, "\r\n")
	if code != 3 || len(lines) != 4 || lines[0] != "Shelf;EAN;Brand;verdict;recall_ids;recall_title;need;advice;recall_url" {
		t.Fatalf("exit %d\n%s", code, stdout)
	}
	if !strings.HasPrefix(lines[1], "B1;850044968008;;affected;us-fda:H-0249-2026") || !strings.HasPrefix(lines[2], "B2;850044968009;'=A1;error;") || !strings.Contains(lines[2], "did you mean 850044968008?") {
		t.Errorf("rows:\n%s", stdout)
	}
	for _, want := range []string{"EAN as gtin, Brand as brand; only passed through: Shelf", "2 rows: 1 affected, 1 error"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr has no %q:\n%s", want, stderr)
		}
	}
}

func TestAListIsAnsweredInJSON(t *testing.T) {
	for name, rows := range map[string]string{"rows": affectedRow + faultyRow, "none": ""} {
		code, stdout, stderr := crownsafe(t, header+rows, "check", "--json", "--file", "-", "--data", t.TempDir())
		var document struct {
			Items []struct {
				Line    int
				Verdict string
				Error   *struct {
					Code        string
					Suggestions []string
				}
			}
			Totals map[string]int
		}
		if err := json.Unmarshal([]byte(stdout), &document); err != nil || document.Items == nil {
			t.Fatalf("%s: exit %d, %v\n%s%s", name, code, err, stdout, stderr)
		}
		if rows == "" {
			if len(document.Items) != 0 || document.Totals["rows"] != 0 {
				t.Errorf("%+v", document)
			}
			continue
		}
		first, second := document.Items[0], document.Items[1]
		if first.Line != 2 || first.Verdict != "affected" || first.Error != nil || second.Line != 3 || second.Error == nil ||
			second.Error.Code != "check_digit" || second.Error.Suggestions[0] != "850044968008" || second.Verdict != "" {
			t.Errorf("items %+v", document.Items)
		}
		if document.Totals["rows"] != 2 || document.Totals["affected"] != 1 || document.Totals["error"] != 1 || document.Totals["need_code"] != 0 {
			t.Errorf("totals %v", document.Totals)
		}
	}
}

func TestAListIsAnsweredInAFileAndATable(t *testing.T) {
	list := writeList(t, header+noMatchRow+affectedRow+",\x1b[31mZorbino,\n"+strings.Repeat(noMatchRow, shownRows))
	out := filepath.Join(t.TempDir(), "answers.csv")
	code, stdout, stderr := crownsafe(t, "", "check", "--file", list, "--out", out, "--data", t.TempDir())
	written, err := os.ReadFile(out)
	if code != 3 || err != nil || strings.Count(string(written), "\n") != 4+shownRows {
		t.Fatalf("exit %d, %v, %s", code, err, stderr)
	}
	lines := strings.Split(stdout, "\n")
	if !strings.HasPrefix(lines[0], "line") || !strings.HasPrefix(lines[1], "3     affected") || !strings.HasPrefix(lines[2], "4     error") || !strings.HasPrefix(lines[3], "2     no_match") {
		t.Errorf("the table is not in order of urgency:\n%.1000s", stdout)
	}
	for _, want := range []string{"… and 3 rows of the least urgent", "103 rows: 1 affected, 1 error, 101 no_match", "Looked at (serial "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the table has no %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "\x1b") || strings.Contains(strings.ToLower(stdout), "safe ") {
		t.Errorf("a cell steers the terminal, or a table says safe:\n%s", stdout)
	}
}

// A list that breaks off leaves no file that could pass for its answers, and
// what was there before stays.
func TestABrokenListLeavesNoAnswers(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "answers.csv")
	if err := os.WriteFile(out, []byte("last week's"), 0o600); err != nil {
		t.Fatal(err)
	}
	endless := header + affectedRow + "1,\"" + strings.Repeat("x", 2*stock.MaxRowBytes)
	code, _, stderr := crownsafe(t, endless, "check", "--file", "-", "--out", out, "--data", t.TempDir())
	if code != 1 || !strings.Contains(stderr, "is a quote left open?") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	entries, err := os.ReadDir(dir)
	kept, readErr := os.ReadFile(out)
	if err != nil || readErr != nil || len(entries) != 1 || string(kept) != "last week's" {
		t.Errorf("%v %v: %v, %q", err, readErr, entries, kept)
	}
}

func TestCheckIsUsedWrongly(t *testing.T) {
	list := writeList(t, header+noMatchRow)
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a list and a product": {[]string{"--file", list, "--brand", "Graco"}, 2, "--file"},
		"a list and a code":    {[]string{"850044968008", "--file", list}, 2, "--file"},
		"--out without a list": {[]string{"850044968008", "--out", "x.csv"}, 2, "--out"},
		"--out is the list":    {[]string{"--file", list, "--out", list}, 2, "another file"},
		"no such list":         {[]string{"--file", list + ".none"}, 1, "no such file"},
		"a folder":             {[]string{"--file", filepath.Dir(list)}, 2, "folder"},
		"an empty list":        {[]string{"--file", writeList(t, "")}, 2, "empty"},
		"a list without names": {[]string{"--file", writeList(t, "850044968008\n")}, 2, "name the columns"},
		"--out in no folder":   {[]string{"--file", list, "--out", filepath.Join(list, "x.csv")}, 1, "--out"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := crownsafe(t, "", append([]string{"check", "--data", t.TempDir()}, test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.says) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, test.code, test.says, stdout, stderr)
			}
		})
	}
}

func TestProgressTellsWhatIsCounted(t *testing.T) {
	for _, test := range []struct {
		done, of        int
		plain, terminal string
	}{
		{3, 9, "3/9 KiB  rows\n", "\r\x1b[K[########................] 3/9 KiB  rows"},
		{7, 0, "7 KiB  rows\n", "\r\x1b[K[########################] 7 KiB  rows"},
		{9, 8, "9/8 KiB  rows\n", "\r\x1b[K[########################] 9/8 KiB  rows"},
	} {
		for terminal, want := range map[bool]string{false: test.plain, true: test.terminal} {
			var out bytes.Buffer
			bar := newProgressLine(&out, "KiB")
			bar.terminal, bar.last = terminal, time.Time{}
			if bar.show(test.done, test.of, "rows"); out.String() != want {
				t.Errorf("%d of %d: %q, want %q", test.done, test.of, out.String(), want)
			}
		}
	}
}
