package catalogue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

// aliasNotice is a notice of an agency whose product may share its codes with others.
func aliasNotice(agency string, number int, product recall.Product, links ...string) recall.Notice {
	n := synthetic(number)
	n.Agency, n.ID = agency, fmt.Sprintf("%s:%03d", agency, number)
	n.URL = "https://www." + agency + ".example/Recalls/" + n.ID
	n.Products, n.Aliases = []recall.Product{product}, nil
	for _, l := range links {
		n.Declare(l)
	}
	n.Normalise()
	return n
}

func aliasesOf(t fataler, s *Snapshot, id string) map[string]recall.AliasKind {
	n, _, ok := s.Notice(id)
	if !ok {
		t.Fatal(id + " is not in the catalogue")
	}
	kinds := map[string]recall.AliasKind{}
	for _, a := range n.Aliases {
		if _, twice := kinds[a.ID]; twice {
			t.Fatal(id + " names " + a.ID + " twice")
		}
		kinds[a.ID] = a.Kind
	}
	return kinds
}

func loaded(t fataler, s *shelf) *Snapshot {
	c := New()
	if err := c.Load(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	return c.Current()
}

func TestDeclaredLinksJoinNoticesFromEitherSideAndThroughOthers(t *testing.T) {
	s := newShelf()
	cot := recall.Product{Name: "Lumo cot", Brand: "Fennick"}
	canada := aliasNotice("ca-hc", 1, cot)
	s.put(canada)
	s.put(aliasNotice("us-cpsc", 2, cot, "HTTP://"+canada.URL[len("https://www."):]+"/?lang=en"))
	s.put(aliasNotice("fr-rappelconso", 3, cot, "us-cpsc:002"))
	s.put(aliasNotice("us-fda", 4, cot, "us-fda:event-9"))
	s.put(aliasNotice("us-fda", 5, cot, "us-fda:event-9"))
	s.put(aliasNotice("de-lmw", 6, cot, "eu-safety-gate:SR-1", "https://elsewhere.example/page"))
	got := loaded(t, s)
	for id, want := range map[string]map[string]recall.AliasKind{
		"ca-hc:001":          {"us-cpsc:002": recall.Declared, "fr-rappelconso:003": recall.Declared},
		"us-cpsc:002":        {"ca-hc:001": recall.Declared, "fr-rappelconso:003": recall.Declared},
		"fr-rappelconso:003": {"ca-hc:001": recall.Declared, "us-cpsc:002": recall.Declared},
		"us-fda:004":         {"us-fda:005": recall.Declared, "us-fda:event-9": recall.Declared},
		"us-fda:005":         {"us-fda:004": recall.Declared, "us-fda:event-9": recall.Declared},
		"de-lmw:006":         {"eu-safety-gate:SR-1": recall.Declared},
	} {
		if diff := cmp.Diff(want, aliasesOf(t, got, id)); diff != "" {
			t.Errorf("aliases of %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestSharedCodesMakePossibleAliases(t *testing.T) {
	gtin := []recall.PrintedGTIN{{GTIN: "04006381333931", Printed: "4006381333931", From: "text"}}
	lost := []recall.PrintedGTIN{{GTIN: "04006381333931", Printed: "40063813339", From: "text"}}
	s := newShelf()
	s.put(aliasNotice("uk-opss", 1, recall.Product{Name: "Pen", GTINs: gtin}))
	s.put(aliasNotice("eu-safety-gate", 2, recall.Product{Name: "Stylo", GTINs: gtin, Brand: "Quillo", Models: []string{"QL-7100"}}))
	s.put(aliasNotice("us-cpsc", 3, recall.Product{Name: "Pen set", Brand: "QUILLO Inc.", Models: []string{"ql 7100"}}))
	s.put(aliasNotice("us-cpsc", 4, recall.Product{Name: "Pen set", Brand: "Zentabo", Models: []string{"QL7100"}}))
	s.put(aliasNotice("fr-rappelconso", 5, recall.Product{Name: "Stylo", GTINs: lost}))
	s.put(aliasNotice("uk-opss", 6, recall.Product{Name: "Pen", GTINs: gtin}))
	got := loaded(t, s)
	for id, want := range map[string]map[string]recall.AliasKind{
		"uk-opss:001":        {"eu-safety-gate:002": recall.Possible},
		"eu-safety-gate:002": {"uk-opss:001": recall.Possible, "uk-opss:006": recall.Possible, "us-cpsc:003": recall.Possible},
		"us-cpsc:003":        {"eu-safety-gate:002": recall.Possible}, // and not the notices that share a barcode with that one
		"us-cpsc:004":        {},
		"fr-rappelconso:005": {},
	} {
		if diff := cmp.Diff(want, aliasesOf(t, got, id)); diff != "" {
			t.Errorf("aliases of %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestACodeThatStandsEverywhereMakesNoAlias(t *testing.T) {
	s := newShelf()
	for i := range maxAlike + 1 {
		s.put(aliasNotice([]string{"uk-opss", "us-cpsc"}[i%2], i, recall.Product{Name: "Lamp", Brand: "Orvane", Models: []string{"LX-2000"}}))
	}
	got := loaded(t, s)
	for _, id := range []string{"uk-opss:000", "us-cpsc:001"} {
		if kinds := aliasesOf(t, got, id); len(kinds) > 0 {
			t.Errorf("%s has %d aliases", id, len(kinds))
		}
	}
}

func TestAliasesAreSymmetricAndDeclaredOnesTransitive(t *testing.T) {
	agencies := []string{"us-cpsc", "ca-hc", "uk-opss"}
	id := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%s:%03d", rapid.SampledFrom(agencies).Draw(t, "agency"), rapid.IntRange(0, 7).Draw(t, "number"))
	})
	rapid.Check(t, func(t *rapid.T) {
		s, c := newShelf(), New()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			product := recall.Product{Name: "Cot", Brand: rapid.SampledFrom([]string{"", "Fennick", "Orvane"}).Draw(t, "brand"),
				Models: rapid.SliceOfN(rapid.SampledFrom([]string{"AB-100", "ZX-900", "TK77-C"}), 0, 2).Draw(t, "models")}
			number := rapid.IntRange(0, 7).Draw(t, "number")
			agency := rapid.SampledFrom(agencies).Draw(t, "agency")
			switch known := fmt.Sprintf("%s:%03d", agency, number); {
			case s.byID[known].Serial > 0 && rapid.IntRange(0, 9).Draw(t, "withdraw") == 0:
				s.withdraw(known)
			default:
				s.put(aliasNotice(agency, number, product, rapid.SliceOfN(id, 0, 2).Draw(t, "links")...))
			}
			if rapid.Bool().Draw(t, "catch up") {
				if _, err := c.CatchUp(context.Background(), s); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := c.CatchUp(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		c.merges.Wait()
		checkAliases(t, c.Current(), loaded(t, s), slices.Sorted(maps.Keys(s.byID)))
	})
}

func checkAliases(t *rapid.T, grown, fresh *Snapshot, ids []string) {
	for _, a := range ids {
		of := aliasesOf(t, grown, a)
		if diff := cmp.Diff(aliasesOf(t, fresh, a), of); diff != "" {
			t.Fatalf("aliases of %s grown in steps differ from those built at once:\n%s", a, diff)
		}
		if _, self := of[a]; self {
			t.Fatalf("%s is its own alias", a)
		}
		for b, kind := range of {
			if !slices.Contains(ids, b) {
				continue // declared, and not known
			}
			back := aliasesOf(t, grown, b)
			if back[a] != kind {
				t.Fatalf("%s names %s as %s, and the other way round %q", a, b, kind, back[a])
			}
			for c, further := range back {
				if kind == recall.Declared && further == recall.Declared && c != a && slices.Contains(ids, c) && of[c] != recall.Declared {
					t.Fatalf("%s is declared with %s and that with %s, but not the two", a, b, c)
				}
			}
		}
	}
}
