package gtin

import "testing"

func TestExpandUPCE(t *testing.T) {
	tests := []struct{ name, upce, want string }{
		{"last digit 0", "01234505", "012000003455"},
		{"last digit 1", "01234514", "012100003454"},
		{"last digit 2", "01234523", "012200003453"},
		{"last digit 3", "01234531", "012300000451"},
		{"last digit 4", "01234543", "012340000053"},
		{"last digit 5", "01234558", "012345000058"},
		{"last digit 6", "01234565", "012345000065"},
		{"last digit 7", "01234572", "012345000072"},
		{"last digit 8", "01234589", "012345000089"},
		{"last digit 9", "01234596", "012345000096"},
		{"number system 1", "14252611", "142100005261"},
		{"number system 2", "24252618", ""},
		{"wrong check digit", "04252615", ""},
		{"six digits", "425261", ""},
		{"seven digits", "4252614", ""},
		{"nine digits", "042526140", ""},
		{"zeros", "00000000", ""},
		{"letters", "0425261X", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := ExpandUPCE(tt.upce)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("ExpandUPCE(%q) = %q, %t, want %q", tt.upce, got, ok, tt.want)
			}
		})
	}
}

func TestValid(t *testing.T) {
	for digits, want := range map[string]bool{
		"96385074": true, "041220787340": true, "4006381333931": true, "19501101530000": true,
		"96385075": false, "041220787341": false, "4006381333932": false, "19501101530001": false,
		"": false, "0": false, "41220787340": false, "041220787340 ": false, "04122078734X": false,
		"00000000": false, "00000000000000": false, "106141412345678908": false, "０４１２": false,
	} {
		if got := Valid(digits); got != want {
			t.Errorf("Valid(%q) = %t, want %t", digits, got, want)
		}
	}
}

func TestCheckDigit(t *testing.T) {
	for digits, want := range map[string]byte{
		"9638507": '4', "04122078734": '0', "400638133393": '1', "1950110153000": '0', "10614141234567890": '8',
	} {
		if got, ok := CheckDigit(digits); !ok || got != want {
			t.Errorf("CheckDigit(%q) = %c, %t, want %c", digits, got, ok, want)
		}
	}
	for _, digits := range []string{"", "12a", "１"} {
		if got, ok := CheckDigit(digits); ok {
			t.Errorf("CheckDigit(%q) = %c, want none", digits, got)
		}
	}
}

func TestPad14(t *testing.T) {
	for digits, want := range map[string]string{
		"96385074": "00000096385074", "041220787340": "00041220787340",
		"4006381333931": "04006381333931", "19501101530000": "19501101530000",
		"041220787341": "", "41220787340": "", "": "",
	} {
		if got := Pad14(digits); got != want {
			t.Errorf("Pad14(%q) = %q, want %q", digits, got, want)
		}
	}
}

func TestItem(t *testing.T) {
	for gtin14, want := range map[string]string{
		"09501101530003": "09501101530003", // the item itself
		"19501101530000": "09501101530003", // a case of it
		"89501101530009": "09501101530003",
		"99501101530006": "", // variable measure
		"19501101530001": "", // wrong check digit
		"4006381333931":  "", // 13 digits
		"10000000000007": "", // a case of nothing
		"":               "",
	} {
		if got := Item(gtin14); got != want {
			t.Errorf("Item(%q) = %q, want %q", gtin14, got, want)
		}
	}
}

func TestRestrictedAndCoupon(t *testing.T) {
	tests := []struct {
		gtin14             string
		restricted, coupon bool
	}{
		{"00041220787340", false, false},
		{"00203684000000", true, false},
		{"00312345678906", false, false}, // a drug: U.P.C. Prefix 3
		{"00400000000008", true, false},
		{"00512345678900", false, true},
		{"02000000274249", true, false},
		{"02999999999999", true, false},
		{"03012345678906", false, false},
		{"09812345678909", false, true},
		{"09912345678908", false, true},
		{"09780306406157", false, false},
		{"00000020000011", false, false}, // a chain's own EAN-8
		{"00000000000000", true, false},
		{"2000000274249", false, false}, // not 14 digits
	}
	for _, tt := range tests {
		if got := Restricted(tt.gtin14); got != tt.restricted {
			t.Errorf("Restricted(%q) = %t", tt.gtin14, got)
		}
		if got := Coupon(tt.gtin14); got != tt.coupon {
			t.Errorf("Coupon(%q) = %t", tt.gtin14, got)
		}
	}
}
