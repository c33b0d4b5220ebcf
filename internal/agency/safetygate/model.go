package safetygate

import (
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

var (
	// modelLabel stands before a model and is no part of it.
	modelLabel = regexp.MustCompile(`(?i)^(?:(?:model|modèle|modele|modell|modelo|modello|type|item|article|art|artikel|product|style|ref|réf|reference|référence|references|références|sku|code|part|catalogue|catalog|cat)(?:[ .]*(?:number|numbers|no|nr|nos|code|codes|n°|nº|name|ref|reference|nummer|num|#|s))*)\s*[.:#]+\s*`)
	// shopLabel stands before what an online shop alone calls the product.
	shopLabel = regexp.MustCompile(`(?i)^(?:asin|ean|gtin|upc|barcode)\s*[:#]?\s*`)
	asin      = regexp.MustCompile(`^B0[0-9A-Z]{8}$`)
	// approval is a type approval of vehicles ("e1*98/14*0028*"), which stands in
	// their papers and names no model.
	approval    = regexp.MustCompile(`(?i)\*|^e\d{1,2}\s`)
	size        = regexp.MustCompile(`(?i)^(?:sizes?|taille|größe|gr\.?)\b|^\d{1,3}(?:[.,]\d+)?\s*(?:cm|mm|m|g|kg|ml|l)$`)
	modelSpan   = regexp.MustCompile(`(?i)\s(?:to|until|through|bis|à)\s|\s[-–—]\s|–|—`)
	remark      = regexp.MustCompile(`\s*\(([^()]*)\)`)
	quoteMarks  = "\"'«»„“”‘’*"
	longestName = 60 // bytes of a model's name; what is longer is a sentence
	mostWords   = 6  // of a model's name
)

// modelReading is what a cell of models says.
type modelReading struct {
	names  []string
	gtins  []recall.PrintedGTIN
	others []string // codes that identify neither model nor product
	open   bool     // more models are meant than are named
	cell   agency.Cell
}

// readModels reads the models. What is not a plain list of numbers and names
// leaves the models open, so that another model is never held to be outside.
func readModels(cell agency.Cell) modelReading {
	r := modelReading{cell: cell}
	for _, entry := range (span{cell.Text, 0}).split(entries) {
		for _, part := range entry.split(members) {
			r.part(part)
		}
	}
	if len(r.names) == 0 {
		r.open = r.open && cell.Text != "" && !everything.MatchString(cell.Text)
	}
	return r
}

func (r *modelReading) part(part span) {
	text := strings.Trim(part.text, quoteMarks+" .")
	if listing := shopLabel.ReplaceAllString(text, ""); listing != text || asin.MatchString(text) {
		r.listing(listing)
		return
	}
	text = strings.Trim(modelLabel.ReplaceAllString(text, ""), quoteMarks+" .")
	switch {
	case namesNone(text):
	case everything.MatchString(text):
		r.open = true
	case approval.MatchString(text):
		r.others = append(r.others, text)
	case r.barcode(text):
	case openEnd.MatchString(text), size.MatchString(text), modelSpan.MatchString(text),
		len(text) > longestName, len(strings.Fields(text)) > mostWords, strings.ContainsAny(text, ":"):
		r.open = true
		if rest := strings.TrimSpace(openEnd.ReplaceAllString(text, "")); rest != text && isNumbered(rest) {
			r.name(rest)
		}
	default:
		r.remarked(text)
	}
}

// remarked reads a model with a remark in brackets, which may be another number
// of the same thing.
func (r *modelReading) remarked(text string) {
	for _, m := range remark.FindAllStringSubmatch(text, -1) {
		if inner := strings.TrimSpace(m[1]); isNumbered(inner) && !size.MatchString(inner) {
			r.name(inner)
		}
	}
	text = strings.TrimSpace(remark.ReplaceAllString(text, ""))
	halves, alike := strings.Split(text, "/"), true
	for _, half := range halves {
		alike = alike && len(half) >= 3 && sameShape(half, halves[0])
	}
	if !alike || len(halves) == 1 {
		r.name(text) // a slash may stand inside a model
	}
	if len(halves) > 1 {
		for _, half := range halves {
			if half = strings.TrimSpace(half); len(half) >= 3 && isNumbered(half) {
				r.name(half)
			}
		}
	}
}

func (r *modelReading) name(text string) {
	if recall.ModelKey(text) == "" {
		r.open = r.open || text != ""
		return
	}
	r.names = appendModels(r.names, []string{text})
}

// listing keeps what only a shop calls the product, and takes a barcode for one.
func (r *modelReading) listing(text string) {
	if !r.barcode(text) {
		r.others = append(r.others, text)
	}
}

// barcode takes a barcode that stands among the models.
func (r *modelReading) barcode(text string) bool {
	if digits := strings.ReplaceAll(text, " ", ""); len(digits) < 12 || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	gtins, _ := readBarcodes(agency.Cell{Field: r.cell.Field, Text: text})
	r.gtins = appendGTINs(r.gtins, gtins...)
	return len(gtins) > 0
}

// isNumbered tells one word with figures.
func isNumbered(s string) bool {
	return strings.ContainsAny(s, "0123456789") && !strings.Contains(s, " ")
}
