package multiply

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// original invents a notice in which every kind of thing that is replaced stands.
func original(i int) recall.Notice {
	digits := fmt.Sprintf("0812345%04d", i)
	check, _ := gtin.CheckDigit(digits)
	printed := digits[:1] + " " + digits[1:6] + "-" + digits[6:] + " " + string(check)
	quote := recall.Quote{Text: fmt.Sprintf("Lot QX-%04d", i), Field: "summary", Start: 22, End: 33}
	n := recall.Notice{
		ID: fmt.Sprintf("us-cpsc:90-%03d", i), Agency: "us-cpsc", URL: fmt.Sprintf("https://agency.example/recalls/%d?lang=en", i),
		Title:   fmt.Sprintf("Brumwick Recalls Baby Strollers Zorvella %d Due to Fall Hazard", i),
		Summary: fmt.Sprintf("The model is BW-77%02d. Lot QX-%04d of BRUMWICK’s strollers.", i%100, i), PublishedAt: time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC),
		Products: []recall.Product{{Name: "Zorvella baby strollers", Brand: fmt.Sprintf("Brumwick%c%c", 'a'+i/26, 'a'+i%26), Models: []string{fmt.Sprintf("BW-77%02d", i%100)},
			GTINs: []recall.PrintedGTIN{{GTIN: gtin.Pad14(digits + string(check)), Printed: printed, From: "summary"}},
			Units: []recall.Predicate{recall.Equals(0, recall.Lot, fmt.Sprintf("QX-%04d", i), quote)}}},
		Aliases: []recall.Alias{{ID: fmt.Sprintf("us-cpsc:90-%03d", i+1), Kind: recall.Declared}, {ID: "https://other.example/a", Kind: recall.Declared}},
		Images:  []string{"https://agency.example/front.jpg"},
	}
	n.Normalise()
	return n
}

func originals(n int) (list []recall.Notice) {
	for i := range n {
		list = append(list, original(i))
	}
	return list
}

func TestTheFirstNoticesAreTheOriginalsInAnyOrder(t *testing.T) {
	const count = 40
	m := New(3, originals(count))
	seen := map[string]int{}
	for i := range count {
		n := m.Notice(i)
		seen[n.ID]++
		var at int
		if _, err := fmt.Sscanf(n.ID, "us-cpsc:90-%d", &at); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(original(at), n); diff != "" {
			t.Errorf("%s is changed (-original +first):\n%s", n.ID, diff)
		}
	}
	if len(seen) != count {
		t.Errorf("%d different notices, want %d", len(seen), count)
	}
}

func TestACopyIsNewInItsNamesAndCodesAndElseTheSame(t *testing.T) {
	const count = 40
	m := New(3, originals(count))
	rapid.Check(t, func(t *rapid.T) {
		index := rapid.IntRange(count, 20*count).Draw(t, "index")
		from, got := m.Notice(index%count), m.Notice(index)
		if diff := cmp.Diff(got, New(3, originals(count)).Notice(index)); diff != "" {
			t.Fatalf("made again it differs:\n%s", diff)
		}
		was, is := &from.Products[0], &got.Products[0]
		for what, pair := range map[string][2]string{
			"id": {from.ID, got.ID}, "brand": {was.Brand, is.Brand}, "model": {was.Models[0], is.Models[0]},
			"barcode": {was.GTINs[0].GTIN, is.GTINs[0].GTIN}, "lot": {*was.Units[0].From, *is.Units[0].From},
			"page": {recall.AddressKey(from.URL), recall.AddressKey(got.URL)},
		} {
			if pair[0] == pair[1] {
				t.Errorf("%s is %q still", what, pair[1])
			}
		}
		if !gtin.Valid(is.GTINs[0].GTIN) || gtin.Pad14(strings.NewReplacer(" ", "", "-", "").Replace(is.GTINs[0].Printed)) != is.GTINs[0].GTIN {
			t.Errorf("barcode %+v", is.GTINs[0])
		}
		if len(got.Title) != len(from.Title) || len(got.Summary) != len(from.Summary) || !strings.Contains(got.Title, "Recalls Baby Strollers") {
			t.Errorf("title %q, summary %q", got.Title, got.Summary)
		}
		quote := is.Units[0].Quote
		if got.Summary[quote.Start:quote.End] != quote.Text || !strings.HasSuffix(quote.Text, *is.Units[0].From) {
			t.Errorf("%q is quoted as %q for the lot %q", got.Summary, quote.Text, *is.Units[0].From)
		}
		if !strings.Contains(got.Summary, is.Models[0]) {
			t.Errorf("the summary %q lacks the model %s", got.Summary, is.Models[0])
		}
	})
}

func TestLinksJoinCopiesOfOneRound(t *testing.T) {
	const count = 5
	m := New(1, originals(count))
	ids := map[string]bool{}
	for i := range 3 * count {
		ids[m.Notice(i).ID] = true
	}
	if len(ids) != 3*count {
		t.Fatalf("%d different ids, want %d", len(ids), 3*count)
	}
	for i := range 3 * count {
		n := m.Notice(i)
		if !strings.HasPrefix(n.ID, "us-cpsc:90-004") && !ids[n.Aliases[0].ID] {
			t.Errorf("%s is linked to %s, which is none", n.ID, n.Aliases[0].ID)
		}
	}
}

func TestOrdinaryWordsAndEqualNamesStayEqual(t *testing.T) {
	c := copier{names: map[string]bool{"brumwick": true}, codes: map[string]bool{"77": true}, key: 9}
	got := c.text("Brumwick strollers by BRUMWICK, 77 of 770, Brumwicks")
	words := strings.FieldsFunc(got, func(r rune) bool { return r == ' ' || r == ',' })
	if !strings.EqualFold(words[0], words[3]) || strings.EqualFold(words[0], "brumwick") || words[0][0] > 'Z' || words[3] != strings.ToUpper(words[3]) {
		t.Errorf("the brand became %q and %q", words[0], words[3])
	}
	if words[4] == "77" || len(words[4]) != 2 || words[1] != "strollers" || words[6] != "770" || words[7] != "Brumwicks" {
		t.Errorf("%q", got)
	}
}

func TestABarcodeWithALostDigitKeepsItsReading(t *testing.T) {
	c := copier{key: 4}
	for _, g := range []recall.PrintedGTIN{
		{GTIN: "00081234500018", Printed: "81234500018"},
		{GTIN: "00812345000182", Printed: "81234500018"},
	} {
		got := c.barcode(g)
		if got.GTIN == g.GTIN || !got.Possible() || !strings.Contains(got.GTIN, got.Printed) || strings.Index(got.GTIN, got.Printed) != strings.Index(g.GTIN, g.Printed) {
			t.Errorf("%+v became %+v", g, got)
		}
	}
	if odd := (recall.PrintedGTIN{GTIN: "00812345000182", Printed: "999"}); c.barcode(odd) != odd {
		t.Errorf("%+v became %+v", odd, c.barcode(odd))
	}
}
