package lmw

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// ofBrand is how a title names the brand or brands: "der Marke X".
var ofBrand = regexp.MustCompile(`\b(?:Marken? ["„“]([^"“”„]+)["“”]|(?:Marken?|der Firma) (\p{Lu}[^"“”„,;()]*?)(?:[,;()]|$| und ["„“]| im | in ))`)

// ofBrands names several.
var ofBrands = regexp.MustCompile(`\bMarken ((?:["„“]?[\p{Lu}\d][\p{L}\d-]*["“”]?)(?:, ["„“]?[\p{Lu}\d][\p{L}\d-]*["“”]?)* und ["„“]?[\p{Lu}\d][\p{L}\d-]*["“”]?)`)

var brandJoint = regexp.MustCompile(`, | und `)

// brands tells the brand or brands of a product: the agency's own field, the
// title's "der Marke X", a shop's own brand, or the words that the title begins
// with where they are the firm's. None is better than a wrong one: "" stands for it.
func (w *warning) brands(name string) []string {
	if b := w.Product.Brand.Clean(); b != "" && !agency.Placeholder(b) && !saysNone.MatchString(b) {
		return []string{b}
	}
	if w.Kind == kindProduct {
		return []string{""}
	}
	if m := ofBrands.FindStringSubmatch(name); m != nil {
		var list []string
		for _, b := range brandJoint.Split(m[1], -1) {
			list = append(list, strings.Trim(b, `"„“”`))
		}
		return list
	}
	if m := ofBrand.FindStringSubmatch(name); m != nil {
		return []string{strings.TrimSpace(m[1] + m[2])}
	}
	if b := shopsBrand(name); b != "" {
		return []string{b}
	}
	firm := w.Product.Manufacturer.Clean()
	if b := firmWords(nameOf(name), firm); b != "" {
		return []string{b}
	}
	return []string{soleFirm(firm)}
}

var (
	firmRole  = regexp.MustCompile(`(?i)^(?:hersteller|inverkehrbringer|vertrieb|importeur)(?: (?:oder|und) [a-zäöü]+)?: *`)
	legalForm = regexp.MustCompile(`(?i)[,.]? *(?:GmbH(?: ?& ?Co\.? ?(?:KG|OHG))?|AG|KG|OHG|e\. ?K\.?|UG|S\.?r\.?l\.?|S\.?A\.?S?|B\.?V\.?|Ltd\.?|S\.?p\.?A\.?)\b.*$`)
)

// soleFirm is the name of the firm that made or sells a product, where the
// agency names one alone: it stands on the package where no brand does.
func soleFirm(manufacturer string) string {
	name := firmRole.ReplaceAllString(manufacturer, "")
	form := legalForm.FindStringIndex(name)
	if form == nil || form[0] == 0 || firmRole.MatchString(name) || strings.ContainsAny(name[:form[0]], ":,\n") || len(legalForm.FindAllString(name[form[0]:], -1)) > 1 {
		return ""
	}
	return strings.TrimSpace(name[:form[0]])
}

// shopsBrands are the own brands of Germany's large shops, whose makers are
// other firms. Longer ones stand before those that they begin with.
var shopsBrands = []string{"REWE Feine Welt", "REWE Beste Wahl", "REWE Bio", "REWE", "EDEKA Bio", "EDEKA", "GUT&GÜNSTIG", "Gut & Günstig", "Gut und Günstig",
	"K-Classic", "K-Bio", "K-Favourites", "ja!", "Penny", "dmBio", "babylove", "enerBiO", "babydream", "Gut bio", "GutBio", "Milsani", "Milbona", "Kania", "Le Gusto",
	"McEnnedy", "Bio Organic", "Harvest Basket", "Netto Marken-Discount", "BioBio", "Vemondo", "Alnatura", "dennree", "Trader Joe's", "Genuss Plus", "tegut"}

// shopsBrand finds one at the beginning of a title, or alone at its end:
// "Bolognese Gewürz - Le Gusto".
func shopsBrand(title string) string {
	title = nameOf(title)
	tokens := recall.Tokens(title)
	tail := lastPart(title)
	for _, b := range shopsBrands {
		own := recall.Tokens(b)
		if len(tokens) > len(own) && slices.Equal(tokens[:len(own)], own) || slices.Equal(recall.Tokens(tail), own) {
			return b
		}
	}
	return ""
}

// lastPart is what stands behind a title's last comma or dash, if any does.
func lastPart(title string) string {
	at := strings.LastIndexAny(title, ",–-")
	if at < 0 {
		return ""
	}
	return strings.TrimLeft(title[at:], ",–- ")
}

// common words begin a title and stand in firms' names as well.
var commonWords = []string{"bio", "original", "feinkost", "die", "der", "das", "le", "la", "grüner", "getrocknete", "gesalzene", "deutsche", "honig", "gewürzmühle", "fleisch", "wurst", "mineralwasser"}

// firmWords returns the words that a name begins with as far as the firm's name
// holds them: "Alnatura" of "Alnatura Produktions- und Handels GmbH".
func firmWords(name, firm string) string {
	firmTokens := recall.Tokens(firm)
	var lead []string
	for _, word := range strings.Fields(name) {
		tokens := recall.Tokens(word)
		if len(tokens) == 0 || !allIn(firmTokens, tokens) || slices.Contains(commonWords, strings.ToLower(word)) && len(lead) > 0 {
			break
		}
		lead = append(lead, strings.Trim(word, `,;:"„“”`))
	}
	if len(lead) == 0 || len(lead) == 1 && (len(lead[0]) < 3 || slices.Contains(commonWords, strings.ToLower(lead[0]))) {
		return ""
	}
	return strings.Join(lead, " ")
}

func allIn(pool, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(pool, w) })
}
