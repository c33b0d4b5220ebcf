// Package gtin reads a barcode in any form in which people and machines write
// it down, and says which Global Trade Item Number (GTIN) it names: EAN-8,
// EAN-13, UPC-A, UPC-E and GTIN-14 digits with the blanks, hyphens and labels
// around them, GS1 element strings as scanners transmit or labels print them,
// and GS1 Digital Link addresses. With the GTIN come the lot, the serial number
// and the dates that the code carries.
//
// The package is pure and knows nothing of notices, verdicts or HTTP. It never
// guesses: a code that can't be one GTIN for certain is an *Error, with what
// the reader may have meant as suggestions.
//
// Numbers of sections are those of the GS1 General Specifications. "The Digital
// Link standard" is the GS1 Digital Link Standard: URI Syntax.
package gtin

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// maxCode is the longest code that is looked at, in bytes. The longest symbol
// in use on products, a GS1 DataMatrix, holds less than 2,400 characters.
const maxCode = 4096

// Reading is what a code says.
type Reading struct {
	// GTINs are numbers of 14 digits: one, or two where eight digits can be
	// either a UPC-E or an EAN-8 (the UPC-E reading first; Flags then holds
	// FlagAmbiguous).
	GTINs []string
	// Lot and Serial are as the code carries them: at most 20 printable
	// characters, empty when there are none or when they can't be told for
	// certain from what follows (Rewrites then says so).
	Lot, Serial string
	// BestBefore, Expiry and MadeOn are YYYY-MM-DD, or YYYY-MM where the code
	// leaves the day open; empty when there are none.
	BestBefore, Expiry, MadeOn string
	Flags                      []Flag
	// Rewrites are the steps from the code as given to the GTINs, in order.
	Rewrites []Rewrite
}

// Flag is a warning about a number that is well-formed.
type Flag string

// The flags. All but FlagAmbiguous speak of the first GTIN.
const (
	// FlagRestricted marks a number for use inside one shop or region, which
	// different companies use for different things; see Restricted.
	FlagRestricted Flag = "restricted_circulation"
	// FlagCoupon marks a coupon or a refund receipt; see Coupon.
	FlagCoupon Flag = "coupon"
	// FlagISBN marks a book (GS1 Prefixes 978 and 979) or a serial publication
	// (977, an ISSN). The number names a title, not an edition's production run.
	FlagISBN Flag = "isbn"
	// FlagAmbiguous marks eight digits that pass as UPC-E and as EAN-8.
	FlagAmbiguous Flag = "ambiguous"
)

// Rewrite is one step of a reading: From was read as To by the named rule. An
// empty To means that From was left out.
type Rewrite struct{ From, To, Rule string }

// The rules that a Rewrite can name.
const (
	ruleASCII      = "to ascii"
	ruleLabel      = "label removed"
	ruleSymbology  = "symbology identifier removed"
	ruleSeparators = "separators removed"
	ruleAddOn      = "add-on removed"
	ruleUPCE       = "upc-e to upc-a"
	ruleElements   = "element string to gtin"
	ruleLink       = "digital link to gtin"
	ruleLeftOut    = " left out: "
)

// Parse reads a barcode in any printed form. The error is always a *Error.
//
// Two-digit years are placed in the century that section 7.12 gives for today.
func Parse(code string) (Reading, error) {
	r, err := parse(code, time.Now)
	if err != nil {
		return Reading{}, err
	}
	return r, nil
}

// parse is Parse with the clock that places two-digit years.
func parse(code string, now func() time.Time) (Reading, *Error) {
	if len(code) <= 14 && allDigits(code) {
		return readDigits(code, anyForm, nil) // the everyday case: nothing to clean
	}
	if len(code) > maxCode {
		return Reading{}, failf(WrongLength, "the code has %d bytes; no barcode has more than %d", len(code), maxCode)
	}
	if !utf8.ValidString(code) {
		return Reading{}, failf(WrongCharacters, "the code is not valid UTF-8 text; a barcode is made of digits")
	}
	text, rewrites := toASCII(code)
	if text == "" {
		return Reading{}, failf(WrongLength, "the code is empty; a barcode has 8, 12, 13 or 14 digits")
	}
	return readText(text, rewrites, now)
}

// readText tells the forms apart and hands each to its reader.
func readText(text string, rewrites []Rewrite, now func() time.Time) (Reading, *Error) {
	if isAddress(text) {
		return readLink(text, rewrites, now)
	}
	text = withSeparators(text)
	if i := strings.IndexFunc(text, unprintable); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return Reading{}, failf(WrongCharacters, "the code holds the character %q; a barcode is made of digits", r)
	}
	symbol, data := cutSymbology(text)
	if symbol.data != plainData {
		rewrites = append(rewrites, Rewrite{text, data, ruleSymbology})
		text = data
	}
	if bare := strings.Trim(text, " "+fnc1); allDigits(bare) {
		text = bare // some scanners end every code with a separator
	}
	switch {
	case symbol.data == elementData:
		return readElements(text, true, rewrites, now)
	case symbol.data == addOnOnly:
		return Reading{}, failf(NoGTIN, "%s is only the add-on of a barcode; scan the large symbol beside it", excerpt(text))
	case symbol.data == eanWithAddOn && len(text) > 13 && allDigits(text):
		rewrites = append(rewrites, Rewrite{text, text[:13], ruleAddOn})
		return readDigits(text[:13], anyForm, rewrites)
	case isAddress(text):
		return readLink(text, rewrites, now)
	case isBracketed(text), strings.Contains(text, fnc1):
		return readElements(text, false, rewrites, now)
	}
	return readLabelled(text, symbol.form, rewrites, now)
}

// readLabelled reads digits, or an element string without any mark of being
// one, with or without a label before them.
func readLabelled(text string, form form, rewrites []Rewrite, now func() time.Time) (Reading, *Error) {
	rest, said := cutLabel(text)
	if rest != text {
		rewrites = append(rewrites, Rewrite{text, rest, ruleLabel})
	}
	if said != anyForm {
		form = said
	}
	return readBare(rest, form, rewrites, now)
}

// readBare reads what is left when labels and symbology identifiers are gone.
// The plain numbers of 8, 12, 13 and 14 digits win over element strings.
func readBare(text string, form form, rewrites []Rewrite, now func() time.Time) (Reading, *Error) {
	if isBracketed(text) {
		return readElements(text, false, rewrites, now)
	}
	number := withoutSeparators(text)
	if len(number) <= 14 && allDigits(number) {
		if number != text {
			rewrites = append(rewrites, Rewrite{text, number, ruleSeparators})
		}
		return readDigits(number, form, rewrites)
	}
	if r, err, ok := guessElements(text, rewrites, now); ok {
		return r, err
	}
	if allDigits(number) {
		return Reading{}, tooLong(number)
	}
	return Reading{}, notDigits(text, number)
}

// finish derives the flags from the first GTIN and returns the reading.
func finish(r Reading) Reading {
	g := r.GTINs[0]
	if Restricted(g) {
		r.Flags = append(r.Flags, FlagRestricted)
	}
	if Coupon(g) {
		r.Flags = append(r.Flags, FlagCoupon)
	}
	if isPublication(g[1:]) {
		r.Flags = append(r.Flags, FlagISBN)
	}
	if len(r.GTINs) > 1 {
		r.Flags = append(r.Flags, FlagAmbiguous)
	}
	return r
}

// failf makes an error without suggestions.
func failf(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
