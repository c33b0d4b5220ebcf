package client

import (
	"time"
)

// Unit is what is known of one unit. Brand with Name or Model, or GTIN or Scan, names the
// product; lot, serial and dates decide about the unit.
type Unit struct {
	// Barcode in any printed form.
	GTIN string `json:"gtin,omitempty"`
	// What a scanner read: a barcode, a GS1 element string or a GS1 Digital Link.
	Scan  string `json:"scan,omitempty"`
	Brand string `json:"brand,omitempty"`
	// Product name.
	Name  string `json:"name,omitempty"`
	Model string `json:"model,omitempty"`
	Lot   string `json:"lot,omitempty"`
	// Another word for lot.
	Batch    string `json:"batch,omitempty"`
	Serial   string `json:"serial,omitempty"`
	DateCode string `json:"date_code,omitempty"`
	// YYYY-MM-DD, YYYY-MM or YYYY.
	MadeOn string `json:"made_on,omitempty"`
	// YYYY-MM-DD, YYYY-MM or YYYY.
	BoughtOn string `json:"bought_on,omitempty"`
	// YYYY-MM-DD, YYYY-MM or YYYY.
	BestBefore string `json:"best_before,omitempty"`
	// YYYY-MM-DD, YYYY-MM or YYYY.
	Expiry string `json:"expiry,omitempty"`
	// ISO 3166-1 alpha-2; orders the matches, never hides one.
	Country string `json:"country,omitempty"`
}

// Rewrite is how something given was read.
type Rewrite struct {
	From string `json:"from"`
	To   string `json:"to"`
	Rule string `json:"rule"`
}

// Match is one notice that covers the product, and what it says of this unit.
type Match struct {
	Recall RecallSummary `json:"recall"`
	// Outcome is what this notice alone says of the unit.
	Outcome    Outcome    `json:"verdict"`
	Confidence float64    `json:"confidence"`
	MatchedOn  []string   `json:"matched_on"`
	Evidence   []Evidence `json:"evidence"`
	// Need is nil unless the outcome is NeedCode.
	Need *Need `json:"need"`
}

// RecallSummary is what a verdict tells of a notice; [Client.Recall] has all of it.
type RecallSummary struct {
	ID          string    `json:"id"`
	Agency      string    `json:"agency"`
	Title       string    `json:"title"`
	URL         string    `json:"url"`
	PublishedAt time.Time `json:"published_at"`
	Hazards     []Hazard  `json:"hazards"`
	Remedy      Remedy    `json:"remedy"`
}

// Evidence is what in a notice a verdict rests on, in the notice's own words.
type Evidence struct {
	// In the request's field names.
	Identifier string `json:"identifier"`
	Quote      string `json:"quote"`
	Field      string `json:"field"`
}

// Coverage is how far one agency's notices could be relied on for an answer.
type Coverage struct {
	Agency string `json:"agency"`
	// One of ok, stale, partial, failing, never.
	State string `json:"state"`
	// Since the last success; nil when there was none.
	AgeSeconds *int64 `json:"age_seconds"`
	Notices    int64  `json:"notices"`
	// Share of the notices that carry a barcode, 0 to 1.
	BarcodeShare float64 `json:"barcode_share"`
	// Whether these notices carry what was asked by.
	CouldMatch bool `json:"could_match"`
}
