package extract

import "github.com/crownsafe/api/internal/recall"

// leadModels reads models that stand in the very words by which a description
// says what it involves, without a label: "This recall involves Lumo HRN216 and
// HRX217K6 lawnmowers". Nothing says that they are all, so that the models stay
// open: whoever has another one is asked, and never told that no notice names it.
func (r *reader) leadModels() {
	const shortest, longest = 5, 14
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
			code := t.code(i)
			if !tok.word || tok.lowercase || tok.letters < 2 || tok.digits < 2 || len(code) < shortest || len(code) > longest ||
				standards[tok.lower] || t.isAmount(i) || t.isGluedToken(i) || !recall.SpecificModel(recall.ModelKey(code)) {
				continue
			}
			if key := squeeze(code); !r.seen[key] {
				r.seen[key] = true
				r.found.Models = append(r.found.Models, code)
			}
		}
	}
	if len(r.found.Models) > 0 {
		r.found.Models = append(r.found.Models, unreadModels)
	}
}
