// Package extract reads identifiers and unit predicates out of notices' prose:
// barcodes, models, lots, serial numbers, date codes and windows, each with the
// words that it comes from. It also classifies hazards, remedies and audience.
//
// It is pure, and knows nothing of agencies' wire formats: an agency hands it
// cleaned text by field.
package extract

import "github.com/crownsafe/api/internal/recall"

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
}
