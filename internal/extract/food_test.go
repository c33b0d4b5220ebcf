package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
)

func TestNumbersOfAFood(t *testing.T) {
	for _, test := range []struct {
		name, text string
		units      []string
		models     []string
		trade      []string
		gtins      []string
	}{
		{name: "an item number beside a lot is no model", text: "Item # 88123, Lot 4417A", units: []string{"1 lot equals 4417A"}, trade: []string{"88123"}},
		{name: "a product code beside a lot", text: "Product Code: K8143, Lot #: QM22F23", units: []string{"1 lot equals QM22F23"}, trade: []string{"K8143"}},
		{name: "a product code alone is a production code", text: `cans bearing the identifying product code "U5" on the bottom of the can`,
			units: []string{"1 date_code equals U5"}},
		{name: "a product code with its dates", text: "product code 91203 and best before dates of 04/13/2027 and 04/18/2027",
			units: []string{"1 date_code equals 91203", "1 best_before equals 2027-04-13", "2 date_code equals 91203", "2 best_before equals 2027-04-18"}, trade: nil},
		{name: "a case code alone is a production code", text: "with a case code of QCE03060A and an expiration date of 02/29/2028",
			units: []string{"1 date_code equals QCE03060A", "1 expiry equals 2028-02-29"}},
		{name: "a case code beside a lot code", text: "with a lot code of 72487338, a case code of 09080/43303",
			units: []string{"1 lot equals 72487338"}, trade: []string{"09080/43303"}},
		{name: "a lot and a date far apart in one line", text: "with a lot code “Q2121”, product code “QHC8T UPY” on the bottom of the big round can, and a best by date of Dec. 21, 2027",
			units: []string{"1 lot equals Q2121", "1 best_before equals 2027-12-21"}, trade: []string{"QHC8T UPY", "QHC8T"}},
		{name: "product codes in parts are not understood", text: "Product Codes 307 2263 through 307 2274", units: []string{"1 date_code unreadable"}},
		{name: "a product code that is a barcode", text: "product code 012345678905 and best by 04/13/2027",
			units: []string{"1 best_before equals 2027-04-13"}, gtins: []string{"00012345678905"}},
		{name: "a SKU that is a barcode", text: "SKU 012345678905, best by 04/13/2027",
			units: []string{"1 best_before equals 2027-04-13"}, gtins: []string{"00012345678905"}, trade: []string{"012345678905"}},
		{name: "nothing but an item number", text: "Item # 88123", units: []string{}, models: []string{"88123"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := extract.Read([]extract.Field{{Name: "description", Text: test.text}}, extract.Options{Food: true})
			var gtins []string
			for _, g := range got.GTINs {
				gtins = append(gtins, g.GTIN)
			}
			if diff := cmp.Diff([]any{test.units, test.models, test.trade, test.gtins}, []any{units(got), got.Models, got.TradeNumbers, gtins}); diff != "" {
				t.Errorf("units, models, trade numbers, barcodes (-want +got):\n%s", diff)
			}
		})
	}
}
