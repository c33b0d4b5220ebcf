package rappelconso

import (
	"strings"
	"unicode/utf8"
)

// lotReading is what the prose in the lot's place says. Several of its parts
// are alternatives.
type lotReading struct {
	all      bool       // every lot, said in words
	none     bool       // the notice names no lot
	values   []span     // lots
	prefixes []span     // what lots start with
	ranges   [][2]span  // the first and the last lot
	dates    []datePair // dates that stand where a lot belongs
	unread   bool       // something was not understood
}

// everyLot are the ways of saying that all lots are meant.
var everyLot = []string{"tous les lots", "tout les lots", "tous lots", "tous les lot", "tout lot", "tous", "toutes", "tout", "tous les n° de lots", "tous les numéros de lots"}

// noLot are the ways of saying that the product carries no lot.
var noLot = []string{"non concerné", "aucun", "aucun lot", "pas de lot", "sans lot", "sans numéro de lot", "sans", "néant", "n/a", "nc", "non applicable", "non renseigné", ".", "/", "-"}

func isOneOf(text string, ways []string) bool {
	for _, w := range ways {
		if strings.EqualFold(text, w) {
			return true
		}
	}
	return false
}

// readLot reads the prose in the lot's place.
func readLot(lot span) (r lotReading) {
	lot = lot.trimmed(" \n.;,")
	switch {
	case strings.Trim(lot.text, "0 ") == "", isOneOf(lot.text, noLot): // a row of zeros stands for "none"
		r.none = true
		return r
	case isOneOf(lot.text, everyLot):
		r.all = true
		return r
	}
	if before, after, ok := cutFold(lot, "commençant par"); ok && isLotWord(strings.TrimSpace(before.text)) {
		for _, part := range parts(after.trimmed(" :\n")) {
			codes := readCode(part)
			r.prefixes = append(r.prefixes, codes...)
			r.unread = r.unread || len(codes) == 0
		}
		return r
	}
	for _, part := range parts(lot) {
		r.readPart(part)
	}
	return r
}

// parts cuts a list of lots where nothing but a new lot can start.
func parts(s span) []span {
	pieces := []span{s}
	for _, separator := range []string{"\n", ";", ",", " et ", " ou ", " & ", " / "} {
		var finer []span
		for _, p := range pieces {
			finer = append(finer, p.split(separator)...)
		}
		pieces = finer
	}
	filled := pieces[:0]
	for _, p := range pieces {
		if p = unlabelled(p); p.text != "" {
			filled = append(filled, p)
		}
	}
	return filled
}

func (r *lotReading) readPart(part span) {
	if isOneOf(part.text, everyLot) {
		r.all = true
		return
	}
	if window, ok := dateWindow(part); ok {
		r.dates = append(r.dates, window)
		return
	}
	for _, between := range []string{" à ", " au ", " - ", " a "} {
		if first, last, ok := cutFold(part, between); ok {
			from, to := unlabelled(first), unlabelled(last)
			if isCode(from.text) && sameShape(from.text, to.text) {
				r.ranges = append(r.ranges, [2]span{from, to})
			} else {
				r.unread = true
			}
			return
		}
	}
	if date, ok := printedDate(part); ok {
		r.dates = append(r.dates, date)
		return
	}
	if pieces := part.split("/"); len(pieces) > 1 {
		r.readSlashes(part, pieces)
		return
	}
	codes := readCode(part)
	r.values = append(r.values, codes...)
	r.unread = r.unread || len(codes) == 0
}

// readSlashes reads codes with slashes, which stand inside a code (s11/25,
// 08/07/21), between codes (33019/33020) or before another end of the same code
// (33019/20), which is not understood.
func (r *lotReading) readSlashes(part span, pieces []span) {
	first := pieces[0].text
	alike := true
	for _, p := range pieces[1:] {
		alike = alike && sameShape(first, p.text)
	}
	switch {
	case alike && len(first) >= 4:
		r.values = append(r.values, pieces...)
	case len(first) >= 4 || len(pieces) > 3 || !isCode(part.text):
		r.unread = true
	default:
		r.values = append(r.values, part)
	}
}

// readCode reads one code, which may be printed with blanks, or nothing. Where
// the same words can be read in several ways, all of them are returned: the
// blanks may lie between codes, and the letter before a code ("l pl0029") is a
// label to some and a part of the code to others.
func readCode(s span) []span {
	words := s.split(" ")
	switch {
	case len(words) == 1 && isCode(s.text):
		return words
	case len(words) == 2 && len(words[0].text) <= 3 && isLetters(words[0].text) && isCode(words[1].text):
		closed := s
		closed.text = words[0].text + words[1].text
		return []span{closed, words[1]}
	}
	for _, w := range words {
		if !isCode(w.text) || len(w.text) < 3 {
			return nil
		}
	}
	return append([]span{s}, words...)
}

// isCode tells a code from prose: it has a digit, and no sign that codes don't have.
func isCode(s string) bool {
	digit := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '/', c == '-', c == '_':
		default:
			return false
		}
	}
	return digit && len(s) <= 40
}

func isLetters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

// sameShape tells whether two codes have letters and digits in the same places.
func sameShape(a, b string) bool {
	if len(a) != len(b) || a == "" {
		return false
	}
	for i := range len(a) {
		digitA, digitB := a[i] >= '0' && a[i] <= '9', b[i] >= '0' && b[i] <= '9'
		if digitA != digitB || !digitA && a[i]|0x20 != b[i]|0x20 {
			return false
		}
	}
	return true
}

// labels are what stands before a lot.
var labels = []string{"numéros", "numéro", "n°", "nº", "lots", "lot", "batch", "des", "les", "du", "de", "le", "#", ":", "l."}

// unlabelled drops the label before a lot and a remark in brackets behind it.
func unlabelled(s span) span {
	s = s.trimmed(" .\n")
	for again := true; again; {
		again = false
		for _, l := range labels {
			rest, ok := cutPrefixFold(s.text, l)
			if ok && rest != "" && (strings.IndexByte(" :.°", rest[0]) >= 0 || !isLetters(l)) {
				s = s.sub(len(s.text)-len(rest), len(s.text)).trimmed(" .:\n")
				again = true
			}
		}
	}
	if open := strings.LastIndexByte(s.text, '('); open > 0 && strings.HasSuffix(s.text, ")") && !strings.ContainsAny(s.text[open:], "0123456789") {
		s = s.sub(0, open).trimmed(" ")
	}
	if before, last, ok := strings.Cut(s.text, " "); ok && len(last) >= 6 && strings.Trim(last, "0 ") == "" {
		s = s.sub(0, len(before)) // zeros stand for a code that there isn't
	}
	return s
}

func isLotWord(s string) bool {
	return isOneOf(s, []string{"lot", "lots", "les lots", "tous les lots", "n° de lot", "numéro de lot", "numéros de lots", ""})
}

// cutPrefixFold is strings.CutPrefix without regard to case.
func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// cutFold cuts around the first occurrence of words, without regard to case.
func cutFold(s span, words string) (before, after span, ok bool) {
	for i := 0; i+len(words) <= len(s.text); {
		if strings.EqualFold(s.text[i:i+len(words)], words) {
			return s.sub(0, i), s.sub(i+len(words), len(s.text)), true
		}
		_, size := utf8.DecodeRuneInString(s.text[i:])
		i += size
	}
	return s, span{}, false
}
