package extract_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// fragments are what notices are made of; any order of them is a text.
var fragments = []string{
	"lot", "Lots", "lot numbers", "serial number", "S/N", "model", "Model No.", "UPC", "best by", "EXP", "manufactured", "sold", "date codes", "batch", "all",
	"between", "and", "through", "to", "from", "–", "-", ",", ";", ".", ":", "#", "(", ")", "“", "”", "\"", "beginning with", "ending in", "except", "only",
	"are not included", "in this recall", "the following", "YYYYMMDD", "format", "printed on the label", "located", "\n", "  ", "é", "\xff", "‑", "…", "is", "range",
	"A12", "K8-1201", "1234", "1300", "0 12345 67890 5", "012345678905", "71059511812", "2313", "031924", "20240401", "05/24", "01/26/2029", "26JAN2029",
	"March 2024", "June 3, 2023", "2019", "$30", "12 inches", "QX70CFA", "SW190035551", "2312xx", "AP 1700", "prior to", "on or after", "and all prior",
}

func drawText(t *rapid.T) string {
	if rapid.Bool().Draw(t, "arbitrary") {
		return rapid.String().Draw(t, "text")
	}
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 0, 40).Draw(t, "words"), rapid.SampledFrom([]string{" ", ""}).Draw(t, "between"))
}

// checkCodes holds what every reading must satisfy, whatever the text.
func checkCodes(t interface {
	Helper()
	Errorf(string, ...any)
}, fields []extract.Field, codes extract.Codes) {
	t.Helper()
	text := map[string]string{}
	for _, f := range fields {
		text[f.Name] = f.Text
	}
	group := 0
	for _, p := range codes.Units {
		if p.Group != group && p.Group != group+1 {
			t.Errorf("group %d follows group %d", p.Group, group)
		}
		group = p.Group
		q := p.Quote
		if source, ok := text[q.Field]; !ok || q.Start < 0 || q.Start > q.End || q.End > len(source) || source[q.Start:q.End] != q.Text {
			t.Errorf("quote %q is not %s[%d:%d]", q.Text, q.Field, q.Start, q.End)
		}
		if p.Models == nil {
			t.Errorf("nil models in %+v", p)
		}
		checkBounds(t, p)
	}
	if group == 0 && len(codes.Units) > 0 {
		t.Errorf("groups start at 0")
	}
	for _, g := range codes.GTINs {
		if len(g.GTIN) != 14 || !gtin.Valid(g.GTIN) || !strings.Contains(text[g.From], g.Printed) {
			t.Errorf("barcode %+v is not valid or not printed", g)
		}
	}
	for i, m := range codes.Models {
		if m == "" || slices.Contains(codes.Models[:i], m) {
			t.Errorf("model %q is empty or doubled", m)
		}
	}
}

func checkBounds(t interface {
	Helper()
	Errorf(string, ...any)
}, p recall.Predicate) {
	t.Helper()
	date := p.Kind == recall.Made || p.Kind == recall.Sold || p.Kind == recall.BestBefore || p.Kind == recall.Expiry
	switch p.Op {
	case recall.OpRange:
		if p.From == nil && p.To == nil {
			t.Errorf("range without ends: %+v", p)
		}
		// A whole period may end in the one that it starts in: 2024-03-05 to 2024-03.
		if date && p.From != nil && p.To != nil && *p.From > *p.To && !strings.HasPrefix(*p.From, *p.To) {
			t.Errorf("range runs backwards: %s to %s", *p.From, *p.To)
		}
	case recall.OpEquals:
		if p.From == nil || p.To == nil || *p.From != *p.To || *p.From == "" {
			t.Errorf("equals without its value: %+v", p)
		}
	case recall.OpPrefix, recall.OpSuffix:
		if p.From == nil || *p.From == "" || p.To != nil {
			t.Errorf("affix without its text: %+v", p)
		}
	case recall.OpAll, recall.OpUnreadable:
		if p.From != nil || p.To != nil {
			t.Errorf("%s with bounds: %+v", p.Op, p)
		}
	default:
		t.Errorf("unknown operator %q", p.Op)
	}
	if p.Except && p.Op == recall.OpUnreadable {
		t.Errorf("what was not understood takes units out: %+v", p)
	}
}

func TestReadHoldsItsPromisesOnAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := []extract.Field{{Name: "title", Text: drawText(t)}, {Name: "description", Text: drawText(t)}, {Name: "code_info", Text: drawText(t)}}
		opts := extract.Options{Language: rapid.SampledFrom([]string{"", "en", "fr"}).Draw(t, "language"), Cut: rapid.Bool().Draw(t, "cut")}
		checkCodes(t, fields, extract.Read(fields, opts))
	})
}

func TestReadIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := []extract.Field{{Name: "description", Text: drawText(t)}}
		first, second := extract.Read(fields, extract.Options{}), extract.Read(fields, extract.Options{})
		if !slices.Equal(units(first), units(second)) || !slices.Equal(first.Models, second.Models) {
			t.Errorf("read twice: %v, %v", units(first), units(second))
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"Lot Code 0071126U00911 Best By date: 01/26/2029",
		"Model Description Serial No. Range TQ21044BEN LUMO MOWER 48 3014835626 to 3015507481",
		"manufactured between April 1, 2024, and August 20, 2024 in YYYYMMDD format",
		"UPC 0 12345 67890 5, serial numbers beginning with ‘K8’ …",
	} {
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, cut bool) {
		for _, name := range []string{"description", "code_info"} {
			fields := []extract.Field{{Name: name, Text: text}}
			checkCodes(t, fields, extract.Read(fields, extract.Options{Cut: cut}))
		}
		extract.Hazards(text)
		extract.Remedies(text)
		extract.AudienceOf(text)
		extract.Categories(text)
		extract.BrandFromTitle(text, text)
		extract.Incidents(text)
		extract.UnitCounts(text, "US")
		if extract.HasCutEnd(text) && !strings.ContainsAny(text, "….") {
			t.Errorf("%q is said to be cut off", text)
		}
	})
}
