// Package rappelconso reads the notices of RappelConso, the recall register of
// the French consumer authority DGCCRF, from the open data portal
// data.economie.gouv.fr: the live feed, and the files that the portal exported
// in its present format (version 2) and in the retired one (version 1).
//
// It knows nothing of storage, of the catalogue, or of who asks.
//
// # Identifiers
//
// A notice's native id is its numero_fiche (version 1: reference_fiche) in
// lower case with dashes for slashes. Version 2 writes all text in lower case
// and version 1 doesn't, so lower case is the one form that both agree on.
// Notices that RappelConso took over from Safety Gate carry that system's
// number (sr/00842/26) and declare the Safety Gate notice as an alias.
package rappelconso

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "fr-rappelconso"

// The formats, as Recognise names them. One notice is one record in all but
// FormatTrie, where it is as many rows as it has barcodes.
const (
	FormatEspaces = "v2-espaces" // identification_produits is an array of tokens
	FormatExplore = "v2-explore" // identification_produits is a string with $ and |
	FormatTrie    = "v2-trie"    // the same string, one row for each barcode
	FormatCSV     = "v2-csv"     // the portal's CSV export
	FormatV1      = "v1"         // the retired data set
)

// How complete a notice is by its format: version 1 has no date of publication,
// and has lost the marks between barcodes, lots and dates.
const (
	completenessV2   = 3
	completenessTrie = 2
	completenessV1   = 1
)

// DefaultBaseURL is the data set with one row for each notice.
const DefaultBaseURL = "https://data.economie.gouv.fr/api/explore/v2.1/catalog/datasets/rappelconso-v2-gtin-espaces"

// Options configures the agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the data set; empty: DefaultBaseURL
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads RappelConso.
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
		Name:        "RappelConso (DGCCRF)",
		Country:     "FR",
		Licence:     "Licence Ouverte / Open Licence 2.0 (Etalab)",
		Attribution: "Source: DGCCRF, RappelConso, data.economie.gouv.fr",
		Republish:   true,
		Interval:    time.Hour,
		Objective:   24 * time.Hour,
	}
}

// Recognise implements agency.Agency.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if isCSV(head) {
		return agency.Recognition{Kind: agency.Notices, Format: FormatCSV}
	}
	records := agency.ReadHeads(head)
	outer := records[0]
	switch {
	case outer.Has("error_code", "message"):
		return agency.Recognition{Kind: agency.ErrorBody, Note: outer.Fields["error_code"] + ": " + outer.Fields["message"]}
	case outer.Has("total_count", "results"):
		if records = agency.ReadHeads(behindKey(head, "results")); records[0].Empty {
			return agency.Recognition{Kind: agency.Empty, Format: FormatExplore}
		}
	case outer.Has("records"), outer.Has("record"), outer.Has("fields"), outer.Array && outer.Has("recordid"):
		records = agency.ReadHeads(behindKey(head, "fields"))
	}
	for _, record := range records { // the very first may be broken
		if format := formatOf(record); format != "" {
			return agency.Recognition{Kind: agency.Notices, Format: format}
		}
	}
	return agency.Recognition{}
}

// formatOf names the format of a payload by the fields of a record.
func formatOf(record agency.Head) string {
	switch {
	case record.Has("reference_fiche") && (record.Has("identification_des_produits") || record.Has("motif_du_rappel")):
		return FormatV1
	case !record.Has("numero_fiche") || !record.Has("rappel_guid") && !record.Has("motif_rappel"):
		return ""
	case record.Has("gtin"):
		return FormatTrie
	case record.Fields["identification_produits"] == "[":
		return FormatEspaces
	}
	return FormatExplore
}

// behindKey returns what follows the first occurrence of a key's colon.
func behindKey(head []byte, key string) []byte {
	_, after, ok := bytes.Cut(head, []byte(`"`+key+`"`))
	if !ok {
		return nil
	}
	return bytes.TrimLeft(after, ": \t\r\n")
}

// isCSV looks for the portal's column names in the first line.
func isCSV(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	names := strings.FieldsFunc(string(line), func(r rune) bool { return r == ';' || r == '"' || r == '\r' })
	fiche, identification := false, false
	for _, n := range names {
		fiche = fiche || n == "numero_fiche"
		identification = identification || n == "identification_produits"
	}
	return fiche && identification && bytes.IndexByte(line, ';') >= 0
}
