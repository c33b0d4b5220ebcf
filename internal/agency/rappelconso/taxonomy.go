package rappelconso

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// categorySlugs leads from RappelConso's categories (in lower case) to ours.
var categorySlugs = map[string]string{
	"alimentation":                             "food",
	"bébés-enfants (hors alimentaire)":         "baby-and-child",
	"automobiles et moyens de déplacement":     "vehicles",
	"hygiène-beauté":                           "hygiene-and-beauty",
	"vêtements, mode, epi":                     "clothing",
	"sports-loisirs":                           "sports",
	"maison-habitat":                           "household",
	"appareils électriques, outils":            "appliances",
	"equipements de communication":             "electronics",
	"équipements de communication":             "electronics",
	"jouets":                                   "toys",
	"articles pour enfants et puériculture":    "nursery",
	"aliments pour bébés":                      "baby-food",
	"aliments diététiques et nutrition":        "dietary-food",
	"lait et produits laitiers":                "dairy",
	"viandes":                                  "meat",
	"produits de la pêche et d'aquaculture":    "fish",
	"produits de construction":                 "construction-products",
	"vêtements, textiles, accessoires de mode": "clothing",
	"cosmétiques":                              "cosmetics",
	"animaux":                                  "pets",
}

func isFood(r row) bool {
	return strings.EqualFold(r["categorie_produit"], "alimentation")
}

// categories returns our words for the agency's categories, and for what the
// product's own words say, which matters for infant food: RappelConso files it
// under dairy.
func categories(r row) []string {
	var slugs []string
	for _, field := range []string{"categorie_produit", "sous_categorie_produit"} {
		if slug := categorySlugs[strings.ToLower(r[field])]; slug != "" && !slices.Contains(slugs, slug) {
			slugs = append(slugs, slug)
		}
	}
	said := extract.Categories(r["libelle"], r["modeles_ou_references"])
	for _, slug := range said {
		if isFood(r) && slug != "infant-formula" && slug != "baby-food" {
			continue // food named after something else: a "bûche" is no furniture
		}
		if !slices.Contains(slugs, slug) {
			slugs = append(slugs, slug)
		}
	}
	return slugs
}

// infantFood are words of food for babies. Others ("bébé", "baby") also name
// small vegetables and squids.
var infantFood = []string{"nourrisson", "infantile", "1er âge", "1er age", "2ème âge", "2eme age", "2e âge", "lait de suite", "lait de croissance", "petit pot", "petits pots", "pour bébé", "pour bebe", "dès 4 mois", "dès 6 mois", "dès 8 mois", "dès 12 mois", "biberon"}

// audience tells for whom the product is made.
func audience(r row) recall.Audience {
	own := []string{r["libelle"], r["modeles_ou_references"], r["sous_categorie_produit"], r["conditionnements"]}
	if isFood(r) {
		for _, text := range own {
			lower := strings.ToLower(text)
			for _, word := range infantFood {
				if strings.Contains(lower, word) {
					return recall.Infant
				}
			}
		}
		return recall.General
	}
	said := extract.AudienceOf(own...)
	if !strings.EqualFold(r["categorie_produit"], "bébés-enfants (hors alimentaire)") {
		return said
	}
	if said == recall.Infant || containsFold(r["sous_categorie_produit"], "puériculture") {
		return recall.Infant
	}
	return recall.Child
}

