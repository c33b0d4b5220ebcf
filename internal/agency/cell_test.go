package agency_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// told writes groups of predicates down, one line each.
func told(groups [][]recall.Predicate) []string {
	var out []string
	for _, g := range groups {
		var parts []string
		for _, p := range g {
			bound := ""
			if p.From != nil {
				bound = " " + *p.From
			}
			if p.Op == recall.OpRange {
				bound += ".."
				if p.To != nil {
					bound += *p.To
				}
			}
			parts = append(parts, fmt.Sprintf("%s %s%s", p.Kind, p.Op, bound))
		}
		out = append(out, strings.Join(parts, " + "))
	}
	return out
}

func TestCellCodes(t *testing.T) {
	for text, want := range map[string][]string{
		"70101, 70102 and AB 12/3":       {"batch equals 70101", "batch equals 70102", "batch equals AB 12/3"},
		"70101; 70102 (All batches)":     {"batch equals 70101", "batch equals 70102", "batch all"},
		"L2401":                          {"batch equals L2401"},
		"24-13":                          {"batch equals 24-13"},
		"All":                            {"batch all"},
		"all batch codes":                {"batch all"},
		"Any lot number.":                {"batch all"},
		"Unknown":                        nil,
		"Not provided":                   nil,
		"N/A":                            nil,
		"":                               nil,
		"Batch numbers 1001 to 1050":     {"batch range 1001..1050"},
		"70101 (printed on the base)":    {"batch equals 70101"},
		"70101, 70102 and others":        {"batch equals 70101", "batch equals 70102", "batch unreadable"},
		"70101 etc.":                     {"batch equals 70101", "batch unreadable"},
		"70101, see lid, 70103":          {"batch equals 70101", "batch unreadable", "batch equals 70103"},
		"70101, see lid 9 of 12":         {"batch equals 70101", "batch unreadable"},
		"various":                        {"batch unreadable"},
		"See the label":                  {"batch unreadable"},
		"Production week 12 of the year": {"batch unreadable"},
	} {
		got := told(agency.Cell{Field: "Batches", Text: text}.Codes(recall.Batch))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestCellDates(t *testing.T) {
	for text, want := range map[string][]string{
		"31 October 2026":                           {"best_before equals 2026-10-31"},
		"Thursday 1st October 2026":                 {"best_before equals 2026-10-01"},
		"01/02/2027, 2 Mar 27":                      {"best_before equals 2027-02-01", "best_before equals 2027-03-02"},
		"05.06.26":                                  {"best_before equals 2026-06-05"},
		"March 2027 and 04/2027":                    {"best_before equals 2027-03", "best_before equals 2027-04"},
		"up to 31 January 2027":                     {"best_before range..2027-01-31"},
		"13/01/2027 to 20/01/2027":                  {"best_before range 2027-01-13..2027-01-20"},
		"from 01/02/2027 to 05/02/2027":             {"best_before unreadable"},
		"all dates up to and including 30 May 2027": {"best_before range..2027-05-30"},
		"All dates":                                 {"best_before all"},
		"all best before dates":                     {"best_before all"},
		"not applicable":                            nil,
		"see lid":                                   {"best_before unreadable"},
	} {
		if diff := cmp.Diff(want, told(agency.Cell{Field: "bestBefore", Text: text, Language: "en-GB"}.Dates(recall.BestBefore))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestCellExpiryIsNoBestBefore(t *testing.T) {
	if got := told(agency.Cell{Text: "up to 31 January 2027"}.Dates(recall.Expiry)); !cmp.Equal(got, []string{"expiry range..2027-01-31"}) {
		t.Errorf("%v", got)
	}
}

func TestCellDatesKeepTheAmericanOrder(t *testing.T) {
	if got := told(agency.Cell{Text: "01/02/2027", Language: "en"}.Dates(recall.BestBefore)); !cmp.Equal(got, []string{"best_before equals 2027-01-02"}) {
		t.Errorf("%v", got)
	}
}

func TestCellBarcodes(t *testing.T) {
	for text, want := range map[string][]string{
		"5000000000011":                        nil, // a wrong check digit
		"4006381333931, 036000291452":          {"04006381333931", "00036000291452"},
		"4 006381 333931 (pink)":               {"04006381333931"},
		"EAN 4006381333931; item number 12345": {"04006381333931"},
		"2000000000008":                        nil, // a shop's own number
		"Not known":                            nil,
	} {
		var got []string
		for _, g := range (agency.Cell{Field: "Barcode", Text: text}).Barcodes() {
			if g.From != "Barcode" {
				t.Errorf("%q comes from %q", text, g.From)
			}
			got = append(got, g.GTIN)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestCellModels(t *testing.T) {
	for text, test := range map[string]struct {
		want []string
		open bool
	}{
		"ZX-100, ZX-200 and Twirl 3":  {want: []string{"ZX-100", "ZX-200", "Twirl 3"}},
		"ZX-100; ZX-100":              {want: []string{"ZX-100"}},
		"All models":                  {},
		"Unknown":                     {},
		"ZX-100, ZX-200 and others":   {want: []string{"ZX-100", "ZX-200"}, open: true},
		"ZX-100 (red), ZX-200 (blue)": {want: []string{"ZX-100", "ZX-200"}, open: true},
	} {
		got, open := agency.Cell{Field: "Model", Text: text}.Models()
		if diff := cmp.Diff(test.want, got); diff != "" || open != test.open {
			t.Errorf("%q: open %v, want %v (-want +got):\n%s", text, open, test.open, diff)
		}
	}
}

// What a cell says never gets lost: it is read, or says that there is nothing,
// or leaves what can't exclude a unit. Quotes are the cell's very words.
func TestCellsAreNeverForgotten(t *testing.T) {
	words := []string{"70101", "AB-12", "and", ",", ";", "(All batches)", "(red)", "to", "etc.", "1 May 2026", "01/02/2026", "batch", "unknown", "all", "up to", "\n", "é", "-", "24/7", "various"}
	rapid.Check(t, func(t *rapid.T) {
		text := agency.Clean(strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 8).Draw(t, "words"), " "))
		c := agency.Cell{Field: "f", Text: text, Language: "en-GB"}
		for _, groups := range [][][]recall.Predicate{c.Codes(recall.Lot), c.Dates(recall.Expiry)} {
			if len(groups) == 0 && strings.Contains(text, "70101") {
				t.Fatalf("%q says nothing", text)
			}
			n := recall.Notice{ID: "a:1", Agency: "a", Title: "t", PublishedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
				Products: []recall.Product{{Units: agency.NumberGroups(groups)}}}
			if err := recall.Lint(&n, n.PublishedAt); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			for _, p := range agency.NumberGroups(groups) {
				if q := p.Quote; q.Text != text[q.Start:q.End] || q.Text == "" {
					t.Fatalf("%q: quote %+v", text, q)
				}
			}
		}
	})
}
