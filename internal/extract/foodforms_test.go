package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormsOfFoodNotices(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"dashes between more than two are a list", "Lot Codes - 40812QF2 - 70812QF2 - 70813QF2", []string{
			"1 lot equals 40812QF2", "2 lot equals 70812QF2", "3 lot equals 70813QF2"}},
		{"one dash is a range", "Lot Codes 40812 - 40819", []string{"1 lot range [40812..40819]"}},
		{"dates that span", "Use-By dates span March 16, 2027 - February 11, 2028", []string{"1 best_before range [2027-03-16..2028-02-11]"}},
		{"years of two digits behind a comma", "Pack Dates: Jan 16, 26 - Jan 30, 26 Sell by Dates: Jan 19, 26 - Feb 2, 26", []string{
			"1 best_before range [2026-01-19..2026-02-02]", "1 made range [2026-01-16..2026-01-30]"}},
		{"two days of a month", "Sell by Jan. 10-13, 2027", []string{"1 best_before range [2027-01-10..2027-01-13]"}},
		{"places left open in front", "Lot ###14", []string{"1 lot suffix 14"}},
		{"days behind a comma", "Enjoy By Oct. 28, 30 in 2027", []string{"1 best_before unreadable"}},
		{"a year in front of a month's name", "BB: 2028-Oct-29", []string{"1 best_before equals 2028-10-29"}},
		{"a month and a year in figures", "EXP 07 2027", []string{"1 expiry equals 2027-07"}},
		{"six figures", "Use By 110426", []string{"1 best_before equals 2026-11-04"}},
		{"six figures that begin with the year", "EXP 270731", []string{"1 expiry equals 2027-07-31"}},
		{"a year with a figure missing is no month", "Best By: 8/22/205", []string{"1 best_before unreadable"}},
		{"a size is no month", "Lot numbers: 6/31 oz cans 11625 12725", []string{"1 lot equals 11625", "2 lot equals 12725"}},
		{"a range word twice", "Sell Thru Dates: SEP 8 27 Thru Thru OCT 4 27", []string{"1 best_before range [2027-09-08..2027-10-04]"}},
		{"a full stop for a comma", "Enjoy before dates of 07/30/27. 07/31/27, 08/01/27", []string{
			"1 best_before equals 2027-07-30", "2 best_before equals 2027-07-31", "3 best_before equals 2027-08-01"}},
		{"one word with a number", "Larkm1011", []string{"1 lot equals Larkm1011"}},
		{"two codes and nothing else", "QFB1725CNA and QFB1725CNB", []string{"1 lot equals QFB1725CNA", "2 lot equals QFB1725CNB"}},
		{"a barcode with a figure missing limits nothing", "UPC: 007261910", []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, units(read("code_info", test.text))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}
