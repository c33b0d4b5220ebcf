package gtin

import "strings"

// Valid reports whether the text is a GTIN-8, GTIN-12, GTIN-13 or GTIN-14: that
// many ASCII digits, not all zeros, the last of them the right check digit
// (section 7.9). The eight digits of a UPC-E are no GTIN; see ExpandUPCE.
func Valid(digits string) bool {
	switch len(digits) {
	case 8, 12, 13, 14:
	default:
		return false
	}
	zeros := true
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		zeros = zeros && digits[i] == '0'
	}
	last := len(digits) - 1
	return !zeros && digits[last] == checkDigit(digits[:last])
}

// CheckDigit computes the check digit, as an ASCII digit, of a GS1 number of
// any length that is given without it (section 7.9). It is false for a text
// that is empty or not all ASCII digits.
func CheckDigit(digitsWithout string) (byte, bool) {
	if !allDigits(digitsWithout) {
		return 0, false
	}
	return checkDigit(digitsWithout), true
}

// checkDigit weighs the digits 3, 1, 3, 1 … from the right, and completes the
// sum to a multiple of ten.
func checkDigit(digits string) byte {
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum += int(digits[i]-'0') * weight
		weight = 4 - weight
	}
	return byte('0' + (10-sum%10)%10)
}

// withCheckDigit completes a number of digits only.
func withCheckDigit(digits string) string {
	return digits + string(checkDigit(digits))
}

// Pad14 writes a valid number of 8, 12, 13 or 14 digits with 14 digits, as
// databases hold it (leading zeros don't change a check digit). It is "" for
// anything else.
func Pad14(digits string) string {
	if !Valid(digits) {
		return ""
	}
	return "000000"[:14-len(digits)] + digits
}

// Item returns the GTIN-14 of the single item that a GTIN-14 groups: an
// indicator of 1 to 8 (a case, a pallet layer) is dropped and the check digit
// computed anew. That holds only where the grouping was numbered after its
// content, which the rules allow and don't demand. With indicator 0 the number
// is the item itself; it is "" for indicator 9 (a variable measure, whose
// number has no fixed item) and for anything that is no valid GTIN-14.
func Item(gtin14 string) string {
	if len(gtin14) != 14 || !Valid(gtin14) {
		return ""
	}
	switch gtin14[0] {
	case '0':
		return gtin14
	case '9':
		return ""
	}
	if item := withCheckDigit("0" + gtin14[1:13]); Valid(item) {
		return item
	}
	return ""
}

// Restricted reports whether a GTIN-14 is a restricted circulation number: GS1
// Prefix 02, 04 or 20 to 29 of its 13-digit form (section 1.4), which shops and
// regions give out for themselves, often with a price or weight inside. All
// zeros, a placeholder, count too.
//
// The in-store numbers of eight digits (GS1-8 Prefixes 0 and 2) are not among
// them: they carry no price or weight, and the recall of a chain's own product
// is often found by nothing else.
func Restricted(gtin14 string) bool {
	if len(gtin14) != 14 {
		return false
	}
	return gtin14[1] == '2' || gtin14[1:3] == "02" || gtin14[1:3] == "04" || allZeros(gtin14)
}

// Coupon reports whether a GTIN-14 is a coupon's number: GS1 Prefixes 98 (with
// refund receipts) and 99, and U.P.C. Prefix 5, which is 05 in 13 digits
// (section 1.4).
func Coupon(gtin14 string) bool {
	if len(gtin14) != 14 {
		return false
	}
	p := gtin14[1:3]
	return p == "98" || p == "99" || p == "05"
}

// isPublication reports whether a GTIN-13 has the GS1 Prefix of an ISBN (978,
// 979) or an ISSN (977).
func isPublication(gtin13 string) bool {
	p := gtin13[:3]
	return p == "977" || p == "978" || p == "979"
}

// allDigits reports whether a text is made of one or more ASCII digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func allZeros(s string) bool { return strings.Trim(s, "0") == "" }
