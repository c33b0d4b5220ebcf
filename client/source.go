package client

import (
	"encoding/json"
	"time"
)

// Recall is a notice as a hit of a search.
type Recall struct {
	Notice
	// The fields in which words of q were found.
	Matched []string `json:"matched"`
	// The higher, the better; only with q.
	Score float64 `json:"score,omitempty"`
}

// RecallPage is one page of a search.
type RecallPage struct {
	Items []Recall `json:"items"`
	// Absent on the last page.
	NextCursor string `json:"next_cursor,omitempty"`
	// Hits over all pages.
	Total int64 `json:"total"`
	// For each field that was asked for, its values and how many hits have them.
	Facets map[string][]FacetCount `json:"facets"`
}

// FacetCount is how many hits have a value.
type FacetCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Revision is one version of a notice, and what it changed.
type Revision struct {
	// 1 for the first one seen.
	Revision int64     `json:"revision"`
	Serial   int64     `json:"serial"`
	SeenAt   time.Time `json:"seen_at"`
	// Against the revision before, in order of path; empty for the first.
	Changes []FieldChange `json:"changes"`
	Notice  Notice        `json:"notice"`
}

// FieldChange is one difference between two revisions.
type FieldChange struct {
	// Path in the notice, such as products[0].name.
	Field string `json:"field"`
	// The JSON null where the field is new.
	From json.RawMessage `json:"from"`
	// The JSON null where the field is gone.
	To json.RawMessage `json:"to"`
}

// Change is one entry of the changes feed.
type Change struct {
	Serial int64  `json:"serial"`
	ID     string `json:"id"`
	// One of upsert, tombstone.
	Change string `json:"change"`
	// nil for a tombstone.
	Notice *Notice `json:"notice"`
}

// ChangeFeed is one page of the changes feed.
type ChangeFeed struct {
	Items []Change `json:"items"`
	// Give it as since to go on.
	NextSince int64 `json:"next_since"`
	// Whether there is more now.
	More bool `json:"more"`
}

// Source tells how far one agency's notices can be relied on.
type Source struct {
	Agency  string `json:"agency"`
	Name    string `json:"name"`
	Country string `json:"country"`
	// One of ok, stale, partial, failing, never.
	State string `json:"state"`
	// Why the state is not ok; empty when it is.
	Reason        string     `json:"reason"`
	LastSuccessAt *time.Time `json:"last_success_at"`
	AgeSeconds    *int64     `json:"age_seconds"`
	// Active ones, without starter entries; withdrawn ones are not counted.
	Notices int64 `json:"notices"`
	// Starter entries that still stand in for the agency's own notices.
	Starter int64 `json:"starter"`
	// Share of the notices that carry a barcode, 0 to 1.
	BarcodeShare float64 `json:"barcode_share"`
	// Records that could not become notices, kept with their reason.
	Rejected int64 `json:"rejected"`
	// From the agency's publication to being searchable here, of the newest 1,000 notices that polls
	// brought and that were published after the first poll that succeeded; files and the first load
	// tell nothing of it. Where an agency gives only the day, it counts from the start of that day in
	// UTC.
	LagSeconds Lag `json:"lag_seconds"`
	// How well the notices let people find out whether they are affected.
	Quality     Quality `json:"quality"`
	Licence     string  `json:"licence"`
	Attribution string  `json:"attribution"`
	// Whether the licence lets the notices be passed on.
	Republish bool `json:"republish"`
}

// Lag is how long news took, in seconds.
type Lag struct {
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
	// From the publication until it was stored.
	Seen Percentiles `json:"seen"`
	// From then until a catalogue served it, to within two seconds.
	Searchable Percentiles `json:"searchable"`
	// How many were measured.
	Notices int64 `json:"notices"`
}

// Percentiles are in seconds; nil where nothing was measured.
type Percentiles struct {
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
}

// Quality tells how well an agency's notices help; shares are 0 to 1.
type Quality struct {
	// Mean of the notices' scores, 0 to 100: barcode 25, unit codes 20, model 20, remedy 15, image 10,
	// contact 10, less 10 for each kind of flag.
	Score float64 `json:"score"`
	// Share with a barcode that is printed in full.
	Barcode float64 `json:"barcode"`
	// Share with a lot, serial number, date code or window that was understood.
	UnitCodes float64 `json:"unit_codes"`
	Model     float64 `json:"model"`
	Image     float64 `json:"image"`
	Remedy    float64 `json:"remedy"`
	Contact   float64 `json:"contact"`
	// Share in which something looks wrong.
	Flagged float64 `json:"flagged"`
	// How many notices have a flag of each kind: covers_everything, check_digit, future_date,
	// denied_model, prose_model.
	Flags map[string]int64 `json:"flags"`
}
