package e2e

import (
	"debug/elf"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// starterBarcode is the README's example; the starter catalogue holds it.
const starterBarcode = "850044968008"

type verdict struct {
	Verdict string
	Query   struct{ GTIN, Lot string }
	Matches []struct {
		Recall  struct{ ID string }
		Verdict string
		Need    *struct{ Identifier string }
	}
	Coverage []struct {
		Agency, State string
		Notices       int
	}
	Serial int64
}

type sources struct {
	Items []struct {
		Agency, State, Reason string
		Notices, Starter      int
		BarcodeShare          float64 `json:"barcode_share"`
		Rejected              int
	}
}

func TestFirstStartAnswersAStarterBarcode(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir())
	for _, path := range []string{"/api/barcode?code=" + starterBarcode, "/api/v1/barcode/" + starterBarcode} {
		var v verdict
		if resp := s.Get(path, &v); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s answered %d", path, resp.StatusCode)
		}
		if v.Verdict != "affected" || len(v.Matches) == 0 || v.Query.GTIN != "00"+starterBarcode {
			t.Errorf("%s: %+v", path, v)
		}
	}
	var list sources
	s.Get("/api/v1/sources", &list)
	if len(list.Items) != 13 {
		t.Fatalf("%d sources, want 13", len(list.Items))
	}
	starter := 0
	for _, src := range list.Items {
		if src.State != "never" || src.Notices != 0 || src.Reason == "" {
			t.Errorf("a source that was never polled: %+v", src)
		}
		starter += src.Starter
	}
	if starter == 0 {
		t.Error("no source has starter entries")
	}
}

func TestBinaryIsStaticAndStamped(t *testing.T) {
	t.Parallel()
	f, err := elf.Open(program.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary asks for a dynamic loader")
		}
	}
	if got := program.Run(t, nil, "version"); !strings.HasPrefix(got.Stdout, "crownsafe v0.0.0-e2e ") {
		t.Errorf("version printed %q", got.Stdout)
	}
}

func TestCheckOnTheTerminal(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, c := range []struct {
		name     string
		args     []string
		code     int
		contains string // in what a person reads
	}{
		{"affected", []string{"check", starterBarcode, "--data", data}, 3, "AFFECTED"},
		{"flags before the arguments", []string{"--data", data, "check", starterBarcode}, 3, "AFFECTED"},
		{"no match", []string{"check", "4006381333931", "--data", data}, 0, "NO MATCH"},
		{"cannot tell", []string{"check", "--brand", "Zorbino", "--data", data}, 5, "CANNOT TELL"},
		{"wrong check digit", []string{"check", "850044968009", "--data", data}, 2, starterBarcode},
		{"nothing given", []string{"check", "--data", data}, 2, "nothing was given"},
		{"unknown flag", []string{"check", "--colour", "red"}, 2, "unknown flag"},
		{"unknown command", []string{"chekc"}, 2, "chekc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := program.Run(t, nil, c.args...)
			if got.Code != c.code || !strings.Contains(got.Stdout+got.Stderr, c.contains) {
				t.Errorf("exit %d, want %d with %q\n%s%s", got.Code, c.code, c.contains, got.Stdout, got.Stderr)
			}
			// The code of the EU's Safety Gate is no verdict.
			if strings.Contains(strings.ReplaceAll(strings.ToLower(got.Stdout), "eu-safety-gate", ""), "safe") {
				t.Errorf("a verdict says safe:\n%s", got.Stdout)
			}
		})
	}
	var v verdict
	got := program.Run(t, nil, "check", starterBarcode, "--data", data, "--json")
	if err := json.Unmarshal([]byte(got.Stdout), &v); err != nil || v.Verdict != "affected" || got.Code != 3 {
		t.Errorf("--json printed %q (%v), exit %d", got.Stdout, err, got.Code)
	}
}

