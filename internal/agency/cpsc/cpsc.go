// Package cpsc reads the recalls of the U.S. Consumer Product Safety Commission:
// the answers of the SaferProducts REST service (Recall Retrieval Web Services
// Programmer's Guide, version 1.4) and the CSV files that cpsc.gov exports.
//
// It must not know how notices are stored, nor how prose is understood: it
// hands cleaned text to package extract.
package cpsc

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// Code is the agency's code in notice ids.
const Code = "us-cpsc"

// The formats that Recognise names.
const (
	FormatREST = "rest-json"  // the array that the REST service answers
	FormatCSV  = "csv-export" // cpsc.gov's "Export to CSV"
)

// DefaultBaseURL is the REST service.
const DefaultBaseURL = "https://www.saferproducts.gov/RestWebServices/Recall"

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the REST service; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads CPSC's recalls. It is safe for concurrent use.
type Agency struct {
	baseURL string
	now     func() time.Time
}

var _ agency.Divided = (*Agency)(nil)

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

// Describe tells what there is to know about CPSC.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "U.S. Consumer Product Safety Commission",
		Country:     "US",
		Licence:     "public domain (17 U.S.C. 105)",
		Attribution: "U.S. Consumer Product Safety Commission, www.cpsc.gov",
		Republish:   true,
		Interval:    time.Hour,
		Objective:   6 * time.Hour,
	}
}

// The parts of CPSC's notices.
const (
	partService = "service"
	partExport  = "export"
)

// PartOf tells what the REST service gives from what stands in the website's
// export only, which are mostly unilateral warnings: the export has neither
// addresses nor days of last publication.
func (a *Agency) PartOf(n *recall.Notice) string {
	if n.URL == "" && n.UpdatedAt == nil {
		return partExport
	}
	return partService
}

// Recognise knows the REST answer by the fields of one of its first records and
// the export by its header. The service reports its own failures as one record with
// RecallID 0, with status 200.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	heads := agency.ReadHeads(head)
	if i := slices.IndexFunc(heads, func(h agency.Head) bool { return h.Array && h.Has("RecallID", "RecallNumber") }); i >= 0 {
		h := heads[i]
		if said, failed := errorRecord(h.Fields["RecallID"], h.Fields["RecallNumber"], h.Fields["Title"]); failed {
			return agency.Recognition{Kind: agency.ErrorBody, Note: said}
		}
		return agency.Recognition{Kind: agency.Notices, Format: FormatREST}
	}
	rows := csv.NewReader(agency.SkipMark(strings.NewReader(string(head))))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil || !isExport(header) {
		return agency.Recognition{}
	}
	if _, err := rows.Read(); err == io.EOF {
		return agency.Recognition{Kind: agency.Empty, Format: FormatCSV, Note: "a header without recalls"}
	}
	return agency.Recognition{Kind: agency.Notices, Format: FormatCSV}
}

// isExport tells whether a CSV header is that of cpsc.gov's export.
func isExport(header []string) bool {
	for _, column := range []string{"Recall Number", "Date", "Recall Heading", "Name of product", "Description"} {
		if !slices.Contains(header, column) {
			return false
		}
	}
	return true
}

// Parse reads a payload. An error record of the service ends it with an
// *agency.AnswerError.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	switch format {
	case FormatREST:
		return a.parseREST(ctx, payload, sink)
	case FormatCSV:
		return a.parseCSV(ctx, payload, sink)
	}
	return fmt.Errorf("%s knows no format %q", Code, format)
}
