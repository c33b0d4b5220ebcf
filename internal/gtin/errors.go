package gtin

import (
	"slices"
	"strconv"
)

// Error says why a code cannot be one GTIN for certain.
type Error struct {
	Code    ErrorCode
	Message string // what was wrong and what would be right; quotes at most 40 characters of the code
	// Suggestions are what the code may have been meant to be, the likelier
	// first. Parse reads every one of them.
	Suggestions []string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// ErrorCode is the machine-readable kind of an Error.
type ErrorCode string

// The kinds of errors.
const (
	// WrongCheckDigit is a number of the right length whose check digit does
	// not fit the others. The suggestion is the number with the one that does.
	WrongCheckDigit ErrorCode = "check_digit"
	// WrongLength is a number that has no length of a GTIN, an empty code, or
	// one that is far too long.
	WrongLength ErrorCode = "length"
	// WrongCharacters is a code with something in it that no barcode holds.
	WrongCharacters ErrorCode = "characters"
	// NoGTIN is a code that was understood and names no trade item: an SSCC, a
	// GLN, a lot, a web address, all zeros.
	NoGTIN ErrorCode = "no_gtin"
)

// suggest appends suggestions to the error, without doubles.
func (e *Error) suggest(codes ...string) *Error {
	for _, c := range codes {
		if c != "" && !slices.Contains(e.Suggestions, c) {
			e.Suggestions = append(e.Suggestions, c)
		}
	}
	return e
}

// maxExcerpt is how many characters of a code an error message quotes.
const maxExcerpt = 40

// excerpt quotes the beginning of a code for a message.
func excerpt(s string) string {
	n := 0
	for i := range s {
		if n == maxExcerpt-1 {
			return strconv.Quote(s[:i]) + "…"
		}
		n++
	}
	return strconv.Quote(s)
}
