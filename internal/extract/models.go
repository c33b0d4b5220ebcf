package extract

import (
	"strconv"
	"strings"
)

// modelMark is a list of models where it stands in a text.
type modelMark struct {
	text     *text
	first    int
	end      int // the byte behind the last model
	sentence int
	models   []string
}

// readModels reads the models behind a model's label.
func (r *reader) readModels(t *text, m mention) {
	in := t.readLeadIn(m.next)
	if in.prefix, in.suffix = t.firstDigits(m.first, in.prefix, in.suffix); in.located || in.prefix || in.suffix {
		// "model numbers beginning with 310" names no model, but tells that there
		// are some that the list doesn't hold.
		if in.prefix && !in.located && r.readBeginnings(t, m, in.next) {
			return
		}
		r.modelsOpen = r.modelsOpen || !in.located && in.next < len(t.tokens) && t.tokens[in.next].digits > 0
		return
	}
	if k := in.next - 1; k >= m.next && t.tokens[m.first].lowercase && t.isFewCapitals(k) && t.tokens[k].letters >= 2 {
		r.modelsOpen = true // "model numbers AS 831": letters that are a word as well
	}
	mark := modelMark{text: t, first: m.first, sentence: t.sentenceOf(m.first)}
	i := in.next
	for len(mark.models) < maxModels {
		names, next := t.modelAt(i, m, len(mark.models) > 0)
		if next == 0 {
			r.modelsOpen = r.modelsOpen || t.listsAnother(i, mark.models)
			break
		}
		mark.models = append(mark.models, names...)
		mark.end = t.tokens[next-1].end
		i = t.skipQuotes(next)
		mark.models = append(mark.models, t.modelsInBrackets(i, m)...)
		i = t.skipBrackets(i)
		if behind := t.behindDescription(i, m); behind > 0 {
			i = behind
		}
		sep := t.modelSeparator(i)
		if sep < 0 {
			break
		}
		i = sep
	}
	if len(mark.models) == 1 && !strings.ContainsAny(mark.models[0], "0123456789") {
		mark.models = nil // a single word is rather the next of the sentence, or of a table
	}
	if len(mark.models) == 0 {
		mark.models = t.modelColumn(in.next, m)
	}
	if len(mark.models) > 0 {
		r.modelsMissing = false
	} else if t.saysNumbers(m) && t.pointsToList(m) {
		r.modelsMissing = true
	}
	r.keepModels(mark)
}

// readBeginnings reads how models begin: "model numbers beginning with QB310 or
// QB320". It keeps them with an asterisk behind, and says whether there were any;
// what the list goes on with and is no code leaves the models open.
func (r *reader) readBeginnings(t *text, m mention, i int) bool {
	mark := modelMark{text: t, first: m.first, sentence: t.sentenceOf(m.first)}
	for {
		start := t.skipQuotes(i)
		if start >= len(t.tokens) || !t.isModelCode(start, m, len(mark.models) > 0) || len(t.code(start)) < 3 {
			r.modelsOpen = r.modelsOpen || len(mark.models) > 0 && start < len(t.tokens) && (isQuote(t.tokens[start-1].lower) || t.tokens[start].digits > 0)
			break
		}
		mark.models = append(mark.models, t.code(start)+"*")
		mark.end = t.tokens[start].end
		i = t.skipQuotes(start + 1)
		sep := t.modelSeparator(i)
		if sep < 0 || sep == i {
			break
		}
		i = sep
	}
	r.keepModels(mark)
	return len(mark.models) > 0
}

// saysNumbers tells whether a label is one of models or of numbers: "styles:"
// alone lists colours.
func (t *text) saysNumbers(m mention) bool {
	if l, _ := labels.at(t, m.first); l == labelModel && m.plural {
		return true
	}
	for k := m.first; k < m.next; k++ {
		switch t.tokens[k].lower {
		case "number", "numbers", "no", "nos", "code", "codes", "#":
			return true
		}
	}
	return false
}