// risks leads from pieces of RappelConso's own list of risks to the taxonomy.
// The first piece that a risk holds counts.
var risks = []struct {
	words string
	kind  recall.HazardType
}{
	{"listeria", recall.HazardMicrobial}, {"salmonel", recall.HazardMicrobial}, {"escherichia", recall.HazardMicrobial},
	{"microbiologique", recall.HazardMicrobial}, {"botuli", recall.HazardMicrobial}, {"bacillus", recall.HazardMicrobial},
	{"staphylo", recall.HazardMicrobial}, {"cronobacter", recall.HazardMicrobial}, {"norovirus", recall.HazardMicrobial},
	{"virus", recall.HazardMicrobial}, {"moisissure", recall.HazardMicrobial}, {"parasite", recall.HazardMicrobial},
	{"allerg", recall.HazardAllergen},
	{"inertes", recall.HazardForeignBody}, {"corps étranger", recall.HazardForeignBody},
	{"pesticide", recall.HazardChemical}, {"phytosanitaire", recall.HazardChemical}, {"chimique", recall.HazardChemical},
	{"substances interdites", recall.HazardChemical}, {"additif", recall.HazardChemical}, {"contaminant", recall.HazardChemical},
	{"métaux lourds", recall.HazardChemical}, {"toxine", recall.HazardPoisoning}, {"histamine", recall.HazardPoisoning},
	{"monoxyde de carbone", recall.HazardCarbonMonox}, {"intoxication", recall.HazardPoisoning},
	{"plomb", recall.HazardLead}, {"étouffement", recall.HazardChoking}, {"suffocation", recall.HazardSuffocation},
	{"asphyxie", recall.HazardSuffocation}, {"étranglement", recall.HazardStrangulation}, {"strangulation", recall.HazardStrangulation},
	{"noyade", recall.HazardDrowning}, {"incendie", recall.HazardFire}, {"brûlure", recall.HazardBurn}, {"explosion", recall.HazardExplosion},
	{"choc électrique", recall.HazardShock}, {"électrocution", recall.HazardShock}, {"coupure", recall.HazardLaceration},
	{"chute", recall.HazardFall}, {"coincement", recall.HazardEntrapment}, {"piégeage", recall.HazardEntrapment},
	{"auditi", recall.HazardNoise}, {"ouïe", recall.HazardNoise}, {"accident", recall.HazardCrash},
	{"étiquetage", recall.HazardMislabelled}, {"organoleptique", recall.HazardQuality}, {"altération", recall.HazardQuality},
}

// hazards reads the risks, which version 2 separates by | and version 1 by
// nothing. Where the list says no more than "injuries", the reason tells which.
func hazards(r row) []recall.Hazard {
	var found []recall.Hazard
	add := func(kind recall.HazardType, text string) {
		if !slices.ContainsFunc(found, func(h recall.Hazard) bool { return h.Type == kind }) {
			found = append(found, recall.Hazard{Type: kind, Text: text})
		}
	}
	vague := ""
	for _, risk := range choices(r["risques_encourus"]) {
		known := false
		lower := strings.ToLower(risk)
		for _, k := range risks {
			if strings.Contains(lower, k.words) {
				add(k.kind, risk)
				known = true
				if strings.Contains(r["risques_encourus"], "|") {
					break // one of several; version 1's are all in one
				}
			}
		}
		if !known {
			vague = risk
		}
	}
	if vague != "" || len(found) == 0 {
		for _, h := range extract.Hazards(r["description_complementaire_risque"], r["motif_rappel"]) {
			if h.Type != recall.HazardOther {
				add(h.Type, h.Text)
			}
		}
	}
	if len(found) == 0 && vague != "" {
		add(recall.HazardOther, vague)
	}
	return found
}

// measures leads from RappelConso's own list of what to do, and of what is
// offered, to the taxonomy.
var measures = []struct {
	words string
	kind  recall.RemedyType
}{
	{"ne plus consommer", recall.RemedyStopUse}, {"ne plus utiliser", recall.RemedyStopUse},
	{"rapporter", recall.RemedyReturn}, {"détruire", recall.RemedyDispose}, {"jeter", recall.RemedyDispose},
	{"remboursement", recall.RemedyRefund}, {"bon d'achat", recall.RemedyRefund},
	{"echange", recall.RemedyReplace}, {"échange", recall.RemedyReplace}, {"remplacement", recall.RemedyReplace},
	{"réparation", recall.RemedyRepair}, {"mise en conformité", recall.RemedyRepair}, {"mise à jour", recall.RemedyRepair},
	{"autre (voir", recall.RemedyOther},
}

func remedies(r row) []recall.RemedyType {
	var found []recall.RemedyType
	for _, field := range []string{"conduites_a_tenir_par_le_consommateur", "modalites_de_compensation"} {
		lower := strings.ToLower(r[field])
		for _, m := range measures {
			if strings.Contains(lower, m.words) && !slices.Contains(found, m.kind) {
				found = append(found, m.kind)
			}
		}
	}
	return found
}
