// Package openfda reads the enforcement reports of the U.S. Food and Drug
// Administration on food, drugs and devices, as the openFDA service publishes
// them (open.fda.gov/apis/food/enforcement, .../drug/..., .../device/...).
//
// It must not know how notices are stored, nor how prose is understood: it
// hands cleaned text to package extract.
package openfda

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "us-fda"

// FormatEnforcement is the service's answer, {"meta", "results"}, and its
// official examples, {"result"}.
const FormatEnforcement = "enforcement-json"

// DefaultBaseURL is the service.
const DefaultBaseURL = "https://api.fda.gov"

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the service; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads FDA's enforcement reports. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{baseURL: o.BaseURL, now: o.Now}
	if a.baseURL == "" {
		a.baseURL = DefaultBaseURL
	}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Describe tells what there is to know about FDA's enforcement reports, which
// the service updates once a week.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "U.S. Food and Drug Administration",
		Country:     "US",
		Licence:     "CC0-1.0",
		Attribution: "U.S. Food and Drug Administration, open.fda.gov",
		Republish:   true,
		Interval:    6 * time.Hour,
		Objective:   24 * time.Hour,
	}
}

// Recognise knows an answer by the fields of one of its first reports. "No match" comes
// as an error with the code NOT_FOUND and is an answer without reports.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	var r agency.Recognition
	d := agency.NewJSONDecoder(bytes.NewReader(head))
	// The error of a payload that ends, or stops being JSON, behind what
	// decides says nothing about its kind.
	_ = agency.EachMember(d, func(key string) error {
		switch key {
		case "error":
			failure, err := readFailure(d)
			if err == nil && failure.notFound() {
				r = agency.Recognition{Kind: agency.Empty, Format: FormatEnforcement, Note: failure.String()}
			} else if err == nil && failure.Code != "" {
				r = agency.Recognition{Kind: agency.ErrorBody, Note: failure.String()}
			}
			return errDecided
		case "results":
			r = recogniseResults(d)
			return errDecided
		case "result":
			var raw json.RawMessage
			if err := d.Decode(&raw); err == nil && isReport(raw) {
				r = agency.Recognition{Kind: agency.Notices, Format: FormatEnforcement}
			}
			return errDecided
		}
		return agency.SkipValue(d)
	})
	return r
}

// recogniseResults looks at the first reports, of which the very first may be
// broken. Nothing tells whose list an empty one is.
func recogniseResults(d *json.Decoder) agency.Recognition {
	const most = 20
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return agency.Recognition{}
	}
	for range most {
		if !d.More() {
			break
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			break
		}
		if isReport(raw) {
			return agency.Recognition{Kind: agency.Notices, Format: FormatEnforcement}
		}
	}
	return agency.Recognition{}
}

// isReport tells an enforcement report from the service's other data (adverse
// events, labels), which have the same envelope.
func isReport(raw json.RawMessage) bool {
	return agency.ReadHead(raw).Has("recalling_firm", "product_description", "reason_for_recall", "event_id")
}
