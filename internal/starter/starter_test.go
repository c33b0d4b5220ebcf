package starter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T) []recall.Notice {
	t.Helper()
	notices, err := Notices()
	if err != nil {
		t.Fatal(err)
	}
	return notices
}

func TestCatalogueIsLargeEnough(t *testing.T) {
	byAgency := map[string]int{}
	for _, n := range load(t) {
		byAgency[n.Agency]++
	}
	total := 0
	for _, count := range byAgency {
		total += count
	}
	if total < 150 || len(byAgency) < 3 {
		t.Errorf("%d entries of %d agencies, want at least 150 of 3: %v", total, len(byAgency), byAgency)
	}
}

// nativeIDs are the forms of the ids under which the agencies' own notices will
// come; an entry under another id would stand beside its notice for ever.
var nativeIDs = map[string]*regexp.Regexp{
	"us-cpsc":        regexp.MustCompile(`^us-cpsc:\d{2}-\d{3}[a-d]?$`),
	"us-fda":         regexp.MustCompile(`^us-fda:[FH]-\d{4}-\d{4}$`),
	"us-nhtsa":       regexp.MustCompile(`^us-nhtsa:\d{2}C\d{6}$`),
	"fr-rappelconso": regexp.MustCompile(`^fr-rappelconso:\d{4}-\d{2}-\d{4}$`),
}

func TestIDsAreUniqueAndInTheAgencysForm(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range load(t) {
		if seen[n.ID] {
			t.Errorf("%s occurs twice", n.ID)
		}
		seen[n.ID] = true
		form, ok := nativeIDs[n.Agency]
		if !ok || !form.MatchString(n.ID) {
			t.Errorf("%s is no id of agency %s", n.ID, n.Agency)
		}
	}
}

func TestEveryEntryIsAStarterEntryWithItsFacts(t *testing.T) {
	earliest := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, n := range load(t) {
		if !n.Starter() || n.Provenance.Raw != "" {
			t.Errorf("%s is no starter entry", n.ID)
		}
		if !n.Provenance.FetchedAt.Equal(Edition) || n.Provenance.Licence == "" || n.Provenance.Attribution == "" {
			t.Errorf("%s has an incomplete provenance: %+v", n.ID, n.Provenance)
		}
		if n.Provenance.SourceURL == "" || n.URL != "" && n.URL != n.Provenance.SourceURL {
			t.Errorf("%s points to %q and %q", n.ID, n.URL, n.Provenance.SourceURL)
		}
		if n.PublishedAt.Before(earliest) || n.PublishedAt.After(Edition) {
			t.Errorf("%s was published on %s", n.ID, n.PublishedAt)
		}
		if n.Audience != recall.Infant && n.Audience != recall.Child {
			t.Errorf("%s is for audience %q", n.ID, n.Audience)
		}
		if n.Status != recall.Active || len(n.Countries) == 0 || len(n.Categories) == 0 {
			t.Errorf("%s lacks status, countries or categories", n.ID)
		}
		for _, text := range []string{n.Title, n.Summary, n.Remedy.Text} {
			if text == "" || strings.Contains(text, "%!") || strings.Contains(text, "  ") || strings.Contains(text, "..") {
				t.Errorf("%s has the text %q", n.ID, text)
			}
		}
	}
}

func TestHazardsAndRemediesAreInTheTaxonomies(t *testing.T) {
	for _, n := range load(t) {
		if len(n.Hazards) == 0 || len(n.Remedy.Types) == 0 {
			t.Errorf("%s has no hazard or no remedy", n.ID)
		}
		for _, h := range n.Hazards {
			if !slices.Contains(recall.HazardTypes(), h.Type) || h.Text == "" {
				t.Errorf("%s has the hazard %+v", n.ID, h)
			}
		}
		for _, r := range n.Remedy.Types {
			if !slices.Contains(recall.RemedyTypes(), r) {
				t.Errorf("%s has the remedy %q", n.ID, r)
			}
		}
		for _, u := range n.UnitsCount {
			if u.Count <= 0 || countryNames[u.Country] == "" {
				t.Errorf("%s counts %d units in %q", n.ID, u.Count, u.Country)
			}
		}
	}
}

