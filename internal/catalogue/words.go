package catalogue

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// piece is a part of what somebody typed: words, or something that may be one
// code ("26-348", "0 89301 00858 8") and else is words.
type piece struct {
	code  *word // nil: words only
	words []word
}

// word is one thing to look for, in all its forms.
type word struct {
	means    string // as recall.Words has it; empty for a code
	anywhere bool   // it counts where it merely tells of a product too
	forms    []form
	barcode  string // with 14 digits
	spelling string // what prefixes and typos are tried with; empty: nothing
}

// form is a term that says the same as a word, and how well, in percent.
type form struct {
	term    string
	quality uint32
}

// How well a term answers a word. A prefix and a typo answer less well than any
// of these, the better the closer they are; it depends on the two words alone.
const (
	exactly    = 100
	asOneWord  = 96 // "snuz pod" for "SnuzPod"
	canonical  = 92 // "stroller" for "pushchair"
	bySynonym  = 90 // "buggy" for "pushchair"
	typoOfOne  = 60
	typoOfTwo  = 45
	caseOrItem = 60 // the barcode of a case for that of its content, or the other way round
	prefixFrom = 40 // plus up to 40 for the share of the word that was typed
)

const (
	maxWords     = 32  // words looked for; more say nothing more
	maxTokens    = 128 // tokens of a text that are read at all
	minPrefix    = 3
	longestTimes = 3 // how many times longer than its prefix a word may be
)

// read splits a text into what is looked for. Fillers are left out: a text of
// nothing else has no words.
func read(text string) []piece {
	var pieces []piece
	var plain []string
	count := 0
	flush := func() {
		if words := readWords(strings.Join(plain, " ")); len(words) > 0 {
			pieces = append(pieces, piece{words: words})
		}
		plain = plain[:0]
	}
	chunks := strings.Fields(text)
	for i := 0; i < len(chunks) && count < maxTokens; {
		count++
		if n, code := readBarcode(chunks[i:]); n > 0 {
			flush()
			pieces = append(pieces, piece{code: &code, words: readWords(strings.Join(chunks[i:i+n], " "))})
			i += n
			continue
		}
		if code, ok := readCode(chunks[i]); ok {
			flush()
			pieces = append(pieces, piece{code: &code, words: readWords(chunks[i])})
		} else {
			plain = append(plain, chunks[i])
		}
		i++
	}
	flush()
	return limitWords(pieces)
}

// limitWords drops words that were there before, and all above maxWords.
func limitWords(pieces []piece) []piece {
	seen := map[string]bool{}
	for i := range pieces {
		p := &pieces[i]
		p.words = slices.DeleteFunc(p.words, func(w word) bool {
			again := seen[w.forms[0].term] || len(seen) >= maxWords
			seen[w.forms[0].term] = true
			return again
		})
	}
	return slices.DeleteFunc(pieces, func(p piece) bool { return p.code == nil && len(p.words) == 0 })
}

// readBarcode reads a barcode from the beginning of chunks, printed with blanks
// or hyphens or in one piece, and tells how many chunks it took.
func readBarcode(chunks []string) (taken int, w word) {
	digits := ""
	for i, c := range chunks {
		part := strings.ReplaceAll(c, "-", "")
		if strings.Trim(part, "0123456789") != "" || len(digits)+len(part) > 14 {
			break
		}
		digits += part
		if gtin14 := gtin.Pad14(digits); gtin14 != "" {
			taken = i + 1
			w = word{forms: []form{{digits, exactly}}, barcode: gtin14}
		}
	}
	return taken, w
}

// readCode reads a chunk such as "26-348", "us-cpsc:26-348" or "WF-45/B".
func readCode(chunk string) (word, bool) {
	tokens := recall.Tokens(chunk)
	if len(tokens) < 2 || !hasDigit(chunk) {
		return word{}, false
	}
	return word{forms: []form{{closeUp(tokens), exactly}}}, true
}

// readMark reads a code of one unit, a lot for instance, as a whole and in its
// pieces that hold a figure: people type labels with it.
func readMark(code string) (word, bool) {
	w := word{anywhere: true}
	add := func(text string) {
		if key := strings.ToLower(recall.ModelKey(text)); hasDigit(key) && !slices.ContainsFunc(w.forms, func(f form) bool { return f.term == key }) {
			w.forms = append(w.forms, form{key, exactly})
		}
	}
	chunks := strings.Fields(code)
	for i, chunk := range chunks {
		add(strings.Join(chunks[i:], "")) // without the label in front
		add(chunk)
	}
	return w, len(w.forms) > 0
}

// readWords reads words with their synonyms and with what they make when they
// are written as one with their neighbours.
func readWords(text string) []word {
	raw := recall.Tokens(text)
	if len(raw) > maxTokens {
		raw = raw[:maxTokens]
		text = strings.Join(raw, " ")
	}
	tokens := make([]string, len(raw))
	for i, t := range raw {
		tokens[i] = recall.Singular(t)
	}
	var words []word
	eachSpan(tokens, recall.Words(text), func(w string, from, to int) {
		if to-from == 1 && recall.Filler(tokens[from]) || recall.Filler(w) {
			return
		}
		words = append(words, readWord(raw, tokens, w, from, to))
	})
	return words
}

func readWord(raw, tokens []string, w string, from, to int) word {
	out := word{means: w}
	switch {
	case to-from == 1 && tokens[from] == w:
		out.forms = []form{{w, exactly}, {synonymMark + w, canonical}}
		if !hasDigit(w) && !recall.IsClass(w) || len(w) >= minPrefix && hasDigit(w) {
			out.spelling = w
		}
	case to-from == 1:
		out.forms = []form{{tokens[from], exactly}, {w, canonical}, {synonymMark + w, bySynonym}}
	default:
		out.forms = []form{{w, exactly}, {synonymMark + w, exactly}}
	}
	for n := 2; n <= 3; n++ {
		for i := max(0, to-n); i <= from && i+n <= len(raw); i++ {
			if joined := closeUp(raw[i : i+n]); len(joined) >= 4 {
				out.forms = append(out.forms, form{joined, asOneWord})
			}
		}
	}
	return out
}

// prefixQuality tells how well a longer term answers its beginning; 0: not at all.
func prefixQuality(typed, term string) uint32 {
	if len(term) > longestTimes*len(typed) {
		return 0
	}
	return prefixFrom + uint32(40*len(typed)/len(term))
}

func typoQuality(typed, term string) uint32 {
	q := uint32(typoOfOne)
	if distance(typed, term) > 1 {
		q = typoOfTwo
	}
	if typed[0] != term[0] {
		q -= 15
	}
	return q
}
