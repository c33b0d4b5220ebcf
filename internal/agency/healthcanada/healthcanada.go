// Package healthcanada reads the recalls and safety alerts that Health Canada
// publishes for itself, the Canadian Food Inspection Agency and Transport Canada
// on recalls-rappels.canada.ca: the open data file with one row for each notice,
// and the notices' pages, which alone hold brands, models, barcodes and lots.
//
// It knows nothing of storage, of the catalogue, or of who asks.
//
// # Identifiers
//
// A notice's native id is the NID of its row. A page does not tell its NID, and
// the row tells the dates and the authority, so that what Fetch hands over of a
// page is the page together with its row: each such payload can be parsed by
// itself, years later.
//
// # What is a notice
//
// Every row is: recalls of consumer products, food, vehicles, drugs and devices,
// and the warnings that Health Canada gives where nobody recalls (banned baby
// walkers of a seller abroad). Advice about no product in particular is among
// the warnings; it matches no product by name and is found by search alone.
package healthcanada

import (
	"cmp"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "ca-hc"

// The formats that Recognise names.
const (
	FormatRows = "open-data-json" // the open data file
	FormatPage = "notice-page"    // a notice's page with its row; see savedPage
)

// How complete a copy of a notice is.
const (
	completenessFrenchRow = 1
	completenessRow       = 2
	completenessPage      = 3
)

// DefaultBaseURL is the open data file.
const DefaultBaseURL = "https://recalls-rappels.canada.ca/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json"

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the open data file; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads Health Canada's notices. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
	pages   agency.PageLog
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

// Describe implements agency.Agency. The file is made anew once a day.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "Health Canada, recalls and safety alerts",
		Country:     "CA",
		Licence:     "Open Government Licence - Canada 2.0",
		Attribution: "Contains information licensed under the Open Government Licence – Canada.",
		Republish:   true,
		Interval:    time.Hour,
		Objective:   36 * time.Hour,
	}
}

// Recognise knows the file by the fields of one of its first rows, and a saved
// page by the mark that Fetch gave it.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	heads := agency.ReadHeads(head)
	isRow := func(h agency.Head) bool { return h.Array && h.Has("NID", "Organization", "Recall class") }
	switch {
	case slices.ContainsFunc(heads, isRow):
		return agency.Recognition{Kind: agency.Notices, Format: FormatRows}
	case !heads[0].Array && heads[0].Fields["source"] == pageMark && heads[0].Has("row", "url"):
		return agency.Recognition{Kind: agency.Notices, Format: FormatPage}
	}
	return agency.Recognition{}
}
