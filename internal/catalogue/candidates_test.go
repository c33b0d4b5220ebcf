package catalogue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

func candidateIDs(s *Snapshot, q *recall.Question) []string {
	ids := []string{}
	for _, n := range s.Candidates(q) {
		ids = append(ids, n.ID)
	}
	return ids
}

func TestCandidatesHoldTheNoticeThatIsMeant(t *testing.T) {
	s := nursery(t)
	for _, test := range []struct {
		name string
		unit recall.Unit
		want string
	}{
		{"barcode", recall.Unit{GTIN: "0 89301 00858 8"}, "us-cpsc:26-348"},
		{"barcode of a case that prints its own", recall.Unit{GTIN: "10089301008585"}, "us-fda:H-0249-2026"},
		{"barcode of a case for the unit's notice", recall.Unit{GTIN: "10089301008585"}, "us-cpsc:26-348"},
		{"barcode of the unit for the case's notice", recall.Unit{GTIN: "089301008588"}, "us-fda:H-0249-2026"},
		{"barcode of another case of the same item", recall.Unit{GTIN: "20089301008582"}, "us-fda:H-0249-2026"},
		{"model", recall.Unit{Model: "tc 4410"}, "us-cpsc:26-348"},
		{"model inside the name", recall.Unit{Name: "dryer DXK-70CFAVQ white"}, "us-cpsc:25-103"},
		{"brand and class", recall.Unit{Brand: "Tumblino", Name: "pushchair"}, "us-cpsc:26-348"},
		{"nothing but common words", recall.Unit{Brand: "Summer", Name: "infant bath seat"}, "us-cpsc:25-102"},
		{"brand as two words", recall.Unit{Brand: "Snuz Den", Name: "bedside crib"}, "us-cpsc:25-100"},
		{"brand as one word", recall.Unit{Brand: "MellowBrook", Name: "sleeper"}, "us-cpsc:25-101"},
		{"brand split between brand and name", recall.Unit{Brand: "Mellow", Name: "Brook rock a nap"}, "us-cpsc:25-101"},
		{"typo in the brand", recall.Unit{Brand: "Hazlware", Name: "dryer"}, "us-cpsc:25-103"},
		{"two typos in the brand", recall.Unit{Brand: "Pebelwick", Name: "barn"}, "us-cpsc:25-105"},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := question(t, test.unit)
			if ids := candidateIDs(s, &q); !slices.Contains(ids, test.want) {
				t.Errorf("candidates %v lack %s", ids, test.want)
			}
		})
	}
}

func TestCandidatesAreNotFoundInDescriptions(t *testing.T) {
	s := nursery(t)
	q := question(t, recall.Unit{Name: "hinge"})
	if ids := candidateIDs(s, &q); len(ids) != 0 {
		t.Errorf("a word of a description finds %v", ids)
	}
}

// However many notices share the common words of a question, the one that has
// its rare words is among the candidates.
func TestARareWordIsFoundAmongManyCommonOnes(t *testing.T) {
	notices := synthetics(0, 3000)
	s, c := newShelf(notices...), New()
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := notices[rapid.IntRange(0, len(notices)-1).Draw(t, "notice")]
		name := n.Products[0].Name + " white large 2024 gift for baby wooden portable deluxe stroller"
		q := question(t, recall.Unit{Name: name})
		ids := candidateIDs(c.Current(), &q)
		if !slices.Contains(ids, n.ID) {
			t.Fatalf("%q doesn't find %s", name, n.ID)
		}
		if len(ids) > maxEqual+maxByModel || !slices.IsSorted(ids) {
			t.Fatalf("%d candidates, in order: %v", len(ids), slices.IsSorted(ids))
		}
	})
}

// Of hundreds of notices on one product, each on another lot, the one on the
// unit's lot is among the candidates.
func TestTheNoticeOnTheLotIsFoundAmongManyOnOneProduct(t *testing.T) {
	var notices []recall.Notice
	for i := range 400 {
		n := synthetic(1)
		n.ID = fmt.Sprintf("us-fda:F-%04d-2024", i)
		n.Products[0].Units = []recall.Predicate{recall.Equals(0, recall.Lot, fmt.Sprintf("KB-%04d", i), recall.Quote{Text: "lot", Field: "code_info"})}
		notices = append(notices, n)
	}
	c := New()
	if err := c.Load(t.Context(), newShelf(notices...)); err != nil {
		t.Fatal(err)
	}
	p := notices[0].Products[0]
	for _, lot := range []string{"KB-0250", "kb0250", "LOT KB 0250", "Lot KB-0250"} {
		q := question(t, recall.Unit{Brand: p.Brand, Name: p.Name, Lot: lot})
		if ids := candidateIDs(c.Current(), &q); !slices.Contains(ids, "us-fda:F-0250-2024") {
			t.Errorf("lot %q: %d candidates lack the notice on it", lot, len(ids))
		}
	}
}

func TestTyposAreFoundAsByComparingEveryWord(t *testing.T) {
	letters := rapid.StringMatching(`[abcde]{3,12}`)
	rapid.Check(t, func(t *rapid.T) {
		vocabulary := rapid.SliceOfNDistinct(letters, 1, 60, rapid.ID).Draw(t, "vocabulary")
		var notices []recall.Notice
		for i, w := range vocabulary {
			notices = append(notices, recall.Notice{ID: fmt.Sprint("a:", i), Products: []recall.Product{{Brand: w}}})
		}
		g := segmentOf(notices...)
		word := letters.Draw(t, "word")
		var want []string
		for i := range g.terms.len() {
			if term := g.terms.term(i); term != word && spelled(term) && editsIn(word) > 0 && plainDistance(word, term) <= editsIn(word) {
				want = append(want, term)
			}
		}
		if got := g.typos().near(nil, &g.terms, word); !slices.Equal(got, want) {
			t.Fatalf("near %q: %q, want %q", word, got, want)
		}
	})
}

// plainDistance is the textbook's edit distance with swaps of neighbours.
func plainDistance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range len(b) + 1 {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// Of a hundred notices of one product, each of another day, some are left out:
// the unit's may be among them.
func TestACrowdOfNoticesExcludesNoUnit(t *testing.T) {
	s := newShelf()
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100 {
		day := first.AddDate(0, 0, i).Format(time.DateOnly)
		s.put(recall.Notice{ID: fmt.Sprintf("us-fda:H-%04d-2024", i), Agency: "us-fda", Status: recall.Active,
			Title: "Zorbino vanilla ice cream", PublishedAt: first.AddDate(0, 0, i),
			Products: []recall.Product{{Brand: "Zorbino", Name: "vanilla ice cream", Units: []recall.Predicate{{
				Group: 1, Kind: recall.BestBefore, Op: recall.OpEquals, From: &day, To: &day, FromInclusive: true, ToInclusive: true,
				Quote: recall.Quote{Text: day}}}}}})
	}
	snapshot := loaded(t, s)
	for i := range 110 {
		q := question(t, recall.Unit{Brand: "Zorbino", Name: "vanilla ice cream", BestBefore: first.AddDate(0, 0, i).Format(time.DateOnly)})
		d := snapshot.Decide(&q)
		if d.Outcome != recall.NeedCode && d.Outcome != recall.Affected {
			t.Fatalf("day %d: %s", i, d.Outcome)
		}
		if m := d.Matches[0]; m.Verdict != d.Outcome || d.Outcome == recall.NeedCode && m.Need == nil {
			t.Fatalf("day %d: the first match is %+v", i, m)
		}
	}
}
