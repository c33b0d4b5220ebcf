package lmw

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// reasons leads from the portal's own list of reasons to the taxonomy.
var reasons = map[string]recall.HazardType{
	"krankheitserreger":              recall.HazardMicrobial,
	"allergene":                      recall.HazardAllergen,
	"fremdkörper":                    recall.HazardForeignBody,
	"rückstände und kontaminanten":   recall.HazardChemical,
	"gesundheitsschädliche substanz": recall.HazardChemical,
	"sonstige gründe":                recall.HazardOther,
}

// dangers leads from pieces of German words to the taxonomy. Pieces, because
// German writes compounds: "Verbrennungsgefahr", "Erstickungsrisiko".
var dangers = []struct {
	piece string
	kind  recall.HazardType
}{
	{"kohlenmonoxid", recall.HazardCarbonMonox}, {"kohlenstoffmonoxid", recall.HazardCarbonMonox},
	{"salmonell", recall.HazardMicrobial}, {"listeri", recall.HazardMicrobial}, {"mikrobiolog", recall.HazardMicrobial},
	{"bakteri", recall.HazardMicrobial}, {"keim", recall.HazardMicrobial}, {"schimmel", recall.HazardMicrobial},
	{"cronobacter", recall.HazardMicrobial}, {"escherichia", recall.HazardMicrobial}, {"krankheitserreger", recall.HazardMicrobial},
	{"allergen", recall.HazardAllergen}, {"nicht deklarierte", recall.HazardAllergen},
	{"fremdkörper", recall.HazardForeignBody}, {"glassplitter", recall.HazardForeignBody}, {"metallteil", recall.HazardForeignBody},
	{"kunststoffteil", recall.HazardForeignBody},
	{"magnet", recall.HazardMagnet}, {"knopfzelle", recall.HazardBattery}, {"knopfbatterie", recall.HazardBattery},
	{"strangulation", recall.HazardStrangulation}, {"strangulier", recall.HazardStrangulation}, {"erdrossel", recall.HazardStrangulation},
	{"verschlucken", recall.HazardChoking}, {"verschluckbar", recall.HazardChoking}, {"kleinteil", recall.HazardChoking}, {"einatmen von kleinen", recall.HazardChoking},
	{"ersticken", recall.HazardSuffocation}, {"erstickung", recall.HazardSuffocation}, {"atemwege", recall.HazardSuffocation},
	{"ertrinken", recall.HazardDrowning}, {"einklemm", recall.HazardEntrapment}, {"quetsch", recall.HazardEntrapment},
	{"umkippen", recall.HazardTipOver}, {"kippgefahr", recall.HazardTipOver}, {"umstürz", recall.HazardTipOver},
	{"absturz", recall.HazardFall}, {"stürzen", recall.HazardFall}, {"sturzgefahr", recall.HazardFall}, {"sturzverletz", recall.HazardFall}, {"herunterfallen", recall.HazardFall},
	{"brandgefahr", recall.HazardFire}, {"brandrisiko", recall.HazardFire}, {"feuer", recall.HazardFire}, {"entzünd", recall.HazardFire}, {"überhitz", recall.HazardFire}, {"in brand", recall.HazardFire},
	{"verbrenn", recall.HazardBurn}, {"verbrüh", recall.HazardBurn}, {"thermische", recall.HazardBurn}, {"verätz", recall.HazardBurn},
	{"explosion", recall.HazardExplosion}, {"explodier", recall.HazardExplosion}, {"bersten", recall.HazardExplosion}, {"platzen", recall.HazardExplosion},
	{"stromschlag", recall.HazardShock}, {"elektrischer schlag", recall.HazardShock}, {"elektrischen schlag", recall.HazardShock}, {"elektrische gefährdung", recall.HazardShock}, {"stromschläge", recall.HazardShock},
	{"schnittverletz", recall.HazardLaceration}, {"schneiden", recall.HazardLaceration}, {"stechen", recall.HazardLaceration}, {"scharfe kante", recall.HazardLaceration}, {"schnitt", recall.HazardLaceration},
	{"unfallrisiko", recall.HazardCrash}, {"unfallgefahr", recall.HazardCrash}, {"kontrolle über das fahrzeug", recall.HazardCrash}, {"verkehrsunfall", recall.HazardCrash},
	{"stoß", recall.HazardImpact}, {"prellung", recall.HazardImpact}, {"augenverletz", recall.HazardImpact},
	{"blei", recall.HazardLead}, {"vergift", recall.HazardPoisoning}, {"giftig", recall.HazardPoisoning},
	{"chemisch", recall.HazardChemical}, {"phthalat", recall.HazardChemical}, {"weichmacher", recall.HazardChemical}, {"cadmium", recall.HazardChemical},
	{"nickel", recall.HazardChemical}, {"chrom", recall.HazardChemical}, {"quecksilber", recall.HazardChemical}, {"formaldehyd", recall.HazardChemical}, {"hautreiz", recall.HazardChemical},
	{"gehör", recall.HazardNoise}, {"lärm", recall.HazardNoise}, {"kennzeichnung", recall.HazardMislabelled},
	{"mechanische gefährdung", recall.HazardOther}, {"verletzung", recall.HazardOther},
}