// pointsToList tells whether a sentence announces models: "the following models
// and serial numbers are included".
func (t *text) pointsToList(m mention) bool {
	first, end := t.sentenceTokens(m.first)
	for i := first; i < end; i++ {
		switch t.tokens[i].lower {
		case "following", "below", "chart", "table":
			return true
		case "list":
			if i < m.first && i+5 > m.first && t.tokens[min(i+1, end-1)].lower == "of" {
				return true // "a full list of affected item numbers is available at"
			}
		}
	}
	return false
}

// maxModels bounds what one label can bring.
const maxModels = 400

func (r *reader) keepModels(mark modelMark) {
	if len(mark.models) == 0 {
		return
	}
	if mark.text.excludes(mark.first) || mark.text.exceptBefore(mark.first) {
		for _, m := range mark.models {
			r.notModels[squeeze(m)] = true
		}
		return
	}
	r.modelMarks = append(r.modelMarks, mark)
	for _, m := range mark.models {
		if key := squeeze(m); !r.seen[key] {
			r.seen[key] = true
			r.found.Models = append(r.found.Models, m)
		}
	}
}

// modelAt reads one model, or a short range of numbered models, at token i.
func (t *text) modelAt(i int, m mention, more bool) (models []string, next int) {
	start := t.skipQuotes(i)
	if start >= len(t.tokens) {
		return nil, 0
	}
	if start > 0 && isQuote(t.tokens[start-1].lower) {
		if name, end := t.quotedName(start); end > 0 {
			return []string{name}, end
		}
	}
	if name, end := t.modelInParts(start, m, more); end > 0 {
		return []string{name}, end
	}
	if !t.isModelCode(start, m, more) {
		if more && t.isCapitalCode(start, 0) || m.strong && t.isCapitalCode(start, 1) {
			return []string{t.code(start)}, start + 1
		}
		return t.modelName(start, m)
	}
	code := t.code(start)
	if next := start + 1; next < len(t.tokens) && onlyDigits(code) && onlyDigits(t.tokens[next].lower) && t.tokens[next].gap == blank && len(t.tokens[next].lower) != len(code) {
		return nil, 0 // a code in parts: "307 2263"
	}
	if to, end := t.rangeEnd(t.skipQuotes(start+1), false, m); end > 0 && to != "" {
		if expanded := expand(code, to); expanded != nil {
			return expanded, end
		}
		return []string{code, to}, end
	}
	return []string{code}, start + 1
}

// isModelCode tells whether token i is a model number behind its label.
func (t *text) isModelCode(i int, m mention, more bool) bool {
	tok := &t.tokens[i]
	if tok.digits == 0 || !t.isCode(i, m, leadIn{}, more) || tok.end-tok.start < 2 {
		return false
	}
	if number, word, ok := strings.Cut(t.code(i), "-"); ok && onlyDigits(number) && len(number) <= 2 && len(word) > 2 && isUpperLetter(word[0]) && word[1] >= 'a' && word[1] <= 'z' {
		return false // 18-Gun
	}
	if tok.gap == adjacent && i > 0 && t.tokens[i-1].word && tok.digits >= 4 && strings.HasPrefix(tok.lower, "20") && onlyDigits(tok.lower[:4]) && len(tok.lower) > 4 && !isDigit(tok.lower[4]) {
		return false // the years of a table's column: 2022FE
	}
	c := cursor{s: tok.lower}
	if _, ok := c.date(false); ok && c.pos == len(tok.lower) && tok.letters == 0 && strings.Contains(tok.lower, "/") {
		return false
	}
	if tok.letters == 0 && tok.digits == 4 && (tok.lower[:2] == "19" || tok.lower[:2] == "20") && !m.strong {
		return false // a model year
	}
	if l, span := labels.at(t, i); span > 0 && l != labelNothing {
		return false
	}
	return true
}

