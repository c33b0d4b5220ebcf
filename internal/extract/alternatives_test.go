package extract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWindowsOrCodes(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"bought in a window or with a code", "This recall involves steamers purchased after May 2020 or with one of the following date codes: 2310, 2308.", []string{
			"1 date_code equals 2310", "2 date_code equals 2308", "3 sold range (2020-05..]"}},
		{"with a code or bought in a window", "Steamers with lot code A12 or purchased between May 2020 and June 2021 are recalled.", []string{
			"1 lot equals A12", "2 sold range [2020-05..2021-06]"}},
		{"made in a window or with a code", "Steamers manufactured before June 2020, or with serial numbers beginning with QX, are recalled.", []string{
			"1 serial prefix QX", "2 made range [..2020-06)"}},
		{"the codes were not read", "Steamers purchased after May 2020 or whose batch code is on the list of the website are recalled.", []string{
			"1 lot unreadable", "2 sold range (2020-05..]"}},
		{"made in a window and with a code", "Steamers manufactured in June 2020 with lot code A12 are recalled.", []string{
			"1 lot equals A12", "1 made equals 2020-06"}},
		{"sold or distributed, without a code", "Steamers sold in May 2020 or distributed later were red.", []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, units(read("description", tt.text))); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestLimitsInWordsAreNotForgotten(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a limited range", "This recall involves mowers (model QRX100) within a limited serial range. They are red.", []string{"1 serial unreadable"}},
		{"certain ones", "This recall involves certain VINs of model year 2025 carts. They are red.", []string{"1 serial unreadable"}},
		{"certain ones that are named", "This recall involves certain lot numbers. The lot numbers are A12 and A13.", []string{"1 lot equals A12", "2 lot equals A13"}},
		{"days of purchase in a table", "The bearings are recalled if purchased for the cart in the identified date ranges: see the chart.", []string{"1 sold unreadable"}},
		{"days of sale that limit nothing", "The bearings were sold online for a wide date range.", []string{}},
		{"heat codes", "Check the heat codes stamped on the wheel. Heat codes requiring replacement include: E22QM483, C23QM320.", []string{
			"1 lot equals E22QM483", "2 lot equals C23QM320"}},
		{"a number of serial numbers by the way", "The serial number is on the frame.", []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, line := range units(read("description", tt.text)) {
				got = append(got, withoutPlace(line))
			}
			if diff := cmp.Diff(tt.want, append([]string{}, got...)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

// withoutPlace leaves off where a mark is printed.
func withoutPlace(line string) string {
	line, _, _ = strings.Cut(line, " @ ")
	return line
}
