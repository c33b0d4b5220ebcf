package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCodesWithoutALabel(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		gtins      []string // as printed
		want       []string
	}{
		{"misprints in a list of barcodes are no lots", "812345000016, 8123450000243, 812345000030, 81234500004", []string{"812345000016", "812345000030"}, []string{}},
		{"one misprint alone", "8123450000243", nil, []string{"1 lot equals 8123450000243"}},
		{"barcodes that lost a zero", "41234500003,07317100316", []string{"41234500003", "07317100316"}, []string{}},
		{"lots of which one passes the check digit", "260301000012, 260302000012, 260303000015", nil, []string{
			"1 lot equals 260301000012", "2 lot equals 260302000012", "3 lot equals 260303000015"}},
		{"barcode and a lot", "QFEB0226MAA 812345000016", []string{"812345000016"}, []string{"1 lot equals QFEB0226MAA"}},
		{"dates in ranges", "1 NOV 25 - 9 NOV 25 2 JAN 26 - 22 JAN 26", nil, []string{
			"1 best_before range [2025-11-01..2025-11-09]", "2 best_before range [2026-01-02..2026-01-22]", "3 best_before unreadable"}},
		{"lots in parts with their dates", "10773 5117 10 10/27/2027 10773 5118 09 APR 28 2027", nil, []string{
			"1 lot equals 10773 5117 10", "1 best_before equals 2027-10-27", "2 lot equals 10773 5118 09", "2 best_before equals 2027-04-28", "3 best_before unreadable"}},
		{"lot of letters and figures in parts", "6QDL 05 A2644", nil, []string{"1 lot equals 6QDL 05 A2644"}},
		{"lots in digits that could be a day", "20260301 20260302", nil, []string{"1 lot equals 20260301", "2 lot equals 20260302"}},
		{"codes of one make between words", "case QA10001 and then QA10002, also QA10003", nil, []string{"1 lot equals QA10001", "2 lot equals QA10002", "3 lot equals QA10003"}},
		{"codes of several makes between words", "case QA10001 and then 99-2 of the night", nil, []string{"1 lot unreadable"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read("code_info", tt.text)
			if diff := cmp.Diff(tt.want, units(got)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
			var gtins []string
			for _, g := range got.GTINs {
				if len(gtins) == 0 || gtins[len(gtins)-1] != g.Printed {
					gtins = append(gtins, g.Printed)
				}
			}
			if diff := cmp.Diff(tt.gtins, gtins); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}
