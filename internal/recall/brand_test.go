package recall

import (
	"testing"

	"pgregory.net/rapid"
)

// What is settled without splitting texts into words must be what the words say.
func TestOtherBrandAgreesWithItsWords(t *testing.T) {
	piece := rapid.SampledFrom([]string{"Zorbino", "zorbinos", "Zorb ino", "Zor-Bino", "Plumova", "Plumóva", "O'Zorbi", "OZorbi", "R.K.Z.T.V", "RKZTV", "R K Z T V", "R-K-Z-T-V", "Orlo",
		"and", "Finn’s", "Finns", "Trading", "International", "Apple", "stroller", "Stroller", "X4", "Amazon"})
	text := func(t *rapid.T, name string, most int) string {
		s := ""
		for _, p := range rapid.SliceOfN(piece, 0, most).Draw(t, name) {
			s += p + " "
		}
		return s
	}
	rapid.Check(t, func(t *rapid.T) {
		p := &Product{Brand: text(t, "brand", 2), Name: text(t, "name", 3), Models: []string{text(t, "model", 1)}}
		q, err := Read(Unit{Brand: text(t, "asked", 2), Name: text(t, "asked name", 2), Lot: "1"})
		if err != nil {
			t.Fatal(err)
		}
		title := &titleWords{title: text(t, "title", 3)}
		w := &productWords{brand: Tokens(p.Brand)}
		if !q.otherBrand(p, w, title) {
			return
		}
		if w.readBrand(p, title); q.brandOf(w) != brandDisagrees {
			t.Fatalf("brand %q of %+v, title %q: another brand, but its words say %d", q.Unit.Brand, p, title.title, q.brandOf(w))
		}
	})
}
