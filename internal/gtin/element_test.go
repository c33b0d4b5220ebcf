package gtin

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const item = "09501101530003"

func TestParseElementStrings(t *testing.T) {
	tests := []struct {
		name, code string
		want       Reading
	}{
		{"GTIN alone", "0109501101530003", Reading{}},
		{"bracketed", "(01)09501101530003(10)AB-123(21)X/7(17)261231",
			Reading{Lot: "AB-123", Serial: "X/7", Expiry: "2026-12-31"}},
		{"bracketed, with blanks and line ends", "(01) 0950110 1530003\n(10) AB 123\n(15) 261231 (11) 260102",
			Reading{Lot: "AB 123", BestBefore: "2026-12-31", MadeOn: "2026-01-02"}},
		{"square brackets", "[01]09501101530003[10]AB", Reading{Lot: "AB"}},
		{"full-width brackets", "（01）09501101530003（10）AB", Reading{Lot: "AB"}},
		{"bracketed, with a bracket in the lot", "(01)09501101530003(10)A(1)B(50)", Reading{Lot: "A(1)B(50)"}},
		{"bracketed, with separators kept", "(01)09501101530003(10)AB\x1d(21)7", Reading{Lot: "AB", Serial: "7"}},
		{"bracketed, 13 digits", "(01)9501101530003(10)AB", Reading{Lot: "AB"}},
		{"fixed lengths run together", "]C101095011015300031726123111260102", Reading{Expiry: "2026-12-31", MadeOn: "2026-01-02"}},
		{"lot last", "]C1010950110153000310AB-123", Reading{Lot: "AB-123"}},
		{"lot last, looking like a lot and a serial, scanned", "]d201095011015300031012132", Reading{Lot: "12132"}},
		{"lot, then dates", "]d2010950110153000310AB123\x1d17261231", Reading{Lot: "AB123", Expiry: "2026-12-31"}},
		{"lot, then serial", "010950110153000310AB21\x1d21S10", Reading{Lot: "AB21", Serial: "S10"}},
		{"serial, then lot", "010950110153000321S10\x1d10AB21", Reading{Lot: "AB21", Serial: "S10"}},
		{"lot before the GTIN", "10AB123\x1d0109501101530003", Reading{Lot: "AB123"}},
		{"other variable lengths between", "01095011015300033012\x1d240ABC\x1d3712\x1d10AB\x1d400PO1", Reading{Lot: "AB"}},
		{"FNC1 behind a fixed length", "0109501101530003\x1d17261231\x1d10AB", Reading{Lot: "AB", Expiry: "2026-12-31"}},
		{"measures and places between", "01095011015300033103000750421" + "840123\x1d410950110153000310AB", Reading{Lot: "AB"}},
		{"company's own elements", "010950110153000391xyz\x1d10AB\x1d99abc", Reading{Lot: "AB"}},
		{"unknown AI skipped to the next FNC1", "010950110153000360zz\x1d10AB", Reading{Lot: "AB"}},
		{"separators written out", "0109501101530003<GS>10AB<GS>21S<FNC1>17261231", Reading{Lot: "AB", Serial: "S", Expiry: "2026-12-31"}},
		{"separator as programs escape it", `010950110153000310AB\x1d21S`, Reading{Lot: "AB", Serial: "S"}},
		{"separators in braces", "010950110153000310AB{GS}21S{FNC1}17261231", Reading{Lot: "AB", Serial: "S", Expiry: "2026-12-31"}},
		{"a lot that looks like a separator", "(01)09501101530003(10)50%1D", Reading{Lot: "50%1D"}},
		{"caret for FNC1", "^010950110153000310AB^21S", Reading{Lot: "AB", Serial: "S"}},
		{"escaped separator", "010950110153000310AB%1D21S", Reading{Lot: "AB", Serial: "S"}},
		{"picture of the separator", "010950110153000310AB␝21S", Reading{Lot: "AB", Serial: "S"}},
		{"typed with blanks", "0109501101530003 17 140704 10 AB-123", Reading{Lot: "AB-123", Expiry: "2014-07-04"}},
		{"typed with blanks, lot first", "01 09501101530003 10 AB-123 17 261231 21 S 7", Reading{Lot: "AB-123", Serial: "S 7", Expiry: "2026-12-31"}},
		{"typed with a blank between elements", "0109501101530003 10AB-123 17261231", Reading{Lot: "AB-123", Expiry: "2026-12-31"}},
		{"typed, a lot with a blank in it", "01 09501101530003 10 AB 123", Reading{Lot: "AB 123"}},
		{"typed with blanks, GTIN last", "10 AB 01 09501101530003", Reading{Lot: "AB"}},
		{"typed with blanks, a weight between", "01 09501101530003 10 AB 3103 000750 21 S", Reading{Lot: "AB", Serial: "S"}},
		{"production time", "0109501101530003800826010213\x1d10AB", Reading{Lot: "AB", MadeOn: "2026-01-02"}},
		{"expiry time", "010950110153000370032612312359\x1d10AB", Reading{Lot: "AB", Expiry: "2026-12-31"}},
		{"packaging and sell-by dates are neither", "(01)09501101530003(13)260102(16)261231(12)260101", Reading{}},
		{"price is skipped", "(01)09501101530003(8005)000199", Reading{}},
		{"content of a logistic unit", "(00)106141412345678908(02)09501101530003(37)24(10)AB", Reading{Lot: "AB"}},
		{"content, run together", "02095011015300033724\x1d10AB", Reading{Lot: "AB"}},
		{"item before content", "(02)04006381333931(01)09501101530003", Reading{}},
		{"piece of an item", "(8006)095011015300030102(10)AB", Reading{Lot: "AB"}},
		{"piece of an item, run together", "800609501101530003010210AB", Reading{Lot: "AB"}},
		{"pieces in a logistic unit", "(8026)095011015300030102(37)24", Reading{}},
		{"the same GTIN twice", "(01)09501101530003(01)9501101530003", Reading{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.GTINs = []string{item}
			if diff := cmp.Diff(tt.want, mustParse(t, tt.code), cmpopts.IgnoreFields(Reading{}, "Rewrites")); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.code, diff)
			}
		})
	}
}

