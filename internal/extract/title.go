package extract

import (
	"slices"
	"strings"
)

// BrandFromTitle reads the brand out of a notice's title: "Acme Recalls
// Strollers Due to Fall Hazard", "Acme Strollers Recalled Due to …; Sold by
// Shop", "CPSC, Acme Announce Recall of Strollers". Where the title names none,
// the capitalised words that the product's name starts with count. It is empty
// when neither names one.
func BrandFromTitle(title, product string) (brand string) {
	t := tokenise("", title)
	if brand = statedBrand(product); brand != "" {
		return brand
	}
	if brand = t.recaller(); brand == "" {
		brand = brandOfProduct(tokenise("", product), t)
	}
	if brand == "" {
		brand = t.recalledBy()
	}
	return brand
}

// recalledBy finds who recalls in a title of the passive form: "Helmets Recalled
// by Lumo Due to Fall Hazard".
func (t *text) recalledBy() string {
	for i := range t.tokens {
		if t.tokens[i].lower == "recalled" && i+2 < len(t.tokens) && t.tokens[i+1].lower == "by" {
			return t.nameFrom(i + 2)
		}
	}
	return ""
}

// recaller finds who recalls in a title of the active form.
func (t *text) recaller() string {
	for i := range t.tokens {
		switch t.tokens[i].lower {
		case "recalls", "recall", "announces", "announce", "expands", "reannounces", "rappelle":
			if i == 0 || t.tokens[i].lower == "recall" && i+1 < len(t.tokens) && strings.HasPrefix(t.tokens[i+1].lower, "expan") || namesProduct(t, 0) {
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

// nameFrom reads a firm's name from token i up to what it did, or why.
func (t *text) nameFrom(i int) string {
	end := i
	for end < len(t.tokens) && t.tokens[end].lower != "due" && t.tokens[end].lower != ";" && t.tokens[end].lower != "," && t.tokens[end].lower != "for" && t.tokens[end].lower != "because" {
		end++
	}
	if end == i || !t.tokens[i].capital {
		return ""
	}
	return cleanBrand(t.source[t.tokens[i].start:t.tokens[end-1].end])
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
	s, _, _ = strings.Cut(s, " (")
	words := strings.Fields(s)
	for len(words) > 1 && companyForms[strings.ToLower(words[len(words)-1])] {
		words = words[:len(words)-1]
	}
	s = strings.Trim(strings.Join(words, " "), " ,;:-–—\"“”&’'")
	for _, end := range []string{"’s", "'s", "-branded"} {
		s = strings.TrimSuffix(s, end)
	}
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

// statedBrand is what a product's name says its brand is: "Lumo-branded cots",
// "Lumo® brand cots". The firm that recalls them is often the importer.
func statedBrand(product string) string {
	t := tokenise("", product)
	for i := range min(len(t.tokens), brandWords+4) {
		tok := &t.tokens[i]
		switch {
		case i > 0 && (tok.lower == "brand" || tok.lower == "branded") && !genericWords[t.tokens[0].lower]:
			return cleanBrand(t.source[t.tokens[0].start:t.tokens[i-1].end])
		case strings.HasSuffix(tok.lower, "-branded") || strings.HasSuffix(tok.lower, "-brand"):
			return cleanBrand(t.source[t.tokens[0].start : tok.start+strings.LastIndexByte(tok.lower, '-')])
		case tok.lowercase && !tok.capital && tok.lower != "and":
			return ""
		}
	}
	return ""
}

// BrandFromLead reads the brand that a description puts before the product's
// name: "This recall involves Lumo Dreamnest cots" of the product "Dreamnest
// cots" that another firm recalls. It is empty when there is none.
func BrandFromLead(description, product string) string {
	brand, _ := brandBefore(tokenise("", description), product)
	return brand
}

// brandBefore reads the capitalised words between "involves" and a word of the
// product's name. found tells that the word stands there, even if nothing does
// before it.
func brandBefore(t *text, word string) (brand string, found bool) {
	name := tokenise("", word)
	if len(name.tokens) == 0 || !name.tokens[0].capital {
		return "", false
	}
	first := t.leadStart()
	for end := first; first > 0 && end < len(t.tokens) && end <= first+brandWords+1; end++ {
		tok := &t.tokens[end]
		if tok.lower == name.tokens[0].lower && tok.capital {
			if end == first {
				return "", true
			}
			return cleanBrand(t.source[t.tokens[first].start:t.tokens[end-1].end]), true
		}
		if tok.word && !tok.capital || tok.digits > 0 || !tok.word && !brandSigns[tok.lower] || genericWords[tok.lower] {
			return "", false
		}
	}
	return "", false
}

// leadStart is the token behind "this recall involves the"; 0: there is none.
func (t *text) leadStart() int {
	for i := range min(len(t.tokens), leadReach) {
		switch t.tokens[i].lower {
		case "involves", "involve", "includes", "include":
		case "recalled":
			if i > 1 {
				continue // only as "The recalled Lumo cots …"
			}
		default:
			continue
		}
		first := i + 1
		for first < len(t.tokens) && leadWords[t.tokens[first].lower] {
			first++
		}
		return first
	}
	return 0
}

// LeadName reads what a description calls its product: "all model year 2018 Lumo
// Allez and Lumo Allez Sport bicycles" of a product whose own name is no more than
// "Bicycles". It ends with that name's last word; empty where that does not
// stand in the description's first sentence, or alone.
func LeadName(description, product string) string {
	const reach, longest = 45, 160
	t, name := tokenise("", description), tokenise("", product)
	if len(name.tokens) == 0 {
		return ""
	}
	last := name.tokens[len(name.tokens)-1].lower
	first, end := 0, 0
	for i := range min(len(t.tokens), reach) {
		switch tok := &t.tokens[i]; {
		case first == 0 && (tok.lower == "involves" || tok.lower == "involve" || tok.lower == "includes" || tok.lower == "include" || tok.lower == "are" && i <= 2):
			first = i + 1
		case first > 0 && i > 0 && t.endsSentence(i-1):
			return t.leadName(first, end, longest)
		case first > 0 && (tok.lower == "sold" || tok.lower == "with" || tok.lower == "manufactured"):
			if t.namesAgain(i, last) {
				return "" // a list of products, of which some have something
			}
			return t.leadName(first, end, longest)
		case first > 0 && strings.TrimSuffix(tok.lower, "s") == strings.TrimSuffix(last, "s"):
			end = i + 1
		}
	}
	return t.leadName(first, end, longest)
}

// namesAgain tells whether a word stands again behind token i in its sentence.
func (t *text) namesAgain(i int, word string) bool {
	for ; i < len(t.tokens) && !t.endsSentence(i); i++ {
		if strings.TrimSuffix(t.tokens[i].lower, "s") == strings.TrimSuffix(word, "s") {
			return true
		}
	}
	return false
}

// leadName returns the words of tokens first to end without what only counts
// or dates them at their front.
func (t *text) leadName(first, end, longest int) string {
	for first < end && (leadWords[t.tokens[first].lower] || leadYears[t.tokens[first].lower] || t.tokens[first].digits == 4 && t.tokens[first].letters == 0) {
		first++
	}
	if end-first < 2 || t.tokens[end-1].end-t.tokens[first].start > longest {
		return ""
	}
	name := t.source[t.tokens[first].start:t.tokens[end-1].end]
	if strings.Contains(name, ":") {
		return ""
	}
	return name
}

var leadYears = wordSet(`model models year years only different and of - – through to following style styles version versions two three four five`)

// leadReach is within how many tokens a description comes to what it involves.
const leadReach = 200

// NamedInLead tells whether a brand's first word stands where a description names
// the product: behind "this recall involves", or in its beginning.
func NamedInLead(description, brand string) bool {
	const reach = 40
	t, b := tokenise("", description), tokenise("", brand)
	if len(b.tokens) == 0 {
		return false
	}
	first := 0
	for i := range min(len(t.tokens), leadReach) {
		if s := t.tokens[i].lower; s == "involves" || s == "involve" || s == "includes" || s == "include" {
			first = i
			break
		}
	}
	for i := first; i < min(len(t.tokens), first+reach); i++ {
		if strings.HasPrefix(t.tokens[i].lower, b.tokens[0].lower) {
			return true
		}
	}
	return false
}

// BrandFromDescription reads the brand out of a description whose title and
// product name none: "This recall involves Lumo kids bike helmets" of the product
// "Multi-purpose kids bike helmets". It is the capitalised words up to one that
// the product's name has too, or empty.
func BrandFromDescription(description, product string) string {
	t := tokenise("", description)
	for _, word := range strings.Fields(product) {
		if brand, found := brandBefore(t, strings.ToUpper(word[:1])+word[1:]); found {
			return brand
		}
	}
	return ""
}

var (
	leadWords  = wordSet(`all the certain only select some these`)
	brandSigns = wordSet(`& ® ™ + ’ . -`)
)

// brandOfProduct takes the brand off the front of a product's name: what
// stands before "brand" or "-branded", or the capitalised words before the
// first common word, as far as the title starts with them too; else the first
// word alone.
func brandOfProduct(product, title *text) string {
	if len(product.tokens) == 0 || namesProduct(product, 0) {
		return ""
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(product.source), " "); isInitials(first) {
		return strings.Trim(first, ".")
	}
	common, joined := 0, false
	for i := range min(len(product.tokens), brandWords+4) {
		tok := &product.tokens[i]
		switch {
		case i > 0 && (tok.lower == "brand" || tok.lower == "branded"):
			return product.brandUpTo(i)
		case strings.HasSuffix(tok.lower, "-branded") || strings.HasSuffix(tok.lower, "-brand"):
			return cleanBrand(product.source[product.tokens[0].start : tok.start+strings.LastIndexByte(tok.lower, '-')])
		case i == common && namesProduct(product, i):
			if common > 0 && (common <= brandWords || joined) {
				return product.brandUpTo(common)
			}
			return product.brandUpTo(1)
		case i == common && i < len(title.tokens) && title.tokens[i].lower == tok.lower && (tok.word || tok.lower == "&"):
			common++
			joined = joined || tok.lower == "and" || tok.lower == "&" // two names, or one of two words
		}
	}
	return product.brandUpTo(1)
}

// isInitials tells a name of capitals with full stops between them: "R.K.Z".
func isInitials(s string) bool {
	letters := strings.Split(strings.TrimSuffix(s, "."), ".")
	return len(letters) > 1 && !slices.ContainsFunc(letters, func(l string) bool { return len(l) != 1 || l[0] < 'A' || l[0] > 'Z' })
}

// brandWords is how many words a brand has at most.
const brandWords = 3

// brandUpTo makes a brand of the first n words if they look like a name.
func (t *text) brandUpTo(n int) string {
	first := &t.tokens[0]
	if !first.word || !first.capital && !hasCapital(t.source[first.start:first.end]) || genericWords[first.lower] {
		return ""
	}
	return cleanBrand(t.source[first.start:t.tokens[n-1].end])
}

func hasCapital(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' })
}

// namesProduct tells whether a common word for a product, its material or its
// users stands at token i.
func namesProduct(t *text, i int) bool {
	if genericWords[t.tokens[i].lower] || t.isAmount(i) || t.tokens[i].digits > 0 && t.tokens[i].letters == 0 {
		return true
	}
	if _, span := categoryWords.at(t, i); span > 0 {
		return true
	}
	_, span := audienceWords.at(t, i)
	return span > 0
}

// genericWords begin products' names and are no brands.
var genericWords = wordSet(`the a an all certain various several portable folding foldable adjustable convertible electric electronic cordless wireless
rechargeable magnetic wooden metal plastic glass led mini smart roller window gas fire smoke biometric multi-purpose high-powered lighted model models year
select home indoor outdoor garden kitchen black white red blue green pink organic fresh frozen raw natural whole dried sliced chopped cooked handheld
battery usb power lithium-ion hair body face water pressure air steel stainless lightweight travel two three four some of
rappel lot lots produit produits inclined weighted upholstered memory queen king twin full musical stuffed liquid fishing ball gun safe firearm
fabric adult drain building garment double single triple universal hybrid commercial residential`)
