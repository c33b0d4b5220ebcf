package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
)

func TestRecordsInFieldsOfCodes(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"two pairs are the ends of a window", "Julian Date 190 Best By: 8/22/2027 through Julian Date 260 Best By: 10/31/2027", []string{
			"1 date_code range [190..260]", "1 best_before range [2027-08-22..2027-10-31]"}},
		{"a first date that is misprinted leaves it open", "Julian Date 190 Best By: 8/22/207 through Julian Date 260 Best By: 10/31/2027", []string{
			"1 date_code range [190..260]", "1 best_before range [..2027-10-31]"}},
		{"a date that explains a code", "MFG Code 761511, 775511. 761511 = cut on 9/18/2027 775511 = cut on 10/2/2027", []string{
			"1 date_code equals 761511", "2 date_code equals 775511",
			"3 date_code equals 761511", "3 made equals 2027-09-18", "4 date_code equals 775511", "4 made equals 2027-10-02"}},
		{"each record has its own dates", "Made on 5/27/2027 Batch Code 270527B Sell by 2/21/2028 Made on 6/10/2027 Batch Code 270610B Sell by 3/7/2028", []string{
			"1 made equals 2027-05-27", "1 batch equals 270527B", "1 best_before equals 2028-02-21",
			"2 made equals 2027-06-10", "2 batch equals 270610B", "2 best_before equals 2028-03-07"}},
		{"one window for all lots", "Lot A101, Lot A102, made on 5/27/2027", []string{
			"1 lot equals A101", "1 made equals 2027-05-27", "2 lot equals A102", "2 made equals 2027-05-27"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, units(read("code_info", test.text))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestBarcodesOnAFoodWithoutALabel(t *testing.T) {
	for text, want := range map[string]int{
		"Oat Snack Pack 20oz 012345678905": 1,
		"Oat Snack Pack 20oz 012345678904": 0, // fails its check digit
		"Oat Snack, lot 012345678905":      0,
	} {
		got := extract.Read([]extract.Field{{Name: "product_description", Text: text}}, extract.Options{Food: true})
		if len(got.GTINs) != want {
			t.Errorf("%q: barcodes %v, want %d", text, got.GTINs, want)
		}
	}
	if got := extract.Read([]extract.Field{{Name: "description", Text: "Lumo cot 012345678905"}}, extract.Options{}); len(got.GTINs) > 0 {
		t.Errorf("no food: barcodes %v, want none", got.GTINs)
	}
}