func TestProductsAreNamedAndTheirModelsOccurOnce(t *testing.T) {
	for _, n := range load(t) {
		if len(n.Products) == 0 {
			t.Errorf("%s names no product", n.ID)
		}
		for _, p := range n.Products {
			if p.Name == "" {
				t.Errorf("%s has a product without a name", n.ID)
			}
			if len(slices.Compact(slices.Sorted(slices.Values(p.Models)))) != len(p.Models) || slices.Contains(p.Models, "") {
				t.Errorf("%s has doubled or empty models: %q", n.ID, p.Models)
			}
		}
	}
}

func TestBarcodesAreValid(t *testing.T) {
	withBarcode := 0
	for _, n := range load(t) {
		if n.HasBarcode() {
			withBarcode++
		}
		for _, p := range n.Products {
			for _, g := range p.GTINs {
				if !gtin.Valid(g.GTIN) || !strings.HasSuffix(g.GTIN, g.Printed) || g.From != fromField {
					t.Errorf("%s has the barcode %+v", n.ID, g)
				}
				if g.Possible() || strings.HasPrefix(g.GTIN, "002") {
					t.Errorf("%s has the barcode %s, which proves nothing", n.ID, g.Printed)
				}
			}
		}
	}
	if withBarcode < 40 {
		t.Errorf("only %d entries have a barcode", withBarcode)
	}
}

func TestEntriesPassTheLinter(t *testing.T) {
	for _, n := range load(t) {
		if err := recall.Lint(&n, Edition); err != nil {
			t.Errorf("%s: %v", n.ID, err)
		}
	}
}

func TestPredicatesSayWhereToLookAndQuoteOurWords(t *testing.T) {
	for _, n := range load(t) {
		for _, p := range n.Products {
			for _, predicate := range p.Units {
				if predicate.Op != recall.OpAll && predicate.WherePrinted == "" && !besideAnother(p.Units, predicate) {
					t.Errorf("%s does not say where to look: %+v", n.ID, predicate)
				}
				if q := predicate.Quote; q.Field != fromField || q.Text == "" || q.Start != 0 || q.End != len(q.Text) {
					t.Errorf("%s has the quote %+v", n.ID, q)
				}
				for _, m := range predicate.Models {
					if !slices.Contains(p.Models, m) {
						t.Errorf("%s limits a predicate to %q, which is no model of %q", n.ID, m, p.Name)
					}
				}
			}
		}
	}
}

// besideAnother reports that a predicate shares its group with one that says
// where to look: they are one printed mark.
func besideAnother(units []recall.Predicate, p recall.Predicate) bool {
	return slices.ContainsFunc(units, func(other recall.Predicate) bool {
		return other.Group == p.Group && other.WherePrinted != ""
	})
}

// ask decides one question from the starter catalogue alone.
func ask(t *testing.T, u recall.Unit, notices ...*recall.Notice) recall.Decision {
	t.Helper()
	q, err := recall.Read(u)
	if err != nil {
		t.Fatalf("reading %+v: %v", u, err)
	}
	return recall.Decide(&q, notices)
}

func TestEveryEntryFindsItsOwnProduct(t *testing.T) {
	for _, n := range load(t) {
		for _, p := range n.Products {
			questions := []recall.Unit{{Brand: p.Brand, Name: p.Name}}
			for _, m := range p.Models {
				questions = append(questions, recall.Unit{Brand: p.Brand, Name: p.Name, Model: m})
			}
			for _, g := range p.GTINs {
				questions = append(questions, recall.Unit{GTIN: g.Printed})
			}
			for _, u := range questions {
				if d := ask(t, u, &n); !d.Outcome.Stronger(recall.NotAffected) {
					t.Errorf("%s answers %+v with %s", n.ID, u, d.Outcome)
				}
			}
		}
	}
}