// TestUncertainMarksAreLeftOut: a wrong lot would wrongly prove that a unit lies
// outside a recall; a missing one is asked for.
func TestUncertainMarksAreLeftOut(t *testing.T) {
	tests := []struct{ name, code, from, rule string }{
		{"a date in the lot", "]C1010950110153000310AB12317261231", "AB12317261231", "lot left out: without FNC1 its end is uncertain"},
		{"a date and a serial in the lot", "]C1010950110153000310AB1726123121XYZ", "AB1726123121XYZ", "lot left out: without FNC1 its end is uncertain"},
		{"a serial in the lot", "010950110153000310AB12321XYZ", "AB12321XYZ", "lot left out: without FNC1 its end is uncertain"},
		{"a lot in the serial", "010950110153000321XYZ10AB123", "XYZ10AB123", "serial number left out: without FNC1 its end is uncertain"},
		{"a lot too long", "(01)09501101530003(10)ABCDEFGHIJKLMNOPQRSTU", "ABCDEFGHIJKLMNOPQRSTU", "lot left out: it has more than 20 characters"},
		{"a lot in another script", "(01)09501101530003(10)ПАРТИЯ", "ПАРТИЯ", "lot left out: it has characters that GS1 symbols can't hold"},
		{"two lots", "(01)09501101530003(10)A(10)B", "B", `lot left out: the code holds another one too, "A"`},
		{"two expiry dates", "(01)09501101530003(17)261231(17)261230", "2026-12-30", `expiry date left out: the code holds another one too, "2026-12-31"`},
		{"no such day", "(01)09501101530003(17)260230", "260230", "expiry date left out: it is no date YYMMDD"},
		{"no such month", "(01)09501101530003(15)261301", "261301", "best-before date left out: it is no date YYMMDD"},
		{"a date of eight digits", "(01)09501101530003(11)20260102", "20260102", "production date left out: it is no date YYMMDD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustParse(t, tt.code)
			if diff := cmp.Diff(Reading{GTINs: []string{item}}, got, cmpopts.IgnoreFields(Reading{}, "Rewrites")); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.code, diff)
			}
			last := got.Rewrites[len(got.Rewrites)-1]
			if diff := cmp.Diff(Rewrite{From: tt.from, Rule: tt.rule}, last); diff != "" {
				t.Errorf("last rewrite (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlainNumbersWin: 12, 13 and 14 digits are a GTIN even when they start
// like an element string.
func TestPlainNumbersWin(t *testing.T) {
	for _, code := range []string{"010123456783", "0101234567892", "01012345678904"} {
		if got := mustParse(t, code); got.GTINs[0] != Pad14(code) {
			t.Errorf("Parse(%q) = %v, want %s", code, got.GTINs, Pad14(code))
		}
	}
}

func TestReadDate(t *testing.T) {
	tests := []struct {
		yymmdd string
		year   int
		want   string
	}{
		{"261231", 2026, "2026-12-31"},
		{"260200", 2026, "2026-02"},
		{"240229", 2026, "2024-02-29"},
		{"250229", 2026, ""},
		{"260431", 2026, ""},
		{"260001", 2026, ""},
		{"261301", 2026, ""},
		{"26123", 2026, ""},
		{"26123a", 2026, ""},
		{"760101", 2026, "2076-01-01"}, // 50 years ahead
		{"770101", 2026, "1977-01-01"}, // 51 years ahead: 49 back
		{"000101", 2026, "2000-01-01"},
		{"490101", 2098, "2049-01-01"},
		{"480101", 2098, "2148-01-01"}, // 50 years back: the next century
		{"491231", 2099, "2149-12-31"},
		{"500101", 2099, "2050-01-01"}, // 49 years back
		{"990101", 2001, "1999-01-01"},
		{"510101", 2001, "2051-01-01"},
		{"520101", 2001, "1952-01-01"},
	}
	for _, tt := range tests {
		got, ok := readDate(tt.yymmdd, time.Date(tt.year, 6, 1, 0, 0, 0, 0, time.UTC))
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("readDate(%q) in %d = %q, %t, want %q", tt.yymmdd, tt.year, got, ok, tt.want)
		}
	}
}

// TestLongElementStrings: nothing that fits in a code takes long.
func TestLongElementStrings(t *testing.T) {
	for _, unit := range []string{" 37", "10 ", "(10)", "17 ", " 17261231", "\x1d", "01/", "21 A", "]C1", "11 "} {
		code := "0109501101530003 10 A" + strings.Repeat(unit, (maxCode-32)/len(unit))
		if _, err := Parse(code); err != nil && len(err.Error()) > 300 {
			t.Errorf("Parse of many %q: message of %d bytes", unit, len(err.Error()))
		}
	}
}

func TestCutAI(t *testing.T) {
	tests := []struct {
		ai     string
		length int
	}{
		{"00", 18}, {"01", 14}, {"02", 14}, {"03", 14}, {"04", 16}, {"10", 0}, {"11", 6}, {"12", 6}, {"13", 6},
		{"15", 6}, {"16", 6}, {"17", 6}, {"20", 2}, {"21", 0}, {"22", 0}, {"235", 0}, {"240", 0}, {"250", 0},
		{"30", 0}, {"3103", 6}, {"3202", 6}, {"3370", 6}, {"3409", 6}, {"3569", 6}, {"3600", 6}, {"37", 0},
		{"3900", 0}, {"400", 0}, {"410", 13}, {"414", 13}, {"420", 0}, {"4300", 0}, {"7003", 0}, {"710", 0},
		{"7230", 0}, {"8006", 18}, {"8026", 18}, {"8110", 0}, {"8200", 0}, {"90", 0}, {"99", 0},
	}
	for _, tt := range tests {
		ai, rest, length, ok := cutAI(tt.ai + "9x")
		if ai != tt.ai || rest != "9x" || length != tt.length || !ok {
			t.Errorf("cutAI(%q) = %q, %q, %d, %t", tt.ai+"9x", ai, rest, length, ok)
		}
	}
	for _, text := range []string{"", "0", "05", "29", "38", "50", "60", "73", "83", "x1", "24", "310", "80a6"} {
		if ai, _, _, ok := cutAI(text); ok {
			t.Errorf("cutAI(%q) = %q, want none", text, ai)
		}
	}
}
