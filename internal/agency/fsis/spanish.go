package fsis

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// Words of the Spanish translations by the taxonomy, for the notices whose
// English row is missing. Each stands for the words that begin with it.
var (
	hazardWords = []struct {
		kind  recall.HazardType
		words []string
	}{
		{recall.HazardAllergen, []string{"alérgen", "alergen"}},
		{recall.HazardMicrobial, []string{"listeria", "salmonel", "e. coli", "clostridium", "botulismo", "bacteri", "toxina"}},
		{recall.HazardForeignBody, []string{"materia extrañ", "material extrañ", "materiales extrañ", "cuerpos extrañ", "plástico", "metal", "vidrio", "hueso"}},
		{recall.HazardMislabelled, []string{"rotulaci", "etiquetad", "etiqueta incorrect", "mal rotulad", "error de marca"}},
		{recall.HazardQuality, []string{"no apto", "descomposici", "cocción insuficiente", "poco cocid", "defecto de proces"}},
	}
	remedyWords = []struct {
		kind  recall.RemedyType
		words []string
	}{
		{recall.RemedyStopUse, []string{"no consum", "no las consum", "no los consum", "no comer"}},
		{recall.RemedyDispose, []string{"desech", "botar", "tirar", "descart"}},
		{recall.RemedyReturn, []string{"devuelt", "devolver", "devuélv"}},
		{recall.RemedyRefund, []string{"reembols"}},
	}
)

func spanishHazards(texts ...string) []recall.Hazard {
	var found []recall.Hazard
	for _, entry := range hazardWords {
		for _, text := range texts {
			if beginsWord(text, entry.words) {
				found = append(found, recall.Hazard{Type: entry.kind, Text: text})
				break
			}
		}
	}
	return found
}

func spanishRemedies(text string) []recall.RemedyType {
	var found []recall.RemedyType
	for _, entry := range remedyWords {
		if beginsWord(text, entry.words) {
			found = append(found, entry.kind)
		}
	}
	return found
}

// beginsWord tells whether a word of the text, in any case, begins so.
func beginsWord(text string, starts []string) bool {
	text = " " + strings.ToLower(text)
	for _, start := range starts {
		if strings.Contains(text, " "+start) {
			return true
		}
	}
	return false
}
