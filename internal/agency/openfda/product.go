package openfda

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// nameLength is how long a product's name becomes at most, in characters: a
// description has hundreds, ingredients included.
const nameLength = 160

// quoteLength is how long the quote of a code list that wasn't understood
// becomes at most, in characters.
const quoteLength = 300

// The fields in which codes stand.
const (
	fieldDescription = "product_description"
	fieldCodeInfo    = "code_info"
)

var (
	// printedCode is a barcode or another labelled code with its figures.
	printedCode = regexp.MustCompile(`(?i)\b(?:retail |case |unit )?(?:UPCs?|GTINs?|EANs?|NDCs?|bar ?codes?)\b(?: ?(?:codes?|numbers?|no\.?|#'?s?))*[\s:#."]*(?:\d[\d -]*\d)?"?`)
	// boilerplate begins what a description says besides what the product is.
	boilerplate = regexp.MustCompile(`(?i)[\s,;.(]*\b(?:ingredients?\b|contains?\s*:|supplement facts|made with:|(?:proudly )?dist(?:ributed|\.)? (?:by|for)|` +
		`(?:manufactured|made|mfd\.?|mfg\.?|produced|packed|packaged|bottled|sold) (?:by|for|in)\b|individually packaged|product of|keep (?:frozen|refrigerated)|` +
		`item:|item (?:numbers?|codes?|no\.?|#)|plant #|purchase dates?|lots? ?(?:#|codes?|no|numbers?|:)|batch|best (?:by|before|if)|sell by|use by|rx only|serial n|udi\b|` +
		`\d{2,5} (?:[nsew]\.? )?[\p{L}\d.]+(?: [\p{L}.]+){0,3} (?:street|st|avenue|ave|road|rd|drive|dr|blvd|way|hwy|highway|lane|ln|court|ct|circle|cir|loop)\b)`)
	netWeight    = regexp.MustCompile(`(?i)[\s,;]*\bnet\.? ?(?:wt|weight|qty|quantity)\b\.?:?`)
	loosePoints  = regexp.MustCompile(`(?:[,;.]? [,;.])+`) // what is left around a code that was taken out
	danglingWord = regexp.MustCompile(`(?i) (?:with|is|for|and|or|the|in)$`)
)

// allUnits is code_info that limits a recall by nothing.
var allUnits = regexp.MustCompile(`(?i)^\W*(?:all|any|none|no|n/?a|not applicable|unknown|unspecified)\b`)

// token is a word of code_info, and quantity one that counts or measures.
var (
	token    = regexp.MustCompile(`[\pL\d*][\pL\d*./-]*`)
	quantity = regexp.MustCompile(`(?i)^(?:\s*-?\s*(?:oz|ounces?|fl|lbs?|pounds?|kg|g|grams?|ml|l|liters?|gal|gallons?|qt|pt|ct|count|pk|packs?|cases?|boxes|bags?|bottles?|jars?|cans?|cartons?|units?|pieces?|days?|months?|years?|inch(?:es)?|%|mg|mcg)\b)`)
	labelled = regexp.MustCompile(`(?i)\b(?:upc|gtin|ean|bar ?code|item|sku|plu|ndc|product|part|material|catalog|ref|plt|plant|est|establishment|facility|firm code)\b[^\n;]{0,25}$`)
	// size is a quantity with its unit written to it: 2lb, 6/8oz, 500-g.
	size = regexp.MustCompile(`(?i)^\d+(?:[./]\d+){0,2}-?(?:oz|lbs?|kg|g|ml|l|ct|pk|gal|qt|pt|in|mg)$`)
	year = regexp.MustCompile(`^(?:19|20)\d\d$`)
)

// unreadCodes finds the first part of code_info that was not understood. The
// field is there to say which units a recall covers: figures in it that are
// neither in a predicate's quote nor a barcode may be the very code of a unit,
// which what was understood must not exclude then.
func unreadCodes(codes extract.Codes, codeInfo string) (start, end int, found bool) {
	if allUnits.MatchString(codeInfo) {
		return 0, 0, false
	}
	read := make([]bool, len(codeInfo))
	for _, p := range codes.Units {
		if p.Quote.Field == fieldCodeInfo {
			for i := max(p.Quote.Start, 0); i < min(p.Quote.End, len(codeInfo)); i++ {
				read[i] = true
			}
		}
	}
	for _, m := range token.FindAllStringIndex(codeInfo, -1) {
		word := codeInfo[m[0]:m[1]]
		if read[m[0]] || read[m[1]-1] || !strings.ContainsAny(word, "0123456789") {
			continue
		}
		if harmless(codes, codeInfo, m[0], m[1]) {
			continue
		}
		stop := strings.IndexByte(codeInfo[m[0]:], '\n')
		if stop < 0 {
			stop = len(codeInfo) - m[0]
		}
		return m[0], m[0] + len(firstWords(codeInfo[m[0]:m[0]+stop], quoteLength)), true
	}
	return 0, 0, false
}

// shortestCode is how long a word must be, in bytes, to be the same code
// wherever it stands.
const shortestCode = 5

// harmless tells whether a word with figures is no code of a unit that is yet to
// be read: one that was read elsewhere, part of a barcode or of another number of
// the product's, a quantity, a mark of an enumeration.
func harmless(codes extract.Codes, text string, start, end int) bool {
	word := strings.TrimRight(text[start:end], "./-")
	switch {
	case len(word) < 3 && strings.Trim(word, "0123456789") == "", quantity.MatchString(text[end:]), size.MatchString(word), year.MatchString(word):
		return true
	case labelled.MatchString(text[max(0, start-60):start]):
		return true
	}
	for _, g := range codes.GTINs {
		if g.From == fieldCodeInfo && strings.Contains(g.Printed, word) {
			return true
		}
	}
	if len(word) >= shortestCode && slices.ContainsFunc(codes.Units, func(p recall.Predicate) bool { return slices.Contains(token.FindAllString(p.Quote.Text, -1), word) }) {
		return true
	}
	return codes.MisprintedGTIN(word) || slices.Contains(codes.Models, word) || slices.Contains(codes.TradeNumbers, word)
}

// productName takes from a description what the product is.
func productName(description string) string {
	name := printedCode.ReplaceAllString(description, " ")
	if at := boilerplate.FindStringIndex(name); at != nil && at[0] > 10 {
		name = name[:at[0]]
	}
	name = netWeight.ReplaceAllString(name, ",")
	name = loosePoints.ReplaceAllString(strings.Join(strings.Fields(name), " "), ",")
	name = strings.Trim(danglingWord.ReplaceAllString(strings.Trim(name, " ,;:.-#*&"), ""), " ,;:.-#*&")
	if name == "" {
		name = strings.Join(strings.Fields(description), " ")
	}
	return firstWords(name, nameLength)
}

// firstWords cuts a text at the end of a word.
func firstWords(text string, length int) string {
	runes := []rune(text)
	if len(runes) <= length {
		return text
	}
	cut := string(runes[:length])
	if blank := strings.LastIndexByte(cut, ' '); blank > length/2 {
		cut = cut[:blank]
	}
	return strings.TrimRight(cut, " ,;:(-")
}
