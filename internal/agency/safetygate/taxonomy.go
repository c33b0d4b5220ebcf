package safetygate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// category is the agency's category of a product.
type category struct {
	words string // lower case, blanks for the signs of keys
	slug  string // ours, or "" for one that we don't know
	// french tells that it was written in French, which the register's copy
	// says of a row nowhere else.
	french bool
}

// categoryWords lead from pieces of the agency's categories, in keys, English
// and French, to ours. The first piece that a category holds counts.
var categoryWords = []struct{ english, french, slug string }{
	{"childcare", "puériculture", "nursery"},
	{"toys", "jouets", "toys"},
	{"clothing", "vêtements", "clothing"},
	{"cosmetic", "cosmétiques", "cosmetics"},
	{"motor vehicle", "véhicules", "vehicles"},
	{"kitchen", "cuisine", "household"},
	{"gas appliance", "appareils à gaz", "appliances"},
	{"electrical", "appareils électriques", "appliances"},
	{"communication and media", "communication", "electronics"},
	{"laser", "pointeurs laser", "electronics"},
	{"gadget", "gadgets", "electronics"},
	{"furniture", "meubles", "furniture"},
	{"jewel", "bijoux", "jewellery"},
	{"chemical", "produits chimiques", "chemical-products"},
	{"hand tool", "outils à main", "tools-garden"},
	{"machinery", "machines", "tools-garden"},
	{"hobby", "loisirs", "sports"},
	{"sport", "sport", "sports"},
	{"recreational craft", "bateaux", "sports"},
	{"imitating", "imitant", "household"},
	{"lighting", "éclairage", "household"},
	{"lighter", "briquets", "household"},
	{"decorat", "décorat", "household"},
	{"stationery", "papeterie", "household"},
	{"protective", "équipements de protection", "protective-equipment"},
	{"construction", "construction", "construction-products"},
	{"pyrotechnic", "pyrotechniques", "household"},
	{"pressure equipment", "équipements sous pression", "appliances"},
}

// plainKeys turns a key of the site's JSON, or its name, into words:
// "product.category.motor.vehicles" is "product category motor vehicles".
var plainKeys = strings.NewReplacer(".", " ", "_", " ", "-", " ")

// readCategory reads a category as any of the formats has it.
func readCategory(text string) category {
	c := category{words: strings.ToLower(plainKeys.Replace(text))}
	for _, w := range categoryWords {
		if strings.Contains(c.words, w.english) {
			c.slug = w.slug
			return c
		}
	}
	for _, w := range categoryWords {
		if strings.Contains(c.words, w.french) {
			c.slug, c.french = w.slug, true
			return c
		}
	}
	return c
}

// language is that of a row that doesn't say it.
func (c category) language() string {
	if c.french {
		return "fr"
	}
	return "en"
}

// categories returns our words for the agency's category and for what the
// product's own words say.
func (a *alert) categories() []string {
	said := extract.Categories(a.generic, a.specific)
	if a.category.slug == "vehicles" {
		said = nil // a "Golf" is no sport
	}
	return unique(append([]string{a.category.slug}, said...))
}

// forInfants are words by which a description says that a toy is for the youngest.
var forInfants = regexp.MustCompile(`(?i)\b(?:for (?:babies|infants|newborns?|toddlers)|from birth|from 0|0\+|0 ?- ?\d+ months|[3-9] ?\+ ?m(?:onths)?\b|pour (?:les )?(?:bébés?|nourrissons?)|dès la naissance)`)

// audience tells for whom the product is made. The agency's categories decide
// for toys and articles for children's care; the product's words tell which toys
// are for the youngest. Descriptions of other things speak of children who are
// in danger from them.
func (a *alert) audience() recall.Audience {
	own := a.generic + " " + a.specific
	switch a.category.slug {
	case "vehicles":
		return recall.General
	case "cosmetics":
		if !containsFold(own, "bab") && !containsFold(own, "bébé") {
			return recall.General
		}
	case "nursery":
		return recall.Infant
	case "toys":
		if extract.AudienceOf(own) == recall.Infant || forInfants.MatchString(a.description) {
			return recall.Infant
		}
		return recall.Child
	case "clothing", "jewellery", "sports", "furniture":
		return extract.AudienceOf(own, a.description)
	}
	return extract.AudienceOf(own)
}

// riskTypes lead from the agency's types of risk to the taxonomy. Those that
// are not here ("injuries", "damage to sight", "security", "environment",
// "other") say too little by themselves.
var riskTypes = map[string]recall.HazardType{
	"asphyxiation":          recall.HazardSuffocation,
	"suffocation":           recall.HazardSuffocation,
	"burns":                 recall.HazardBurn,
	"chemical":              recall.HazardChemical,
	"choking":               recall.HazardChoking,
	"cuts":                  recall.HazardLaceration,
	"damage to hearing":     recall.HazardNoise,
	"drowning":              recall.HazardDrowning,
	"electric shock":        recall.HazardShock,
	"entrapment":            recall.HazardEntrapment,
	"explosion":             recall.HazardExplosion,
	"fire":                  recall.HazardFire,
	"measurement incorrect": recall.HazardMalfunction,
	"microbiological":       recall.HazardMicrobial,
	"strangulation":         recall.HazardStrangulation,
	// The register's copy in French.
	"asphyxie": recall.HazardSuffocation, "brûlures": recall.HazardBurn, "chimique": recall.HazardChemical,
	"étouffement": recall.HazardChoking, "coupures": recall.HazardLaceration, "noyade": recall.HazardDrowning,
	"choc électrique": recall.HazardShock, "incendie": recall.HazardFire, "microbiologique": recall.HazardMicrobial,
	"étranglement": recall.HazardStrangulation, "dommages auditifs": recall.HazardNoise, "coincement": recall.HazardEntrapment,
}

// refinements are hazards that prose names and the agency's list has no word for.
var refinements = []recall.HazardType{recall.HazardLead, recall.HazardMagnet, recall.HazardBattery, recall.HazardTipOver, recall.HazardCarbonMonox}

// hazards reads the types of risk. Where they say too little, the description
// of the danger tells more.
func (a *alert) hazards() []recall.Hazard {
	var found []recall.Hazard
	add := func(kind recall.HazardType, text string) {
		if !slices.ContainsFunc(found, func(h recall.Hazard) bool { return h.Type == kind }) {
			found = append(found, recall.Hazard{Type: kind, Text: text})
		}
	}
	said := a.danger
	if said == "" {
		said = a.defect
	}
	vague := len(a.risks) == 0
	for _, risk := range a.risks {
		if kind := riskTypes[risk]; kind != "" {
			text := said
			if text == "" {
				text = risk
			}
			add(kind, text)
		} else {
			vague = true
		}
	}
	for _, h := range extract.Hazards(a.danger, a.defect) {
		if h.Type != recall.HazardOther && (vague || slices.Contains(refinements, h.Type)) {
			add(h.Type, h.Text)
		}
	}
	if text := strings.Join(a.risks, ", "); len(found) == 0 && text != "" {
		if said != "" {
			text = said
		}
		add(recall.HazardOther, text)
	}
	return found
}
