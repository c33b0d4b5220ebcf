package gtin

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseDigitalLinks(t *testing.T) {
	tests := []struct {
		name, code string
		want       Reading
	}{
		{"GTIN", "https://id.gs1.org/01/09501101530003", Reading{}},
		{"lot", "https://id.gs1.org/01/09501101530003/10/ABC", Reading{Lot: "ABC"}},
		{"variant, lot and serial", "https://id.gs1.org/01/09501101530003/22/2A/10/ABC/21/XYZ", Reading{Lot: "ABC", Serial: "XYZ"}},
		{"own domain and path, attributes", "https://brand.example/some/path/01/09501101530003/10/ABC/21/XYZ?17=261231&15=261200&11=260102",
			Reading{Lot: "ABC", Serial: "XYZ", Expiry: "2026-12-31", BestBefore: "2026-12", MadeOn: "2026-01-02"}},
		{"attributes among other parameters", "https://brand.example/01/09501101530003?utm_source=pack&17=261231&linkType=all", Reading{Expiry: "2026-12-31"}},
		{"semicolons", "https://brand.example/01/09501101530003?x=1;17=261231", Reading{Expiry: "2026-12-31"}},
		{"names of releases before 1.3", "https://brand.example/gtin/9501101530003/cpv/2A/lot/ABC/ser/XYZ?exp=261231", Reading{Lot: "ABC", Serial: "XYZ", Expiry: "2026-12-31"}},
		{"percent-encoded", "https://brand.example/01/09501101530003/10/A%2FB%2D1+2", Reading{Lot: "A/B-1+2"}},
		{"badly encoded", "https://brand.example/01/09501101530003/10/A%ZZ", Reading{Lot: "A%ZZ"}},
		{"capitals", "HTTPS://ID.GS1.ORG/01/09501101530003/10/ABC", Reading{Lot: "ABC"}},
		{"http, port and user", "http://u@brand.example:8080/01/09501101530003/10/ABC", Reading{Lot: "ABC"}},
		{"no scheme", "id.gs1.org/01/09501101530003/10/ABC", Reading{Lot: "ABC"}},
		{"slash and fragment at the end", "https://brand.example/01/09501101530003/10/ABC/#top", Reading{Lot: "ABC"}},
		{"page name behind the GTIN", "https://brand.example/01/09501101530003/rattle.html", Reading{}},
		{"01 in the brand's own path", "https://brand.example/01/toys/01/09501101530003/10/ABC", Reading{Lot: "ABC"}},
		{"another number in the brand's own path", "https://brand.example/01/09501101530004/x/01/09501101530003/10/ABC", Reading{Lot: "ABC"}},
		{"lot that looks like an AI", "https://brand.example/01/09501101530003/10/01/21/04006381333931", Reading{Lot: "01", Serial: "04006381333931"}},
		{"piece", "https://brand.example/8006/095011015300030102/10/ABC", Reading{Lot: "ABC"}},
		{"piece by its old name", "https://brand.example/itip/095011015300030102/lot/ABC", Reading{Lot: "ABC"}},
		{"keys in the query are none", "https://brand.example/01/09501101530003?01=04006381333931", Reading{}},
		{"two lots", "https://brand.example/01/09501101530003/10/A?10=B", Reading{}},
		{"control characters in the lot", "https://brand.example/01/09501101530003/10/A%00B", Reading{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.GTINs = []string{item}
			if diff := cmp.Diff(tt.want, mustParse(t, tt.code), cmpopts.IgnoreFields(Reading{}, "Rewrites")); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.code, diff)
			}
		})
	}
}

// TestEightDigitsInALinkAreGTIN8: a link holds GTINs, never a UPC-E.
func TestEightDigitsInALinkAreGTIN8(t *testing.T) {
	got := mustParse(t, "https://brand.example/01/01234565")
	if diff := cmp.Diff(Reading{GTINs: []string{"00000001234565"}}, got, cmpopts.IgnoreFields(Reading{}, "Rewrites")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
