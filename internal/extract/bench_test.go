package extract_test

import (
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/extract"
)

// notice is of the length and density of a long consumer-product notice.
var notice = []extract.Field{
	{Name: "title", Text: "Lumo Recalls Infant Swings Due to Suffocation Hazard; Sold Exclusively at Brightmart"},
	{Name: "products", Text: "Lumo CloudRest infant swings"},
	{Name: "description", Text: strings.Repeat("This recall involves Lumo CloudRest infant swings with model numbers QX-831, QX-832 and QX-840. "+
		"The swings were sold in grey and blue and measure about 25 inches in length. ", 5) +
		"Only swings with lot codes K8-1201 through K8-1388 manufactured between April 1, 2024, and August 20, 2024 are included in this recall. " +
		"The manufacture date is listed in YYYYMMDD format on a label under the seat. UPC 0 12345 67890 5 is printed on the packaging. " +
		strings.Repeat("They come with a canopy, a remote control and a cable, weigh 12 pounds and were sold for about $90. ", 4)},
}

func BenchmarkRead(b *testing.B) {
	size := 0
	for _, f := range notice {
		size += len(f.Text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		extract.Read(notice, extract.Options{})
	}
}

func BenchmarkHazards(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		extract.Hazards("The swings can incline past 10 degrees, posing a suffocation hazard, and the straps can entrap and strangle a child.")
	}
}
