package recall

import (
	"fmt"
	"strings"
)

// Advice words what to do next: the remedy where a unit is affected, else the
// one identifier that would help most and where it is printed. It never says
// that a product is safe.
func (d *Decision) Advice(q *Question) string {
	switch d.Outcome {
	case Affected:
		return affectedAdvice(&d.Matches[0], q.Unit.Country)
	case NeedCode:
		return needAdvice(&d.Matches[0])
	case NotAffected:
		return "The codes that you gave lie outside every notice found for this product. Check them against the unit once more; notices can be widened later."
	case CannotTell:
		return "Give something that names the product: the barcode, or the brand with the product name or the model number. " +
			"The barcode is on the package or a sewn-in label; the model is on the product's label or underside."
	}
	return noMatchAdvice(q)
}

func affectedAdvice(m *Match, country string) string {
	var b strings.Builder
	b.WriteString("Stop using it and keep it away from children.")
	if words := remedyWords(m.Recall.Remedy.Types); words != "" {
		fmt.Fprintf(&b, " The recall offers: %s.", words)
	}
	switch contact := m.Recall.Remedy.Contact; {
	case contact != "":
		fmt.Fprintf(&b, " Contact: %s", strings.TrimSuffix(contact, "."))
		b.WriteByte('.')
	case m.Recall.URL != "":
		fmt.Fprintf(&b, " How to go about it: %s", m.Recall.URL)
	}
	if country != "" && !strings.HasPrefix(m.Recall.Agency, strings.ToLower(country)+"-") {
		b.WriteString(" The notice is of another country; ask the maker or the shop whether its remedy reaches you. The hazard is the same.")
	}
	return b.String()
}

func remedyWords(types []RemedyType) string {
	var list []string
	for _, t := range types {
		switch t {
		case RemedyRefund:
			list = append(list, "a refund")
		case RemedyReplace:
			list = append(list, "a replacement")
		case RemedyRepair:
			list = append(list, "a repair")
		case RemedyDispose:
			list = append(list, "disposal")
		case RemedyReturn:
			list = append(list, "taking it back")
		case RemedyInstructions:
			list = append(list, "new instructions")
		case RemedyInspect:
			list = append(list, "an inspection")
		case RemedyLabel:
			list = append(list, "a new label")
		}
	}
	return strings.Join(list, ", ")
}

var needNames = map[string]string{
	"model": "the model number", "lot": "the lot or batch code", "serial": "the serial number", "date_code": "the date code",
	"made_on": "the date of manufacture", "bought_on": "the date on which it was first bought", "best_before": "the best-before date",
	"expiry": "the expiry date", "name": "the full product name or the model", "brand": "the brand",
}

func needAdvice(m *Match) string {
	if m.Need == nil {
		return "Compare the product with the notice: " + m.Recall.URL
	}
	what := needNames[m.Need.Identifier]
	advice := "A notice may cover this product. Give " + what
	if where := m.Need.WherePrinted; where != "" {
		advice += " (" + where + ")"
	}
	return advice + ". Until you know, don't let a child use it."
}

func noMatchAdvice(q *Question) string {
	const caution = "Nothing was found in the notices that were looked at, which does not mean that the product is free of hazards. "
	switch {
	case len(q.GTINs) > 0 && len(q.name) == 0:
		return caution + "Few notices print a barcode: ask again with the brand and the product name or the model from the product's label."
	case q.model == "":
		return caution + "The model number from the product's label would help most."
	case len(q.brand) == 0:
		return caution + "The brand would help most."
	}
	return caution + "Check the spelling of brand, name and model against the product's label."
}
