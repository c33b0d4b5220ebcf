package client

import (
	"time"
)

// Notice is one agency's recall notice in canonical form, as of one revision.
type Notice struct {
	// Agency:native-id, deterministic and never reused.
	ID string `json:"id"`
	// Code of the agency, such as us-cpsc.
	Agency string `json:"agency"`
	// Page of the notice at the agency; empty when the agency has none.
	URL string `json:"url"`
	// BCP 47 language of the notice's words.
	Language string `json:"language"`
	Title    string `json:"title"`
	// The agency's description of the product and of what is wrong.
	Summary     string    `json:"summary"`
	PublishedAt time.Time `json:"published_at"`
	// Last change by the agency's own word; nil when it gives none.
	UpdatedAt   *time.Time `json:"updated_at"`
	FirstSeenAt time.Time  `json:"first_seen_at"`
	// 1 for the first revision seen.
	Revision int64 `json:"revision"`
	// One of active, withdrawn.
	Status string `json:"status"`
	// The agency's own word for the state of the recall.
	AgencyStatus string `json:"agency_status"`
	// ISO 3166-1 alpha-2.
	Countries []string `json:"countries"`
	// One of infant, child, general.
	Audience      string      `json:"audience"`
	Categories    []string    `json:"categories"`
	Products      []Product   `json:"products"`
	Hazards       []Hazard    `json:"hazards"`
	Incidents     Incidents   `json:"incidents"`
	Remedy        Remedy      `json:"remedy"`
	UnitsAffected []UnitCount `json:"units_affected"`
	SoldAt        []string    `json:"sold_at"`
	// Addresses of pictures at the agency.
	Images     []string   `json:"images"`
	Aliases    []Alias    `json:"aliases"`
	Provenance Provenance `json:"provenance"`
}

// Product is one product that a notice names.
type Product struct {
	Name string `json:"name"`
	// Empty when the notice gives none.
	Brand string        `json:"brand"`
	GTINs []PrintedGTIN `json:"gtins"`
	// Model numbers or names as printed; one that ends in an asterisk is how the models meant begin,
	// and a bare one stands for models that could not be read; empty when the notice names none.
	Models []string `json:"models"`
	// Which units are covered; empty means every unit.
	Units []Predicate `json:"units"`
}

// PrintedGTIN is a barcode that a notice prints for a product.
type PrintedGTIN struct {
	// 14 digits.
	GTIN string `json:"gtin"`
	// As the notice prints it.
	Printed string `json:"printed"`
	// The agency's field that it was read from.
	From string `json:"from"`
}

// Predicate says which units a notice covers. A unit is covered when every predicate of
// one group holds; groups are alternatives.
type Predicate struct {
	Group int64 `json:"group"`
	// Limits the group to these models; empty: all of the product.
	Models []string `json:"models"`
	// One of lot, batch, serial, date_code, made, sold, best_before, expiry.
	Kind string `json:"kind"`
	// One of equals, range, prefix, suffix, all, unreadable.
	Op string `json:"op"`
	// Takes the units that it describes out of the group.
	Except        bool    `json:"except"`
	From          *string `json:"from"`
	To            *string `json:"to"`
	FromInclusive bool    `json:"from_inclusive"`
	ToInclusive   bool    `json:"to_inclusive"`
	WherePrinted  string  `json:"where_printed"`
	Quote         Quote   `json:"quote"`
}

// Quote is where in the agency's own words something was read.
type Quote struct {
	Text string `json:"text"`
	// The agency's field, such as description.
	Field string `json:"field"`
	// Offset in the field's cleaned text, in bytes of UTF-8.
	Start int64 `json:"start"`
	// Offset behind the last byte.
	End int64 `json:"end"`
}

// Hazard is what can happen.
type Hazard struct {
	Type string `json:"type"`
	// The agency's words.
	Text string `json:"text"`
}

// Incidents are how often it has happened; nil where the notice doesn't tell.
type Incidents struct {
	Reports  *int64 `json:"reports"`
	Injuries *int64 `json:"injuries"`
	Deaths   *int64 `json:"deaths"`
}

// Remedy is what to do, and whom to ask.
type Remedy struct {
	Types []string `json:"types"`
	// The agency's words.
	Text string `json:"text"`
	// Whom to call or write to.
	Contact string `json:"contact"`
}

// UnitCount is how many units a notice covers in a country.
type UnitCount struct {
	// ISO 3166-1 alpha-2.
	Country     string `json:"country"`
	Count       int64  `json:"count"`
	Approximate bool   `json:"approximate"`
}

// Alias is another notice of the same event.
type Alias struct {
	ID string `json:"id"`
	// One of declared, possible.
	Kind string `json:"kind"`
}

// Provenance is where a notice comes from, and the licence and attribution to show with it.
type Provenance struct {
	FetchedAt time.Time `json:"fetched_at"`
	// Address or file name that the bytes came from.
	SourceURL string `json:"source_url"`
	// Of the raw bytes, hexadecimal; empty for a starter entry.
	SHA256 string `json:"sha256"`
	// Key of the raw bytes in the archive; empty for a starter entry.
	Raw         string `json:"raw"`
	Licence     string `json:"licence"`
	Attribution string `json:"attribution"`
}
