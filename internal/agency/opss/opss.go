// Package opss reads the product recalls, safety reports and safety alerts of
// the United Kingdom's Office for Product Safety and Standards, which are
// published on GOV.UK: the search API lists them, the content API gives each.
//
// It knows nothing of storage, of the catalogue, or of who asks, and nothing of
// the other agencies whose alerts are on GOV.UK as well.
//
// # Identifiers
//
// A notice's native id is its number in the Product Safety Database (2609-0229),
// which stands in the title, in the body and at the end of the address. The few
// early notices without one go by GOV.UK's content_id, which survives renames
// of the address; when the number comes, that id is kept as a former one.
package opss

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "uk-opss"

// The formats, as Recognise names them.
const (
	FormatItem   = "content" // an item of the content API, or an array of such
	FormatSearch = "search"  // an answer of the search API: titles and dates, no codes
)

// How complete a notice is by its format.
const (
	completenessItem   = 2
	completenessSearch = 1
)

// documentType is what GOV.UK calls these notices, and basePath where they are.
const (
	documentType = "product_safety_alert_report_recall"
	basePath     = "/product-safety-alerts-reports-recalls/"
)

// DefaultBaseURL is GOV.UK.
const DefaultBaseURL = "https://www.gov.uk"

// Options configures the agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of GOV.UK; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads the notices of the OPSS.
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
		Name:        "Office for Product Safety and Standards (GOV.UK)",
		Country:     "GB",
		Licence:     "Open Government Licence v3.0",
		Attribution: "Contains public sector information licensed under the Open Government Licence v3.0.",
		Republish:   true,
		Interval:    2 * time.Hour,
		Objective:   24 * time.Hour,
	}
}

// bodilessType are the items that GOV.UK leaves where a notice was: at the old
// address of one that was renamed, or of one that was taken down.
var bodilessType = regexp.MustCompile(`"(?:document_type|schema_name)"\s*:\s*"(?:redirect|gone)"`)

// Recognise implements agency.Agency.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	records := agency.ReadHeads(head)
	outer := records[0]
	if outer.Has("results", "total") && !outer.Array {
		return recogniseSearch(head, outer)
	}
	for _, r := range records {
		if !strings.HasPrefix(r.Fields["base_path"], basePath) {
			continue
		}
		if bodilessType.Match(head) && !r.Has("details") {
			return agency.Recognition{Kind: agency.Empty, Format: FormatItem, Note: "the notice has moved or was taken down"}
		}
		// A long body may stand before the document's type and cut it off.
		if kind, known := r.Fields["document_type"]; !known || kind == documentType {
			return agency.Recognition{Kind: agency.Notices, Format: FormatItem}
		}
	}
	return agency.Recognition{}
}

// recogniseSearch tells an answer about these notices from one about anything
// else on GOV.UK.
func recogniseSearch(head []byte, outer agency.Head) agency.Recognition {
	_, list, _ := bytes.Cut(head, []byte(`"results"`))
	results := agency.ReadHeads(bytes.TrimLeft(list, ": \t\r\n"))
	if results[0].Empty && outer.Has("suggested_queries") {
		return agency.Recognition{Kind: agency.Empty, Format: FormatSearch}
	}
	for _, r := range results {
		if isOurs(r.Fields["link"], r.Fields["document_type"]) {
			return agency.Recognition{Kind: agency.Notices, Format: FormatSearch}
		}
	}
	return agency.Recognition{}
}

// isOurs tells whether a search result is a notice of this agency.
func isOurs(link, kind string) bool {
	return strings.HasPrefix(link, basePath) && len(link) > len(basePath) && (kind == "" || kind == documentType)
}
