// Package fsis reads the recalls and public health alerts on meat, poultry and
// egg products of the Food Safety and Inspection Service of the U.S. Department
// of Agriculture, as its recall API publishes them (FSIS Recall API, version 1).
//
// It must not know how notices are stored, nor how prose is understood: it
// hands cleaned text to package extract.
//
// # Identifiers
//
// A notice's native id is the number of the recall or alert as FSIS prints it
// (040-2022, PHA-10072025-01, 050-2011-EXP), with dashes for the blanks and
// slashes inside it. The API has a second row under the same number where there
// is a Spanish text: it is a translation of the same notice, and stands for it
// only where the English row is missing.
package fsis

import (
	"cmp"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "us-fsis"

// FormatRecalls is the API's answer: a bare array of rows, one for each
// language of a notice.
const FormatRecalls = "recall-api-v1"

// DefaultBaseURL is the API's one address.
const DefaultBaseURL = "https://www.fsis.usda.gov/fsis/api/recall/v/1"

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the API; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads FSIS's recalls and alerts. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{baseURL: cmp.Or(o.BaseURL, DefaultBaseURL), now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Describe implements agency.Agency.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "USDA Food Safety and Inspection Service",
		Country:     "US",
		Licence:     "public domain (17 U.S.C. 105)",
		Attribution: "U.S. Department of Agriculture, Food Safety and Inspection Service, www.fsis.usda.gov",
		Republish:   true,
		Interval:    time.Hour,
		Objective:   12 * time.Hour,
	}
}

// Recognise knows the API's answer by the fields of one of its first rows.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	isRow := func(h agency.Head) bool {
		return h.Array && h.Has("field_recall_number", "field_title", "langcode")
	}
	if slices.ContainsFunc(agency.ReadHeads(head), isRow) {
		return agency.Recognition{Kind: agency.Notices, Format: FormatRecalls}
	}
	return agency.Recognition{}
}
