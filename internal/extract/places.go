package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// places tells where on the product each kind of mark is printed, and in which
// format dates stand there.
type places map[recall.UnitKind]place

type place struct{ where, format string }

// String is the place as a predicate holds it.
func (p place) String() string {
	switch {
	case p.format == "":
		return p.where
	case p.where == "":
		return "(format " + p.format + ")"
	}
	return p.where + " (format " + p.format + ")"
}

var printedWords = wordSet(`printed located found stamped listed engraved etched molded embossed appears appear displayed imprinted sewn shown
laser-printed laser-etched laser-engraved imprimé imprimée inscrit inscrite indiqué`)

var placeWords = wordSet(`on at in under inside near underneath below behind beneath above along sur sous`)

// read finds the sentences that tell where marks are printed.
func (p places) read(t *text) {
	var kinds, before []recall.UnitKind // mentioned in this sentence, and in the one before
	sentence, mentions := int32(-1), t.mentions
	for i := range t.tokens {
		if t.sentences[i] != sentence {
			before, kinds, sentence = kinds, nil, t.sentences[i]
		}
		tok := &t.tokens[i]
		if !tok.word {
			continue
		}
		if len(mentions) > 0 && mentions[0].first == i {
			if kind := mentions[0].label.kind(); kind != "" {
				kinds = append(kinds, kind)
			}
			mentions = mentions[1:]
			continue
		}
		if printedWords[tok.lower] {
			about := kinds
			if len(about) == 0 && t.refersBack(i) {
				about = before
			}
			p.add(t, i, about)
		}
		if tok.letters >= 2 && tok.digits == 0 && !tok.lowercase && tok.letters <= 8 {
			p.addFormat(t, i, kinds)
		}
	}
}

// refersBack tells whether the sentence of token i starts with a pronoun.
func (t *text) refersBack(i int) bool {
	first, _ := t.sentenceTokens(i)
	switch t.tokens[first].lower {
	case "it", "they", "this", "these", "both":
		return true
	}
	return false
}

// add keeps what stands behind "printed" as the place of the kinds of marks.
func (p places) add(t *text, verb int, kinds []recall.UnitKind) {
	if len(kinds) == 0 {
		return
	}
	where := ""
	for first := verb + 1; where == ""; first++ {
		if first >= len(t.tokens) || first > verb+8 || t.sentences[first] != t.sentences[verb] {
			return
		}
		if placeWords[t.tokens[first].lower] && !t.isFormat(first+1) {
			if where = t.placeFrom(first); where == "" {
				return
			}
		}
	}
	for _, kind := range kinds {
		if have := p[kind]; have.where == "" {
			have.where = where
			p[kind] = have
		}
	}
}

// isFormat tells whether token i is a notation such as YYYYMMDD or MM/DD/YYYY,
// or speaks of one.
func (t *text) isFormat(i int) bool {
	if i >= len(t.tokens) {
		return true
	}
	tok := &t.tokens[i]
	return tok.lower == "the" && t.isFormat(i+1) || tok.lower == "format" || !tok.lowercase && tok.letters >= 2 && strings.Trim(tok.lower, "ymdwj") == ""
}

// placeFrom returns the words of a place from its preposition on, or "" when
// they name no place on a product.
func (t *text) placeFrom(first int) string {
	const longest = 28
	last := first
	for k := first; k < len(t.tokens) && k < first+longest && t.sentences[k] == t.sentences[first]; k++ {
		tok := &t.tokens[k]
		switch tok.lower {
		case "website", "www", "chart", "table", "http", "https", "receipt", "email", "recall", "notice", "charts", "tables":
			return ""
		case ".", ";", "(", ":", "“", "\"", "which", "format", "along":
			return t.between(first, last)
		case "and":
			if k+1 < len(t.tokens) {
				switch next := t.tokens[k+1].lower; next {
				case "the", "has", "is", "are", "can", "a", "each", "it", "they", "reads", "states":
					return t.between(first, last)
				}
				if _, ok := t.mentionAt(k + 1); ok {
					return t.between(first, last)
				}
			}
		case ",":
			if k+1 < len(t.tokens) {
				switch t.tokens[k+1].lower {
				case "under", "above", "below", "near", "behind", "inside", "on", "at", "next", "just", "underneath", "right", "left":
					continue
				}
			}
			return t.between(first, last)
		}
		if k > first && printedWords[tok.lower] && (t.tokens[k-1].lower == "is" || t.tokens[k-1].lower == "are") {
			return t.between(first, k-2)
		}
		if strings.Contains(tok.lower, "www.") || strings.Contains(tok.lower, ".com") {
			return ""
		}
		last = k
	}
	return t.between(first, last)
}

func (t *text) between(first, last int) string {
	if last <= first {
		return ""
	}
	for last > first { // "… on the label of the" cut short
		switch t.tokens[last].lower {
		case "and", "or", "the", "of", "in", "as", "with", "is", "are", "a":
			last--
			continue
		}
		break
	}
	return t.source[t.tokens[first].start:t.tokens[last].end]
}

// dateFormats are the notations that package recall can decode.
var dateFormats = wordSet(`YYYYMMDD DDMMYYYY MMDDYYYY YYYYMM MMYYYY YYMMDD MMDDYY DDMMYY WWYYYY YYYYWW YYDDD DDDYY YYJJJ JJJYY WWYY YYWW MMYY YYMM`)

// addFormat keeps a date's notation such as YYYYMMDD or MM/DD/YYYY.
func (p places) addFormat(t *text, i int, kinds []recall.UnitKind) {
	format, next := "", i
	for ; next < len(t.tokens) && (next == i || t.tokens[next].gap == adjacent); next++ {
		tok := &t.tokens[next]
		switch {
		case tok.lower == "/" || tok.lower == "-" || tok.lower == ".":
			if next+1 >= len(t.tokens) || t.tokens[next+1].gap != adjacent || !t.tokens[next+1].word {
				goto done
			}
		case tok.word && strings.Trim(tok.lower, "ymdwj-_") == "" && !tok.lowercase:
		default:
			goto done
		}
		format += t.source[tok.start:tok.end]
	}
done:
	if !dateFormats[squeeze(format)] {
		return
	}
	for _, kind := range formatted(kinds) {
		if have := p[kind]; have.format == "" {
			have.format = format
			p[kind] = have
		}
	}
}

// formatted picks the kinds that a notation is about.
func formatted(kinds []recall.UnitKind) []recall.UnitKind {
	var about []recall.UnitKind
	for _, kind := range kinds {
		if kind == recall.Made || kind == recall.DateCode || kind == recall.Lot || kind == recall.Batch {
			about = append(about, kind)
		}
	}
	if len(about) == 0 {
		return []recall.UnitKind{recall.Made, recall.DateCode}
	}
	return about
}