func TestAnEntryThatWasNotTranscribedWholeNeverClearsAUnit(t *testing.T) {
	open := 0
	for _, n := range load(t) {
		for _, p := range n.Products {
			if !slices.ContainsFunc(p.Units, func(u recall.Predicate) bool { return u.Op == recall.OpUnreadable }) {
				continue
			}
			open++
			u := recall.Unit{Brand: p.Brand, Name: p.Name, Lot: "QQ99-0", Serial: "QQ99-0", DateCode: "QQ99-0", MadeOn: "1999-01-01", BoughtOn: "1999-01-01"}
			if d := ask(t, u, &n); !d.Outcome.Stronger(recall.NotAffected) {
				t.Errorf("%s clears a %s with codes of another shape: %s", n.ID, p.Name, d.Outcome)
			}
		}
	}
	if open == 0 {
		t.Error("no entry has an open limit: this test tests nothing")
	}
}

func TestAnswersOfAFreshMachine(t *testing.T) {
	all := load(t)
	notices := make([]*recall.Notice, len(all))
	for i := range all {
		notices[i] = &all[i]
	}
	tests := map[string]struct {
		unit recall.Unit
		want recall.Outcome
		id   string
	}{
		"a barcode of a recall without limits":    {recall.Unit{GTIN: "850044968008"}, recall.Affected, "us-fda:H-0249-2026"},
		"a barcode with its lot":                  {recall.Unit{GTIN: "860013251901", Lot: "708125141E14F2"}, recall.Affected, "us-fda:H-1137-2026"},
		"a barcode without its lot":               {recall.Unit{GTIN: "860013251901"}, recall.NeedCode, "us-fda:H-1137-2026"},
		"a barcode with another lot":              {recall.Unit{GTIN: "860013251901", Lot: "708126141E14F2"}, recall.NotAffected, "us-fda:H-1137-2026"},
		"brand, name and model":                   {recall.Unit{Brand: "AirClub", Name: "bassinet", Model: "QX-831"}, recall.Affected, "us-cpsc:26-342"},
		"a car seat made within the window":       {recall.Unit{Brand: "Graco", Name: "SnugRide car seat", MadeOn: "2012-03"}, recall.Affected, "us-nhtsa:14C004000"},
		"a car seat made after the window":        {recall.Unit{Brand: "Graco", Name: "SnugRide car seat", MadeOn: "2016-03"}, recall.NotAffected, "us-nhtsa:14C004000"},
		"a serial number that begins as recalled": {recall.Unit{Brand: "Bugaboo", Name: "Dragonfly stroller", Serial: "S46012307123456"}, recall.Affected, "us-cpsc:24-730"},
		"a described batch that differs":          {recall.Unit{Brand: "Uuoeebb", Name: "infant walker", Batch: "7655"}, recall.NeedCode, "us-cpsc:26-141"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := ask(t, test.unit, notices...)
			if d.Outcome != test.want || len(d.Matches) == 0 || d.Matches[0].Recall.ID != test.id {
				t.Errorf("got %s from %+v, want %s from %s", d.Outcome, d.Matches, test.want, test.id)
			}
		})
	}
}

func TestOrderAndContentAreStable(t *testing.T) {
	first := load(t)
	if diff := cmp.Diff(first, load(t)); diff != "" {
		t.Errorf("two calls differ:\n%s", diff)
	}
	for i := 1; i < len(first); i++ {
		if first[i-1].Agency == first[i].Agency && first[i-1].ID >= first[i].ID {
			t.Errorf("%s stands before %s", first[i-1].ID, first[i].ID)
		}
	}
	for i := range first {
		again := first[i]
		again.Normalise()
		before, after := mustJSON(t, first[i]), mustJSON(t, again)
		if !bytes.Equal(before, after) {
			t.Errorf("%s is not normalised", first[i].ID)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestFilesHoldOneEntryALine(t *testing.T) {
	for _, src := range sources {
		raw, err := entries.ReadFile("entries/" + src.agency + ".json")
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(raw))
		lines.Buffer(nil, 1<<20)
		for number := 1; lines.Scan(); number++ {
			line := strings.TrimSuffix(lines.Text(), ",")
			if line == "[" || line == "]" {
				continue
			}
			var e entry
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Errorf("%s, line %d is no entry by itself: %v", src.agency, number, err)
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
