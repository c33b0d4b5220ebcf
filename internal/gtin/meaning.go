package gtin

import (
	"slices"
	"strings"
	"time"
)

// fromElements makes a reading of element strings, wherever they came from.
func fromElements(code, rule string, elements []element, rewrites []Rewrite, now func() time.Time) (Reading, *Error) {
	gtin, err := namedGTIN(code, elements)
	if err != nil {
		return Reading{}, err
	}
	r := Reading{GTINs: []string{gtin}, Rewrites: append(rewrites, Rewrite{code, gtin, rule})}
	today := now()
	r.Lot = r.mark("lot", elements, aiLot)
	r.Serial = r.mark("serial number", elements, aiSerial)
	r.BestBefore = r.date("best-before date", elements, today, aiBestBefore)
	r.Expiry = r.date("expiry date", elements, today, aiExpiry, aiExpiryTime)
	r.MadeOn = r.date("production date", elements, today, aiMade, aiMadeTime)
	return finish(r), nil
}

// namedGTIN finds the 14 digits of the trade item that element strings name: the item itself
// (01), else the item of which it is one piece (8006), else what a logistic unit
// contains (02, 8026; section 3.3.3).
func namedGTIN(code string, elements []element) (string, *Error) {
	for _, ai := range []string{aiGTIN, aiPiece, aiContent, aiPieces} {
		values := valuesOf(elements, ai)
		for i, v := range values {
			d := withoutSeparators(v)
			if (ai == aiPiece || ai == aiPieces) && len(d) == pieceDigits {
				d = d[:gtinDigits]
			}
			if err := checkGTIN(ai, d); err != nil {
				return "", err
			}
			values[i] = Pad14(d)
		}
		switch values = slices.Compact(values); len(values) {
		case 0:
			continue
		case 1:
			return values[0], nil
		}
		return "", failf(NoGTIN, "%s names more than one product, %s and %s", excerpt(code), excerpt(values[0]), excerpt(values[1])).suggest(values...)
	}
	return "", noGTIN(code, elements)
}

// checkGTIN explains what is wrong with the value of an AI that names a GTIN.
func checkGTIN(ai, digits string) *Error {
	switch {
	case Valid(digits):
		return nil
	case digits == "":
		return failf(WrongLength, "no GTIN follows (%s); it has 14 digits", ai)
	case !allDigits(digits):
		return failf(WrongCharacters, "the GTIN %s behind (%s) must be 14 digits", excerpt(digits), ai)
	}
	switch len(digits) {
	case 8, 12, 13, 14:
		return wrongCheckDigit(digits)
	}
	return failf(WrongLength, "the GTIN %s behind (%s) has %d digits; it must have 14", excerpt(digits), ai, len(digits))
}

// noGTIN says what element strings without a GTIN name instead.
func noGTIN(code string, elements []element) *Error {
	what := "no product"
	for _, e := range elements {
		switch {
		case e.ai == aiSSCC:
			what = "a parcel or pallet (an SSCC), not a product"
		case strings.HasPrefix(e.ai, "41"):
			what = "a company or place (a GLN), not a product"
		case e.ai == aiLot:
			what = "a lot, but not the product"
		case e.ai == aiSerial:
			what = "a serial number, but not the product"
		default:
			continue
		}
		break
	}
	return failf(NoGTIN, "%s names %s; the product's number follows (01), or is the 8, 12, 13 or 14 digits below the bars", excerpt(code), what)
}

// valuesOf returns the values of an AI.
func valuesOf(elements []element, ai string) []string {
	var values []string
	for _, e := range elements {
		if e.ai == ai {
			values = append(values, e.value)
		}
	}
	return values
}

// mark reads a lot or serial number. One that can't be had for certain is left
// out, and the reading says so: then it can be asked for, while a wrong one
// would be believed.
func (r *Reading) mark(name string, elements []element, ai string) string {
	var found []string
	for _, e := range elements {
		value := strings.Trim(e.value, " ")
		switch {
		case e.ai != ai || value == "":
		case e.uncertain:
			r.leaveOut(name, value, "without FNC1 its end is uncertain")
			return ""
		case len(value) > maxLot:
			r.leaveOut(name, value, "it has more than 20 characters")
			return ""
		case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }):
			r.leaveOut(name, value, "it has characters that GS1 symbols can't hold")
			return ""
		default:
			found = append(found, value)
		}
	}
	return r.only(name, found)
}

// date reads the date at the beginning of the first of the AIs' values.
func (r *Reading) date(name string, elements []element, today time.Time, ais ...string) string {
	var found []string
	for _, e := range elements {
		if !slices.Contains(ais, e.ai) {
			continue
		}
		digits := withoutSeparators(e.value)
		date, ok := readDate(digits[:min(6, len(digits))], today)
		if !ok || len(e.ai) == 2 && len(digits) != 6 { // the four-digit AIs have a time behind the date
			r.leaveOut(name, e.value, "it is no date YYMMDD")
			return ""
		}
		found = append(found, date)
	}
	return r.only(name, found)
}

// only returns the one value that was found, or none if several differ.
func (r *Reading) only(name string, found []string) string {
	if len(found) == 0 {
		return ""
	}
	for _, v := range found[1:] {
		if v != found[0] {
			r.leaveOut(name, v, "the code holds another one too, "+excerpt(found[0]))
			return ""
		}
	}
	return found[0]
}

func (r *Reading) leaveOut(name, value, why string) {
	r.Rewrites = append(r.Rewrites, Rewrite{From: value, Rule: name + ruleLeftOut + why})
}
