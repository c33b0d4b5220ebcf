package gtin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// in2026 is the clock of the tests.
func in2026() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

// mustParse reads a code with the tests' clock.
func mustParse(t *testing.T, code string) Reading {
	t.Helper()
	r, err := parse(code, in2026)
	if err != nil {
		t.Fatalf("Parse(%q): %v", code, err)
	}
	return r
}

// mustFail reads a code that can't be read.
func mustFail(t *testing.T, code string) *Error {
	t.Helper()
	r, err := Parse(code)
	if err == nil {
		t.Fatalf("Parse(%q) = %+v, want an error", code, r)
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("Parse(%q): error of type %T, want *Error", code, err)
	}
	return e
}

func TestParsePlainNumbers(t *testing.T) {
	tests := []struct {
		name, code string
		gtins      []string
		flags      []Flag
	}{
		{"UPC-A", "041220787340", []string{"00041220787340"}, nil},
		{"EAN-13", "4006381333931", []string{"04006381333931"}, nil},
		{"EAN-13 that is a UPC-A", "0041220787340", []string{"00041220787340"}, nil},
		{"GTIN-14 of an item", "09501101530003", []string{"09501101530003"}, nil},
		{"GTIN-14 of a case", "19501101530000", []string{"19501101530000"}, nil},
		{"GTIN-14 of a variable measure", "99501101530006", []string{"99501101530006"}, nil},
		{"UPC-E only", "04252614", []string{"00042100005264"}, nil},
		{"UPC-E of number system 1", "14252611", []string{"00142100005261"}, nil},
		{"EAN-8 only", "96385074", []string{"00000096385074"}, nil},
		{"EAN-8 that starts with 0", "04252610", []string{"00000004252610"}, nil},
		{"eight digits that are both", "01234565", []string{"00012345000065", "00000001234565"}, []Flag{FlagAmbiguous}},
		{"printed below a UPC-A", "0 41220 78734 0", []string{"00041220787340"}, nil},
		{"printed below an EAN-13", "4 006381 333931 >", []string{"04006381333931"}, nil},
		{"printed below an EAN-8", "< 9638 5074 >", []string{"00000096385074"}, nil},
		{"printed below an ITF-14", "1 95 01101 53000 0", []string{"19501101530000"}, nil},
		{"hyphens", "0-41220-78734-0", []string{"00041220787340"}, nil},
		{"dashes of print", "0–41220—78734‑0", []string{"00041220787340"}, nil},
		{"a minus sign", "0−41220−787340", []string{"00041220787340"}, nil},
		{"no-break blanks", "0\u00a041220\u202f78734\u20070", []string{"00041220787340"}, nil},
		{"a tab and line ends", "\t041220787340\r\n", []string{"00041220787340"}, nil},
		{"a byte order mark and zero-width blanks", "\ufeff041220\u200b787340", []string{"00041220787340"}, nil},
		{"full-width digits", "０４１２２０７８７３４０", []string{"00041220787340"}, nil},
		{"Arabic-Indic digits", "٠٤١٢٢٠٧٨٧٣٤٠", []string{"00041220787340"}, nil},
		{"Devanagari digits", "०४१२२०७८७३४०", []string{"00041220787340"}, nil},
		{"an apostrophe of a spreadsheet", "'041220787340", []string{"00041220787340"}, nil},
		{"asterisks of Code 39", "*041220787340*", []string{"00041220787340"}, nil},
		{"a separator behind it", "041220787340\x1d", []string{"00041220787340"}, nil},
		{"the end of a sentence", "041220787340.", []string{"00041220787340"}, nil},
		{"shop's own number, prefix 2", "2000000274249", []string{"02000000274249"}, []Flag{FlagRestricted}},
		{"shop's own number, prefix 02", "0203684000001", []string{"00203684000001"}, []Flag{FlagRestricted}},
		{"shop's own number, U.P.C. Prefix 4", "400000000008", []string{"00400000000008"}, []Flag{FlagRestricted}},
		{"coupon, U.P.C. Prefix 5", "512345678900", []string{"00512345678900"}, []Flag{FlagCoupon}},
		{"coupon, prefix 99", "9912345678909", []string{"09912345678909"}, []Flag{FlagCoupon}},
		{"book", "978-0-306-40615-7", []string{"09780306406157"}, []Flag{FlagISBN}},
		{"magazine", "9770317847001", []string{"09770317847001"}, []Flag{FlagISBN}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustParse(t, tt.code)
			want := Reading{GTINs: tt.gtins, Flags: tt.flags}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Reading{}, "Rewrites")); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.code, diff)
			}
		})
	}
}