// quotedName reads what stands between quotation marks as one model: “F7 Pro”.
func (t *text) quotedName(i int) (string, int) {
	digits := false
	for k := i; k < len(t.tokens) && k < i+5; k++ {
		tok := &t.tokens[k]
		switch tok.lower {
		case "”", "\"", "’", "'":
			end := k
			for end > i && !t.tokens[end-1].word {
				end--
			}
			if end == i || !digits || standards[t.tokens[i].lower] {
				return "", 0
			}
			return t.source[t.tokens[i].start:t.tokens[end-1].end], k + 1
		case "“", ":", ".", ";":
			return "", 0
		}
		if k > i && tok.lowercase && !tok.capital && tok.digits == 0 {
			return "", 0
		}
		digits = digits || tok.digits > 0
	}
	return "", 0
}

// modelName reads a model that has a name instead of a number: "models
// SnugRide, SnugRide Classic Connect and Aprica A30".
func (t *text) modelName(i int, m mention) ([]string, int) {
	if m.next < len(t.tokens) && prepositions[t.tokens[m.next].lower] {
		return nil, 0 // "ten models of Lumo swings"
	}
	plural := t.tokens[m.first].lower == "models" || t.tokens[m.first].lower == "modèles"
	if announced := t.namesAnnounced(m); !announced && (m.strong || !plural) {
		return nil, 0
	}
	end := i
	for end < len(t.tokens) && end < i+4 && t.isNameWord(end) && (end == i || t.tokens[end].gap == blank) {
		end++
	}
	if end == i || nameStops[t.tokens[i].lower] {
		return nil, 0
	}
	return []string{t.source[t.tokens[i].start:t.tokens[end-1].end]}, end
}

// prepositions right behind "models" lead to whose they are, not to their names.
var prepositions = wordSet(`of from by in with for`)

// namesAnnounced tells that the label says "model name(s)" or ends in a colon.
func (t *text) namesAnnounced(m mention) bool {
	for k := m.first; k < m.next; k++ {
		if s := t.tokens[k].lower; s == "names" || m.plural && (s == "name" || s == ":") {
			return true
		}
	}
	return false
}

func (t *text) isNameWord(i int) bool {
	tok := &t.tokens[i]
	if !tok.word || nameStops[tok.lower] {
		return false
	}
	if l, _ := labels.at(t, i); l != noLabel {
		return false
	}
	return tok.capital && tok.letters > 1 || tok.digits > 0 && tok.gap != adjacent && !t.isAmount(i) && !t.isTimeOrMonth(i) && i > 0 && t.tokens[i-1].capital
}

// nameStops are capitalised words that begin a sentence or a table and no model's name.
var nameStops = wordSet(`the this these they it all number numbers name description product products size color colors brand upc sku sold manufactured only
consumers recalled units with and or in on at serial lot date style item quantity includes included include we our a an each not no see model models china
usa canada united states amazon walmart range location cpsc if for from made january february march april may june july august september october november december`)

// modelSeparator is listSeparator for models: blanks alone separate only codes
// with letters and digits.
func (t *text) modelSeparator(i int) int {
	sep := t.listSeparator(i, []value{{}})
	if sep < 0 {
		return -1
	}
	if sep == i {
		tok := &t.tokens[i]
		likePrevious := tok.letters == 0 && i > 0 && t.tokens[i-1].word && len(t.tokens[i-1].lower) == len(tok.lower) && tok.digits >= 4
		if tok.digits == 0 || tok.letters == 0 && !likePrevious || tok.lowercase || t.isAmount(i) {
			return -1
		}
	}
	for sep < len(t.tokens) {
		switch t.tokens[sep].lower {
		case "model", "models", "number", "sku", "the", "style", "item":
			sep++
			continue
		}
		return sep
	}
	return -1
}

// expand lists the models of a short numeric range.
func expand(from, to string) []string {
	const most = 60
	if len(from) != len(to) || !onlyDigits(from) || !onlyDigits(to) || len(from) > 9 {
		return nil
	}
	a, _ := strconv.Atoi(from)
	b, _ := strconv.Atoi(to)
	if b <= a || b-a > most {
		return nil
	}
	var models []string
	for n := a; n <= b; n++ {
		s := strconv.Itoa(n)
		models = append(models, strings.Repeat("0", len(from)-len(s))+s)
	}
	return models
}
