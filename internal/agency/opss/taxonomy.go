package opss

import (
	"slices"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// alertTypes are GOV.UK's words for product_alert_type.
var alertTypes = map[string]string{
	"product-recall":        "Product recall",
	"product-safety-report": "Product safety report",
	"product-safety-alert":  "Product safety alert",
}

// measureRemedies are what the measures mean for who holds the product; those
// at the border, of the market and of online listings mean nothing to them.
var measureRemedies = map[string]recall.RemedyType{
	"recall-of-product-from-end-users":                   recall.RemedyReturn,
	"modification-programme":                             recall.RemedyRepair,
	"marking-product-with-appropriate-warnings-on-risks": recall.RemedyLabel,
	"warning-consumers-of-risks":                         recall.RemedyStopUse,
}

// remedies joins the measures with what the corrective action says in words.
func remedies(measures []agency.Text, action string) []recall.RemedyType {
	var types []recall.RemedyType
	for _, m := range measures {
		if t, ok := measureRemedies[string(m)]; ok && !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	for _, t := range extract.Remedies(action) {
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// slugs lead from product_category to the catalogue's categories.
var slugs = map[string]string{
	"toys": "toys", "childcare-articles-childrens-equipment": "nursery", "clothing-textiles-fashion": "clothing", "furniture": "furniture",
}

func categories(ofAgency, name, kind string) []string {
	var out []string
	if slug := slugs[ofAgency]; slug != "" {
		out = append(out, slug)
	}
	for _, slug := range extract.Categories(name, kind) {
		if !slices.Contains(out, slug) {
			out = append(out, slug)
		}
	}
	return out
}

// audience goes by the product's words, and by its category where they are silent.
func audience(ofAgency, name string, d described) recall.Audience {
	said := extract.AudienceOf(name, d.category, d.description)
	switch {
	case said == recall.Infant:
	case ofAgency == "childcare-articles-childrens-equipment":
		return recall.Infant
	case ofAgency == "toys":
		return recall.Child
	}
	return said
}

// hazards go by the lines that name the risk; the section that explains it at
// length counts only where they don't.
func hazards(stated, description, explained string) []recall.Hazard {
	if named := extract.Hazards(stated, description); len(named) > 0 {
		return named
	}
	return extract.Hazards(explained)
}
