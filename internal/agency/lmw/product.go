package lmw

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// products makes the products. A title that names several things, none of them
// with a code of its own, becomes as many products.
func (w *warning) products() []recall.Product {
	codes := german.Read(w.prose(), extract.Options{})
	whole := w.title()
	if d := w.Product.Designation.Clean(); d != "" {
		whole = d
	}
	models, open := w.Product.models()
	units := codes.Units
	if len(units) == 0 && len(codes.GTINs) == 0 {
		units = w.Product.unreadUnits()
	}
	if open {
		units = agency.Cell{Field: "model", Text: w.Product.Model.Clean()}.BehindLimits(units, models)
	}
	names := []string{whole}
	if len(codes.GTINs) == 0 && len(units) == 0 {
		names = parts(whole)
	}
	var list []recall.Product
	for _, name := range names {
		for _, brand := range w.brands(name) {
			list = append(list, recall.Product{Name: nameOf(name), Brand: brand, GTINs: slices.Clone(codes.GTINs), Models: slices.Clone(models), Units: slices.Clone(units)})
		}
	}
	return list
}

// prose are the fields that may hold codes.
func (w *warning) prose() []extract.Field {
	var fields []extract.Field
	for _, f := range []struct {
		name string
		text agency.Text
	}{
		{"title", w.Title}, {"designation", w.Product.Designation}, {"shortDescription", w.Product.Description},
		{"model", w.Product.Model}, {"affectedProducts", w.Product.Affected},
	} {
		text := f.text.Clean()
		if text != "" && !slices.ContainsFunc(fields, func(have extract.Field) bool { return have.Text == text }) {
			fields = append(fields, extract.Field{Name: f.name, Text: text})
		}
	}
	return fields
}

var (
	saysNone = regexp.MustCompile(`(?i)^(?:(?:rückruf-?code|charge|modell)\p{L}*: ?)?(?:nicht bekannt|unbekannt|keine(?:r|s)?(?: angaben?)?|ohne(?: angaben?)?|entfällt|k\. ?a\.|nicht angegeben)[.]?$`)
	saysAll  = regexp.MustCompile(`(?i)^(?:alle|sämtliche)(?: \p{L}+){0,3}\.?$`)
	goesOn   = regexp.MustCompile(`(?i)^(?:weitere|andere)|\bu\. ?a\.|\bunter anderem\b|\busw\b|\betc\b|\bdiverse|\bverschiedene|\bmehrere\b|\bz\. ?B\.|\bund (?:andere|weitere)|\bbis\b|\bsiehe\b|\.\.\.|…`)
	listMark = regexp.MustCompile(`\s*(?:[,;|\n]|\sund\s|\soder\s)\s*`)
)

// unreadUnits is for a field of affected units that no code could be read in:
// it limits the notice in words that were not understood.
func (p *product) unreadUnits() []recall.Predicate {
	said := p.Affected.Clean()
	quote := recall.Quote{Text: said, Field: "affectedProducts", End: len(said)}
	switch {
	case said == "" || saysNone.MatchString(said):
		return nil
	case saysAll.MatchString(said):
		return []recall.Predicate{recall.All(1, recall.Lot, quote)}
	}
	return []recall.Predicate{recall.Unreadable(1, recall.Lot, quote)}
}

// models reads the cell of models where it is a list and nothing else. open
// says that it doesn't name them all; a sentence gives none.
func (p *product) models() (models []string, open bool) {
	const longest, mostWords = 40, 4
	cell := p.Model.Clean()
	if cell == "" || saysNone.MatchString(cell) || saysAll.MatchString(cell) {
		return nil, false
	}
	for _, m := range listMark.Split(cell, -1) {
		m = strings.TrimSpace(m)
		switch {
		case m == "":
		case goesOn.MatchString(m):
			open = true
		case len(m) > longest || len(strings.Fields(m)) > mostWords || strings.ContainsAny(m, ":*"):
			return nil, false
		case !slices.Contains(models, m):
			models = append(models, m)
		}
	}
	return models, len(models) > 0 && (open || goesOn.MatchString(cell))
}

// How German titles give a pack's size: "2x200 Gramm", "150-/200-Gramm-Packung".
const (
	unit   = `(?:Milligramm|Kilogramm|Gramm|Milliliter|Liter|mg|kg|g|ml|cl|l|L|Stück|Kapseln|Tabletten|Beutel|Doppelkammerbeutel|Riegel)`
	amount = `(?:(?:circa|ca\.|je|jeweils|à|Nettofüllmenge|Abtropfgewicht)\s+)?\d[\d.,/\-]*(?:\s?[x×]\s?\d[\d.,]*)?(?:(?:\s(?:und|oder|&)\s|\s?/\s?)\d[\d.,]*)*[\s-]*` + unit + `(?:-?\p{L}*(?:[Pp]ackung|[Vv]erpackung|glas|flasche))?`
)

var (
	amounts   = regexp.MustCompile(`[\s,;(–-]*(?:\b|^)` + amount + `(?:\s\p{L}*(?:[Pp]ackung|[Vv]erpackung))?(?:[\s,)]|$)`)
	joint     = regexp.MustCompile(`(?:\d\s?` + unit + `)(,? und |; | )(?:["„“]?[\p{Lu}\d][\p{L}&/´'’.\d-]* ){1,}\p{L}`)
	leading   = regexp.MustCompile(`(?i)^(?:(?:diverse|verschiedene(?: sorten)?|salmonellen in|listerien in|fremdkörper in)\s+)+`)
	dangling  = regexp.MustCompile(`(?:^[\s,;/&=–-]+|[\s,;/&=–-]+(?:(?:und|oder|in der|in|à) *)?$)`)
	printed   = regexp.MustCompile(`(?i)[\s,]*\b(?:mit )?(?:Mindesthaltbarkeitsdatum|MHD|Verbrauchsdatum|Charge|Chargen|Chargennummer|L-Nr|EAN|GTIN)\b.*$`)
	quotedTwo = regexp.MustCompile(`^["„“]([^"„“”]+)["“”] (?:und|sowie|,|&|/) ["„“]([^"„“”]+)["“”]$`)
)

// parts splits a title that names several products. What is a pack's size alone
// is no product.
func parts(title string) []string {
	if m := quotedTwo.FindStringSubmatch(title); m != nil {
		return m[1:]
	}
	m := joint.FindStringSubmatchIndex(title)
	if m == nil || !namesThing(title[:m[2]]) || !namesThing(title[m[3]:]) {
		return []string{title}
	}
	return append([]string{title[:m[2]]}, parts(title[m[3]:])...)
}

// namesThing tells whether anything but sizes is in a piece of a title.
func namesThing(piece string) bool {
	for _, word := range recall.Tokens(amounts.ReplaceAllString(piece, " ")) {
		if len(word) > 2 && word[0] > '9' && !packWords[word] {
			return true
		}
	}
	return false
}

var packWords = map[string]bool{"gramm": true, "kilogramm": true, "liter": true, "milliliter": true, "packung": true, "verpackung": true, "glas": true, "und": true, "oder": true}

// nameOf is a product's name without the pack's size and printed codes, which
// no asker repeats.
func nameOf(title string) string {
	name := printed.ReplaceAllString(title, "")
	for before := ""; name != before; {
		before = name
		name = strings.TrimSpace(amounts.ReplaceAllString(name, " "))
		name = dangling.ReplaceAllString(name, "")
	}
	name = strings.Join(strings.Fields(leading.ReplaceAllString(name, "")), " ")
	if namesThing(name) {
		return name
	}
	return title
}
