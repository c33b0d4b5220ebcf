package extract

import (
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// leadModels reads models that stand in the very words by which a description
// says what it involves, without a label: "This recall involves Lumo HRN216 and
// HRX217K6 lawnmowers". Nothing says that they are all, so that the models stay
// open: whoever has another one is asked, and never told that no notice names it.
func (r *reader) leadModels() {
	for _, t := range r.texts {
		first := t.leadStart()
		if t.field != "description" || first == 0 {
			continue
		}
		_, end := t.sentenceTokens(first)
		for i := first; i < end; i++ {
			tok := &t.tokens[i]
			if tok.lower == "with" || tok.lower == "sold" || tok.lower == "manufactured" || tok.lower == ":" {
				break // what follows tells more of them, or of their parts
			}
			if _, span := labels.at(t, i); span > 0 {
				break
			}
			if t.maybeModel(i) {
				r.addOpenModel(t.code(i))
			}
		}
	}
	if len(r.found.Models) == 0 && len(r.marks) == 0 {
		r.labelCodes()
	}
	if len(r.found.Models) > 0 {
		r.found.Models = append(r.found.Models, unreadModels)
	}
}

// labelCodes reads codes that a description quotes from the product or its
// package without saying what they are: a seller's stock number on a label is
// what tells one product of a marketplace from others. They stay open, too.
func (r *reader) labelCodes() {
	for _, t := range r.texts {
		if t.field != "description" {
			continue
		}
		for i := 1; i+1 < len(t.tokens); i++ {
			if isQuote(t.tokens[i-1].lower) && t.closesQuote(i+1) && t.maybeModel(i) && t.tellsOfPrint(i) {
				r.addOpenModel(t.code(i))
			}
		}
	}
}

func (r *reader) addOpenModel(code string) {
	if key := squeeze(code); !r.seen[key] {
		r.seen[key] = true
		r.found.Models = append(r.found.Models, code)
	}
}

// maybeModel tells whether token i is built like a model, and like nothing else.
func (t *text) maybeModel(i int) bool {
	const shortest, longest = 5, 14
	tok, code := &t.tokens[i], t.code(i)
	return tok.word && !tok.lowercase && tok.letters >= 2 && tok.digits >= 2 && len(code) >= shortest && len(code) <= longest &&
		!standards[tok.lower] && !t.isAmount(i) && !t.isGluedToken(i) && recall.SpecificModel(recall.ModelKey(code))
}

func (t *text) closesQuote(i int) bool {
	if t.tokens[i].lower == "." || t.tokens[i].lower == "," {
		i++
	}
	return i < len(t.tokens) && isQuote(t.tokens[i].lower)
}

// tellsOfPrint tells whether the sentence around token i says what is printed
// on the product.
func (t *text) tellsOfPrint(i int) bool {
	first, end := t.sentenceTokens(i)
	return slices.ContainsFunc(t.tokens[first:end], func(tok token) bool {
		switch tok.lower {
		case "printed", "written", "embossed", "stamped", "marked", "engraved", "label", "labels", "labeled", "tag", "sticker", "etched", "molded":
			return true
		}
		return false
	})
}
