package starter

import (
	"testing"

	"github.com/crownsafe/api/internal/recall"
	"github.com/google/go-cmp/cmp"
)

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
