// Package nhtsa reads the recall campaigns of the U.S. National Highway Traffic
// Safety Administration: its flat files (dictionary RCL.txt, May 2025) with all
// types of record, the open data set of recalls on data.transportation.gov,
// which the live feed takes child restraints from, and the answers of
// api.nhtsa.gov.
//
// It knows nothing of storage, of the catalogue, or of who asks. Prose is read
// by package extract; for vehicles only the structured columns count, because
// their texts list model years of many makes in one sentence.
package nhtsa

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// Code is the agency's code in notice ids.
const Code = "us-nhtsa"

// The formats that Recognise names.
const (
	FormatFlat    = "flat-rcl"    // tab-separated, 23 to 29 columns, no header
	FormatSocrata = "socrata"     // data set 6axg-epim: an array with one row for each campaign
	FormatAPI     = "api-recalls" // api.nhtsa.gov/recalls
)

// How complete a notice is by its format: only the flat file has the dates of
// manufacture, and only it and the API have makes and models.
const (
	completenessFlat    = 3
	completenessAPI     = 2
	completenessSocrata = 1
)

// DefaultBaseURL is the open data set of recalls.
const DefaultBaseURL = "https://data.transportation.gov/resource/6axg-epim.json"

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the open data set; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads NHTSA's recalls. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
}

var _ agency.Divided = (*Agency)(nil)

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
		Name:        "U.S. National Highway Traffic Safety Administration",
		Country:     "US",
		Licence:     "public domain (17 U.S.C. 105)",
		Attribution: "U.S. National Highway Traffic Safety Administration, www.nhtsa.gov",
		Republish:   true,
		Interval:    6 * time.Hour,
		Objective:   48 * time.Hour,
	}
}

// PartOf implements agency.Divided: the live feed holds the child restraints
// only, the flat files every type of record.
func (a *Agency) PartOf(n *recall.Notice) string {
	if len(n.Categories) == 0 {
		return ""
	}
	return n.Categories[0]
}

// Recognise implements agency.Agency. NHTSA's catalogue of car seats and the
// retired api.usa.gov format are no notices of a current format.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if isFlat(head) {
		return agency.Recognition{Kind: agency.Notices, Format: FormatFlat}
	}
	outer := agency.ReadHead(head)
	switch {
	case outer.Array && outer.Has("nhtsa_id") && (outer.Has("report_received_date") || outer.Has("defect_summary") || outer.Has("subject")):
		return agency.Recognition{Kind: agency.Notices, Format: FormatSocrata}
	case !outer.Array && outer.Has("error", "message") && outer.Fields["error"] == "true":
		return agency.Recognition{Kind: agency.ErrorBody, Note: outer.Fields["message"]}
	case !outer.Array && outer.Has("results") && (outer.Has("Count", "Message") || outer.Has("count", "message")):
		_, results, _ := bytes.Cut(head, []byte(`"results"`))
		inner := agency.ReadHead(bytes.TrimLeft(results, ": \t\r\n"))
		if inner.Empty {
			return agency.Recognition{Kind: agency.Empty, Format: FormatAPI}
		}
		if inner.Has("NHTSACampaignNumber") {
			return agency.Recognition{Kind: agency.Notices, Format: FormatAPI}
		}
	}
	return agency.Recognition{}
}

// isFlat recognises the flat file by its first row: the number of columns, and
// the campaign's number and dates in their places.
func isFlat(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	columns := strings.Split(strings.TrimRight(string(line), "\r"), "\t")
	return len(columns) >= minColumns && len(columns) <= maxColumns && isDigits(columns[colRecordID]) &&
		isCampaign(columns[colCampaign]) && (isDate(columns[colReceived]) || isDate(columns[colCreated]))
}

// isCampaign tells a campaign's number: two digits of the year, the letter of
// the type, six digits (10C005000).
func isCampaign(s string) bool {
	return len(s) == 9 && isDigits(s[:2]) && s[2] >= 'A' && s[2] <= 'Z' && isDigits(s[3:])
}

func isDate(s string) bool { return len(s) == 8 && isDigits(s) }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
