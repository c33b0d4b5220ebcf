package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGTINsAnywhereInATextThatAnnouncesThem(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // as printed
	}{
		{"captions between label and digits", "UPC Codes: Single Tin: 8 12345 00001 6; Club 2PK: 00812345000023; Sample pouch: 812345000030",
			[]string{"8 12345 00001 6", "00812345000023", "812345000030"}},
		{"remark in brackets", "UPC (for U.S. product): 812345000016", []string{"812345000016"}},
		{"size behind the label", "UPC for QUART: 812345000016, UPC for PINT: 812345000023", []string{"812345000016", "812345000023"}},
		{"another number's name", "UPC: QVSD 4006381333931", []string{"4006381333931"}},
		{"place behind the label", "UPC on jar: 8 12345 00001 6", []string{"8 12345 00001 6"}},
		{"in two groups", "UPC for the small bag is 812345 000016", []string{"812345 000016"}},
		{"GTIN-14 in groups", "case UPC (24 ct) 1 08 12345 00001 3", []string{"1 08 12345 00001 3"}},
		{"cell between letters", "Product and ColorModel NumberUPC CodeBlue WhaleQF156-MT812345000016Pink WhaleQF156-LI812345000023",
			[]string{"812345000016", "812345000023"}},
		{"cells glued at both ends of dashes", "Model/Item #UPCDescriptionQRX1138-12345-00001-6Kit AQRX1158-12345-00002-34 Wheel Kit",
			[]string{"8-12345-00001-6", "8-12345-00002-3"}},
		{"model in front, word behind", "Cube SetsModelUPCBold, 24 Cubes1000199812345000016Bold, 27 Cubes1000243812345000023Glitter",
			[]string{"812345000016", "812345000023"}},
		{"next row's item behind", "Item #DescriptionUPC25069Gem Set81234500001625070Star Set81234500002325071Moon Set812345000030",
			[]string{"812345000016", "812345000023", "812345000030"}},
		{"barcodes of both kinds in a row", "EAN codes 4006381333931 and 4006381333931812345000016",
			[]string{"4006381333931", "812345000016"}},
		{"of two readings the company that the text names", "UPC 812345000016 and table 812345000023909090123456, 909090123456812345000030",
			[]string{"812345000016", "812345000023", "909090123456", "812345000030"}},
		{"misprints", "UPC codes: tin 812345000017, jar 8 12345 00002 4, box 71234500001, sack 1234567890123", nil},
		{"shop-internal and coupon", "UPC by weight 212345678901, coupon 512345000000", nil},
		{"a telephone number and a date", "The UPC is on the box. Call 1-800-555-0123 by 01 12 2026 10 30.", nil},
		{"serial numbers", "The UPC is on the box. Serial numbers 012345678905 through 012345678912 are included.", nil},
		{"barcodes that are not recalled", "UPC 812345000016 is recalled. Cans with UPC 812345000023 are not affected.", []string{"812345000016"}},
		{"words that hold a label's letters", "OCEAN UPCOMING and UPCYCLED sets 812345000016", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, g := range read("description", tt.text).GTINs {
				got = append(got, g.Printed)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}