// Not beside other tests: within a second is the promise, on a machine that has
// a moment for it.
func TestImportReachesARunningServer(t *testing.T) {
	data, file := t.TempDir(), program.CPSCFile(t, 50)
	s := program.Serve(t, data)
	if got := program.Run(t, nil, "import", file, "--data", data); got.Code != 0 || !strings.Contains(got.Stdout, "50") {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	ask := func() string {
		var v verdict
		s.Do(http.MethodPost, "/api/v1/verdict", `{"brand":"Vantor7","model":"VM-10007"}`, &v)
		return v.Verdict
	}
	testenv.Eventually(t, program.Patience, "the server sees the imported notices", func() bool { return ask() == "affected" })
}

func TestImportingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	data, file := t.TempDir(), program.CPSCFile(t, 600)
	first := program.Run(t, nil, "import", file, "--data", data, "--json")
	before := dump(t, data)
	second := program.Run(t, nil, "import", file, "--data", data, "--json")
	if diff := cmp.Diff(before, dump(t, data)); diff != "" {
		t.Errorf("the second import changed notices:\n%s", diff)
	}
	var one, two struct {
		Total struct{ Read, Added, Revised, Unchanged int }
	}
	for raw, into := range map[string]any{first.Stdout: &one, second.Stdout: &two} {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			t.Fatalf("%v in %q", err, raw)
		}
	}
	if one.Total.Added != 600 || two.Total.Unchanged != 600 || two.Total.Added+two.Total.Revised != 0 {
		t.Errorf("first %+v, second %+v", one, two)
	}
}

func TestEditIsARevisionAndAnOldFileIsNot(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	old := program.WriteJSON(t, "old.json", []any{program.CPSCRecall(1, program.CPSCDescription(1))})
	edited := program.WriteJSON(t, "edited.json", []any{program.CPSCRecall(1, program.CPSCDescription(1)+" The recall now covers white cribs as well.")})
	for _, file := range []string{old, edited, old} {
		if got := program.Run(t, nil, "import", file, "--data", data); got.Code != 0 {
			t.Fatalf("importing %s: exit %d\n%s", file, got.Code, got.Stderr)
		}
	}
	s := program.Serve(t, data)
	var revisions struct{ Items []json.RawMessage }
	s.Get("/api/v1/recalls/us-cpsc:60-002/revisions", &revisions)
	if len(revisions.Items) != 2 {
		t.Fatalf("%d revisions, want 2: the old file again is no edit", len(revisions.Items))
	}
	var now struct {
		Summary  string
		Revision int
	}
	s.Get("/api/v1/recalls/us-cpsc:60-002", &now)
	if now.Revision != 2 || !strings.Contains(now.Summary, "white cribs") {
		t.Errorf("the notice now: %+v", now)
	}
}

func TestImportTellsWhatIsNoAgencyFile(t *testing.T) {
	t.Parallel()
	data, folder := t.TempDir(), t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	raw, err := os.ReadFile(program.CPSCFile(t, 20))
	if err != nil {
		t.Fatal(err)
	}
	write("notices.json", string(raw))
	manual := write("manual.txt", "How to read our recall notices.")
	write("error.json", `[{"RecallID": 0, "RecallNumber": null, "Title": "Error retrieving Recalls: the database is down."}]`)
	write("empty", "")
	write("binary.bin", "\x00\x01\xff\xfe")
	cut := filepath.Join(t.TempDir(), "cut.json")
	if err := os.WriteFile(cut, raw[:len(raw)*3/4], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		paths []string
		code  int
		says  []string
	}{
		{"a folder with other files", []string{folder}, 0, []string{"not an agency file", "agency's error", "the database is down", "20"}},
		{"a named file of an unknown kind", []string{manual}, 1, []string{"not an agency file"}},
		{"a path that is not there", []string{filepath.Join(folder, "nowhere")}, 1, []string{"no such file"}},
		{"a file that was cut off", []string{cut}, 1, []string{"cut off"}},
		{"no path", nil, 2, []string{"path"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := program.Run(t, nil, append([]string{"import", "--data", data}, c.paths...)...)
			if got.Code != c.code {
				t.Errorf("exit %d, want %d\n%s%s", got.Code, c.code, got.Stdout, got.Stderr)
			}
			for _, says := range c.says {
				if !strings.Contains(got.Stdout+got.Stderr, says) {
					t.Errorf("it does not say %q:\n%s%s", says, got.Stdout, got.Stderr)
				}
			}
		})
	}
	fresh := t.TempDir()
	program.Run(t, nil, "import", cut, "--data", fresh)
	if kept := len(imported(dump(t, fresh))); kept < 10 || kept >= 20 {
		t.Errorf("%d notices of a file that was cut at three quarters of 20", kept)
	}
}
