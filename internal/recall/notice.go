package recall

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Status says whether a notice still stands.
type Status string

// A recall that its agency closed, completed or archived stays Active: the
// units are still out there. Withdrawn means that the agency took the notice
// back, or that it vanished from two complete dumps.
const (
	Active    Status = "active"
	Withdrawn Status = "withdrawn"
)

// Audience says for whom the product is made.
type Audience string

// The three audiences, from the youngest.
const (
	Infant  Audience = "infant"  // babies and toddlers, roughly up to three years, and what their carers use for them
	Child   Audience = "child"   // children over three
	General Audience = "general" // everybody else
)

// Notice is one agency's recall notice in canonical form, as of one revision.
// Slices are never nil in a notice that came out of Normalise.
type Notice struct {
	ID     string `json:"id" doc:"agency:native-id, deterministic and never reused"`
	Agency string `json:"agency" doc:"code of the agency, such as us-cpsc"`
	URL    string `json:"url" doc:"page of the notice at the agency; empty when the agency has none"`
	// Language is the BCP 47 tag of the notice's own words.
	Language     string      `json:"language" doc:"BCP 47 language of the notice's words"`
	Title        string      `json:"title"`
	Summary      string      `json:"summary" doc:"the agency's description of the product and of what is wrong"`
	PublishedAt  time.Time   `json:"published_at"`
	UpdatedAt    *time.Time  `json:"updated_at" nullable:"true" doc:"last change by the agency's own word; null when it gives none"`
	FirstSeenAt  time.Time   `json:"first_seen_at"`
	Revision     int         `json:"revision" doc:"1 for the first revision seen"`
	Status       Status      `json:"status" enum:"active,withdrawn"`
	AgencyStatus string      `json:"agency_status" doc:"the agency's own word for the state of the recall"`
	Countries    []string    `json:"countries" doc:"ISO 3166-1 alpha-2"`
	Audience     Audience    `json:"audience" enum:"infant,child,general"`
	Categories   []string    `json:"categories"`
	Products     []Product   `json:"products"`
	Hazards      []Hazard    `json:"hazards"`
	Incidents    Incidents   `json:"incidents"`
	Remedy       Remedy      `json:"remedy"`
	UnitsCount   []UnitCount `json:"units_affected"`
	SoldAt       []string    `json:"sold_at"`
	Images       []string    `json:"images" doc:"addresses of pictures at the agency"`
	Aliases      []Alias     `json:"aliases"`
	Provenance   Provenance  `json:"provenance"`
}

// Product is one product that a notice names.
type Product struct {
	Name   string        `json:"name"`
	Brand  string        `json:"brand" doc:"empty when the notice gives none"`
	GTINs  []PrintedGTIN `json:"gtins"`
	Models []string      `json:"models" doc:"model numbers or names as printed; one that ends in an asterisk is how the models meant begin, and a bare one stands for models that could not be read; empty when the notice names none"`
	Units  []Predicate   `json:"units" doc:"which units are covered; empty means every unit"`
}

// PrintedGTIN is a barcode that a notice prints for a product.
type PrintedGTIN struct {
	GTIN    string `json:"gtin" doc:"14 digits"`
	Printed string `json:"printed" doc:"as the notice prints it"`
	From    string `json:"from" doc:"the agency's field that it was read from"`
}

