package catalogue

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/recall"
)

// nursery is a small catalogue of notices that could be mistaken for each other.
func nursery(t *testing.T) *Snapshot {
	t.Helper()
	notice := func(id, title, brand, name, summary string, change ...func(*recall.Notice)) recall.Notice {
		n := recall.Notice{ID: id, Agency: strings.Split(id, ":")[0], Title: title, Summary: summary,
			PublishedAt: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), Countries: []string{"US"},
			Products:   []recall.Product{{Brand: brand, Name: name}},
			Provenance: recall.Provenance{SHA256: "ab"}}
		for _, c := range change {
			c(&n)
		}
		n.Normalise()
		return n
	}
	code := func(gtin14, printed string) func(*recall.Notice) {
		return func(n *recall.Notice) {
			n.Products[0].GTINs = []recall.PrintedGTIN{{GTIN: gtin14, Printed: printed, From: "description"}}
		}
	}
	model := func(models ...string) func(*recall.Notice) {
		return func(n *recall.Notice) { n.Products[0].Models = models }
	}
	s := newShelf(
		notice("us-cpsc:26-348", "Tumblino Recalls Folding Strollers Due to Fall Hazard", "Tumblino", "Cirrus folding stroller", "The hinge can open.",
			code("00089301008588", "0 89301 00858 8"), model("TC-4410"), func(n *recall.Notice) {
				n.Hazards = []recall.Hazard{{Type: recall.HazardFall, Text: "The child can fall"}}
			}),
		notice("uk-opss:2609-0229", "Product Safety Report: Wobbleton Pushchair", "Wobbleton", "Breeze pushchair", "A frame part can crack.",
			func(n *recall.Notice) { n.Countries = []string{"GB"} }),
		notice("us-cpsc:25-100", "SnuzDen Bedside Cribs Recalled", "SnuzDen", "SnuzDen 3", "Sold beside strollers in nursery shops."),
		notice("us-cpsc:25-101", "Mellow-Brook Recalls Rock-a-Nap Sleepers", "Mellow-Brook", "Rock-a-Nap sleeper", "The infant can roll over."),
		notice("us-cpsc:25-102", "Summer Recalls Infant Bath Seats", "Summer", "Infant bath seat", "The seat tips."),
		notice("us-fda:H-0249-2026", "Oatling infant formula", "Oatling", "Infant formula powder", "May hold a germ.",
			code("10089301008585", "10089301008585")),
		notice("us-cpsc:25-103", "Hazelware Recalls Electric Dryers Due to Fire Hazard", "Hazelware", "Electric dryer", "Model numbers DXK70CFAVQ and DXK70EFAVQ.", model("DXK70CFAVQ")),
		notice("us-cpsc:25-104", "Old Cradles", "Dozer", "Dozer cradle", "Taken back.", func(n *recall.Notice) { n.Status = recall.Withdrawn }),
		notice("us-cpsc:25-105", "Pebblewick Recalls Toy Barns", "Pebblewick", "Toy barn", "Beside the tumblino stand.",
			func(n *recall.Notice) { n.PublishedAt = time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC) }),
	)
	c := New()
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return c.Current()
}

func hitIDs(p Page) []string {
	ids := []string{}
	for _, h := range p.Hits {
		ids = append(ids, h.Notice.ID)
	}
	return ids
}

