package starter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
	"github.com/dustin/go-humanize"
)

// title is brand, product and hazards: "Goregent infant walkers: fall hazard".
func (e *entry) title() string {
	return fmt.Sprintf("%s: %s", e.label(), e.hazardWords())
}

// label names the products: all of them up to three, else the first and how
// many more there are.
func (e *entry) label() string {
	var labels []string
	for i := range e.Products {
		labels = append(labels, e.Products[i].label())
	}
	if len(labels) > 3 {
		labels = append(labels[:1], fmt.Sprintf("%d further products", len(labels)-1))
	}
	return enumerate(labels, "and")
}

func (p *product) label() string {
	if p.Brand == "" || strings.HasPrefix(p.Name, p.Brand) {
		return p.Name
	}
	return p.Brand + " " + p.Name
}

// hazardNames are the words of the hazards whose type does not read well by itself.
var hazardNames = map[recall.HazardType]string{
	recall.HazardTipOver:     "tip-over",
	recall.HazardLead:        "lead poisoning",
	recall.HazardMicrobial:   "contamination",
	recall.HazardMislabelled: "mislabelling",
	recall.HazardOther:       "injury",
}

func (e *entry) hazardWords() string {
	var names []string
	for _, h := range e.Hazards {
		name, ok := hazardNames[h]
		if !ok {
			name = strings.ReplaceAll(string(h), "_", " ")
		}
		names = append(names, name)
	}
	noun := "hazard"
	if len(names) > 1 {
		noun = "hazards"
	}
	return enumerate(names, "and") + " " + noun
}

func (e *entry) summary() string {
	sentences := []string{
		fmt.Sprintf("%s: %s.", e.label(), e.Danger),
	}
	if sold := e.soldWords(); sold != "" {
		sentences = append(sentences, sold)
	}
	sentences = append(sentences, "Facts in our own words, until the agency's notice is read.")
	return strings.Join(sentences, " ")
}

var countryNames = map[string]string{"US": "the United States", "CA": "Canada", "MX": "Mexico"}

func (e *entry) soldWords() string {
	var counts []string
	for _, country := range slices.Backward(slices.Sorted(maps.Keys(e.Sold))) {
		about := "about "
		if e.Exact {
			about = ""
		}
		counts = append(counts, about+humanize.Comma(int64(e.Sold[country]))+" in "+countryNames[country])
	}
	if len(counts) == 0 {
		return ""
	}
	return "Units: " + enumerate(counts, "and") + "."
}

// remedyNames say what a remedy brings; those that are something to do stand in remedyActs.
var remedyNames = map[recall.RemedyType]string{
	recall.RemedyRefund:       "a refund",
	recall.RemedyReplace:      "a replacement",
	recall.RemedyRepair:       "a free repair",
	recall.RemedyInstructions: "new instructions",
	recall.RemedyLabel:        "a new label",
}

var remedyActs = map[recall.RemedyType]string{
	recall.RemedyDispose: "Throw it away.",
	recall.RemedyReturn:  "Take it back to the shop.",
	recall.RemedyInspect: "Have it inspected.",
}

func (e *entry) remedyText() string {
	if e.Remedy != "" {
		return e.Remedy
	}
	sentences := []string{"Stop using it."}
	var offers []string
	for _, t := range e.Remedies {
		if name, ok := remedyNames[t]; ok {
			offers = append(offers, name)
		}
		if act, ok := remedyActs[t]; ok {
			sentences = append(sentences, act)
		}
	}
	if len(offers) > 0 {
		sentences = append(sentences, fmt.Sprintf("The remedy is %s.", enumerate(offers, "or")))
	}
	return strings.Join(sentences, " ")
}

// kindNames are the marks as our quotes name them. Dates read as a participle:
// "made from 2022-06 to 2023-09".
var kindNames = map[recall.UnitKind]string{
	recall.Lot:        "lot",
	recall.Batch:      "batch",
	recall.Serial:     "serial number",
	recall.DateCode:   "date code",
	recall.Made:       "made",
	recall.Sold:       "sold",
	recall.BestBefore: "best before",
	recall.Expiry:     "expiry",
}

// words says in our own words what a predicate of the limit says.
func (l *limit) words(p *recall.Predicate) string {
	name := kindNames[p.Kind]
	var words string
	switch p.Op {
	case recall.OpEquals:
		words = name + " " + *p.From
	case recall.OpPrefix:
		words = name + " that begins with " + *p.From
	case recall.OpSuffix:
		words = name + " that ends in " + *p.From
	case recall.OpRange:
		words = name + l.rangeWords()
	case recall.OpAll:
		words = "every " + name
	case recall.OpUnreadable:
		return l.Where
	}
	if len(l.Models) > 0 {
		words += " of model " + enumerate(l.Models, "or")
	}
	return words
}

func (l *limit) rangeWords() string {
	to := " to " + l.To
	if l.Below {
		to = " to below " + l.To
	}
	switch {
	case l.From == "":
		return " up" + to
	case l.To == "":
		return " from " + l.From + " on"
	default:
		return " from " + l.From + to
	}
}

// enumerate joins words as English does: "a", "a and b", "a, b and c".
func enumerate(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	end := len(words) - 1
	return strings.Join(words[:end], ", ") + " " + last + " " + words[end]
}