// Possible reports that the notice does not print this very GTIN: it printed
// 11 digits (a zero or a check digit was lost, and this is one of the two
// readings). A possible barcode alone never proves anything.
func (g PrintedGTIN) Possible() bool {
	digits := 0
	for i := range len(g.Printed) {
		if c := g.Printed[i]; c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits == 11
}

// HazardType is one of the taxonomy's hazards.
type HazardType string

// The taxonomy of hazards.
const (
	HazardChoking       HazardType = "choking"
	HazardSuffocation   HazardType = "suffocation"
	HazardStrangulation HazardType = "strangulation"
	HazardEntrapment    HazardType = "entrapment"
	HazardFall          HazardType = "fall"
	HazardTipOver       HazardType = "tip_over"
	HazardFire          HazardType = "fire"
	HazardBurn          HazardType = "burn"
	HazardExplosion     HazardType = "explosion"
	HazardShock         HazardType = "electric_shock"
	HazardLaceration    HazardType = "laceration"
	HazardImpact        HazardType = "impact"
	HazardCrash         HazardType = "crash"
	HazardDrowning      HazardType = "drowning"
	HazardPoisoning     HazardType = "poisoning"
	HazardLead          HazardType = "lead"
	HazardChemical      HazardType = "chemical"
	HazardMagnet        HazardType = "magnet_ingestion"
	HazardBattery       HazardType = "battery_ingestion"
	HazardMicrobial     HazardType = "microbial"
	HazardAllergen      HazardType = "allergen"
	HazardForeignBody   HazardType = "foreign_body"
	HazardMislabelled   HazardType = "mislabelled"
	HazardQuality       HazardType = "quality" // spoiled, sub-potent or out of specification
	HazardMalfunction   HazardType = "malfunction"
	HazardCarbonMonox   HazardType = "carbon_monoxide"
	HazardNoise         HazardType = "noise"
	HazardOther         HazardType = "other"
)

// HazardTypes lists the taxonomy in its fixed order.
func HazardTypes() []HazardType {
	return []HazardType{
		HazardChoking, HazardSuffocation, HazardStrangulation, HazardEntrapment, HazardFall, HazardTipOver,
		HazardFire, HazardBurn, HazardExplosion, HazardShock, HazardLaceration, HazardImpact, HazardCrash,
		HazardDrowning, HazardPoisoning, HazardLead, HazardChemical, HazardMagnet, HazardBattery, HazardMicrobial,
		HazardAllergen, HazardForeignBody, HazardMislabelled, HazardQuality, HazardMalfunction, HazardCarbonMonox,
		HazardNoise, HazardOther,
	}
}

// Hazard is what can happen, in the taxonomy's word and the agency's.
type Hazard struct {
	Type HazardType `json:"type"`
	Text string     `json:"text" doc:"the agency's words"`
}

// Incidents counts what the agency has heard of; null where it gives no number.
type Incidents struct {
	Reports  *int `json:"reports" nullable:"true"`
	Injuries *int `json:"injuries" nullable:"true"`
	Deaths   *int `json:"deaths" nullable:"true"`
}

// RemedyType is one of the taxonomy's remedies.
type RemedyType string

// The taxonomy of remedies.
const (
	RemedyRefund       RemedyType = "refund"
	RemedyReplace      RemedyType = "replace"
	RemedyRepair       RemedyType = "repair"
	RemedyDispose      RemedyType = "dispose"
	RemedyReturn       RemedyType = "return"
	RemedyInstructions RemedyType = "new_instructions"
	RemedyInspect      RemedyType = "inspect"
	RemedyLabel        RemedyType = "label"
	RemedyStopUse      RemedyType = "stop_use"
	RemedyNone         RemedyType = "none"
	RemedyOther        RemedyType = "other"
)

// RemedyTypes lists the taxonomy in its fixed order.
func RemedyTypes() []RemedyType {
	return []RemedyType{
		RemedyRefund, RemedyReplace, RemedyRepair, RemedyDispose, RemedyReturn, RemedyInstructions,
		RemedyInspect, RemedyLabel, RemedyStopUse, RemedyNone, RemedyOther,
	}
}

// Remedy says what to do now.
type Remedy struct {
	Types   []RemedyType `json:"types"`
	Text    string       `json:"text" doc:"the agency's words"`
	Contact string       `json:"contact" doc:"whom to call or write to"`
}

// UnitCount is how many units a notice covers in one country.
type UnitCount struct {
	Country     string `json:"country" doc:"ISO 3166-1 alpha-2"`
	Count       int    `json:"count"`
	Approximate bool   `json:"approximate"`
}

// AliasKind says who linked two notices.
type AliasKind string

// A declared alias is an agency's own word; a possible one is our finding.
const (
	Declared AliasKind = "declared"
	Possible AliasKind = "possible"
)

// Alias links a notice to another one of the same event. As an agency package
// states it, a declared alias may be the address of the other notice's page
// instead of an id; answers give ids only.
type Alias struct {
	ID   string    `json:"id"`
	Kind AliasKind `json:"kind" enum:"declared,possible"`
}

// Provenance says where the notice's words came from.
type Provenance struct {
	FetchedAt   time.Time `json:"fetched_at"`
	SourceURL   string    `json:"source_url" doc:"address or file name that the bytes came from"`
	SHA256      string    `json:"sha256" doc:"of the raw bytes, hexadecimal; empty for a starter entry"`
	Raw         string    `json:"raw" doc:"key of the raw bytes in the archive; empty for a starter entry"`
	Licence     string    `json:"licence"`
	Attribution string    `json:"attribution"`
}

// Starter reports that the notice is a starter entry: facts in our own words
// that stand until the agency's own notice arrives. An agency's notice always
// has archived bytes; a starter entry never has.
func (n *Notice) Starter() bool { return n.Provenance.SHA256 == "" }

// HasBarcode reports whether any product carries a barcode that the notice
// printed in full.
func (n *Notice) HasBarcode() bool {
	for i := range n.Products {
		for _, g := range n.Products[i].GTINs {
			if !g.Possible() {
				return true
			}
		}
	}
	return false
}

// Normalise makes every slice non-nil, times UTC, surrounding blanks disappear
// and the predicates of one group stand together, so that equal notices have
// equal JSON.
func (n *Notice) Normalise() {
	n.PublishedAt = n.PublishedAt.UTC()
	n.FirstSeenAt = n.FirstSeenAt.UTC()
	n.Provenance.FetchedAt = n.Provenance.FetchedAt.UTC()
	if n.UpdatedAt != nil {
		t := n.UpdatedAt.UTC()
		n.UpdatedAt = &t
	}
	for _, s := range []*string{&n.Title, &n.Summary, &n.AgencyStatus, &n.Remedy.Text, &n.Remedy.Contact} {
		*s = strings.TrimSpace(*s)
	}
	if n.Status == "" {
		n.Status = Active
	}
	if n.Audience == "" {
		n.Audience = General
	}
	n.Countries = present(n.Countries)
	n.Categories = present(n.Categories)
	n.Products = present(n.Products)
	n.Hazards = present(n.Hazards)
	n.Remedy.Types = present(n.Remedy.Types)
	n.UnitsCount = present(n.UnitsCount)
	n.SoldAt = present(n.SoldAt)
	n.Images = present(n.Images)
	n.Aliases = present(n.Aliases)
	for i := range n.Products {
		p := &n.Products[i]
		p.Name, p.Brand = strings.TrimSpace(p.Name), strings.TrimSpace(p.Brand)
		p.GTINs = present(p.GTINs)
		p.Models = present(p.Models)
		p.Units = present(p.Units)
		for j := range p.Units {
			p.Units[j].Models = present(p.Units[j].Models)
		}
		// A group's predicates stand together.
		slices.SortStableFunc(p.Units, func(a, b Predicate) int { return cmp.Compare(a.Group, b.Group) })
	}
}

// present turns a nil slice into an empty one: lists are [] in JSON, never null.
func present[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
