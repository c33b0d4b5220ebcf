// Package fsa reads the food alerts of the United Kingdom's Food Standards
// Agency from data.food.gov.uk: allergy alerts (AA), product recall information
// notices (PRIN) and food alerts for action (FAFA).
//
// It knows nothing of storage, of the catalogue, or of who asks.
//
// # Identifiers
//
// A notice's native id is the alert's notation (FSA-AA-01-2018), as the agency
// writes it. An update of an alert is an alert of its own, with the number of
// the first and "-update-1" behind it; it names the first as an alias.
package fsa

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "uk-fsa"

// The formats, as Recognise names them.
const (
	FormatAPI     = "api"     // an answer of the API, its items alone, or one alert
	FormatLiteral = "literal" // alerts of the API kept in a script: keys without quotes
)

// How complete a notice is: the list of alerts lacks what the alert itself says
// of batches, dates and what to do.
const (
	completenessDetail = 2
	completenessList   = 1
)

// DefaultBaseURL is the API of the food alerts.
const DefaultBaseURL = "https://data.food.gov.uk/food-alerts"

// Options configures the agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the API; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads the food alerts.
type Agency struct {
	baseURL string
	now     func() time.Time
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{baseURL: strings.TrimRight(cmp.Or(o.BaseURL, DefaultBaseURL), "/"), now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Describe implements agency.Agency.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "Food Standards Agency (food alerts)",
		Country:     "GB",
		Licence:     "Open Government Licence v3.0",
		Attribution: "Contains public sector information from the Food Standards Agency licensed under the Open Government Licence v3.0.",
		Republish:   true,
		Interval:    time.Hour,
		Objective:   24 * time.Hour,
	}
}

// literalStart is how a script that keeps an array of alerts begins.
var literalStart = regexp.MustCompile(`^\s*(?:export\s+)?(?:const|let|var)\s+\w+\s*=\s*\[`)

// alertID is in every alert's @id, whatever else an answer holds.
const alertID = "data.food.gov.uk/food-alerts/id/"

// Recognise implements agency.Agency.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	if literalStart.Match(head) && bytes.Contains(head, []byte(alertID)) {
		return agency.Recognition{Kind: agency.Notices, Format: FormatLiteral}
	}
	records := agency.ReadHeads(head)
	if outer := records[0]; !outer.Array && outer.Has("meta", "items") {
		_, list, _ := bytes.Cut(head, []byte(`"items"`))
		records = agency.ReadHeads(bytes.TrimLeft(list, ": \t\r\n"))
		if records[0].Empty && bytes.Contains(head, []byte("food-alerts")) {
			return agency.Recognition{Kind: agency.Empty, Format: FormatAPI}
		}
	}
	for _, r := range records {
		if r.Fields["notation"] != "" && strings.Contains(r.Fields["@id"], alertID) {
			return agency.Recognition{Kind: agency.Notices, Format: FormatAPI}
		}
	}
	return agency.Recognition{}
}
