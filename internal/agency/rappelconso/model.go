package rappelconso

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// modelCodes picks the model numbers out of the models' names, which are prose:
// codes of letters and digits, and plain numbers behind a word for "reference"
// or where the field holds nothing but codes. Food has none.
func modelCodes(models string, food bool) []string {
	if food || models == "" {
		return nil
	}
	words := strings.FieldsFunc(models, func(r rune) bool { return strings.ContainsRune(" \n,;|()/", r) })
	onlyCodes := true
	for i, w := range words {
		words[i] = strings.Trim(w, ".:\"'«»")
		onlyCodes = onlyCodes && isCode(words[i]) && !isQuantity(words[i])
	}
	var codes []string
	seen := map[string]bool{}
	before := ""
	for _, w := range words {
		if isModel(w, before, onlyCodes) && !seen[recall.ModelKey(w)] {
			seen[recall.ModelKey(w)] = true
			codes = append(codes, w)
		}
		if w != "" {
			before = strings.ToLower(w)
		}
	}
	return codes
}

func isModel(word, before string, onlyCodes bool) bool {
	if !isCode(word) || isQuantity(word) || isOneOf(before, []string{"lot", "lots", "vin", "série", "en", "iso", "norme", "version"}) {
		return false
	}
	if _, lot := cutPrefixFold(word, "lot"); lot {
		return false
	}
	key := recall.ModelKey(word)
	if len(key) == 17 || usable(key) {
		return false // a vehicle's identification number; a barcode
	}
	if closed(word) == "" {
		return recall.SpecificModel(key)
	}
	return len(key) >= 5 && len(key) <= 12 && (onlyCodes || isOneOf(before, []string{"ref", "réf", "référence", "références", "refs", "réfs", "article", "art", "modèle", "modele", "code", "sku", "n°"}))
}

// isQuantity tells sizes, contents and ages from model numbers: 225ml, 6x120,
// 12x60ml, 36gelules, 3-6mois.
func isQuantity(word string) bool {
	digits, i := 0, 0
	for i < len(word) && (word[i] >= '0' && word[i] <= '9' || strings.IndexByte(".-x", word[i]) >= 0) {
		if word[i] >= '0' && word[i] <= '9' {
			digits++
		}
		i++
	}
	rest := word[i:]
	dimensions := strings.ContainsRune(word[:i], 'x') && digits < i
	return dimensions || digits > 0 && digits <= 4 && isLetters(rest)
}
