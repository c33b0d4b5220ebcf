package recall

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Words splits a text into the words that brands and products are compared by:
// folded to lower case without accents, split at everything that is neither a
// letter nor a digit, apostrophes closed up ("children's" is "children"),
// plurals folded, and synonyms of product classes brought to one word
// ("pushchair", "buggy" and "stroller" are all "stroller"; "high chair" is
// "highchair"). The search index and the verdict use the same words.
func Words(s string) []string {
	words := Tokens(s)
	for i, w := range words {
		words[i] = Singular(w)
	}
	return classes.rewrite(words)
}

// Tokens is Words without the folding of plurals and synonyms.
func Tokens(s string) []string {
	s = Fold(s)
	tokens := make([]string, 0, 8)
	start := -1
	for i := 0; i <= len(s); {
		r, size := utf8.RuneError, 1
		if i < len(s) {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		if i < len(s) && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			if start < 0 {
				start = i
			}
		} else if start >= 0 {
			tokens = append(tokens, s[start:i])
			start = -1
		}
		i += size
	}
	return joinInitials(tokens)
}

// joinInitials closes up letters that stand alone one after the other: the
// brand "R.X.Y" is "rxy", not three letters that mean nothing.
func joinInitials(tokens []string) []string {
	out := tokens[:0]
	joining := false
	for _, t := range tokens {
		single := len(t) == 1 && !hasDigit(t)
		if single && joining {
			out[len(out)-1] += t
			continue
		}
		out, joining = append(out, t), single
	}
	return out
}

// Fold brings a text to lower case without accents and typographic variants,
// and closes up possessives.
func Fold(s string) string {
	if !isASCII(s) {
		s = foldLetters(s)
	}
	s = strings.ToLower(s)
	if strings.IndexByte(s, '\'') >= 0 {
		s = closeApostrophes(s)
	}
	return s
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

var letterVariants = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "`", "'", "´", "'", "œ", "oe", "Œ", "oe", "æ", "ae", "Æ", "ae",
	"ß", "ss", "ø", "o", "Ø", "o", "ł", "l", "Ł", "l", "đ", "d", "®", " ", "™", " ", "©", " ",
	"¹", "", "²", "", "³", "") // "YOYO³" is said without its exponent

func foldLetters(s string) string {
	s = norm.NFKD.String(letterVariants.Replace(s))
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
}

// closeApostrophes drops "'s" at the end of a word, opens French elisions
// ("d'éveil" is "d" and "eveil") and closes up every other apostrophe.
func closeApostrophes(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == 's' && (i+2 == len(s) || !isWordByte(s[i+2])) {
			i++ // the possessive
			continue
		}
		elided := i > 0 && strings.IndexByte("dljmnts", s[i-1]) >= 0 && (i == 1 || !isWordByte(s[i-2])) || strings.HasSuffix(s[:i], "qu")
		if elided && i+1 < len(s) && isWordByte(s[i+1]) {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

// Singular folds an English or French plural: a light stem, so that a word
// keeps its meaning and two different words hardly ever meet.
func Singular(w string) string {
	n := len(w)
	switch {
	case n < 4 || w[n-1] != 's' && w[n-1] != 'x' || hasDigit(w):
		return w
	case strings.HasSuffix(w, "eaux"): // jouets en bois: berceaux, couteaux
		return w[:n-1]
	case w[n-1] == 'x':
		return w
	case strings.HasSuffix(w, "ies") && n > 4:
		return w[:n-3] + "y"
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "xes"), strings.HasSuffix(w, "zes"),
		strings.HasSuffix(w, "ches"), strings.HasSuffix(w, "shes"):
		return w[:n-2]
	case strings.HasSuffix(w, "ss"), strings.HasSuffix(w, "us"), strings.HasSuffix(w, "is"):
		return w
	}
	return w[:n-1]
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			return true
		}
	}
	return false
}

// ModelKey brings a model number to the form that models are compared in:
// upper case A–Z and 0–9 only, so that hyphens, blanks and case don't matter.
func ModelKey(model string) string {
	if !isASCII(model) {
		model = foldLetters(model)
	}
	key := make([]byte, 0, len(model))
	for i := range len(model) {
		switch c := model[i]; {
		case c >= 'a' && c <= 'z':
			key = append(key, c-'a'+'A')
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			key = append(key, c)
		}
	}
	return string(key)
}

// SpecificModel reports whether a model key can stand for one product on its
// own: at least five characters with a letter and a digit among them, or at
// least six digits, and no norm, battery size or unit that many products print.
func SpecificModel(key string) bool {
	letters, digits := 0, 0
	for i := range len(key) {
		if key[i] >= '0' && key[i] <= '9' {
			digits++
		} else {
			letters++
		}
	}
	if deniedModel(key) {
		return false
	}
	return len(key) >= 5 && letters > 0 && digits > 0 || letters == 0 && digits >= 6
}

// deniedModel tells marks that stand on countless products and name none.
func deniedModel(key string) bool {
	switch key {
	case "CR2032", "CR2025", "CR2016", "CR1632", "CR1220", "LR44", "LR41", "AG13", "AG10", "AAA", "AA", "C", "D", "9V",
		"FMVSS213", "EN71", "EN1888", "EN716", "EN1130", "EN14988", "UNECER44", "R44", "R129", "ISIZE", "CE", "UKCA", "USBC":
		return true
	}
	for _, prefix := range []string{"ASTMF", "ASTMD", "16CFR", "CPSIA", "ISO9", "ISO8124", "FMVSS", "EN62115"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
