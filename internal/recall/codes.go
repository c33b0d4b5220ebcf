package recall

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
)

// This file compares barcodes and models: what can name a product by itself.

// modelNames reports whether a model that agrees names the product: a specific
// one does by itself unless the brand contradicts; another ("310", "Classic")
// does only with the brand. A specific one of figures alone, and a short one
// where a side has no brand, do with the product's words, for numbers meet by chance.
func (q *Question) modelNames(printed string, brand brandAgreement, name nameAgreement, w *productWords) bool {
	key := ModelKey(printed)
	switch brand {
	case brandAgrees:
		return len(q.name) == 0 || name != nameNone || SpecificModel(key) || !anyMeaning(q.name) ||
			len(key) >= 4 && hasDigit(key) && classAgreement(q.name, w) != no
	case brandUnknown:
		return SpecificModel(key) && !allDigits(key) ||
			len(key) >= 3 && hasDigit(key) && (name != nameNone || classAgreement(q.name, w) == yes)
	}
	return false
}

// modelLabels are words that people type with a model because they stand beside
// it on the product.
var modelLabels = wordSet(`MODEL MODELNO MODELNUMBER ITEM ITEMNO ITEMNUMBER STYLE STYLENO SKU ART ARTICLE ARTNO REF REFERENCE MODELE`)

// stripModelLabel cuts such words off, where a sign or a blank sets them apart
// and something with a figure follows.
func stripModelLabel(model string) string {
	for cut := len(model) - 1; cut > 0; cut-- {
		if c := model[cut]; c != ':' && c != '#' && c != '.' && c != ' ' {
			continue
		}
		rest := strings.TrimLeft(model[cut:], " :#.")
		if word := ModelKey(model[:cut]); modelLabels[word] && hasDigit(rest) {
			return rest
		}
	}
	return model
}

// namesLine reports whether a model without figures is long enough to be worth a
// question although no brand was given.
func namesLine(printed string) bool {
	const least = 8
	key := ModelKey(printed)
	return len(key) >= least && !hasDigit(key) && NamesProduct(printed)
}

// barcodeOf finds the printed barcode that the question asks by. possible says
// that the notice prints a case of it, or a number with a digit lost.
func (q *Question) barcodeOf(p *Product) (found *PrintedGTIN, possible bool) {
	for i := range p.GTINs {
		g := &p.GTINs[i]
		if slices.Contains(q.GTINs, g.GTIN) && !g.Possible() {
			return g, false
		}
	}
	for i := range p.GTINs {
		g := &p.GTINs[i]
		for _, asked := range q.GTINs {
			if asked == g.GTIN {
				return g, true
			}
			if item := gtin.Item(asked); item != "" && item == gtin.Item(g.GTIN) {
				return g, true
			}
		}
	}
	return nil, false
}

// modelOf compares the model that was given, or that stands in the name, with a
// product's models: yes with the model as printed, no where one was given and
// is none of them, unknown otherwise. The product's name may hold it too; but
// figures alone and a size ("500", "16 oz") are there by chance unless the brand agrees.
func (q *Question) modelOf(p *Product, w *productWords, brand brandAgreement) (truth, string) {
	t, printed := q.modelAmong(p.Models)
	if t != yes && len(q.model) >= 3 && hasDigit(q.model) && standsAmong(w.tokensOfName(p), q.model) &&
		(brand == brandAgrees || !isSize(strings.ToLower(q.model)) && !allDigits(q.model)) {
		return yes, q.Unit.Model
	}
	return t, printed
}

// modelIn is modelOf for the models that limit a group of predicates. A list of
// models that does not hold the given one still says "no" only for a model
// that is plainly another. all tells a group that covers every unit of its
// models: where the notice prints the asker's barcode, the unit is one of them.
func (q *Question) modelIn(p *Product, exact bool) func(models []string, all bool) truth {
	return func(models []string, all bool) truth {
		t, _ := q.modelAmong(models)
		if t == unknown && len(p.Models) > 0 {
			// One of the product's other models is in the name: it is not this group's.
			if own, printed := q.modelAmong(p.Models); own == yes && !slices.Contains(models, printed) {
				return no
			}
		}
		if t == unknown && exact && all && q.model == "" {
			return yes
		}
		return t
	}
}

func (q *Question) modelAmong(models []string) (truth, string) {
	near := false
	for _, printed := range models {
		key := ModelKey(printed)
		switch {
		case key == "":
			near = near || strings.TrimSpace(printed) == "*" // models that could not be read
		case q.model != "" && (q.model == key || q.brandedModel(key)), q.beginsAs(printed, key), q.standsInName(printed, key):
			return yes, printed
		case q.model != "" && nearModel(q.model, key):
			near = true
		}
	}
	if q.model == "" || near || q.modelIsName() && slices.ContainsFunc(models, hasDigit) {
		return unknown, "" // a name says nothing against numbers
	}
	return no, ""
}

// beginsAs: a model that ends in an asterisk is how the models meant begin.
func (q *Question) beginsAs(printed, key string) bool {
	return strings.HasSuffix(printed, "*") && q.model != "" && strings.HasPrefix(q.model, key)
}

// standsAmong reports whether up to three tokens in a row make a model.
func standsAmong(tokens []string, key string) bool {
	for i, t := range tokens {
		if strings.EqualFold(t, key) || i+1 < len(tokens) && strings.EqualFold(t+tokens[i+1], key) ||
			i+2 < len(tokens) && strings.EqualFold(t+tokens[i+1]+tokens[i+2], key) {
			return true
		}
	}
	return false
}

// brandedModel: the notice prints the brand before the model: "Aprica A30".
func (q *Question) brandedModel(key string) bool {
	return q.Unit.Brand != "" && key == ModelKey(q.Unit.Brand)+q.model
}

// nearModel: one model begins with the other ("DXH70CFAV" and "DXH70CFAVX"):
// a suffix for a colour or a market, or a model cut off. It proves nothing
// either way.
func nearModel(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 3 && len(b) > len(a) && strings.HasPrefix(b, a)
}

// standsInName reports whether a model stands in the product name that was
// given: word by word for a model that is a name ("SnugRide Classic Connect"),
// as one piece for one that is a number.
func (q *Question) standsInName(printed, key string) bool {
	if len(q.name) == 0 {
		return false
	}
	if hasDigit(key) && (SpecificModel(key) || len(key) >= 3) {
		return standsAmong(append(slices.Clone(q.brandTokens), q.nameTokens...), key) // a model may be printed behind its brand
	}
	words := meaningful(Words(printed))
	return NamesProduct(printed) && containsAll(closeUp(q.name, words), words)
}