func TestParseLabels(t *testing.T) {
	tests := []struct{ code, gtin string }{
		{"UPC: 041220787340", "00041220787340"},
		{"upc 041220787340", "00041220787340"},
		{"UPC-A 0 41220 78734 0", "00041220787340"},
		{"UPC Code # 0-41220-78734-0", "00041220787340"},
		{"UPC Codes: 0-41220-78734-0", "00041220787340"},
		{"UPCs:   041220787340", "00041220787340"},
		{"UPC-E: 04252614", "00042100005264"},
		{"EAN4006381333931", "04006381333931"},
		{"EAN-13: 4006381333931", "04006381333931"},
		{"EAN 13 4006381333931", "04006381333931"},
		{"EAN13 4 006381 333931", "04006381333931"},
		{"EAN 8 711111 222220", "08711111222220"}, // the 8 is the first digit, not part of the label
		{"EAN 8 9638 5074", "00000096385074"},
		{"EAN/UPC 4006381333931", "04006381333931"},
		{"GTIN 09501101530003", "09501101530003"},
		{"GTIN-14: 09501101530003", "09501101530003"},
		{"GTIN: (01)09501101530003", "09501101530003"},
		{"ISBN 978-0-306-40615-7", "09780306406157"},
		{"ISBN-13: 978-0-306-40615-7", "09780306406157"},
		{"Barcode no. 4006381333931", "04006381333931"},
		{"code-barres : 4006381333931", "04006381333931"},
		{"ＵＰＣ：041220787340", "00041220787340"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			if diff := cmp.Diff([]string{tt.gtin}, mustParse(t, tt.code).GTINs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFormDecidesEightDigits: a label or a symbology that names the form leaves
// nothing ambiguous.
func TestFormDecidesEightDigits(t *testing.T) {
	tests := []struct{ code, gtin string }{
		{"UPC-E 01234565", "00012345000065"},
		{"EAN-8: 01234565", "00000001234565"},
		{"]E401234565", "00000001234565"},
	}
	for _, tt := range tests {
		got := mustParse(t, tt.code)
		if diff := cmp.Diff(Reading{GTINs: []string{tt.gtin}}, got, cmpopts.IgnoreFields(Reading{}, "Rewrites")); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tt.code, diff)
		}
	}
	if e := mustFail(t, "UPC-E 96385074"); e.Code != WrongCheckDigit {
		t.Errorf("an EAN-8 labelled UPC-E: code %s, want %s", e.Code, WrongCheckDigit)
	}
}

func TestSymbologyIdentifiers(t *testing.T) {
	tests := []struct{ code, gtin string }{
		{"]E00041220787340", "00041220787340"},
		{"]E04006381333931", "04006381333931"},
		{"]E3978030640615751299", "09780306406157"},
		{"]E3977031784700105", "09770317847001"},
		{"]I119501101530000", "19501101530000"},
		{"]C04006381333931", "04006381333931"},
		{"]C10109501101530003", "09501101530003"},
		{"]e00109501101530003", "09501101530003"},
		{"]d20109501101530003", "09501101530003"},
		{"]Q30109501101530003", "09501101530003"},
		{"]J10109501101530003", "09501101530003"},
		{"]Q1https://id.gs1.org/01/09501101530003", "09501101530003"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			if diff := cmp.Diff([]string{tt.gtin}, mustParse(t, tt.code).GTINs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if e := mustFail(t, "]E251299"); e.Code != NoGTIN {
		t.Errorf("an add-on alone: code %s, want %s", e.Code, NoGTIN)
	}
}

func TestRewritesTellEachStep(t *testing.T) {
	tests := []struct {
		code string
		want []Rewrite
	}{
		{"09501101530003", nil},
		{"041220787340", []Rewrite{{"041220787340", "00041220787340", "upc-a to gtin-14"}}},
		{"UPC ０ 41220-787340 ", []Rewrite{
			{"UPC ０ 41220-787340", "UPC 0 41220-787340", "to ascii"},
			{"UPC 0 41220-787340", "0 41220-787340", "label removed"},
			{"0 41220-787340", "041220787340", "separators removed"},
			{"041220787340", "00041220787340", "upc-a to gtin-14"},
		}},
		{"01234565", []Rewrite{
			{"01234565", "012345000065", "upc-e to upc-a"},
			{"012345000065", "00012345000065", "upc-a to gtin-14"},
			{"01234565", "00000001234565", "ean-8 to gtin-14"},
		}},
		{"]E3978030640615751299", []Rewrite{
			{"]E3978030640615751299", "978030640615751299", "symbology identifier removed"},
			{"978030640615751299", "9780306406157", "add-on removed"},
			{"9780306406157", "09780306406157", "ean-13 to gtin-14"},
		}},
		{"(01)09501101530003(10)A", []Rewrite{{"(01)09501101530003(10)A", "09501101530003", "element string to gtin"}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, mustParse(t, tt.code).Rewrites); diff != "" {
			t.Errorf("Parse(%q).Rewrites (-want +got):\n%s", tt.code, diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, code  string
		want        ErrorCode
		suggestions []string
	}{
		{"nothing", "", WrongLength, nil},
		{"blanks", " \t\u00a0\n", WrongLength, nil},
		{"invisible characters", "\u200b\ufeff", WrongLength, nil},
		{"separators only", "---", WrongCharacters, nil},
		{"a mebibyte", strings.Repeat("0", 1<<20), WrongLength, nil},
		{"a long code that is cut", strings.Repeat("1", maxCode), WrongLength, nil},
		{"wrong UTF-8", "0412207873\xff40", WrongCharacters, nil},
		{"binary", "\x00\x01\x02", WrongCharacters, nil},
		{"NUL in a number", "041220\x00787340", WrongCharacters, nil},
		{"words", "hello", WrongCharacters, nil},
		{"a footnote", "04122078734¹", WrongCharacters, nil},
		{"a decimal fraction", "41220787340.0", WrongCharacters, nil},
		{"a spreadsheet's exponent", "4.12E+10", WrongCharacters, nil},
		{"the letter O", "O4122O787340", WrongCharacters, []string{"041220787340"}},
		{"a letter that is no digit", "041220787X40", WrongCharacters, nil},
		{"UPC-A misread", "041220787341", WrongCheckDigit, []string{"041220787340"}},
		{"EAN-13 misread", "4006381333932", WrongCheckDigit, []string{"4006381333931"}},
		{"GTIN-14 misread", "19501101530003", WrongCheckDigit, []string{"19501101530000"}},
		{"EAN-8 misread", "96385075", WrongCheckDigit, []string{"96385074"}},
		{"UPC-E or EAN-8 misread", "04252619", WrongCheckDigit, []string{"04252614", "04252610"}},
		{"spaced and misread", "UPC 0 41220 78734 1", WrongCheckDigit, []string{"041220787340"}},
		{"nearly zeros", "0000000000001", WrongCheckDigit, nil},
		{"lost zero", "41220787340", WrongLength, []string{"041220787340", "412207873408"}},
		{"lost check digit", "04122078734", WrongLength, []string{"041220787340"}},
		{"UPC-E without its ends", "425261", WrongLength, []string{"042100005264", "142100005261"}},
		{"UPC-E without check digit", "0425261", WrongLength, []string{"042100005264", "004252000061"}},
		{"UPC-E without number system", "4252614", WrongLength, []string{"042100005264", "42526148"}},
		{"EAN-8 without check digit", "9638507", WrongLength, []string{"96385074"}},
		{"five digits", "41220", WrongLength, nil},
		{"nine digits", "209228278", WrongLength, nil},
		{"ten digits", "4122078734", WrongLength, nil},
		{"ISBN-10", "0-306-40615-2", WrongLength, []string{"9780306406157"}},
		{"ISBN-10 with X", "ISBN-10: 0-8044-2957-X", WrongLength, []string{"9780804429573"}},
		{"fifteen digits", "412207873401234", WrongLength, nil},
		{"book with add-on", "9780306406157 51299", WrongLength, []string{"9780306406157"}},
		{"eight zeros", "00000000", NoGTIN, nil},
		{"twelve zeros", "000000000000", NoGTIN, nil},
		{"fourteen zeros", "00000000000000", NoGTIN, nil},
		{"SSCC, bare", "106141412345678908", NoGTIN, nil},
		{"GLN behind its AI", "4140614141000012", NoGTIN, nil},
		{"SSCC behind its AI", "00106141412345678908", NoGTIN, nil},
		{"SSCC, bracketed", "(00)106141412345678908", NoGTIN, nil},
		{"GLN", "(414)9501101530003", NoGTIN, nil},
		{"GLN, scanned", "]C14149501101530003", NoGTIN, nil},
		{"lot", "A17", NoGTIN, nil},
		{"lot with a slash", "A17/B", NoGTIN, nil},
		{"lot too long for one", "A17A17A17A17A17A17A17", WrongCharacters, nil},
		{"lot with its label", "LOT A-17", NoGTIN, nil},
		{"lot, bracketed", "(10)A17", NoGTIN, nil},
		{"lot, scanned", "]C110A17", NoGTIN, nil},
		{"serial, separated", "\x1d21A17", NoGTIN, nil},
		{"symbology identifier alone", "]C1", NoGTIN, nil},
		{"element string misread", "(01)09501101530004(10)A", WrongCheckDigit, []string{"09501101530003"}},
		{"element string misread, unmarked", "0109501101530004 10 A", WrongCheckDigit, []string{"09501101530003"}},
		{"sixteen digits", "0209501101530004", WrongLength, nil},
		{"element string too short", "(01)0950110153(10)A", WrongLength, nil},
		{"element string without value", "(01)", WrongLength, nil},
		{"element string with letters", "(01)0950110153000X", WrongCharacters, nil},
		{"element string of zeros", "(01)00000000000000", NoGTIN, nil},
		{"two products", "(01)09501101530003(01)04006381333931", NoGTIN, []string{"09501101530003", "04006381333931"}},
		{"web address", "https://www.example.com/toys/rattle.html?id=4006381333931", NoGTIN, nil},
		{"web address, bare", "www.example.com", NoGTIN, nil},
		{"web address with a date", "https://example.com/2026/01/20260115/recall", NoGTIN, nil},
		{"link to a pallet", "https://id.gs1.org/00/106141412345678908", NoGTIN, nil},
		{"link to a place", "https://id.gs1.org/414/9501101530003/254/A", NoGTIN, nil},
		{"link misread", "https://id.gs1.org/01/09501101530004/10/A", WrongCheckDigit, []string{"09501101530003"}},
		{"other scheme", "ftp://id.gs1.org/01/09501101530003", NoGTIN, nil},
		{"EPC URN", "urn:epc:id:sgtin:0614141.107346.2017", NoGTIN, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := mustFail(t, tt.code)
			if e.Code != tt.want {
				t.Errorf("code %s, want %s (%s)", e.Code, tt.want, e.Message)
			}
			if diff := cmp.Diff(tt.suggestions, e.Suggestions); diff != "" {
				t.Errorf("suggestions (-want +got):\n%s", diff)
			}
			if e.Error() != e.Message || e.Message == "" || len(e.Message) > 260 {
				t.Errorf("message of %d bytes: %s", len(e.Message), e.Message)
			}
		})
	}
}

func TestErrorsQuoteLittleOfTheCode(t *testing.T) {
	e := mustFail(t, strings.Repeat("7", 200))
	if strings.Contains(e.Message, strings.Repeat("7", maxExcerpt)) {
		t.Errorf("message quotes %d characters or more: %s", maxExcerpt, e.Message)
	}
	if !strings.Contains(e.Message, strings.Repeat("7", maxExcerpt-1)+`"…`) {
		t.Errorf("message lacks the cut quote: %s", e.Message)
	}
}
