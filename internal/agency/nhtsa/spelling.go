package nhtsa

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// spelling writes names that stand in capitals as the campaign's own prose
// does: SNUGRIDE as SnugRide, MERCEDES-BENZ as Mercedes-Benz, GMC as GMC.
type spelling struct {
	prose, lower string
	known        map[string]string
}

// newSpelling learns from prose. Prose that is all in capitals teaches nothing.
func newSpelling(prose string) *spelling {
	s := &spelling{known: map[string]string{}}
	if lower := strings.ToLower(prose); len(lower) == len(prose) {
		s.prose, s.lower = prose, lower
	}
	return s
}

// name spells a name word by word.
func (s *spelling) name(name string) string {
	if strings.ContainsFunc(name, unicode.IsLower) {
		return name
	}
	words := strings.Fields(name)
	for i, w := range words {
		words[i] = s.word(w)
	}
	return strings.Join(words, " ")
}

func (s *spelling) word(word string) string {
	if spelt, ok := s.known[word]; ok {
		return spelt
	}
	core := strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	spelt := word
	if core != "" && !strings.ContainsAny(core, "0123456789") {
		spelt = strings.Replace(word, core, s.spell(core), 1)
	}
	s.known[word] = spelt
	return spelt
}

// spell looks for the word in the prose, as a word of its own that starts with a
// capital; what the prose doesn't have is an abbreviation up to three letters
// and a word above.
func (s *spelling) spell(core string) string {
	lower := strings.ToLower(core)
	inCapitals := false
	for from := 0; len(lower) == len(core); {
		i := strings.Index(s.lower[from:], lower)
		if i < 0 {
			break
		}
		start, end := from+i, from+i+len(lower)
		from = end
		found := s.prose[start:end]
		if !s.isWord(start, end) || !startsUpper(found) {
			continue
		}
		if found != strings.ToUpper(found) {
			return found
		}
		inCapitals = inCapitals || s.amongSmallLetters(start, end)
	}
	if inCapitals || len(core) <= 3 && !isCommon(lower) {
		return core
	}
	return capitalise(lower)
}

// isCommon tells the short words of equipment's names from abbreviations.
func isCommon(lower string) bool {
	switch lower {
	case "kit", "set", "car", "bus", "van", "air", "gas", "tow", "bar", "big", "kid", "one", "all", "the", "and", "for", "of":
		return true
	}
	return false
}

func (s *spelling) isWord(start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(s.prose[:start])
	after, _ := utf8.DecodeRuneInString(s.prose[end:])
	return !unicode.IsLetter(before) && !unicode.IsDigit(before) && !unicode.IsLetter(after) && !unicode.IsDigit(after)
}

// amongSmallLetters tells whether capitals mean something around a word: the
// prose there isn't in capitals throughout.
func (s *spelling) amongSmallLetters(start, end int) bool {
	around := s.prose[max(start-40, 0):start] + s.prose[end:min(end+40, len(s.prose))]
	small := 0
	for i := range len(around) {
		if around[i] >= 'a' && around[i] <= 'z' {
			small++
		}
	}
	return small > len(around)/3
}

func startsUpper(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}

// capitalise writes each part of a word with a capital first.
func capitalise(lower string) string {
	start := true
	return strings.Map(func(r rune) rune {
		if start && unicode.IsLetter(r) {
			start = false
			return unicode.ToUpper(r)
		}
		start = start || r == '-' || r == '/'
		return r
	}, lower)
}
