package extract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// units writes predicates one a line: "1 lot equals A12", bounds in interval
// notation, models and places behind.
func units(c extract.Codes) []string {
	lines := []string{}
	for _, p := range c.Units {
		line := fmt.Sprintf("%d %s %s", p.Group, p.Kind, p.Op)
		if p.Except {
			line = strings.Replace(line, " ", " except ", 1)
		}
		switch p.Op {
		case recall.OpRange:
			open, shut := "[", "]"
			if !p.FromInclusive {
				open = "("
			}
			if !p.ToInclusive {
				shut = ")"
			}
			line += " " + open + bound(p.From) + ".." + bound(p.To) + shut
		case recall.OpEquals, recall.OpPrefix, recall.OpSuffix:
			line += " " + bound(p.From)
		}
		if len(p.Models) > 0 {
			line += " of " + strings.Join(p.Models, "|")
		}
		if p.WherePrinted != "" {
			line += " @ " + p.WherePrinted
		}
		lines = append(lines, line)
	}
	return lines
}

func bound(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func read(field, text string) extract.Codes {
	return extract.Read([]extract.Field{{Name: field, Text: text}}, extract.Options{})
}

func TestUnits(t *testing.T) {
	tests := []struct {
		name, field, text string
		want              []string
	}{
		{"lot with its best-by date is one mark", "code_info", "Lot Code 0071126U00911 Best By date: 01/26/2029", []string{
			"1 lot equals 0071126U00911", "1 best_before equals 2029-01-26"}},
		{"best-by date before its lot", "code_info", "Best if Used by OCT 12 26 / Lot: 11JUN6QK Best if Used by OCT 13 26 / Lot: 12JUN6QK", []string{
			"1 lot equals 11JUN6QK", "1 best_before equals 2026-10-12", "2 lot equals 12JUN6QK", "2 best_before equals 2026-10-13"}},
		{"list of lots", "description", "Lot numbers: A12, A13 & B7.", []string{"1 lot equals A12", "2 lot equals A13", "3 lot equals B7"}},
		{"batches between blanks", "code_info", "Batches: 31343QK00 34959QK00 24494QK00", []string{
			"1 batch equals 31343QK00", "2 batch equals 34959QK00", "3 batch equals 24494QK00"}},
		{"lot printed in parts", "code_info", "Lot code 10773 5112 11, Best Before: 10 22 2027", []string{
			"1 lot equals 10773 5112 11", "1 best_before equals 2027-10-22"}},
		{"range of lots", "description", "Only lots 1234 through 1300 are affected.", []string{"1 lot range [1234..1300]"}},
		{"lots up to one", "code_info", "All lot codes of 26 and below", []string{"1 lot range [..26]"}},
		{"beginning and ending", "description", "Lot codes beginning with ‘K8’ or ending in -212 are included.", []string{"1 lot prefix K8", "2 lot suffix 212"}},
		{"places left open", "description", "The lot codes 2312xx and 2211xx are included.", []string{"1 lot prefix 2312", "2 lot prefix 2211"}},
		{"all lots", "code_info", "All lots", []string{"1 lot all"}},
		{"all lots, in French", "identification", "tous les lots", []string{"1 lot all"}},
		{"all dates up to one", "code_info", "All expiration dates through 2/27/2026.", []string{"1 expiry range [..2026-02-27]"}},
		{"a bound before the date's label", "code_info", "All codes up to and including Sell By OCT 03 25", []string{"1 best_before range [..2025-10-03]"}},
		{"a list that names some", "description", "Lot numbers: 4011, 4012 and others", []string{"1 lot equals 4011", "2 lot equals 4012", "3 lot unreadable"}},
		{"a range cut off at the end", "description", "Only lot codes A123 through", []string{"1 lot unreadable"}},
		{"expiry in month and year", "code_info", "Expiration date listed as 05/24 and 03/24.", []string{"1 expiry equals 2024-05", "2 expiry equals 2024-03"}},
		{"dates in many notations", "code_info", "Best By 08 JAN 2026, EXP 2026-05, BB 26JAN2029, Use by 30-APR-2026, Sell by 11/4/26-4/24/27", []string{
			"1 best_before equals 2026-01-08", "2 expiry equals 2026-05", "3 best_before equals 2029-01-26", "4 best_before equals 2026-04-30", "5 best_before range [2026-11-04..2027-04-24]"}},
		{"year told by the range's end", "code_info", "Expiry June 30 through July 30, 2026", []string{"1 expiry range [2026-06-30..2026-07-30]"}},
		{"lots without a label in a field of codes", "code_info", "24061, 24132, 24209", []string{"1 lot equals 24061", "2 lot equals 24132", "3 lot equals 24209"}},
		{"two ranges of serial numbers", "description", "Recalled seats have serial numbers from QR-HX13-01001 to QR-HX13-01488 and QR-HX14-01001 to QR-HX14-01602.", []string{
			"1 serial range [QR-HX13-01001..QR-HX13-01488]", "2 serial range [QR-HX14-01001..QR-HX14-01602]"}},
		{"each model has its own codes", "description", "Model 230 with the date codes 2313 through 2416 and Model 232 with date codes 2418 and 2420 are affected.", []string{
			"1 date_code range [2313..2416] of 230", "2 date_code equals 2418 of 232", "3 date_code equals 2420 of 232"}},
		{"flattened table", "description", "Model Description Serial No. Range TQ21044BEN LUMO MOWER TQ21048BEN LUMO MOWER 48 3014835626 to 3015507481", []string{
			"1 serial range [3014835626..3015507481] of TQ21048BEN", "2 serial all of TQ21044BEN"}},
		{"date of manufacture with its printed format", "description", "The swings were manufactured between April 1, 2024, and August 20, 2024. The manufacture date is listed in YYYYMMDD format on a label under the seat.", []string{
			"1 made range [2024-04-01..2024-08-20] @ on a label under the seat (format YYYYMMDD)", "1 date_code range [20240401..20240820] @ on a label under the seat (format YYYYMMDD)"}},
		{"end of a window glued to a table's head", "description", "Boilers manufactured between April 2023 and April 2024Model Serial", []string{"1 made range [2023-04..2024-04]"}},
		{"made or bought", "description", "Only loungers manufactured on or after June 23, 2022, and/or purchased on or after November 12, 2022, are included in this recall.", []string{
			"1 made range [2022-06-23..]", "2 sold range [2022-11-12..]"}},
		{"bound behind brackets", "description", "Cups with blade date codes March 2018 (“03-18”) or earlier.", []string{"1 made range [..2018-03]"}},
		{"first and last number", "description", "Serial numbers beginning with 1000 and ending with 2000.", []string{"1 serial range [1000..2000]"}},
		{"head that names two columns", "code_info", "Lot, Best if Used By: S195260, 5/31/2027; S195261, 6/30/2027.", []string{
			"1 lot equals S195260", "1 best_before equals 2027-05-31", "2 lot equals S195261", "2 best_before equals 2027-06-30"}},
		{"months stay months", "description", "They were produced between July 2010 and May 2013.", []string{"1 made range [2010-07..2013-05]"}},
		{"open window without its own month", "description", "Only cots manufactured before May 2013 are included.", []string{"1 made range [..2013-05)"}},
		{"from a day on", "description", "Only bassinets manufactured on or after June 23, 2022 are included in this recall.", []string{"1 made range [2022-06-23..]"}},
		{"date codes with a stated format", "description", "It has date codes, in YYYYMM format, from 202409 to 202501.", []string{"1 date_code range [202409..202501] @ (format YYYYMM)"}},
		{"date codes that can only be month, day, year", "description", "Date codes for doors range from 031924 to 060525.", []string{"1 date_code range [031924..060525] @ (format MMDDYY)"}},
		{"date codes in quotation marks before their label", "description", "Units with a “JUL24” or “AUG24” date code are included.", []string{"1 date_code equals AUG24", "2 date_code equals JUL24"}},
		{"place on the product", "description", "The lot number K8-1201 is printed on a white label on the front frame.", []string{"1 lot equals K8-1201 @ on a white label on the front frame"}},
		{"sale dates that limit the notice", "description", "Only units sold between March 2024 and May 2024 are included in this recall.", []string{"1 sold range [2024-03..2024-05]"}},
		{"codes taken out", "description", "Mowers with lot numbers A100 through A200 are recalled. Lot number A150 is not included in this recall.", []string{"1 lot range [A100..A200]", "1 except lot equals A150"}},
		{"French lots and dates", "informations", "lots commençant par L24, date limite de consommation 03/04/2026", []string{"1 lot prefix L24", "1 expiry equals 2026-04-03"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			language := ""
			if tt.field == "informations" || tt.field == "identification" {
				language = "fr"
			}
			got := extract.Read([]extract.Field{{Name: tt.field, Text: tt.text}}, extract.Options{Language: language})
			if diff := cmp.Diff(tt.want, units(got)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestUnreadableLimits(t *testing.T) {
	for _, tt := range []struct{ name, text, kind string }{
		{"codes kept elsewhere", "Visit www.example.com to check whether your serial number is included in this recall.", "serial"},
		{"announced and not there", "This recall involves ovens with the following lot codes:", "lot"},
		{"table that gives nothing", "Only units with the below model and serial numbers are included in the recall.", "serial"},
		{"first digits of several kinds", "The third digit of the serial number is B, and units with serial numbers of that kind are included in this recall.", "serial"},
		{"date without a year", "Enjoy By Dates of Oct. 28, Oct. 31, and Nov. 7", "best_before"},
		{"date code that may be month or week", "Heaters with a date code between 0722 and 1223 are recalled.", "date_code"},
		{"ends that span no range", "The serial numbers range between 207986920110001 and WQAR2112048400.", "serial"},
		{"models in the column of serial numbers", "Model NumbersSerial NumbersQEK1722SX QEK1722ER", "serial"},
		{"range whose end is lost", "Only units with serial numbers between SR1001 and 2WX are affected.", "serial"},
		{"characters inside a code", "Units with serial numbers containing 15914 or 19203 as the fifth code are recalled.", "serial"},
		{"lots described, not named", "Lot codes with calendar year 2023 and all previous years are included in this recall.", "lot"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff([]string{"1 " + tt.kind + " unreadable"}, units(read("description", tt.text))); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestModelsThatWereNotReadStayOpen(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"models that only begin alike", "model 901 and model numbers beginning with 310 or “Natural.”", []string{"1 lot all of 901|310*", "2 lot unreadable"}},
		{"models announced and not read", "Model QX-831 is grey. The following models are included, see the chart.", []string{"1 lot all of QX-831", "2 lot unreadable"}},
		{"beside a window", "Model QX-831 made in 2019 and model numbers beginning with 310 are recalled.", []string{"1 made equals 2019 of QX-831", "2 made all of 310*"}},
		{"no model was read at all", "seats with model numbers beginning with 310 and built from May 2009 through April 2010", []string{"1 made range [2009-05..2010-04]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, units(read("description", tt.text))); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestNothingLimitsTheNotice(t *testing.T) {
	for _, text := range []string{
		"The model number is located on the hang tag.",
		"Consumers can call 800-555-0123 with the serial number for help.",
		"Sold at Brightmart from March 2024 through May 2024 for about $30.",
		"The chairs measure 19.5 x 18.5 x 15 inches, hold up to 250 pounds and have a lot of pockets.",
		"Contains a CR2032 battery; violates ASTM F963-23 and 16 CFR 1250.",
		"The firm has received 12 reports of serial overheating at 120 degrees.",
		"Made in China. Ages 3 to 6 years. 4015 Elm Street, batch pasteurised.",
	} {
		got := read("description", text)
		if len(got.Units) > 0 || len(got.GTINs) > 0 || len(got.Models) > 0 {
			t.Errorf("%s\nread %v, GTINs %v, models %q; want nothing", text, units(got), got.GTINs, got.Models)
		}
	}
}

func TestCutTextNeverBoundsWhatItLimits(t *testing.T) {
	text := "This recall involves swings with lot codes A12, A13 and the …"
	got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{Cut: extract.HasCutEnd(text)})
	if diff := cmp.Diff([]string{"1 lot equals A12", "2 lot equals A13", "3 lot unreadable"}, units(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = extract.Read([]extract.Field{{Name: "description", Text: "This recall involves swings with model numbers QX-831, QX-832 and …"}}, extract.Options{Cut: true})
	if diff := cmp.Diff([]string{"1 lot all of QX-831|QX-832", "2 lot unreadable"}, units(got)); diff != "" {
		t.Errorf("a list of models that was cut off is taken for whole (-want +got):\n%s", diff)
	}
	got = extract.Read([]extract.Field{{Name: "description", Text: "This recall involves grey swings and …"}}, extract.Options{Cut: true})
	if len(got.Units) > 0 {
		t.Errorf("a cut text that names no codes got %v, want every unit covered", units(got))
	}
}
