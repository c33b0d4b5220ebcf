// Package starter is the starter catalogue: a few hundred real baby and child
// recalls of several agencies, embedded in the binary, so that the first start
// on a fresh machine, even without network, answers something true.
//
// An entry holds facts only (ids, dates, brands, models, codes, kinds of hazard
// and remedy, links); every sentence is our own, composed in wording.go. It
// stands under the very id that the agency's own notice will have, and makes
// way for that notice when it arrives. The package must not know how notices
// are stored, looked up or fetched.
//
// The rule for writing entries: an entry may be poorer than its notice, never
// falser. A notice's list of models is written out whole or not at all, and
// with it the name of the product line, which people give as the model. A limit
// that is not transcribed is an unreadable predicate, so that the answer is
// "need_code" and never "not_affected".
package starter

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

//go:embed entries/*.json
var entries embed.FS

// Edition is the day on which the facts of this starter catalogue were last
// checked against the agencies' data; it is every entry's fetch time.
var Edition = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// source holds what is the same for every entry of one agency.
type source struct {
	agency, country      string
	licence, attribution string
	// address returns where the agency's data shows a native id, for agencies
	// whose notices have no page of their own.
	address func(native string) string
}

// sources lists the agencies in the order in which Notices returns them. Each
// has a file entries/AGENCY.json, an array with one entry a line.
var sources = []source{
	{
		agency: "us-cpsc", country: "US",
		licence:     "public domain (17 U.S.C. 105)",
		attribution: "U.S. Consumer Product Safety Commission, www.cpsc.gov",
	},
	{
		agency: "us-fda", country: "US",
		licence:     "CC0-1.0",
		attribution: "U.S. Food and Drug Administration, open.fda.gov",
		address: func(native string) string {
			return "https://api.fda.gov/food/enforcement.json?search=" + url.QueryEscape(`recall_number:"`+native+`"`)
		},
	},
	{
		agency: "us-nhtsa", country: "US",
		licence:     "public domain (17 U.S.C. 105)",
		attribution: "U.S. National Highway Traffic Safety Administration, www.nhtsa.gov",
		address: func(native string) string {
			return "https://api.nhtsa.gov/recalls/campaignNumber?campaignNumber=" + url.QueryEscape(native)
		},
	},
	{
		agency: "fr-rappelconso", country: "FR",
		licence:     "Licence Ouverte / Open Licence 2.0 (Etalab)",
		attribution: "Source: DGCCRF, RappelConso, data.economie.gouv.fr (October 2026)",
	},
}

// Notices returns the starter catalogue, normalised, by agency and within an
// agency in order of id. The order and the content are the same at every call.
// An error means that an embedded file is wrong, which the package's tests rule out.
func Notices() ([]recall.Notice, error) {
	var notices []recall.Notice
	for _, src := range sources {
		name := path.Join("entries", src.agency+".json")
		raw, err := entries.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the starter catalogue: %w", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		var list []entry
		if err := decoder.Decode(&list); err != nil {
			return nil, fmt.Errorf("reading the starter catalogue's %s: %w", name, err)
		}
		for i := range list {
			n, err := list[i].notice(src)
			if err != nil {
				return nil, fmt.Errorf("reading starter entry %q of %s: %w", list[i].ID, name, err)
			}
			notices = append(notices, n)
		}
	}
	return notices, nil
}

// sourceURL is the notice's page, or where the agency's data shows the notice.
func (s source) sourceURL(e *entry) string {
	if e.URL != "" || s.address == nil {
		return e.URL
	}
	return s.address(strings.TrimPrefix(e.ID, s.agency+":"))
}
