package rappelconso

import (
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// dateLabels are the abbreviations of the kinds of date.
var dateLabels = []struct {
	label string
	kind  recall.UnitKind
}{{"ddm", recall.BestBefore}, {"dluo", recall.BestBefore}, {"dcr", recall.BestBefore}, {"dlc", recall.Expiry}}

// printedDate reads "DDM 09/12/2022" where a lot belongs, also behind the
// product's name: "Poudre de cumin 1.05kg DDM 09/12/2022".
func printedDate(part span) (datePair, bool) {
	for _, d := range dateLabels {
		rest, ok := cutPrefixFold(part.text, d.label)
		if name, after, named := cutFold(part, " "+d.label+" "); !ok && named && namesProduct(name.text) {
			rest, ok = after.text, true
		}
		if !ok {
			continue
		}
		if date := frenchDate(strings.Trim(rest, " :du")); date != "" {
			return datePair{kind: d.kind, from: date, to: date, quote: part}, true
		}
	}
	return datePair{}, false
}

// content is how much of a product there is: 250g, 1.05kg, 6x33cl.
var content = regexp.MustCompile(`(?i)^(?:\d+x)?\d+(?:[.,]\d+)?(?:mg|g|kg|ml|cl|dl|l)$`)

// namesProduct tells whether words name a product, and no code is among them.
func namesProduct(words string) bool {
	for w := range strings.FieldsSeq(words) {
		if strings.ContainsAny(w, "0123456789") && !content.MatchString(w) {
			return false
		}
	}
	return true
}

// dateWindow reads "28.07.2023 - 19.12.2025", also behind the name of a model:
// the days of production, which notices on vehicles give in the lot's place.
func dateWindow(part span) (datePair, bool) {
	const day = len("02/01/2006")
	for _, between := range []string{" - ", "-", " – ", " à ", " au "} {
		first, last, ok := cutFold(part, between)
		if !ok || len(first.text) < day {
			continue
		}
		from, to := frenchDate(first.text[len(first.text)-day:]), frenchDate(strings.TrimSpace(last.text))
		name := strings.TrimRight(first.text[:len(first.text)-day], " ")
		if from != "" && to != "" && from <= to && (name == "" || strings.HasSuffix(name, ":")) {
			return datePair{kind: recall.Made, from: from, to: to, quote: part}, true
		}
	}
	return datePair{}, false
}

// frenchDate turns dd/mm/yyyy into YYYY-MM-DD, and what is no such date into "".
func frenchDate(s string) string {
	if len(s) != len("02/01/2006") || s[2] != s[5] || s[2] != '/' && s[2] != '.' && s[2] != '-' {
		return ""
	}
	if iso := s[6:] + "-" + s[3:5] + "-" + s[:2]; isISODate(iso) {
		return iso
	}
	return ""
}
