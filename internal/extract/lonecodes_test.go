package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCodesWithoutALabelBesideThoseThatHaveOne(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"before their dates", "E164QX EXP 1/27 E128QX EXP 7/26", []string{
			"1 lot equals E164QX", "1 expiry equals 2027-01", "2 lot equals E128QX", "2 expiry equals 2026-07"}},
		{"behind their dates", "BB 14 APR 2027 20105 BB 05 MAY 2027 20126", []string{
			"1 lot equals 20105", "1 best_before equals 2027-04-14", "2 lot equals 20126", "2 best_before equals 2027-05-05"}},
		{"with a time of day and a plant's number", "1PD2585D 02:39 BEST IF USED BY MAR 03 2028 PLT# 06-71", []string{
			"1 lot equals 1PD2585D", "1 best_before equals 2028-03-03"}},
		{"in parts: whole and each", "QK21J 4ALC6/ BEST BY OCT 2027", []string{
			"1 lot equals QK21J 4ALC6", "1 best_before equals 2027-10", "2 lot equals QK21J", "2 best_before equals 2027-10", "3 lot equals 4ALC6", "3 best_before equals 2027-10"}},
		{"behind the caption of a variety", "Larkmere - QK77A BEST BY OCT 2027 Wren - QK78A & QK79A", []string{
			"1 lot equals QK77A", "1 best_before equals 2027-10", "2 lot equals QK78A", "3 lot equals QK79A"}},
		{"the rest of a list that something odd cuts", "Lots: 39LT, 40YP#3, 44PCLC, 45, 51PCLC", []string{
			"1 lot equals 39LT", "2 lot equals 40YP#3", "3 lot equals 44PCLC", "4 lot equals 45", "5 lot equals 51PCLC"}},
		{"ends of a range are no two codes", "20105 through 20167 EXP 1/27", []string{"1 expiry equals 2027-01"}},
		{"ends of a range with a dash", "EXP 1/27 20105 - 20167", []string{"1 expiry equals 2027-01"}},
		{"a barcode that cannot be read", "Lot: 52060 UPC: 6000877531 Best by date 8/27", []string{"1 lot equals 52060", "1 best_before equals 2027-08"}},
		{"what the words explain", "Lot code QZ305305, EXP 11/27. 3053 = the day of the year", []string{
			"1 lot equals QZ305305", "1 expiry equals 2027-11"}},
		{"numbers amid prose", "Lot 4417A, shipped by truck 99812 to the north", []string{"1 lot equals 4417A", "2 lot unreadable"}},
		{"sizes", "6/8oz EXP 1/27 16oz EXP 2/27", []string{"1 expiry equals 2027-01", "2 expiry equals 2027-02"}},
		{"a year", "EXP 1/27 in 2027", []string{"1 expiry equals 2027-01"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, units(read("code_info", test.text))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestCodesWithoutALabelInProseAreNone(t *testing.T) {
	if got := units(read("description", "E164QX EXP 1/27 E128QX EXP 7/26")); len(got) != 2 {
		t.Errorf("read %q; want the two dates alone", got)
	}
}