func TestSearchPutsTheNoticeThatIsMeantFirst(t *testing.T) {
	s := nursery(t)
	for _, test := range []struct{ name, words, first string }{
		{"brand before a mention in a description", "tumblino", "us-cpsc:26-348"},
		{"word in a name before one in a description", "stroller", "us-cpsc:26-348"},
		{"the very word before its synonym", "pushchair", "uk-opss:2609-0229"},
		{"synonym", "wobbleton buggy", "uk-opss:2609-0229"},
		{"plural", "bath seats summer", "us-cpsc:25-102"},
		{"brand of a common word", "summer bath seat", "us-cpsc:25-102"},
		{"typo of one letter", "tumblimo stroller", "us-cpsc:26-348"},
		{"letters swapped", "wobbletno", "uk-opss:2609-0229"},
		{"typo of two letters", "pebelwik barn", "us-cpsc:25-105"},
		{"first letter wrong", "bumblino", "us-cpsc:26-348"},
		{"beginning of a word", "pebble", "us-cpsc:25-105"},
		{"one word written as two", "snuz den", "us-cpsc:25-100"},
		{"two words written as one", "mellowbrook sleeper", "us-cpsc:25-101"},
		{"hyphens left out", "rockanap", "us-cpsc:25-101"},
		{"accents and case", "TÜMBLINO Círrus", "us-cpsc:26-348"},
		{"fillers all around", "is the Oatling formula my baby ate recalled please", "us-fda:H-0249-2026"},
		{"noise of a listing", "NEW Hazelware Electric Dryer White 7 cu ft Best Gift Free Shipping Deluxe 2024 Home", "us-cpsc:25-103"},
		{"model", "DXK70CFAVQ", "us-cpsc:25-103"},
		{"beginning of a model", "dxk70cf", "us-cpsc:25-103"},
		{"model with the hyphen elsewhere", "TC4410", "us-cpsc:26-348"},
		{"model in a description only", "dxk70efavq", "us-cpsc:25-103"},
		{"barcode", "089301008588", "us-cpsc:26-348"},
		{"barcode with blanks", "0 89301 00858 8", "us-cpsc:26-348"},
		{"barcode with hyphens", "0-89301-00858-8", "us-cpsc:26-348"},
		{"barcode of 14 digits", "10089301008585", "us-fda:H-0249-2026"},
		{"recall number", "26-348", "us-cpsc:26-348"},
		{"recall id", "us-cpsc:26-348", "us-cpsc:26-348"},
		{"recall id of another agency", "2609-0229", "uk-opss:2609-0229"},
		{"hazard", "fall", "us-cpsc:26-348"},
	} {
		t.Run(test.name, func(t *testing.T) {
			page, err := s.Search(Query{Words: test.words, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if ids := hitIDs(page); len(ids) == 0 || ids[0] != test.first {
				t.Errorf("%q finds %v, want %s first", test.words, ids, test.first)
			}
		})
	}
}

func TestSearchFindsNothingByChance(t *testing.T) {
	s := nursery(t)
	for name, words := range map[string]string{
		"an unknown word":              "xylophonist",
		"a short word one letter off":  "toi",
		"a model one character off":    "DXK70CFAVR",
		"a barcode one digit off":      "089301008595",
		"a withdrawn notice's brand":   "dozer",
		"a synonym of an absent class": "trottinette",
	} {
		t.Run(name, func(t *testing.T) {
			page, err := s.Search(Query{Words: words, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != 0 || len(page.Hits) != 0 {
				t.Errorf("%q finds %v", words, hitIDs(page))
			}
		})
	}
}

func TestFillersNeitherFindNorExclude(t *testing.T) {
	s := nursery(t)
	with, errWith := s.Search(Query{Words: "the recalled tumblino recall please", Limit: 10})
	without, errWithout := s.Search(Query{Words: "tumblino", Limit: 10})
	if errWith != nil || errWithout != nil {
		t.Fatal(errWith, errWithout)
	}
	if diff := cmp.Diff(hitIDs(without), hitIDs(with)); diff != "" {
		t.Errorf("fillers change the hits (-without +with):\n%s", diff)
	}
	all, err := s.Search(Query{Words: "the recall", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if all.Total != 8 || all.Hits[0].Notice.ID != "us-cpsc:25-105" {
		t.Errorf("nothing but fillers lists %d notices, %v; want all active ones, the newest first", all.Total, hitIDs(all))
	}
}

func TestHitsTellWhereTheyMatched(t *testing.T) {
	s := nursery(t)
	for words, want := range map[string][]string{
		"tumblino":     {"brand", "title"},
		"cirrus":       {"name"},
		"tc-4410":      {"model"},
		"26-348":       {"id"},
		"089301008588": {"gtin"},
		"hinge":        {"description"},
	} {
		page, err := s.Search(Query{Words: words, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, page.Hits[0].Matched); diff != "" {
			t.Errorf("%q (-want +got):\n%s", words, diff)
		}
		if page.Hits[0].Score <= 0 {
			t.Errorf("%q: score %v", words, page.Hits[0].Score)
		}
	}
}

func TestFilters(t *testing.T) {
	s := nursery(t)
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	for _, test := range []struct {
		name  string
		query Query
		want  []string
	}{
		{"values of one field are alternatives", Query{Agencies: []string{"uk-opss", "us-fda"}}, []string{"uk-opss:2609-0229", "us-fda:H-0249-2026"}},
		{"fields must all hold", Query{Agencies: []string{"uk-opss", "us-fda"}, Countries: []string{"GB"}}, []string{"uk-opss:2609-0229"}},
		{"withdrawn", Query{Status: recall.Withdrawn}, []string{"us-cpsc:25-104"}},
		{"hazard", Query{Hazards: []recall.HazardType{recall.HazardFall}}, []string{"us-cpsc:26-348"}},
		{"first and last day count", Query{From: day(2025, 1, 2), To: day(2025, 1, 2)}, []string{"us-cpsc:25-105"}},
		{"before", Query{To: day(2024, 5, 5)}, []string{}},
		{"with words", Query{Words: "stroller", Countries: []string{"GB"}}, []string{"uk-opss:2609-0229"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.query.Limit = 100
			page, err := s.Search(test.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, hitIDs(page)); diff != "" || page.Total != len(test.want) {
				t.Errorf("total %d (-want +got):\n%s", page.Total, diff)
			}
		})
	}
}

func TestSortOrders(t *testing.T) {
	s := nursery(t)
	newest, errNewest := s.Search(Query{Sort: ByNewest, Limit: 1})
	oldest, errOldest := s.Search(Query{Words: "barn stroller", Sort: ByOldest, Limit: 100})
	if errNewest != nil || errOldest != nil {
		t.Fatal(errNewest, errOldest)
	}
	if id := newest.Hits[0].Notice.ID; id != "us-cpsc:25-105" {
		t.Errorf("newest: %s", id)
	}
	if ids := hitIDs(oldest); ids[len(ids)-1] != "us-cpsc:25-105" || !slices.IsSorted(ids[:len(ids)-1]) {
		t.Errorf("oldest: %v", ids)
	}
}

func TestFacetsCountAllHits(t *testing.T) {
	page, err := nursery(t).Search(Query{Facets: []string{"agency", "year"}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]FacetCount{
		"agency": {{"us-cpsc", 6}, {"uk-opss", 1}, {"us-fda", 1}},
		"year":   {{"2024", 7}, {"2025", 1}},
	}
	if diff := cmp.Diff(want, page.Facets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := nursery(t).Search(Query{Facets: []string{"colour"}, Limit: 1}); err == nil {
		t.Error("a facet that there is none of is counted")
	}
}

func TestABadCursorIsRefused(t *testing.T) {
	s := nursery(t)
	query := Query{Words: "stroller tumblino", Limit: 1}
	page, err := s.Search(query)
	if err != nil || page.Next == "" {
		t.Fatalf("next %q, error %v", page.Next, err)
	}
	flipped := []byte(page.Next)
	flipped[len(flipped)/2] ^= 1
	for name, change := range map[string]func(*Query){
		"of another query":  func(q *Query) { q.Cursor = page.Next; q.Words = "stroller" },
		"of another filter": func(q *Query) { q.Cursor = page.Next; q.Agencies = []string{"us-cpsc"} },
		"of another order":  func(q *Query) { q.Cursor = page.Next; q.Sort = ByNewest },
		"cut short":         func(q *Query) { q.Cursor = page.Next[:len(page.Next)-3] },
		"damaged":           func(q *Query) { q.Cursor = string(flipped) },
		"no base64":         func(q *Query) { q.Cursor = "§§" },
		"a word":            func(q *Query) { q.Cursor = "abcd" },
	} {
		q := query
		change(&q)
		if _, err := s.Search(q); !errors.Is(err, ErrBadCursor) {
			t.Errorf("a cursor %s: error %v", name, err)
		}
	}
	query.Cursor, query.Limit = page.Next, 50
	if rest, err := s.Search(query); err != nil || len(rest.Hits) != page.Total-1 {
		t.Errorf("the next page, with another limit, has %d of %d hits, error %v", len(rest.Hits), page.Total-1, err)
	}
}

func FuzzCursor(f *testing.F) {
	c := cursor{query: 7, key: -12, id: "us-cpsc:26-348", decisions: []uint32{0, 1, 640}}
	f.Add(c.encode())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := decodeCursor(text, 7)
		if err == nil && got.encode() != text {
			t.Errorf("%q reads as %+v, which writes as %q", text, got, got.encode())
		}
	})
}
