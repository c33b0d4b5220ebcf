package healthcanada

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// authorities lead from who publishes a notice to the kind of product. Consumer
// products are told apart by their own words.
var authorities = map[string]string{
	"cfia": "food", "acia": "food", "tc": "vehicles",
	"drugs and health products": "drug", "marketed health products": "drug", "drugs": "drug", "médicaments et produits de santé": "drug",
	"medical devices": "device", "matériels médicaux": "device", "instruments médicaux": "device",
}

var (
	forChildren = regexp.MustCompile(`(?i)\b(?:children|child|toys?|enfants?|jouets?)\b`)
	childSeat   = regexp.MustCompile(`(?i)\b(?:child(?:ren)?|infant|booster|car seats?|sièges? d['’](?:auto|enfant)\w*|enfants?)\b`)
	booster     = regexp.MustCompile(`(?i)\b(?:boosters?|rehausseurs?|sièges? d['’]appoint)\b`)
)

// issues lead from the words of Issue to the taxonomy; each stands for the words
// that begin with it. The food agency names the allergen itself.
var issues = []struct {
	kind  recall.HazardType
	words []string
}{
	{recall.HazardAllergen, []string{"milk", "egg", "peanut", "soy", "wheat", "gluten", "sulphite", "mustard", "sesame", "tree nut", "almond", "cashew", "hazelnut",
		"pecan", "pistachio", "walnut", "fish", "crustacean", "shellfish", "triticale", "allergen", "lait", "œuf", "oeuf", "arachide", "soja", "blé", "sulfite", "moutarde", "noix", "poisson"}},
	{recall.HazardMicrobial, []string{"listeria", "salmonel", "e. coli", "clostridium", "microbi", "hepatitis", "norovirus", "cyclospora", "staphylo", "bacillus", "cronobacter",
		"shigella", "mould", "sterility", "non harmful", "campylobacter", "histamine", "toxin", "moisissure", "stérilité"}},
	{recall.HazardForeignBody, []string{"extraneous", "foreign", "glass", "plastic pieces", "metal pieces", "matière étrangère", "corps étranger"}},
	{recall.HazardChemical, []string{"chemical", "contamination", "pesticide", "mercury", "arsenic", "toxic", "chimique"}},
	{recall.HazardChoking, []string{"étouffement"}},
	{recall.HazardSuffocation, []string{"suffocation", "asphyxie"}},
	{recall.HazardStrangulation, []string{"étranglement", "strangulation"}},
	{recall.HazardFall, []string{"chute"}},
	{recall.HazardFire, []string{"incendie"}},
	{recall.HazardBurn, []string{"brûlure"}},
	{recall.HazardLaceration, []string{"lacération", "coupure"}},
	{recall.HazardLead, []string{"lead", "plomb"}},
	{recall.HazardMislabelled, []string{"label", "packaging", "étiquetage", "emballage"}},
	{recall.HazardShock, []string{"high voltage", "electric", "électri"}},
	{recall.HazardCrash, []string{"steering", "brake", "tires", "tire", "wheel", "suspension", "powertrain", "visibility", "fuel supply", "accelerat", "direction", "freins"}},
	{recall.HazardQuality, []string{"product quality", "quality", "product safety", "spoilage", "stability", "potency", "dissolution", "out of specification", "tampering", "qualité"}},
	{recall.HazardMalfunction, []string{"performance", "software", "seats and restraints", "airbag", "structure", "lights and instruments", "electronics", "rendement", "logiciel"}},
	{recall.HazardOther, []string{"unauthorized", "licens", "non autoris"}},
}

// hazards reads the hazards out of Issue ("Fire hazard - Burn hazard"), which is
// a list of terms, and where it tells none, out of the title and the page.
func (r row) hazards(p *page) []recall.Hazard {
	var found []recall.Hazard
	known := map[recall.HazardType]bool{}
	add := func(hazards ...recall.Hazard) {
		for _, h := range hazards {
			if !known[h.Type] {
				known[h.Type] = true
				found = append(found, h)
			}
		}
	}
	for term := range strings.SplitSeq(string(r.Issue), " - ") {
		term = strings.TrimSpace(term)
		if hazards := extract.Hazards(term); len(hazards) > 0 {
			add(hazards...)
		} else if kind, ok := issueOf(term); ok {
			add(recall.Hazard{Type: kind, Text: term})
		}
	}
	if p != nil && p.Issue != "" {
		add(extract.Hazards(p.Issue)...)
	}
	if len(found) == 0 {
		add(extract.Hazards(string(r.Title))...)
	}
	if len(found) == 0 && r.Issue != "" {
		add(recall.Hazard{Type: recall.HazardOther, Text: string(r.Issue)})
	}
	return found
}

func issueOf(term string) (recall.HazardType, bool) {
	lower := " " + strings.NewReplacer("'", " ", "’", " ").Replace(strings.ToLower(term))
	for _, issue := range issues {
		for _, word := range issue.words {
			if strings.Contains(lower, " "+word) {
				return issue.kind, true
			}
		}
	}
	return "", false
}

var (
	// asking marks the sentences that name whom to ask.
	asking = regexp.MustCompile(`(?i)\b(?:for more information|more information,|consumers (?:can|may|should) contact|by telephone|par téléphone|pour (?:de )?plus (?:de renseignements|d'information))`)
	// thrownOut is how the food agency says it.
	thrownOut = regexp.MustCompile(`(?i)\bthrown? (?:it |them )?(?:out|away)\b|\bjet(?:er|és?)\b`)
	// atLarge begins what is said below every notice.
	atLarge = regexp.MustCompile(`(?i)\b(?:please note that|health canada would like to remind|this recall is also posted|learn more:|sign up for recall|veuillez (?:prendre note|noter) que|santé canada (?:aimerait|tient à) rappeler|apprenez-en plus)`)
)

// remedy is the row's advice or, with its paragraphs, the page's.
func (r row) remedy(p *page) recall.Remedy {
	text := string(r.Action)
	if p != nil && p.Action != "" {
		text = p.Action
	}
	own := text
	if at := atLarge.FindStringIndex(own); at != nil {
		own = own[:at[0]]
	}
	var ask []string
	for line := range strings.SplitSeq(own, "\n") {
		if asking.MatchString(line) {
			ask = append(ask, strings.TrimSpace(line))
		}
	}
	types := extract.Remedies(own)
	if thrownOut.MatchString(own) && !slices.Contains(types, recall.RemedyDispose) {
		types = append(types, recall.RemedyDispose)
	}
	return recall.Remedy{Types: types, Text: text, Contact: strings.Join(ask, "\n")}
}
