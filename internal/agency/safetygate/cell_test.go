package safetygate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

func cell(text string) agency.Cell { return agency.Cell{Field: "f", Text: text} }

// written writes groups of predicates in short: "batch=A1", "made 2019-01-01..2019-02-01".
func written(groups [][]recall.Predicate) []string {
	var out []string
	for _, group := range groups {
		var parts []string
		for _, p := range group {
			bound := func(b *string) string {
				if b == nil {
					return ""
				}
				return *b
			}
			switch p.Op {
			case recall.OpEquals:
				parts = append(parts, fmt.Sprintf("%s=%s", p.Kind, bound(p.From)))
			case recall.OpRange:
				parts = append(parts, fmt.Sprintf("%s %s..%s", p.Kind, bound(p.From), bound(p.To)))
			default:
				parts = append(parts, fmt.Sprintf("%s %s", p.Kind, p.Op))
			}
		}
		out = append(out, strings.Join(parts, " & "))
	}
	return out
}

func TestReadBatches(t *testing.T) {
	for text, want := range map[string][]string{
		"25-D0069":                          {"batch=25-D0069"},
		"L2405, L2406; L2407 and L2408":     {"batch=L2405", "batch=L2406", "batch=L2407", "batch=L2408"},
		"Batch no.: A1234":                  {"batch=A1234"},
		"All batches":                       {"batch all"},
		"all":                               {"batch all"},
		"Unknown":                           nil,
		"-":                                 nil,
		"":                                  nil,
		"nincs":                             nil,
		"Various":                           {"batch unreadable"},
		"XYZ":                               {"batch unreadable"},
		"PO 12345":                          {"batch unreadable"},
		"WA123 and others":                  {"batch=WA123", "batch unreadable"},
		"HD25032 etc.":                      {"batch unreadable"},
		"from 100020 to 100040":             {"batch 100020..100040"},
		"1001-1005":                         {"batch=1001-1005", "batch 1001..1005"},
		"A10 - B7":                          {"batch unreadable"},
		"33019/33020":                       {"batch=33019/33020", "batch=33019", "batch=33020"},
		"33019/20":                          {"batch=33019/20", "batch unreadable"},
		"123/24":                            {"batch=123/24"},
		"08/2023":                           {"batch=08/2023", "batch unreadable"},
		"2024":                              {"batch=2024", "batch unreadable"},
		"20.01.2025":                        {"batch=20.01.2025", "batch unreadable"},
		"20240501":                          {"batch=20240501", "batch unreadable"},
		"09.11.1998 - 19.12.2003":           {"made 1998-11-09..2003-12-19", "batch unreadable"},
		"Batch: 123/24 EXP 05/2026":         {"batch=123/24 & expiry=2026-05"},
		"Lot 7711A (on the package)":        {"lot=7711A"},
		"L1\nL2":                            {"batch=L1", "batch=L2"},
		"S/N 000100-000999":                 {"batch unreadable"},
		"Serial number: 7710042":            {"serial=7710042"},
		"week 12 of 2024":                   {"batch unreadable"},
		"see the list on the website":       {"batch unreadable"},
		"5501, 5502, several other batches": {"batch=5501", "batch=5502", "batch unreadable"},
	} {
		t.Run(text, func(t *testing.T) {
			groups := readBatches(cell(text), false)
			if diff := cmp.Diff(want, written(groups)); diff != "" {
				t.Error(diff)
			}
			for _, group := range groups {
				for _, p := range group {
					if p.Quote.Field != "f" || text[p.Quote.Start:p.Quote.End] != p.Quote.Text {
						t.Errorf("the quote %+v is not the cell's words", p.Quote)
					}
				}
			}
		})
	}
}

