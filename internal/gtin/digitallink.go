package gtin

import (
	"net/url"
	"strings"
	"time"
)

// isAddress reports whether a text is a web address or another URI, with or
// without its scheme.
func isAddress(text string) bool {
	if scheme, _, ok := strings.Cut(text, ":"); ok && isScheme(scheme) {
		rest := text[len(scheme)+1:]
		return strings.HasPrefix(rest, "//") || strings.EqualFold(scheme, "urn")
	}
	host := text
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		host = text[:i]
	}
	dot := strings.LastIndexByte(host, '.')
	// A host that starts with a digit might as well be an element string.
	return dot > 0 && isLetter(rune(host[0])) && isTopLevel(host[dot+1:]) && !strings.ContainsFunc(host[:dot], func(r rune) bool {
		return r != '.' && r != '-' && !isLetter(r) && (r < '0' || r > '9')
	})
}

func isScheme(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isLetter(r) })
}

func isTopLevel(s string) bool { return len(s) >= 2 && isScheme(s) }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// readLink reads a web address as a GS1 Digital Link: on any domain, behind any
// path, the pair of segments /01/GTIN, then pairs of qualifiers (lot 10, serial
// 21), then attributes such as dates in the query string. The names gtin, lot
// and ser, which the Digital Link standard had before release 1.3, are read too,
// and a GTIN that is not padded to 14 digits.
func readLink(text string, rewrites []Rewrite, now func() time.Time) (Reading, *Error) {
	rest := text
	if scheme, after, ok := strings.Cut(text, "://"); ok && isScheme(scheme) {
		if !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return Reading{}, noGTINInLink(text)
		}
		rest = after
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	_, path, _ := strings.Cut(rest, "/")
	elements := pathElements(path)
	if elements == nil {
		return Reading{}, noGTINInLink(text)
	}
	elements = append(elements, queryElements(query)...)
	return fromElements(text, ruleLink, elements, rewrites, now)
}

func noGTINInLink(text string) *Error {
	return failf(NoGTIN, "the address %s names no product; a GS1 Digital Link holds /01/ and the GTIN", excerpt(text))
}

// pathElements finds the primary key in a path, which is nil if there is none,
// and reads the qualifiers behind it.
func pathElements(path string) []element {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		segments[i] = unescape(s)
	}
	best, bestRank := []element(nil), 0
	for i := range len(segments) - 1 {
		ai := linkAI(segments[i])
		if ai != aiGTIN && ai != aiPiece || !isKey(ai, segments[i+1]) {
			continue
		}
		elements, whole := pairs(segments[i:])
		if rank := keyRank(segments[i+1], whole); rank > bestRank {
			best, bestRank = elements, rank
		}
	}
	return best
}

// isKey reports whether a segment behind a key's AI has the shape of its value.
// Eight digits are also a date, as in /2026/01/20260115: they must check.
func isKey(ai, value string) bool {
	if !allDigits(value) {
		return false
	}
	switch len(value) {
	case 8:
		return ai == aiGTIN && Valid(value)
	case 12, 13, 14:
		return ai == aiGTIN
	case pieceDigits:
		return ai == aiPiece
	}
	return false
}

// keyRank orders the pairs of a path that look like a primary key: a number
// that checks goes before one that doesn't, then one with nothing but
// qualifiers behind it. A brand's own path may hold an "01" too.
func keyRank(value string, whole bool) int {
	rank := 1
	if Valid(value[:min(len(value), gtinDigits)]) {
		rank += 2
	}
	if whole {
		rank++
	}
	return rank
}

// pairs reads segments as AIs and values, as far as they are; whole says that
// all of them were.
func pairs(segments []string) (elements []element, whole bool) {
	for len(segments) >= 2 {
		ai := linkAI(segments[0])
		if ai == "" {
			break
		}
		elements = append(elements, element{ai: ai, value: segments[1]})
		segments = segments[2:]
	}
	return elements, len(segments) == 0
}

// queryElements reads the attributes of a query string; other parameters, and
// keys, which stand in the path only, are skipped.
func queryElements(query string) []element {
	var elements []element
	for parameter := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(parameter, "=")
		switch ai := linkAI(unescape(name)); ai {
		case "", aiGTIN, aiContent, aiPiece, aiPieces:
		default:
			elements = append(elements, element{ai: ai, value: unescape(value)})
		}
	}
	return elements
}

// linkAI returns the AI that a segment or parameter stands for, or "".
func linkAI(name string) string {
	switch strings.ToLower(name) {
	case "gtin":
		return aiGTIN
	case "itip":
		return aiPiece
	case "lot":
		return aiLot
	case "ser":
		return aiSerial
	case "exp":
		return aiExpiry
	case "cpv":
		return "22"
	}
	if isAI(name) {
		return name
	}
	return ""
}

// unescape undoes percent-encoding. A plus sign is one, not a blank: it may
// stand in a lot. What is not well encoded stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
