package openfda_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/recall"
)

// marks writes a product's barcodes and what limits it on one line.
func marks(p recall.Product) string {
	var words []string
	for _, g := range p.GTINs {
		words = append(words, g.GTIN)
	}
	for _, u := range p.Units {
		word := string(u.Op)
		if u.From != nil {
			word = *u.From
		}
		words = append(words, string(u.Kind)+"="+word)
	}
	return strings.Join(words, " ")
}

func TestSeveralProductsOfOneReport(t *testing.T) {
	for name, test := range map[string]struct {
		description, codes string
		want               []string
	}{
		"each with its barcode, the lots are common": {"a.) Oat Snack UPC 012345678905 b.) Rye Snack UPC 036000291452", "Lots A101, A102",
			[]string{"00012345678905 lot=A101 lot=A102", "00036000291452 lot=A101 lot=A102"}},
		"each with its barcode and lot": {"1) Oat Snack UPC 012345678905 2) Rye Snack UPC 036000291452", "1) Lot A101 2) Lot A102",
			[]string{"00012345678905 lot=A101", "00036000291452 lot=A102"}},
		"lots enumerated closely behind one label": {"a) Oat Snack b) Rye Snack", "Lots:a) 24356, 25003; b)25010",
			[]string{"lot=24356 lot=25003", "lot=25010"}},
		"one barcode for both: no telling whose lots they are": {"1) Oat Snack 2) Rye Snack UPC 036000291452", "1) Lot A101 2) Lot A102",
			[]string{"00036000291452 lot=A101 lot=A102", "00036000291452 lot=A101 lot=A102"}},
		"one without a lot: the other's limits nothing": {"1) Oat Snack 2) Rye Snack", "1) Lot A101 2) see letter",
			[]string{"lot=A101 lot=unreadable", "lot=A101 lot=unreadable"}},
		"fewer lists than products": {"1) Oat Snack 2) Rye Snack 3) Wheat Snack", "1) Lot A101 2) Lot A102",
			[]string{"lot=A101 lot=A102", "lot=A101 lot=A102", "lot=A101 lot=A102"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range one(t, map[string]string{"product_description": test.description, "code_info": test.codes}).Notice.Products {
				got = append(got, marks(p))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestQuotesOfOneProductStandWhereTheyStandInTheField(t *testing.T) {
	codes := "Lots: a) 24356, 25003; b) 25010"
	for _, p := range one(t, map[string]string{"product_description": "a) Oat Snack b) Rye Snack", "code_info": codes}).Notice.Products {
		for _, u := range p.Units {
			if got := codes[u.Quote.Start:u.Quote.End]; got != u.Quote.Text {
				t.Errorf("%s: quote %q stands at %q", p.Name, u.Quote.Text, got)
			}
		}
	}
}
