package recall_test

import (
	"testing"

	"github.com/crownsafe/api/internal/recall"
)

// A code may be copied from the product with what stands around it, or without a
// part of it: then it excludes nothing, because it may be the one that is meant.
func TestACodeThatMayBeAPartExcludesNothing(t *testing.T) {
	equals := func(kind recall.UnitKind, code string) recall.Predicate {
		return recall.Equals(1, kind, code, quote(code))
	}
	between := func(kind recall.UnitKind, from, to string) recall.Predicate {
		return recall.Range(1, kind, from, to, quote(from))
	}
	made := between(recall.Made, "2024-01-01", "2024-12-31")
	madeInWeeks := made
	madeInWeeks.WherePrinted = "date code (YYWW) on the label"
	for _, c := range []struct {
		name  string
		limit recall.Predicate
		unit  recall.Unit
		want  recall.Outcome
	}{
		{"a lot that reads as a month", made, recall.Unit{Lot: "JAN25"}, recall.NeedCode},
		{"a date code that is a month outside", made, recall.Unit{DateCode: "JAN25"}, recall.NotAffected},
		{"a date code that is a month inside", made, recall.Unit{DateCode: "JAN24"}, recall.Affected},
		{"a serial number that reads as a week", madeInWeeks, recall.Unit{Serial: "1234"}, recall.NeedCode},
		{"a letter before the lot", equals(recall.Lot, "23B045"), recall.Unit{Lot: "L23B045"}, recall.NeedCode},
		{"the letter before the lot left out", equals(recall.Lot, "L23B045"), recall.Unit{Lot: "23B045"}, recall.NeedCode},
		{"a letter behind a short lot", equals(recall.Lot, "4123"), recall.Unit{Lot: "4123A"}, recall.NeedCode},
		{"another lot", equals(recall.Lot, "23B045"), recall.Unit{Lot: "23B046"}, recall.NotAffected},
		{"a code longer than the range's ends", between(recall.DateCode, "2101", "2152"), recall.Unit{DateCode: "210501"}, recall.NeedCode},
		{"a code behind the range", between(recall.DateCode, "2101", "2152"), recall.Unit{DateCode: "2201"}, recall.NotAffected},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := notice("us-cpsc:30-070", "Zorbino Recalls Walkers", recall.Product{Name: "Zorbino walker", Brand: "Zorbino", Units: []recall.Predicate{c.limit}})
			c.unit.Brand, c.unit.Name = "Zorbino", "walker"
			if d := decide(t, c.unit, n); d.Outcome != c.want {
				t.Errorf("outcome %s, want %s; matches %+v", d.Outcome, c.want, d.Matches)
			}
		})
	}
}
