package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/recall"
)

func TestTheLabelledSetIsWhole(t *testing.T) {
	set, err := readCases()
	if err != nil {
		t.Fatal(err)
	}
	if len(set.units) < 300 || len(set.searches) < 150 {
		t.Errorf("%d units and %d searches; at least 300 and 150 are needed to tell anything", len(set.units), len(set.searches))
	}
	expected := map[recall.Outcome]int{}
	for _, c := range set.units {
		expected[c.Verdict]++
		if _, err := recall.Read(c.Ask); err != nil {
			t.Errorf("%s asks what cannot be read: %v", c.ID, err)
		}
	}
	for _, o := range outcomes {
		if expected[o] == 0 {
			t.Errorf("no case expects %s", o)
		}
	}
}

func TestCasesThatCannotFailAreRefused(t *testing.T) {
	ask := recall.Unit{Brand: "Fennick", Name: "Lumo cot"}
	good := unitCase{ID: "a", Kind: "no_code", Ask: ask, Verdict: recall.Affected, Recalls: []string{"us-cpsc:26-001"}}
	if err := (&caseSet{units: []unitCase{good}}).check(); err != nil {
		t.Fatalf("a whole case was refused: %v", err)
	}
	for name, spoil := range map[string]func(*unitCase){
		"no id":               func(c *unitCase) { c.ID = "" },
		"no kind":             func(c *unitCase) { c.Kind = "" },
		"nothing asked":       func(c *unitCase) { c.Ask = recall.Unit{} },
		"an unknown verdict":  func(c *unitCase) { c.Verdict = "safe" },
		"affected by nothing": func(c *unitCase) { c.Recalls = nil },
		"no match by name":    func(c *unitCase) { c.Verdict = recall.NoMatch },
	} {
		c := good
		spoil(&c)
		if err := (&caseSet{units: []unitCase{c}}).check(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := (&caseSet{units: []unitCase{good, good}}).check(); err == nil {
		t.Error("one id twice: taken")
	}
}

func TestRightMeansVerdictAndNotices(t *testing.T) {
	expected := &unitCase{Verdict: recall.NeedCode, Recalls: []string{"x:1", "x:2"}, Need: "lot"}
	for _, c := range []struct {
		name   string
		result unitResult
		right  bool
	}{
		{"all as expected", unitResult{unitCase: expected, Got: recall.NeedCode, Named: 2, Need: "lot"}, true},
		{"another verdict", unitResult{unitCase: expected, Got: recall.Affected, Named: 2, Need: "lot"}, false},
		{"a notice is missing", unitResult{unitCase: expected, Got: recall.NeedCode, Named: 1, Need: "lot"}, false},
		{"another code asked for", unitResult{unitCase: expected, Got: recall.NeedCode, Named: 2, Need: "model"}, false},
	} {
		if c.result.right() != c.right {
			t.Errorf("%s: right is %t", c.name, !c.right)
		}
	}
}

func TestOnlyAnAffectedUnitCanBeFalselyCleared(t *testing.T) {
	for _, expected := range outcomes {
		for _, got := range outcomes {
			u := unitResult{unitCase: &unitCase{Verdict: expected}, Got: got}
			want := expected == recall.Affected && (got == recall.NotAffected || got == recall.NoMatch)
			if u.falselyClear() != want {
				t.Errorf("expected %s, got %s: falsely clear is %t", expected, got, !want)
			}
		}
	}
}

func TestAnyFigureThatGetsWorseIsTold(t *testing.T) {
	before := figures{Units: 100, UnitsRight: 95, FalselyClear: 0, Searches: 50, SearchesRight: 48, AudiencePrecision: 0.9, AudienceRecall: 0.9}
	if err := before.worseThan(before); err != nil {
		t.Errorf("as before: %v", err)
	}
	grown := before
	grown.Units, grown.UnitsRight = 200, 192
	if err := grown.worseThan(before); err != nil {
		t.Errorf("a larger set with a better share: %v", err)
	}
	for name, spoil := range map[string]func(*figures){
		"verdicts":         func(f *figures) { f.UnitsRight-- },
		"searches":         func(f *figures) { f.SearchesRight-- },
		"falsely cleared":  func(f *figures) { f.FalselyClear++ },
		"audience, found":  func(f *figures) { f.AudienceRecall -= 0.01 },
		"audience, proper": func(f *figures) { f.AudiencePrecision -= 0.01 },
	} {
		now := before
		spoil(&now)
		if now.worseThan(before) == nil {
			t.Errorf("%s: not told", name)
		}
	}
}

func TestWithoutAFolderNothingIsMeasured(t *testing.T) {
	for _, folder := range []string{"", t.TempDir() + "/absent"} {
		var out, said bytes.Buffer
		t.Setenv("DATA", "")
		if code := realMain(t.Context(), []string{"-data", folder}, &out, &said); code != exitUsage || !strings.Contains(said.String(), "make eval DATA=") || out.Len() > 0 {
			t.Errorf("folder %q: exit %d, said %q, printed %q", folder, code, said.String(), out.String())
		}
	}
}

func TestTheReportTellsEveryFault(t *testing.T) {
	right := &unitCase{ID: "us-cpsc-1", Kind: "gtin", Verdict: recall.Affected, Recalls: []string{"us-cpsc:26-001"}}
	wrong := &unitCase{ID: "us-fda-2", Kind: "lot", Verdict: recall.Affected, Recalls: []string{"us-fda:H-1-2026"}}
	r := report{
		Units: []unitResult{{unitCase: right, Got: recall.Affected, Named: 1}, {unitCase: wrong, Got: recall.NotAffected}},
		Searches: []searchResult{
			{searchCase: &searchCase{ID: "s-1", Kind: "typo", Words: "crbi", Rank: 3, Recalls: []string{"us-cpsc:26-001"}}, FoundAt: 4},
		},
	}
	r.Audience.add("26-001", "Fennick cots", true, true)
	r.Audience.add("26-002", "Fennick lamps", false, true)
	var out strings.Builder
	r.print(&out)
	r.printFaults(&out)
	for _, part := range []string{"1 of 2 right (50.0 %); 1 affected units falsely cleared", "| us-fda | 0 | 1 |", "0 of 1 found", "precision 0.500, recall 1.000", "us-fda-2 (lot)", "found at 4", "extra 26-002"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the report lacks %q:\n%s", part, out.String())
		}
	}
}
