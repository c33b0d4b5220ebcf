// Package safetygate reads the notices of Safety Gate, the European Union's
// rapid alert system for dangerous non-food products (once RAPEX): the weekly
// reports' XML, the JSON behind the public site, and the copy of the whole
// register at public.opendatasoft.com.
//
// It knows nothing of storage, of the catalogue, or of who asks.
//
// # Identifiers
//
// A notice's native id is its case number with dashes for slashes:
// SR/00939/26 is SR-00939-26, the older A12/00123/20 is A12-00123-20. The
// weekly XML calls it caseNumber, the JSON reference, the register's copy
// alert_number; it is the same in all three.
//
// # Copies of one notice
//
// The JSON has the most fields, the register's copy lacks the types of
// measures, the weekly XML lacks days of its own and other countries. A copy in
// English is worth more than the same format in another language.
package safetygate

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "eu-safety-gate"

// The formats, as Recognise names them.
const (
	FormatWeekly       = "weekly-xml"   // one weekly report
	FormatWeeklyList   = "weekly-list"  // the list of weekly reports, which holds no notices
	FormatNotification = "notification" // the site's JSON: one notification, a page of the newest, or an array
	FormatMirror       = "opendatasoft" // records or an export of the register's copy
)

// How complete a notice is by its format; one point more where it is in English.
const (
	completenessExcerpt      = 1 // a row of the register's copy that was asked for by some of its fields
	completenessWeekly       = 2
	completenessMirror       = 4
	completenessNotification = 6
)

// Where the agency and the copy of its register are asked.
const (
	DefaultBaseURL   = "https://ec.europa.eu/safety-gate-alerts"
	DefaultMirrorURL = "https://public.opendatasoft.com"

	mirrorDataset = "/api/explore/v2.1/catalog/datasets/healthref-europe-rapex-en"
)

// Options configures the agency; the zero value is ready for use.
type Options struct {
	BaseURL string // of the site; empty: DefaultBaseURL
	// MirrorURL is the host of the register's copy; empty: BaseURL where one is
	// given, so that one proxy can stand for both, else DefaultMirrorURL.
	MirrorURL string
	Now       func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads Safety Gate.
type Agency struct {
	baseURL, mirrorURL string
	now                func() time.Time
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{
		baseURL:   strings.TrimRight(cmp.Or(o.BaseURL, DefaultBaseURL), "/"),
		mirrorURL: strings.TrimRight(cmp.Or(o.MirrorURL, o.BaseURL, DefaultMirrorURL), "/") + mirrorDataset,
		now:       o.Now,
	}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Describe implements agency.Agency.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:    Code,
		Name:    "Safety Gate (European Commission)",
		Country: "EU",
		Licence: "CC BY 4.0 (Commission Decision 2011/833/EU)",
		Attribution: "Alerts from the Rapid Alert System for dangerous non-food products, published free of charge on the Safety Gate website" +
			" (https://ec.europa.eu/safety-gate-alerts) © European Union, 2005 - 2026",
		Republish: true,
		Interval:  6 * time.Hour,
		Objective: 48 * time.Hour,
	}
}

// Recognise implements agency.Agency.
func (a *Agency) Recognise(name string, head []byte) agency.Recognition {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	if bytes.HasPrefix(head, []byte("<")) {
		return recogniseXML(head)
	}
	records := agency.ReadHeads(head)
	outer := records[0]
	switch {
	case outer.Has("error_code", "message") && strings.Contains(name, "rapex"):
		// Every data set of the portal fails in these words: the address tells whose.
		return agency.Recognition{Kind: agency.ErrorBody, Note: outer.Fields["error_code"] + ": " + outer.Fields["message"]}
	case outer.Has("total_count", "results"):
		records = agency.ReadHeads(behindKey(head, "results"))
		if records[0].Empty && strings.Contains(name, "rapex") {
			return agency.Recognition{Kind: agency.Empty, Format: FormatMirror}
		}
	case outer.Has("nhits", "records"), outer.Has("datasetid", "fields"):
		records = agency.ReadHeads(behindKey(head, "fields"))
	case outer.Has("content") && outer.Fields["content"] == "[":
		records = agency.ReadHeads(behindKey(head, "content"))
	}
	return recogniseRecords(records)
}

// recogniseRecords looks at a payload's first records, of which the very first
// may be broken.
func recogniseRecords(records []agency.Head) agency.Recognition {
	addresses := false
	for _, r := range records {
		switch {
		case r.Has("reference", "product") && (r.Has("notificationType") || r.Has("risk") || r.Has("publicationDate")):
			return agency.Recognition{Kind: agency.Notices, Format: FormatNotification}
		case r.Has("alert_number") && (r.Has("rapex_url") || r.Has("alert_date") || r.Has("product_name")):
			return agency.Recognition{Kind: agency.Notices, Format: FormatMirror}
		case r.Has("rapex_url"):
			addresses = true
		}
	}
	if addresses {
		return agency.Recognition{Kind: agency.Empty, Format: FormatMirror, Note: "the addresses of notices, without their numbers and products"}
	}
	return agency.Recognition{}
}

// recogniseXML tells the weekly reports from other XML. A report that is cut
// off, or that has no alerts, still says what it is at its beginning.
func recogniseXML(head []byte) agency.Recognition {
	has := func(tag string) bool { return bytes.Contains(head, []byte(tag)) }
	switch {
	case has("<notifications") && has("<caseNumber"):
		return agency.Recognition{Kind: agency.Notices, Format: FormatWeekly}
	case has("<Safety-Gate") && has("<weeklyReport"):
		return agency.Recognition{Kind: agency.Empty, Format: FormatWeeklyList, Note: "the list of weekly reports"}
	case has("<Safety-Gate"):
		return agency.Recognition{Kind: agency.Empty, Format: FormatWeekly}
	}
	return agency.Recognition{}
}

// behindKey returns what follows the first occurrence of a key's colon.
func behindKey(head []byte, key string) []byte {
	_, after, ok := bytes.Cut(head, []byte(`"`+key+`"`))
	if !ok {
		return nil
	}
	return bytes.TrimLeft(after, ": \t\r\n")
}
