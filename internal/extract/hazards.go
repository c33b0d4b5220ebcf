package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// hazardWords leads from the agencies' words (English and French) to the
// taxonomy. Longer phrases win, so that "carbon monoxide" isn't a poisoning
// and "fire extinguisher" no fire.
var hazardWords = newLexicon(
	entry[recall.HazardType]{recall.HazardChoking, []string{"chok*", "small part*", "small ball*", "aspiration hazard*", "étouffement*", "risque d’étouffement", "petites pièces", "petits éléments", "fausse route"}},
	entry[recall.HazardType]{recall.HazardSuffocation, []string{"suffocat*", "asphyxia*", "smother*", "suffocation*", "asphyxie*", "airway obstruction", "obstruct* the airway*"}},
	entry[recall.HazardType]{recall.HazardStrangulation, []string{"strang*", "étrangle*"}},
	entry[recall.HazardType]{recall.HazardEntrapment, []string{"entrap*", "trapped", "crush", "crushed", "crushing", "entangle*", "coinc*", "piég*", "pincement*", "pinch*"}},
	entry[recall.HazardType]{recall.HazardFall, []string{"fall", "falls", "falling", "fallen", "fell", "tumble", "tumbles", "chute", "chutes"}},
	entry[recall.HazardType]{recall.HazardTipOver, []string{"tip over", "tip-over", "tip-overs", "tipover*", "tips over", "tipping over", "tipping", "topple*", "toppling", "instability", "basculement", "renversement", "instable"}},
	entry[recall.HazardType]{recall.HazardFire, []string{"fire", "fires", "ignite", "ignites", "ignited", "igniting", "ignition hazard", "flammability", "flammable", "combust*", "overheat*", "incendie*", "inflamm*", "in flames", "into flames", "open flame*", "catch fire", "surchauffe*"}},
	entry[recall.HazardType]{recall.HazardBurn, []string{"burn", "burns", "burned", "burning", "scald*", "brûlure*", "brulure*"}},
	entry[recall.HazardType]{recall.HazardExplosion, []string{"explosion*", "explode*", "exploding", "explosive*", "explosé*", "exploser", "burst", "bursts", "bursting", "rupture*", "éclat*"}},
	entry[recall.HazardType]{recall.HazardShock, []string{"shock", "shocks", "electrocut*", "électrocution", "electrocution", "choc électrique", "chocs électriques", "choc electrique"}},
	entry[recall.HazardType]{recall.HazardLaceration, []string{"lacerat*", "cut hazard", "cuts", "sharp edge*", "sharp point*", "amputat*", "coupure*", "blessures par coupure"}},
	entry[recall.HazardType]{recall.HazardImpact, []string{"impact", "projectile*", "struck", "hit in the", "injury to the eye*", "head injur*", "blunt", "chocs", "risque de choc"}},
	entry[recall.HazardType]{recall.HazardCrash, []string{"crash", "crashes", "collision*", "lose control", "loss of control", "accident de la route", "accidents de la circulation"}},
	entry[recall.HazardType]{recall.HazardDrowning, []string{"drown*", "noyade*", "submersion"}},
	entry[recall.HazardType]{recall.HazardPoisoning, []string{"poison*", "child-resistant", "child resistant", "intoxication*", "empoisonnement*", "toxic*", "toxique*"}},
	entry[recall.HazardType]{recall.HazardLead, []string{"lead", "lead paint", "plomb"}},
	entry[recall.HazardType]{recall.HazardChemical, []string{"chemical*", "skin irritation", "eye irritation", "respiratory irritation", "irritation", "phthalate*", "phtalate*", "cadmium", "mercury", "arsenic", "nickel", "formaldehyde", "benzene", "pesticide*", "chimique*", "chimiques", "mercure", "oxyde d’éthylène", "ethylene oxide", "bisphenol*", "nitrosamine*", "migration", "histamine*", "aflatoxin*", "mycotoxin*", "patulin", "alcaloïdes", "corrosi*"}},
	entry[recall.HazardType]{recall.HazardMagnet, []string{"magnet", "magnets", "magnet ingestion", "aimant", "aimants"}},
	entry[recall.HazardType]{recall.HazardBattery, []string{"button battery", "button batteries", "button cell", "button cells", "coin battery", "coin batteries", "button cell battery", "button cell batteries", "button cell or coin battery", "button cell or coin batteries", "coin cell", "coin cells", "coin cell battery", "coin cell batteries", "battery ingestion", "lithium coin battery", "lithium coin batteries", "pile bouton", "piles boutons", "piles bouton"}},
	entry[recall.HazardType]{recall.HazardMicrobial, []string{"salmonel*", "listeri*", "e. coli", "coli", "escherichia", "cronobacter", "botuli*", "clostridi*", "bacteri*", "bactéri*", "microb*", "mold", "mould", "moisissure*", "norovirus", "hepatitis", "cyclospora", "campylobacter*", "staphyl*", "bacillus", "pathogen*", "pseudomonas", "burkholderia", "sterility", "non-sterile", "legionella", "shiga", "shigatoxin*", "stec", "microorganism*"}},
	entry[recall.HazardType]{recall.HazardAllergen, []string{"allerg*", "undeclared milk", "undeclared egg", "undeclared eggs", "undeclared soy", "undeclared wheat", "undeclared peanut*", "undeclared almond*", "undeclared sesame", "undeclared fish", "undeclared tree", "undeclared sulfite*", "undeclared cashew*", "undeclared walnut*", "undeclared pecan*", "undeclared shellfish", "undeclared gluten", "gluten", "allergène*"}},
	entry[recall.HazardType]{recall.HazardForeignBody, []string{"foreign object*", "foreign body", "foreign bodies", "foreign material*", "foreign matter", "metal fragment*", "metal pieces", "glass fragment*", "plastic pieces", "pieces of plastic", "pieces of metal", "pieces of glass", "plastic fragment*", "particulate*", "corps étranger*", "corps étrangers", "inertes", "morceaux de", "débris de", "fragments of"}},
	entry[recall.HazardType]{recall.HazardMislabelled, []string{"mislabel*", "misbrand*", "incorrect label*", "label mix-up", "labeling error*", "labelling error*", "incorrectly labeled", "incorrectly labelled", "erreur d’étiquetage", "erreur d'étiquetage", "défaut d'étiquetage", "défaut d’étiquetage", "mislabelled", "missing label", "wrong label"}},
	entry[recall.HazardType]{recall.HazardQuality, []string{"subpotent", "sub-potent", "superpotent", "spoil*", "out of specification", "out-of-specification", "failed dissolution*", "impurit*", "stability", "cgmp", "potency", "discolor*", "rancid*", "altération", "underprocess*", "under-processed", "temperature abuse", "degradation", "dégradation"}},
	entry[recall.HazardType]{recall.HazardMalfunction, []string{"malfunction*", "fail to", "fails to", "failure to", "failure of", "may fail", "can fail", "detach*", "disengage*", "break", "breaks", "breakage", "dysfonctionnement*", "collapse*", "can collapse"}},
	entry[recall.HazardType]{recall.HazardCarbonMonox, []string{"carbon monoxide", "monoxyde de carbone"}},
	entry[recall.HazardType]{recall.HazardNoise, []string{"hearing", "noise level*", "sound level*", "auditi*", "bruit"}},
	// Phrases that hold a hazard's word and mean something else.
	entry[recall.HazardType]{"", []string{"fire department*", "fire extinguisher*", "fire pit", "fire pits", "fire alarm*", "leading*", "leads to", "lead to", "could lead to", "lead time", "crash test*", "shock absorber*", "cold cuts", "deli cuts", "fall off the market", "no injuries", "fire truck*", "fireplace*", "lead wire*"}},
)

