// Package lmw reads the food and product warnings of the German federal
// states, as the state of Bavaria's consumer information service merges them:
// food from lebensmittelwarnung.de, products from the federal institute BAuA.
//
// It knows nothing of storage, of the catalogue, or of who asks.
package lmw

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "de-lmw"

// FormatMerged is the service's answer, {"response": {"docs": [...]}}.
const FormatMerged = "merged-json"

// DefaultBaseURL is the service.
const DefaultBaseURL = "https://megov.bayern.de/verbraucherschutz/baystmuv-verbraucherinfo/rest/api"

// DefaultKey is the key of the states' own app, which the published description
// of the interface (bundesAPI) gives to everybody. It is no secret.
const DefaultKey = "9d9e8972-ff15-4943-8fea-117b5a973c61"

// Options configures an Agency; the zero value is ready for use.
type Options struct {
	BaseURL string           // of the service; empty: DefaultBaseURL
	Key     string           // of the app that asks; empty: DefaultKey
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads the warnings. It is safe for concurrent use.
type Agency struct {
	baseURL, key string
	now          func() time.Time
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{baseURL: strings.TrimRight(cmp.Or(o.BaseURL, DefaultBaseURL), "/"), key: cmp.Or(o.Key, DefaultKey), now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// Describe implements agency.Agency. The portal states no licence, so its words
// are not passed on.
func (a *Agency) Describe() agency.Description {
	return agency.Description{
		Code:        Code,
		Name:        "lebensmittelwarnung.de (Germany's federal states and BVL)",
		Country:     "DE",
		Licence:     "none stated; all rights reserved",
		Attribution: "Quelle: lebensmittelwarnung.de, Portal der Bundesländer und des BVL",
		Republish:   false,
		Interval:    time.Hour,
		Objective:   24 * time.Hour,
	}
}

// Recognise knows an answer by the kind of one of its first records: the
// envelope is that of many search services.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	var r agency.Recognition
	d := agency.NewJSONDecoder(bytes.NewReader(head))
	// The error of a payload that ends, or stops being JSON, behind what
	// decides says nothing about its kind.
	_ = agency.EachMember(d, func(key string) error {
		if key != "response" {
			return agency.SkipValue(d)
		}
		return agency.EachMember(d, func(key string) error {
			if key != "docs" {
				return agency.SkipValue(d)
			}
			return agency.EachElement(d, func(_ int, raw json.RawMessage) error {
				if isWarning(raw) {
					r = agency.Recognition{Kind: agency.Notices, Format: FormatMerged}
				}
				return nil
			})
		})
	})
	return r
}

// isWarning tells a record of the service, which names its kind as its
// programmers do.
func isWarning(raw json.RawMessage) bool {
	head := agency.ReadHead(raw)
	kind := head.Fields["_type"]
	return (kind == kindFood || kind == kindProduct) && head.Has("id", "publishedDate")
}