// notDangers hold a danger's piece and mean something else: "bleiben", "Feuerzeug".
var notDangers = strings.NewReplacer("bleib", "", "bleich", "", "feuerzeug", "", "feuerwehr", "", "chromatisch", "", "keimling", "", "magnetventil", "",
	"schnittkäse", "", "schnittlauch", "", "schnittstelle", "", "abschnitt", "", "querschnitt", "", "ce-kennzeichnung", "", "stoßdämpfer", "", "stoßfänger", "", "anstoß", "", "verstoß", "")

// hazards reads the list of reasons and, of products, what the agency says of
// the danger. "Other" counts only where nothing better is said.
func (w *warning) hazards() []recall.Hazard {
	var found []recall.Hazard
	add := func(kind recall.HazardType, text string) {
		if !slices.ContainsFunc(found, func(h recall.Hazard) bool { return h.Type == kind }) {
			found = append(found, recall.Hazard{Type: kind, Text: text})
		}
	}
	if w.Kind == kindFood { // a product's own words are closer than the list made for food
		for reason := range strings.SplitSeq(w.Reasons.Clean(), ",") {
			reason = strings.TrimSpace(reason)
			if kind := reasons[strings.ToLower(reason)]; kind != "" {
				add(kind, reason)
			} else if reason != "" {
				addDangers(reason, add)
			}
		}
	}
	for _, t := range []agency.Text{w.Safety.Hazard, w.Safety.Injury, w.SafetyGate.Message, w.Safety.Ordinance} {
		addDangers(t.Clean(), add)
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(h recall.Hazard) bool { return h.Type == recall.HazardOther })
	}
	if len(found) == 0 && w.Reasons.Clean() != "" {
		add(recall.HazardOther, w.Reasons.Clean())
	}
	return found
}

// addDangers reads prose sentence by sentence, so that each hazard has the words
// that name it.
func addDangers(prose string, add func(recall.HazardType, string)) {
	for sentence := range strings.FieldsFuncSeq(strings.ReplaceAll(prose, ". ", ".\n"), func(r rune) bool { return r == '\n' }) {
		lower := notDangers.Replace(strings.ToLower(sentence))
		for _, d := range dangers {
			if strings.Contains(lower, d.piece) {
				add(d.kind, strings.TrimSpace(sentence))
			}
		}
	}
}

// measures leads from pieces of German words to remedies.
var measures = []struct {
	piece string
	kind  recall.RemedyType
}{
	{"rückruf", recall.RemedyReturn}, {"zurückgegeben", recall.RemedyReturn}, {"zurückgeben", recall.RemedyReturn}, {"zurückbringen", recall.RemedyReturn},
	{"erstatt", recall.RemedyRefund}, {"kaufpreis", recall.RemedyRefund}, {"gutschrift", recall.RemedyRefund},
	{"umtausch", recall.RemedyReplace}, {"austausch", recall.RemedyReplace}, {"ersatz", recall.RemedyReplace}, {"ersetz", recall.RemedyReplace},
	{"reparatur", recall.RemedyRepair}, {"reparier", recall.RemedyRepair}, {"nachbesser", recall.RemedyRepair}, {"nachrüst", recall.RemedyRepair}, {"software-update", recall.RemedyRepair},
	{"entsorg", recall.RemedyDispose}, {"vernicht", recall.RemedyDispose},
	{"überprüf", recall.RemedyInspect}, {"warnhinweis", recall.RemedyLabel},
	{"nicht mehr verwend", recall.RemedyStopUse}, {"nicht mehr benutz", recall.RemedyStopUse}, {"nicht weiter verwend", recall.RemedyStopUse}, {"nicht verwend", recall.RemedyStopUse},
	{"nicht verzehr", recall.RemedyStopUse}, {"verzehr wird abgeraten", recall.RemedyStopUse}, {"nicht mehr verzehr", recall.RemedyStopUse},
}

