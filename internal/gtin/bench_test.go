package gtin

import "testing"

func BenchmarkParse(b *testing.B) {
	for _, bb := range []struct{ name, code string }{
		{"upc-a", "041220787340"},
		{"ean-13", "4006381333931"},
		{"upc-e", "04252614"},
		{"spaced", "0 41220 78734 0"},
		{"labelled", "UPC: 0 41220 78734 0"},
		{"elements", "]C1010950110153000310AB123\x1d17261231"},
		{"link", "https://id.gs1.org/01/09501101530003/10/ABC?17=261231"},
		{"misread", "041220787341"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := Parse(bb.code)
				if (err != nil) != (bb.name == "misread") {
					b.Fatal(err)
				}
			}
		})
	}
}
