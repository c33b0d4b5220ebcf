package extract

import "strings"

// BrandFromTitle reads the brand out of a notice's title: "Acme Recalls
// Strollers Due to Fall Hazard", "Acme Strollers Recalled Due to …; Sold by
// Shop", "CPSC, Acme Announce Recall of Strollers". Where the title names none,
// the capitalised words that the product's name starts with count. It is empty
// when neither names one.
func BrandFromTitle(title, product string) (brand string) {
	t := tokenise("", title)
	if brand = t.recaller(); brand == "" {
		brand = leadingCapitals(product)
	}
	return brand
}

// recaller finds who recalls in a title of the active form.
func (t *text) recaller() string {
	for i := range t.tokens {
		switch t.tokens[i].lower {
		case "recalls", "recall", "announces", "announce", "expands", "reannounces", "rappelle":
			if i == 0 {
				return ""
			}
			first := 0
			if len(t.tokens) > 2 && t.tokens[0].lower == "cpsc" {
				first = 1
				for first < i && (t.tokens[first].lower == "," || t.tokens[first].lower == "and") {
					first++
				}
			}
			if first >= i {
				return ""
			}
			return cleanBrand(t.source[t.tokens[first].start:t.tokens[i-1].end])
		case "recalled":
			return ""
		}
	}
	return ""
}

// companyForms are dropped from a brand's end.
var companyForms = map[string]bool{
	"inc": true, "inc.": true, "llc": true, "ltd": true, "ltd.": true, "corp": true, "corp.": true, "corporation": true,
	"company": true, "co": true, "co.": true, "limited": true, "voluntarily": true, "l.l.c.": true, "s.a.": true, "sas": true, "gmbh": true,
}

func cleanBrand(s string) string {
	s = strings.NewReplacer("®", "", "™", "", "(R)", "", "(TM)", "", "©", "").Replace(s)
	for _, doingBusinessAs := range []string{" dba ", " d/b/a ", " DBA ", " D/B/A "} {
		if _, after, ok := strings.Cut(s, doingBusinessAs); ok {
			s = after
		}
	}
	words := strings.Fields(s)
	for len(words) > 1 && companyForms[strings.ToLower(words[len(words)-1])] {
		words = words[:len(words)-1]
	}
	s = strings.Trim(strings.Join(words, " "), " ,;:-–—\"“”")
	if placeholderBrand(s) {
		return ""
	}
	return s
}

func placeholderBrand(s string) bool {
	switch strings.ToLower(s) {
	case "", "-", "n/a", "none", "unknown", "unbranded", "no brand", "generic", "various", "firm", "company", "cpsc", "retailer", "importer", "manufacturer", "sans marque", "inconnu", "inconnue":
		return true
	}
	return false
}

// leadingCapitals takes the words before a product's common name: "Snuggle
// Bear Baby Bouncers" has no clear end, so only words in capitals, or a first
// word that is no common product word, count.
func leadingCapitals(product string) string {
	words := strings.Fields(product)
	n := 0
	for n < len(words) && n < 3 && isUpper(words[n]) {
		n++
	}
	return cleanBrand(strings.Join(words[:n], " "))
}

func isUpper(word string) bool {
	return len(word) > 1 && word == strings.ToUpper(word) && strings.ContainsFunc(word, func(r rune) bool { return r >= 'A' && r <= 'Z' })
}