// Hazards tells which of the taxonomy's hazards texts speak of, each once, in
// order of first appearance, with the sentence that names it. A malfunction
// counts only where nothing worse is named: most hazards begin with one. The
// result is empty when the texts name none.
func Hazards(texts ...string) []recall.Hazard {
	var found []recall.Hazard
	seen := map[recall.HazardType]bool{}
	for _, source := range texts {
		t := tokenise("", source)
		for i := 0; i < len(t.tokens); {
			kind, span := hazardWords.at(t, i)
			if kind != "" && !seen[kind] {
				seen[kind] = true
				found = append(found, recall.Hazard{Type: kind, Text: t.sentenceAt(i)})
			}
			i += max(span, 1)
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(h recall.Hazard) bool { return h.Type == recall.HazardMalfunction })
	}
	return found
}

// longestSentence keeps a run-on text from becoming a hazard's words, in bytes.
const longestSentence = 400

// sentenceAt returns the sentence that token i stands in.
func (t *text) sentenceAt(i int) string {
	first, last := i, i
	for first > 0 && !t.endsSentence(first-1) {
		first--
	}
	for last < len(t.tokens)-1 && !t.endsSentence(last) {
		last++
	}
	for t.tokens[last].end-t.tokens[first].start > longestSentence && first < i {
		first++
	}
	for t.tokens[last].end-t.tokens[first].start > longestSentence && last > i {
		last--
	}
	return strings.TrimSpace(t.source[t.tokens[first].start:t.tokens[last].end])
}

// endsSentence tells whether token i is the mark that ends a sentence, or the
// last before a new line.
func (t *text) endsSentence(i int) bool {
	if i+1 >= len(t.tokens) {
		return true
	}
	next := &t.tokens[i+1]
	if next.gap == newline {
		return true
	}
	switch t.tokens[i].lower {
	case ".":
		return (next.gap != adjacent || next.capital) && !t.abbreviates(i)
	case "!", "?", "…":
		return next.gap != adjacent
	}
	return false
}

// abbreviates tells whether the full stop at token i ends an abbreviation.
func (t *text) abbreviates(i int) bool {
	if i == 0 || t.tokens[i].gap != adjacent {
		return false
	}
	switch t.tokens[i-1].lower {
	case "no", "nos", "inc", "corp", "co", "ltd", "exp", "approx", "lbs", "lb", "oz", "ft", "in", "st", "vs", "mfg", "mr", "dr", "e", "i", "etc", "e.g", "i.e",
		"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "réf", "ref":
		next := &t.tokens[i+1]
		if next.lower == "e" || next.lower == "i" || t.tokens[i-1].lower == "g" {
			return true
		}
		return next.digits > 0 || next.lowercase && !next.capital || t.tokens[i-1].lower == "no" || t.tokens[i-1].lower == "nos"
	}
	return false
}
