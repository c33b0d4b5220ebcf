package extract

// cutSentences numbers the sentence of every token.
func (t *text) cutSentences() {
	t.sentences = make([]int32, len(t.tokens))
	n := int32(0)
	for i := range t.tokens {
		t.sentences[i] = n
		if t.endsSentence(i) {
			n++
		}
	}
}

// FirstSentence returns a text's first sentence: of a description the one that
// names the product.
func FirstSentence(source string) string {
	t := tokenise("", source)
	for i := range t.tokens {
		if t.endsSentence(i) {
			return source[:t.tokens[i].end]
		}
	}
	return source
}

func (t *text) sentenceOf(i int) int { return int(t.sentences[i]) }

// sentenceTokens returns the bounds of a sentence's tokens; near is one of them.
func (t *text) sentenceTokens(near int) (first, end int) {
	first, end = near, near
	for first > 0 && t.sentences[first-1] == t.sentences[near] {
		first--
	}
	for end < len(t.tokens) && t.sentences[end] == t.sentences[near] {
		end++
	}
	return first, end
}

// exclusions are the ways in which a sentence says that what it names is not
// recalled.
var exclusions = newLexicon(
	entry[bool]{true, []string{"not included", "not affected", "not part of", "not involved", "not subject to", "not recalled", "not impacted", "not covered", "does not affect", "does not include", "does not involve", "does not apply", "do not fall", "pas concernés", "pas concernées", "pas concerné", "non concernés"}},
	// A sentence that speaks of both, or of part of them, is no clean exception.
	entry[bool]{false, []string{"not all", "but", "while", "only", "are included", "is included", "are affected", "is affected", "are recalled", "other", "if", "unless", "whose", "without", "do not have", "not have"}},
)

// excludes tells whether the sentence around a token does nothing but take what it names out of
// the recall. Where in doubt it doesn't: a false exception would hide a unit.
func (t *text) excludes(near int) bool {
	excluded := false
	first, end := t.sentenceTokens(near)
	for i := first; i < end; i++ {
		if out, span := exclusions.at(t, i); span > 0 {
			if !out {
				return false
			}
			excluded = true
		}
	}
	return excluded
}

// exceptBefore tells whether the words before token i, in its sentence, begin
// an exception: "all lots except A12".
func (t *text) exceptBefore(i int) bool {
	for k := i - 1; k >= 0 && k > i-6 && t.sentences[k] == t.sentences[i]; k-- {
		switch t.tokens[k].lower {
		case "except", "excluding", "excepting", "sauf", "hormis", "excepté":
			return true
		case ",", ";", ")":
			return false
		}
	}
	return false
}
