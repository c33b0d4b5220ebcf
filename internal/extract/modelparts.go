package extract

import "strings"

// modelInParts reads a model that is printed with a blank or a slash in it:
// "PS 550", "VRS Plus-150", "MG10X CV", "NE63T8711SS/AA". The end is 0 where
// none stands at token i.
func (t *text) modelInParts(i int, m mention, more bool) (name string, end int) {
	first := i
	if t.leadsModel(i, m, more) {
		i++
	} else if !t.isModelCode(i, m, more) {
		return "", 0
	}
	last := i
	if last+2 < len(t.tokens) && t.tokens[last+1].lower == "/" && t.tokens[last+1].gap == adjacent && t.tokens[last+2].gap == adjacent && t.isFewCapitals(last+2) {
		last += 2
	}
	if last+1 < len(t.tokens) && t.tokens[last+1].gap == blank && t.isModelTail(last+1) && t.endsModel(last+2) {
		last++
	}
	if first == last {
		return "", 0
	}
	return t.source[t.tokens[first].start:t.tokens[last].end], last + 1
}

// leadsModel tells whether token i is a model's letters, set apart from its
// number by a blank. Behind a mere "model" that may be prose: "model LED 40".
func (t *text) leadsModel(i int, m mention, more bool) bool {
	const most = 4
	tok := &t.tokens[i]
	if !m.strong && !more || !tok.word || tok.digits > 0 || tok.lowercase || tok.letters > most || i+1 >= len(t.tokens) {
		return false
	}
	if proseCapitals[tok.lower] && (!more || joiningWords[tok.lower] || monthNames[tok.lower] > 0) {
		return false
	}
	if l, _ := labels.at(t, i); l != noLabel {
		return false
	}
	next := &t.tokens[i+1]
	return next.gap == blank && next.digits >= 2 && (next.capital || isDigit(t.source[next.start])) && t.isModelCode(i+1, m, false)
}

// listsAnother tells whether a list of models in parts goes on at token i with
// one whose letters mean something else as well: "QX 831, ID 832".
func (t *text) listsAnother(i int, models []string) bool {
	return len(models) > 0 && strings.Contains(models[len(models)-1], " ") && i+1 < len(t.tokens) && t.isFewCapitals(i) &&
		t.tokens[i+1].gap == blank && t.tokens[i+1].digits >= 2
}

// joiningWords lead no number even between models: "QX 831 AND 832".
var joiningWords = wordSet(`a i no or and the of in on by to at is not for from with only all any see new date code lot exp upc sku`)

// isModelTail tells whether token i may be the letters that end a model.
func (t *text) isModelTail(i int) bool {
	l, _ := labels.at(t, i)
	return t.isFewCapitals(i) && l == noLabel && !proseCapitals[t.tokens[i].lower]
}

func (t *text) isFewCapitals(i int) bool {
	const most = 4
	tok := &t.tokens[i]
	return tok.word && tok.digits == 0 && !tok.lowercase && tok.letters <= most
}

// endsModel tells whether nothing of a model stands at token i any more.
func (t *text) endsModel(i int) bool {
	if i >= len(t.tokens) || t.tokens[i].gap == wide || t.tokens[i].gap == newline {
		return true
	}
	switch t.tokens[i].lower {
	case ",", ";", ".", "and", "or", "&", ")", "(", "is", "are", "with":
		return true
	}
	return isQuote(t.tokens[i].lower) || t.tokens[i].digits > 0
}

// isCapitalCode tells whether token i is a code of capitals alone: one joined
// by at least so many signs, as in "LP-BRMDYR-PNK".
func (t *text) isCapitalCode(i, signs int) bool {
	const least = 4
	tok := &t.tokens[i]
	if !tok.word || tok.lowercase || tok.digits > 0 || tok.letters < least || proseCapitals[tok.lower] || strings.Count(tok.lower, "-")+strings.Count(tok.lower, "+") < signs {
		return false
	}
	l, _ := labels.at(t, i)
	return l == noLabel
}

// modelsInBrackets reads what a pair of brackets gives as a model's other
// numbers: "93550 (KY-318B)". Brackets with words in them hold a remark.
func (t *text) modelsInBrackets(i int, m mention) (models []string) {
	const most = 12
	if i >= len(t.tokens) || t.tokens[i].lower != "(" {
		return nil
	}
	for k := i + 1; k < len(t.tokens) && k < i+most; k++ {
		switch tok := &t.tokens[k]; {
		case tok.lower == ")":
			return models
		case tok.lower == "and", tok.lower == "or", !tok.word:
		case t.isModelCode(k, m, true) && tok.end-tok.start >= 4 && (tok.letters > 0 || tok.digits >= 5):
			models = append(models, t.code(k))
		case tok.digits > 0 || tok.lowercase:
			return nil
		}
	}
	return nil
}

// behindDescription moves behind the words by which a list describes a model,
// as far as a model like it follows: "905e Auto Steamer, 915e Power Steamer".
func (t *text) behindDescription(i int, m mention) int {
	const most = 6
	if i == 0 || i >= len(t.tokens) || t.tokens[i].gap == adjacent {
		return 0
	}
	last := t.lastCode(i)
	if last < 0 {
		return 0
	}
	for k := i; k < len(t.tokens) && k < i+most && t.sentences[k] == t.sentences[last]; k++ {
		tok := &t.tokens[k]
		switch {
		case tok.lower == "," || tok.lower == ";" || tok.lower == "and" || tok.lower == "&":
			next := t.listSeparator(k, nil)
			if k > i && next > k && t.isModelCode(next, m, true) && (builtLike(t.code(last), t.code(next)) || t.code(last)[:1] == t.code(next)[:1]) {
				return k
			}
			return 0
		case !tok.word || tok.digits > 0:
			return 0
		}
		if l, _ := labels.at(t, k); l != noLabel {
			return 0
		}
	}
	return 0
}

// lastCode is the code right before token i, -1 where none is.
func (t *text) lastCode(i int) int {
	for k := i - 1; k >= 0 && k > i-4; k-- {
		if t.tokens[k].digits > 0 {
			return k
		}
	}
	return -1
}
