// Package extract reads identifiers and unit predicates out of notices' prose:
// barcodes, models, lots, serial numbers, date codes and windows, each with the
// words that it comes from. It also classifies hazards, remedies and audience.
//
// It is pure, and knows nothing of agencies' wire formats: an agency hands it
// cleaned text by field.
package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// Field is one piece of a notice's cleaned text under the agency's name for it.
type Field struct {
	Name string // as quotes shall name it: title, description, code_info
	Text string
}

// Codes is what was read out of a notice's prose.
type Codes struct {
	GTINs  []recall.PrintedGTIN
	Models []string // as printed, in order of first appearance, no doubles
	// Units are the predicates; empty when the prose limits the notice by
	// nothing. Groups are numbered from 1.
	Units []recall.Predicate
	// TradeNumbers are the item numbers of a food: they tell no unit from another.
	TradeNumbers []string
}

// Options says what is known about the text besides its words.
type Options struct {
	Language string // of the words, a BCP 47 tag; "en" when empty, "fr" is known too
	// Cut says that the text's carrier cut it off: what limits the notice may
	// stand in the lost part, so that codes that were read don't bound it.
	Cut bool
	// Food says that the product is something to eat: item numbers and SKUs are
	// those of the trade and stand on no pack, and what is called a product code
	// is a production code where the notice names no other.
	Food bool
}

// Read finds the identifiers and unit predicates in a notice's fields, handed
// over in the order of their weight: title, product names, description. It
// takes any bytes and never fails; every quote is the very bytes of its field.
//
// Only words that announce a code (lot, UPC, best by) make one: a number by
// itself is nothing, but in the fields code_info and more_code_info, which hold
// codes alone. What is read narrows a notice, so every doubt widens it again: a
// list that goes on, a range in a notation that doesn't sort, a table that gave
// nothing or a cut end becomes an Unreadable predicate in a group of its own, as
// does a list of models that is not whole, and of two possible readings the one
// that covers more units is taken.
func Read(fields []Field, opts Options) Codes {
	r := newReader(opts)
	for _, f := range fields {
		r.readField(f)
	}
	return r.codes()
}

// HasCutEnd tells whether a text ends in an ellipsis, by which some carriers
// mark that they cut it off.
func HasCutEnd(source string) bool {
	source = strings.TrimRight(source, " \n\t\"”")
	return strings.HasSuffix(source, "…") || strings.HasSuffix(source, "...")
}
