package extract

import "strings"

// lexicon finds phrases in a tokenised text. A phrase is some words between
// blanks; a word that ends in * stands for every word that starts so.
type lexicon[T any] struct {
	// byStart holds the phrases by the first bytes (at most startBytes) of their first word.
	byStart map[string][]phrase[T]
}

type phrase[T any] struct {
	words []string
	means T
}

// startBytes is the least length of what stands before a * in a first word.
const startBytes = 4

// entry gives one meaning to several phrases.
type entry[T any] struct {
	means   T
	phrases []string
}

func newLexicon[T any](entries ...entry[T]) *lexicon[T] {
	l := &lexicon[T]{byStart: map[string][]phrase[T]{}}
	for _, e := range entries {
		for _, p := range e.phrases {
			words := strings.Fields(p)
			key := startOf(strings.TrimSuffix(words[0], "*"))
			l.byStart[key] = append(l.byStart[key], phrase[T]{words, e.means})
		}
	}
	return l
}

func startOf(word string) string { return word[:min(len(word), startBytes)] }

// at returns the meaning of the longest phrase that starts at token i, and how
// many tokens it spans; 0 means that none does. Among equals the first wins.
func (l *lexicon[T]) at(t *text, i int) (means T, span int) {
	tok := &t.tokens[i]
	if !tok.word {
		return means, 0
	}
	longest := 0
	for _, p := range l.byStart[startOf(tok.lower)] {
		if n := p.match(t, i); n > 0 && len(p.words) > longest {
			means, span, longest = p.means, n, len(p.words)
		}
	}
	return means, span
}

func (p *phrase[T]) match(t *text, i int) int {
	if i+len(p.words) > len(t.tokens) {
		return 0
	}
	for k, w := range p.words {
		have := t.tokens[i+k].lower
		if stem, ok := strings.CutSuffix(w, "*"); ok {
			if !strings.HasPrefix(have, stem) {
				return 0
			}
		} else if have != w {
			return 0
		}
	}
	return len(p.words)
}