func TestVehiclesGiveTheirProductionAsBatches(t *testing.T) {
	got := written(readBatches(cell("09.11.1998 - 19.12.2003"), true))
	if diff := cmp.Diff([]string{"made 1998-11-09..2003-12-19"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDatesOfProductionAreDayFirst(t *testing.T) {
	for text, want := range map[string][]string{
		"8.12.2007 to 26.7.2013":    {"made 2007-12-08..2013-07-26"},
		"01/02/2018 - 03/04/2018":   {"made 2018-02-01..2018-04-03"},
		"Unknown":                   nil,
		"05/2023 - 07/2023":         {"made 2023-05..2023-07"},
		"when the factory was open": {"made unreadable"},
	} {
		t.Run(text, func(t *testing.T) {
			if diff := cmp.Diff(want, written(producedIn(cell(text)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadModels(t *testing.T) {
	for text, want := range map[string]struct {
		names  []string
		open   bool
		gtins  int
		others []string
	}{
		"7389-1":                         {names: []string{"7389-1"}},
		"PD-4410, PD-4411 and PD-4412":   {names: []string{"PD-4410", "PD-4411", "PD-4412"}},
		"Item No.: 4410; Art. no. 4411":  {names: []string{"4410", "4411"}},
		"Model: Happy Bear":              {names: []string{"Happy Bear"}},
		"QT-88 (HX-99)":                  {names: []string{"HX-99", "QT-88"}},
		"QT-88 (blue)":                   {names: []string{"QT-88"}},
		"AB123/AB124":                    {names: []string{"AB123", "AB124"}},
		"X100/2":                         {names: []string{"X100/2", "X100"}},
		"Unknown":                        {},
		"sans marque":                    {},
		"All models":                     {},
		"Various":                        {open: true},
		"AB123 etc.":                     {names: []string{"AB123"}, open: true},
		"AB100 - AB200":                  {open: true},
		"Size 80":                        {open: true},
		"e1*98/14*0028*, e9*98/14*0022*": {others: []string{"e1*98/14*0028", "e9*98/14*0022"}},
		"ASIN: B0ABCDEF12, B0ABCDEF13":   {others: []string{"B0ABCDEF12", "B0ABCDEF13"}},
		"EAN 4000001000012":              {gtins: 1},
		"BD-1, 4000001000012":            {names: []string{"BD-1"}, gtins: 1},
		"the number is printed on the package of each of the figures": {open: true},
	} {
		t.Run(text, func(t *testing.T) {
			got := readModels(cell(text))
			if diff := cmp.Diff(want.names, got.names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.others, got.others); diff != "" {
				t.Errorf("others (-want +got):\n%s", diff)
			}
			if got.open != want.open || len(got.gtins) != want.gtins {
				t.Errorf("open %t with %d barcodes, want %t with %d", got.open, len(got.gtins), want.open, want.gtins)
			}
		})
	}
}

func TestReadBarcodes(t *testing.T) {
	for text, want := range map[string]struct{ gtins, others []string }{
		"4000001000012":                           {gtins: []string{"04000001000012"}},
		"4000001000012; 4000001000029":            {gtins: []string{"04000001000012", "04000001000029"}},
		"4000001000012,4000001000029":             {gtins: []string{"04000001000012", "04000001000029"}},
		"4000001000012 4000001000029":             {gtins: []string{"04000001000012", "04000001000029"}},
		"4000001000012/4000001000029":             {gtins: []string{"04000001000012", "04000001000029"}},
		"4 000001 000012":                         {gtins: []string{"04000001000012"}},
		"EAN: 4000001000012 (red), 4000001000029": {gtins: []string{"04000001000012", "04000001000029"}},
		"4000001000012.0":                         {gtins: []string{"04000001000012"}},
		"EAN-13 4000001000012":                    {gtins: []string{"04000001000012"}},
		"40000010":                                {others: []string{"40000010"}},
		"BCD99042500206593; S99061300040000101":   {others: []string{"BCD99042500206593", "S99061300040000101"}},
		"4000001000013":                           {others: []string{"4000001000013"}},
		"2000000000015":                           {others: []string{"2000000000015"}},
		"0032800300":                              {others: []string{"0032800300"}},
		"Unknown":                                 {},
		"No barcode":                              {},
		"-":                                       {},
		"4000001000012; unknown":                  {gtins: []string{"04000001000012"}},
		"on the pack: see below":                  {others: []string{"see below"}},
	} {
		t.Run(text, func(t *testing.T) {
			found, others := readBarcodes(cell(text))
			var gtins []string
			for _, g := range found {
				gtins = append(gtins, g.GTIN)
				if !strings.Contains(text, g.Printed) || g.From != "f" {
					t.Errorf("%+v is not as printed", g)
				}
			}
			if diff := cmp.Diff(want.gtins, gtins, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("barcodes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.others, others, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("others (-want +got):\n%s", diff)
			}
		})
	}
}

// A digit of twelve was lost: both readings are kept, and neither proves anything.
func TestElevenDigitsAreTwoReadings(t *testing.T) {
	found, _ := readBarcodes(cell("76025838621"))
	if len(found) == 0 {
		t.Fatal("no reading")
	}
	for _, g := range found {
		if !g.Possible() {
			t.Errorf("%+v counts as printed in full", g)
		}
	}
}

// Whatever a cell of batches holds, its words are either read or said to be unread.
func TestNoBatchIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codes := rapid.SliceOfN(rapid.StringMatching(`[A-Z]{1,3}[0-9]{3,6}`), 1, 6).Draw(t, "codes")
		separator := rapid.SampledFrom([]string{", ", "; ", "\n", " and ", " & ", ","}).Draw(t, "separator")
		text := strings.Join(codes, separator)
		said := written(readBatches(cell(text), false))
		for _, code := range codes {
			found := false
			for _, s := range said {
				found = found || s == "batch="+code || strings.HasSuffix(s, "unreadable")
			}
			if !found {
				t.Fatalf("%q of %q is in none of %v", code, text, said)
			}
		}
	})
}
