package api

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNearestName(t *testing.T) {
	names := []string{"q", "agency", "country", "published_from", "published_to", "limit", "cursor"}
	for typed, want := range map[string]string{"limt": "limit", "LIMIT": "limit", "agencies": "agency", "published": "published_to", "countries": "country", "cusror": "cursor", "qq": "q"} {
		if got, _ := nearest(typed, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestEditDistanceIsAMetric(t *testing.T) {
	word := rapid.StringMatching(`[a-c]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		ab, ba := editDistance(a, b), editDistance(b, a)
		if ab != ba || (ab == 0) != (a == b) {
			t.Fatalf("%q %q: %d and %d", a, b, ab, ba)
		}
		if ab > editDistance(a, c)+editDistance(c, b) {
			t.Fatalf("the way from %q to %q over %q is shorter", a, b, c)
		}
		if ab > max(len(a), len(b)) {
			t.Fatalf("%q and %q are %d apart", a, b, ab)
		}
	})
}

func TestOnlyNearSpellingsAreSuggested(t *testing.T) {
	for name, want := range map[string]string{
		"foo": "", "": "", "x": "", "colour": "", "lots": "lot", "LOT": "lot", "lo": "lot", "lat": "lot", "seriel": "serial",
		"best-before": "best_before", "bestbefore": "best_before", "modul": "model", "modul3": "model", "madl": "",
	} {
		if got, likely := nearest(name, unitFields); likely != (want != "") || likely && got != want {
			t.Errorf("%q: %q, likely %v; want %q", name, got, likely, want)
		}
	}
}
