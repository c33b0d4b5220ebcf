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

// checkDigitHolds computes the check digit of GS1 General Specifications,
// section 7.9, over 14 digits.
func checkDigitHolds(gtin string) bool {
	sum := 0
	for i, c := range gtin {
		weight := 3
		if i%2 == 1 {
			weight = 1
		}
		sum += int(c-'0') * weight
	}
	return sum%10 == 0
}

func TestBarcodesAreValid(t *testing.T) {
	digits := regexp.MustCompile(`^\d{14}$`)
	withBarcode := 0
	for _, n := range load(t) {
		if n.HasBarcode() {
			withBarcode++
		}
		for _, p := range n.Products {
			for _, g := range p.GTINs {
				if !digits.MatchString(g.GTIN) || !checkDigitHolds(g.GTIN) || !strings.HasSuffix(g.GTIN, g.Printed) || g.From != fromField {
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

var dateKinds = []recall.UnitKind{recall.Made, recall.Sold, recall.BestBefore, recall.Expiry}

// wellFormed says what is wrong with a predicate, by the contract of recall.Predicate.
func wellFormed(p recall.Predicate) string {
	if kindNames[p.Kind] == "" {
		return "unknown kind"
	}
	bounds := []*string{p.From, p.To}
	switch p.Op {
	case recall.OpEquals:
		if p.From == nil || p.To == nil || *p.From != *p.To {
			return "equals needs two equal bounds"
		}
	case recall.OpRange:
		if p.From == nil && p.To == nil {
			return "range without a bound"
		}
	case recall.OpPrefix, recall.OpSuffix:
		if p.From == nil || p.To != nil {
			return "an affix stands in from"
		}
	case recall.OpAll, recall.OpUnreadable:
		if p.From != nil || p.To != nil {
			return "bounds without a comparison"
		}
	default:
		return "unknown operator"
	}
	if p.Op == recall.OpUnreadable && p.WherePrinted == "" {
		return "an unread limit must say where to look"
	}
	for _, bound := range bounds {
		if bound == nil {
			continue
		}
		if strings.TrimSpace(*bound) != *bound || *bound == "" {
			return "empty or padded bound"
		}
		if slices.Contains(dateKinds, p.Kind) && !isPeriod(*bound) {
			return "a date must be YYYY-MM-DD, YYYY-MM or YYYY"
		}
	}
	if p.Op == recall.OpRange && slices.Contains(dateKinds, p.Kind) && p.From != nil && p.To != nil && *p.From > *p.To {
		return "the window ends before it begins"
	}
	if p.Group < 1 || p.Models == nil {
		return "groups count from 1 and models are never nil"
	}
	if p.Quote.Field != fromField || p.Quote.Text == "" || p.Quote.Start != 0 || p.Quote.End != len(p.Quote.Text) {
		return "incomplete quote"
	}
	return ""
}

func isPeriod(s string) bool {
	for _, layout := range []string{"2006-01-02", "2006-01", "2006"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func TestPredicatesAreWellFormed(t *testing.T) {
	for _, n := range load(t) {
		for _, p := range n.Products {
			for _, predicate := range p.Units {
				if fault := wellFormed(predicate); fault != "" {
					t.Errorf("%s: %s: %+v", n.ID, fault, predicate)
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

func TestLimitsBecomeGroups(t *testing.T) {
	group := func(n int, p recall.Predicate, where string) recall.Predicate {
		p.Group, p.WherePrinted = n, where
		return p
	}
	below := recall.Range(1, recall.Serial, "A100", "A200", quote("serial number from A100 to below A200"))
	below.ToInclusive = false
	limitedToModel := recall.Affix(1, recall.DateCode, recall.OpSuffix, "0123", quote("date code that ends in 0123 of model M1"))
	limitedToModel.Models = []string{"M1"}

	tests := map[string]struct {
		limits []limit
		want   []recall.Predicate
	}{
		"each value is an alternative": {
			limits: []limit{{Kind: recall.Lot, Any: []string{"A1", "A2"}, Where: "on the lid"}},
			want: []recall.Predicate{
				group(1, recall.Equals(0, recall.Lot, "A1", quote("lot A1")), "on the lid"),
				group(2, recall.Equals(0, recall.Lot, "A2", quote("lot A2")), "on the lid"),
			},
		},
		"a date beside a lot joins its group": {
			limits: []limit{{Kind: recall.Lot, Any: []string{"A1"}, And: []limit{{Kind: recall.Expiry, Any: []string{"2027-03"}}}}},
			want: []recall.Predicate{
				recall.Equals(1, recall.Lot, "A1", quote("lot A1")),
				recall.Equals(1, recall.Expiry, "2027-03", quote("expiry 2027-03")),
			},
		},
		"an open window": {
			limits: []limit{{Kind: recall.Made, From: "2022-06-23"}, {Kind: recall.Made, To: "2021-08"}},
			want: []recall.Predicate{
				recall.Range(1, recall.Made, "2022-06-23", "", quote("made from 2022-06-23 on")),
				recall.Range(2, recall.Made, "", "2021-08", quote("made up to 2021-08")),
			},
		},
		"an excluded end": {
			limits: []limit{{Kind: recall.Serial, From: "A100", To: "A200", Below: true}},
			want:   []recall.Predicate{below},
		},
		"a limit of one model": {
			limits: []limit{{Kind: recall.DateCode, Op: recall.OpSuffix, Any: []string{"0123"}, Models: []string{"M1"}}},
			want:   []recall.Predicate{limitedToModel},
		},
		"a mark that is merely described never clears a unit": {
			limits: []limit{{Kind: recall.Batch, Any: []string{"7654"}, Where: "under the seat", Described: true}},
			want: []recall.Predicate{
				group(1, recall.Equals(0, recall.Batch, "7654", quote("batch 7654")), "under the seat"),
				group(2, recall.Unreadable(0, recall.Batch, quote("the notice describes this mark, but does not say that units with another one are safe")), "under the seat"),
			},
		},
		"every lot": {
			limits: []limit{{Kind: recall.Lot, Op: recall.OpAll}},
			want:   []recall.Predicate{recall.All(1, recall.Lot, quote("every lot"))},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := product{Name: "cot", Limits: test.limits}
			got, err := p.canonical()
			if err != nil {
				t.Fatal(err)
			}
			for i := range got.Units { // as Normalise does
				if got.Units[i].Models == nil {
					got.Units[i].Models = []string{}
				}
			}
			if diff := cmp.Diff(test.want, got.Units); diff != "" {
				t.Errorf("predicates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultyEntriesAreRefused(t *testing.T) {
	tests := map[string]entry{
		"no day of publication": {Products: []product{{Name: "cot"}}},
		"letters in a barcode":  {Published: "2026-01-08", Products: []product{{Name: "cot", GTINs: []string{"0123ABC"}}}},
		"fifteen digits":        {Published: "2026-01-08", Products: []product{{Name: "cot", GTINs: []string{"012345678901234"}}}},
		"no bounds":             {Published: "2026-01-08", Products: []product{{Name: "cot", Limits: []limit{{Kind: recall.Made}}}}},
		"a prefix of nothing":   {Published: "2026-01-08", Products: []product{{Name: "cot", Limits: []limit{{Kind: recall.Lot, Op: recall.OpPrefix}}}}},
		"unknown operator":      {Published: "2026-01-08", Products: []product{{Name: "cot", Limits: []limit{{Kind: recall.Lot, Op: "about"}}}}},
		"two further values":    {Published: "2026-01-08", Products: []product{{Name: "cot", Limits: []limit{{Kind: recall.Lot, Any: []string{"1"}, And: []limit{{Kind: recall.Made, Any: []string{"2025", "2026"}}}}}}}},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := e.notice(sources[0]); err == nil {
				t.Error("the entry was taken")
			}
		})
	}
}

func TestWording(t *testing.T) {
	e := entry{
		Published: "2026-01-08",
		Hazards:   []recall.HazardType{recall.HazardFall, recall.HazardTipOver},
		Danger:    "the legs can come off",
		Remedies:  []recall.RemedyType{recall.RemedyRefund, recall.RemedyRepair},
		Sold:      map[string]int{"US": 18280, "CA": 2325},
		Products:  []product{{Brand: "Rondo", Name: "high chairs"}, {Brand: "Rondo", Name: "Rondo Mini high chairs"}},
	}
	n, err := e.notice(sources[0])
	if err != nil {
		t.Fatal(err)
	}
	got := []string{n.Title, n.Summary, n.Remedy.Text}
	want := []string{
		"Rondo high chairs and Rondo Mini high chairs: fall and tip-over hazards",
		"Rondo high chairs and Rondo Mini high chairs: the legs can come off. Units: about 18,280 in the United States and about 2,325 in Canada. Facts in our own words, until the agency's notice is read.",
		"Stop using it. The remedy is a refund or a free repair.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wording (-want +got):\n%s", diff)
	}
}
