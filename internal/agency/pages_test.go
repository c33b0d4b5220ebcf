package agency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

func TestPageAddress(t *testing.T) {
	for name, test := range map[string]struct{ head, want string }{
		"canonical":              {`<link rel="canonical" href=" https://a.example/x ">`, "https://a.example/x"},
		"canonical before og":    {`<meta property="og:url" content="https://a.example/y"><link rel="Canonical" href="https://a.example/x">`, "https://a.example/x"},
		"og alone":               {`<meta property="og:url" content="https://a.example/y">`, "https://a.example/y"},
		"an empty canonical":     {`<link rel="canonical"><meta name="og:url" content="https://a.example/y">`, "https://a.example/y"},
		"other links and nobody": {`<link rel="shortlink" href="https://a.example/node/1">`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := agency.ParseHTML(strings.NewReader("<html><head>" + test.head + "</head></html>"))
			if err != nil {
				t.Fatal(err)
			}
			if got := agency.PageAddress(page); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSlug(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example/recalls/toy-drum":      "toy-drum",
		"https://a.example/recalls/toy-drum/?x=1": "toy-drum",
		"https://a.example/recalls/drum%C2%AE":    "drum®",
		"https://a.example/recalls/toy%20drum":    "toy-drum",
		"/recalls/toy-drum#top":                   "toy-drum",
		"https://a.example/":                      "",
		"https://a.example/%zz":                   "",
	} {
		if got := agency.Slug(address); got != want {
			t.Errorf("Slug(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestWholePage(t *testing.T) {
	for page, want := range map[string]bool{
		"<html></HTML>\n<!-- served -->":               true,
		"<html><body>":                                 false,
		"</html>" + strings.Repeat("<p>more</p>", 200): false,
		"": false,
	} {
		if got := agency.WholePage([]byte(page)); got != want {
			t.Errorf("WholePage(%.30q) = %v, want %v", page, got, want)
		}
	}
}

func TestTurnGoesThroughAllParts(t *testing.T) {
	seen := map[int]int{}
	start := time.Date(2026, 11, 22, 6, 17, 0, 0, time.UTC)
	for hour := range 30 {
		seen[agency.Turn(start.Add(time.Duration(hour)*time.Hour), time.Hour, 10)]++
	}
	for part := range 10 {
		if seen[part] != 3 {
			t.Errorf("part %d had %d turns in three rounds", part, seen[part])
		}
	}
	if got := agency.Turn(start, time.Hour, 0); got != 0 {
		t.Errorf("of no parts, part %d has its turn", got)
	}
}

func TestPageLog(t *testing.T) {
	var log agency.PageLog
	if log.Has("x", "") {
		t.Error("a new log has a page")
	}
	log.Add("x", "a")
	if !log.Has("x", "a") || log.Has("x", "b") || log.Has("y", "a") {
		t.Error("the log has other pages or states than were added")
	}
}

func TestSplitShop(t *testing.T) {
	for title, want := range map[string][2]string{
		"Toy Drum":                              {"Toy Drum", ""},
		"Toy Drum – sold at Larkmere":           {"Toy Drum", "sold at Larkmere"},
		"Toy Drum, sold online by Larkmere":     {"Toy Drum", "sold online by Larkmere"},
		"Toy Drums that were sold through Temu": {"Toy Drums", "that were sold through Temu"},
		"Sold at Larkmere":                      {"Sold at Larkmere", ""},
		"Unsold Toy Drum":                       {"Unsold Toy Drum", ""},
	} {
		product, shop := agency.SplitShop(title)
		if diff := cmp.Diff(want, [2]string{product, shop}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", title, diff)
		}
	}
}

func TestModelsToBarcodes(t *testing.T) {
	codes := extract.Codes{Models: []string{"LZ-1902", "9399999100107", "9399999100108", "2000000000008", "96385074"}}
	agency.ModelsToBarcodes(&codes, "numbers")
	want := extract.Codes{
		Models: []string{"LZ-1902", "9399999100108", "96385074"},
		GTINs:  []recall.PrintedGTIN{{GTIN: "09399999100107", Printed: "9399999100107", From: "numbers"}},
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWiden(t *testing.T) {
	quote := recall.Quote{Text: "44-7731", Field: "numbers", Start: 0, End: 7}
	for name, test := range map[string]struct {
		codes extract.Codes
		want  []recall.Op
	}{
		"nothing limits the notice": {extract.Codes{}, nil},
		"models do":                 {extract.Codes{Models: []string{"LZ-1902"}}, []recall.Op{recall.OpAll, recall.OpUnreadable}},
		"units do":                  {extract.Codes{Units: []recall.Predicate{recall.Equals(4, recall.Lot, "A17", quote)}}, []recall.Op{recall.OpEquals, recall.OpUnreadable}},
	} {
		t.Run(name, func(t *testing.T) {
			agency.Widen(&test.codes, recall.Lot, quote)
			var got []recall.Op
			groups := map[int]bool{}
			for _, u := range test.codes.Units {
				got = append(got, u.Op)
				groups[u.Group] = true
			}
			if diff := cmp.Diff(test.want, got); diff != "" || len(groups) != len(got) {
				t.Errorf("in %d groups (-want +got):\n%s", len(groups), diff)
			}
		})
	}
}

func TestUnreadCode(t *testing.T) {
	codes := extract.Codes{Models: []string{"LZ-1902"}, GTINs: []recall.PrintedGTIN{{Printed: "9399999100107"}},
		Units: []recall.Predicate{recall.Equals(1, recall.Lot, "A17B", recall.Quote{Text: "Lot A17B", Field: "numbers", Start: 0, End: 8})}}
	for text, want := range map[string]string{
		"Lot A17B, LZ-1902, 9399999100107":            "",
		"sold from 11th April 2022 to 13/05/2026":     "",
		"120mm, 230V, 4.5kg, 12pcs, 9:30am":           "",
		"12 of them":                                  "",
		"Model LZ-1902\nOn the box: 44-7731 in black": "44-7731 in black",
		"LZ-1902, LZ-1903.\nmore":                     "LZ-1903.",
	} {
		quote, ok := agency.UnreadCode(codes, "numbers", text)
		if quote.Text != want || ok != (want != "") || ok && text[quote.Start:quote.End] != quote.Text {
			t.Errorf("of %q unread is %+v, want %q", text, quote, want)
		}
	}
}