func remedies(text string) []recall.RemedyType {
	lower := strings.ToLower(text)
	var found []recall.RemedyType
	for _, m := range measures {
		if strings.Contains(lower, m.piece) && !slices.Contains(found, m.kind) {
			found = append(found, m.kind)
		}
	}
	return found
}

// infantPieces and childPieces are of products' names. Food is for infants
// only by words of its own: chocolate is sold as "kinder".
var (
	infantPieces = []string{"baby", "säugling", "kleinkind", "beikost", "folgemilch", "anfangsmilch", "pre-milch", "muttermilch", "schnuller", "sauger", "beißring", "rassel", "kinderwagen", "buggy", "kinderbett", "laufstall", "laufgitter",
		"hochstuhl", "kindersitz", "babyschale", "wickel", "windel", "lauflern", "strampler", "stubenwagen", "fläschchen", "kinderteller", "ab dem 4. monat", "ab dem 5. monat", "ab dem 6. monat", "ab dem 8. monat", "ab dem 12. monat"}
	childPieces = []string{"kinder", "spielzeug", "spielwaren", "puppe", "plüsch", "kuscheltier", "stofftier", "jungen", "mädchen", "schüler", "schulranzen", "fingerfarbe", "schleim", "luftballon", "bausteine", "kreisel", "roller", "laufrad", "schaukel", "karnevalskostüm", "kostüm"}
)

func (w *warning) audience() recall.Audience {
	lower := strings.ToLower(w.Title.Clean() + "\n" + w.Product.Designation.Clean() + "\n" + w.Product.Brand.Clean() + "\n" + w.Product.Category.Clean())
	holds := func(piece string) bool { return strings.Contains(lower, piece) }
	switch {
	case slices.ContainsFunc(infantPieces, holds) && !strings.Contains(lower, "babyspinat"):
		return recall.Infant
	case w.Kind == kindProduct && slices.ContainsFunc(childPieces, holds):
		return recall.Child
	}
	return recall.General
}

// categoryPieces leads from BAuA's categories to ours.
var categoryPieces = []struct{ piece, slug string }{
	{"spielzeug", "toys"}, {"kinder", "nursery"}, {"baby", "nursery"}, {"kraftfahrzeug", "vehicles"}, {"fahrzeug", "vehicles"},
	{"kosmeti", "cosmetics"}, {"bekleidung", "clothing"}, {"textil", "clothing"}, {"schuhe", "clothing"}, {"möbel", "furniture"},
	{"elektr", "appliances"}, {"haushalt", "household"}, {"maschinen", "tools"}, {"werkzeug", "tools"}, {"sport", "sports"}, {"freizeit", "sports"},
	{"lebensmittel", "food"}, {"schmuck", "jewellery"}, {"beleuchtung", "lighting"}, {"leuchten", "lighting"}, {"schutzausrüstung", "protective-equipment"}, {"chemi", "chemicals"}, {"bauprodukt", "construction-products"},
}

func (w *warning) categories() []string {
	if w.Kind == kindFood {
		if w.audience() == recall.Infant {
			return []string{"food", "baby-food"}
		}
		return []string{"food"}
	}
	var slugs []string
	lower := strings.ToLower(w.Product.Category.Clean())
	for _, c := range categoryPieces {
		if strings.Contains(lower, c.piece) && !slices.Contains(slugs, c.slug) {
			slugs = append(slugs, c.slug)
		}
	}
	return slugs
}
