package gtin

import "strings"

// form is what is known of a number beyond its digits, from its label or from
// the symbology that carried it.
type form int

const (
	anyForm form = iota
	formUPCE
	formEAN8
)

// readDigits reads a number of at most 14 digits.
func readDigits(d string, form form, rewrites []Rewrite) (Reading, *Error) {
	switch len(d) {
	case 8:
		return readEight(d, form, rewrites)
	case 12, 13, 14:
		if !Valid(d) {
			return Reading{}, wrongCheckDigit(d)
		}
		r := Reading{Rewrites: rewrites}
		r.add(d)
		return finish(r), nil
	}
	return Reading{}, wrongLength(d)
}

// add appends a valid GTIN of any length, and the step that made it 14 digits.
func (r *Reading) add(gtin string) {
	padded := Pad14(gtin)
	if padded != gtin {
		r.Rewrites = append(r.Rewrites, Rewrite{gtin, padded, paddingRule(len(gtin))})
	}
	r.GTINs = append(r.GTINs, padded)
}

func paddingRule(digits int) string {
	switch digits {
	case 8:
		return "ean-8 to gtin-14"
	case 12:
		return "upc-a to gtin-14"
	}
	return "ean-13 to gtin-14"
}

// readEight reads eight digits: UPC-E when only that passes, EAN-8 when only
// that passes, and both, the UPC-E first, when nothing tells them apart.
func readEight(d string, form form, rewrites []Rewrite) (Reading, *Error) {
	upca, isUPCE := ExpandUPCE(d)
	isEAN8 := Valid(d)
	switch form {
	case formUPCE:
		isEAN8 = false
	case formEAN8:
		isUPCE = false
	}
	if !isUPCE && !isEAN8 {
		return Reading{}, wrongCheckDigitOfEight(d, form)
	}
	r := Reading{Rewrites: rewrites}
	if isUPCE {
		r.Rewrites = append(r.Rewrites, Rewrite{d, upca, ruleUPCE})
		r.add(upca)
	}
	if isEAN8 {
		r.add(d)
	}
	return finish(r), nil
}

// wrongCheckDigit explains 12, 13 or 14 digits that fail, and corrects them.
func wrongCheckDigit(d string) *Error {
	if allZeros(d) {
		return failf(NoGTIN, "%s is a placeholder: a number of zeros names no product", excerpt(d))
	}
	right := withCheckDigit(d[:len(d)-1])
	e := failf(WrongCheckDigit, "the check digit of %s is %c, and the digits before it call for %c: one of them is misread or mistyped",
		excerpt(d), d[len(d)-1], right[len(right)-1])
	if Valid(right) {
		e.suggest(right)
	}
	return e
}

// wrongCheckDigitOfEight does the same for eight digits, which have a right
// check digit for each way of reading them.
func wrongCheckDigitOfEight(d string, form form) *Error {
	if allZeros(d) {
		return wrongCheckDigit(d)
	}
	var corrected []string
	if d[0] <= '1' && form != formEAN8 {
		c := d[:7] + expandUPCE(d[0], d[1:7])[11:]
		if _, ok := ExpandUPCE(c); ok {
			corrected = append(corrected, c)
		}
	}
	if c := withCheckDigit(d[:7]); form != formUPCE && Valid(c) {
		corrected = append(corrected, c)
	}
	return failf(WrongCheckDigit, "the check digit of %s fits neither a UPC-E nor an EAN-8: one of the digits is misread or mistyped",
		excerpt(d)).suggest(corrected...)
}

// wrongLength explains a number of at most 14 digits that has no length of a
// GTIN. It suggests only what passes as it stands, and never prefers one.
func wrongLength(d string) *Error {
	const right = "a barcode has 8, 12, 13 or 14"
	e := failf(WrongLength, "%s has %d digits; %s", excerpt(d), len(d), right)
	switch len(d) {
	case 6:
		e.Message = excerpt(d) + " has 6 digits: a UPC-E without the small digit before it and the one behind it"
		for _, system := range []byte("01") {
			e.suggestValid(expandUPCE(system, d))
		}
	case 7:
		e.Message = excerpt(d) + " has 7 digits: a UPC-E or an EAN-8 of which one is missing"
		if d[0] <= '1' {
			e.suggestValid(expandUPCE(d[0], d[1:]))
		}
		if upca, ok := ExpandUPCE("0" + d); ok {
			e.suggest(upca)
		}
		if d[0] > '1' { // an EAN-8 that starts with 0 or 1 is hardly ever a product
			e.suggestValid(withCheckDigit(d))
		}
	case 10:
		e.Message = excerpt(d) + " has 10 digits: a UPC-A without the small digits before and behind them"
		if isbn, ok := isbn13(d); ok {
			e.Message = excerpt(d) + " is an ISBN of 10 digits; the barcode of a book has 13"
			e.suggest(isbn)
		}
	case 11:
		e.Message = excerpt(d) + " has 11 digits: a UPC-A that lost the zero before it or the check digit behind it"
		e.suggestValid("0" + d)
		e.suggestValid(withCheckDigit(d))
	}
	return e
}

// suggestValid suggests a number if it is a GTIN.
func (e *Error) suggestValid(gtin string) {
	if Valid(gtin) {
		e.suggest(gtin)
	}
}

// tooLong explains a number of more than 14 digits that is no element string.
func tooLong(d string) *Error {
	if n := len(d); (n == 15 || n == 18) && isPublication(d) && Valid(d[:13]) {
		return failf(WrongLength, "%s has %d digits: the barcode of a publication and its add-on", excerpt(d), n).suggest(d[:13])
	}
	if sscc := strings.TrimPrefix(d, "00"); len(d) == 20 && len(sscc) == 18 || len(d) == 18 {
		if len(sscc) == 18 && sscc[17] == checkDigit(sscc[:17]) {
			return failf(NoGTIN, "%s is an SSCC, which names one parcel or pallet; the product's own barcode has 8, 12, 13 or 14 digits", excerpt(d))
		}
	}
	// AI 410 to 417 hold a GLN: GS1 General Specifications, section 3.2.
	if len(d) == 16 && d[:2] == "41" && d[2] <= '7' && Valid(d[3:]) {
		return failf(NoGTIN, "%s is a GLN, which names a place or a firm; the product's own barcode has 8, 12, 13 or 14 digits", excerpt(d))
	}
	return failf(WrongLength, "%s has %d digits; a barcode has 8, 12, 13 or 14", excerpt(d), len(d))
}

// isbn13 turns an ISBN of ten characters, whose check character (modulo 11) is
// right, into the number of the book's barcode (ISO 2108).
func isbn13(s string) (string, bool) {
	if len(s) != 10 || !allDigits(s[:9]) {
		return "", false
	}
	sum := 0
	for i := range 9 {
		sum += int(s[i]-'0') * (10 - i)
	}
	if s[9] != "0123456789X"[(11-sum%11)%11] || allZeros(s) {
		return "", false
	}
	return withCheckDigit("978" + s[:9]), true
}
