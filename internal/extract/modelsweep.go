package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// sweepModels looks for codes that no list of models holds, in a notice that
// names models: those built like its models, and those that a model's sentence
// goes on with, are models too. Any other code in a place where models stand
// says that the list of models may not be whole.
func (r *reader) sweepModels() {
	if len(r.modelMarks) == 0 {
		return
	}
	s := modelSweep{r: r, shapes: map[string]bool{}, parts: map[string]bool{}}
	for _, m := range r.found.Models {
		s.learn(m)
	}
	for _, m := range slices.Clone(r.found.Models) {
		if strings.Contains(m, " ") {
			continue
		}
		if rest := s.behindGlued(m); rest != "" && !r.seen[squeeze(rest)] {
			r.seen[squeeze(rest)] = true
			r.found.Models = append(r.found.Models, rest)
		}
		if len(m) > longestModel {
			last := &r.modelMarks[len(r.modelMarks)-1]
			s.t = last.text
			s.doubt(last.first) // several in one
		}
	}
	for _, t := range r.texts {
		s.read(t)
	}
}

// longestModel is how long a single model is at most.
const longestModel = 22

// modelSweep is one pass over a notice's texts.
type modelSweep struct {
	r      *reader
	shapes map[string]bool // of the models that were read
	parts  map[string]bool // of models that are printed with a blank or a slash
	// of the text that is being read:
	t      *text
	values []span             // of codes and dates, in order
	listed map[int]*modelMark // the first list of models of each sentence
}

func (s *modelSweep) read(t *text) {
	s.t, s.values, s.listed = t, s.values[:0], map[int]*modelMark{}
	for i := range s.r.marks {
		k := &s.r.marks[i]
		if k.text != t {
			continue
		}
		for _, v := range k.values {
			s.values = append(s.values, v.at)
		}
		if k.doubt {
			s.values = append(s.values, span{t.tokens[k.label.first].start, k.end})
		}
	}
	slices.SortFunc(s.values, func(a, b span) int { return a.start - b.start })
	for i := range s.r.modelMarks {
		if k := &s.r.modelMarks[i]; k.text == t && s.listed[k.sentence] == nil {
			s.listed[k.sentence] = k
		}
	}
	mentions, last := t.mentions, mention{first: -1}
	for i := range t.tokens {
		for len(mentions) > 0 && mentions[0].first <= i {
			last, mentions = mentions[0], mentions[1:]
		}
		if t.tokens[i].digits > 0 && t.tokens[i].word {
			s.judge(i, last)
		}
	}
}

// judge decides what a word with digits is. last is the label before it.
func (s *modelSweep) judge(i int, last mention) {
	t := s.t
	code := t.core(i)
	if len(code) < 3 || s.r.seen[squeeze(code)] || s.parts[squeeze(code)] || s.isValue(i) || t.isOtherNumber(i, code) || s.isBarcode(code) {
		return
	}
	glued := t.isGluedToken(i)
	inSentence := last.first >= 0 && t.sentences[last.first] == t.sentences[i]
	if inSentence && !glued && last.label != labelModel && last.label != labelNothing && i-last.next < 12 {
		return // its reader took it, or doubted it
	}
	if t.excludes(i) || t.exceptBefore(i) {
		return
	}
	if rest := s.behindGlued(code); rest != "" && !s.isAlike(code) {
		if code = rest; s.r.seen[squeeze(code)] {
			return
		}
	}
	list := s.listed[t.sentenceOf(i)]
	mixed := len(code) >= 4 && !strings.ContainsAny(code, "abcdefghijklmnopqrstuvw") && !onlyDigits(squeeze(code))
	switch {
	case naming[t.field] && mixed && !glued && len(squeeze(code)) >= 5 && len(code) <= longestModel:
		s.keep(code, i, nil) // a product's own name holds its model
	case len(code) > longestModel && mixed && (glued || list != nil):
		s.doubt(i) // several in one
	case s.isAlike(code) && (mixed || list != nil || glued),
		list != nil && mixed && !glued && inSentence && last.label == labelModel && list.first < i:
		s.keep(code, i, list)
	case s.isSuspect(i, code, glued, list != nil || inSentence && last.label == labelModel):
		s.doubt(i)
	}
}

// naming are the fields that name a product and nothing else.
var naming = map[string]bool{"product_name": true}

// core is the code at token i without the words and barcodes that flattening
// glued to either end of it.
func (t *text) core(i int) string {
	code := t.cell(i)
	start, end := 0, len(code)
	for start < end && !isDigit(code[start]) && code[start] != '-' {
		start++
	}
	for start > 0 && !isSmallLetter(code[start-1]) {
		start--
	}
	if start < 3 {
		start = 0
	}
	for end > start && isSmallLetter(code[end-1]) {
		end--
	}
	switch {
	case len(code)-end < 2:
		end = len(code)
	case end > start && isUpperLetter(code[end-1]):
		end--
	}
	for _, length := range []int{12, 13} {
		if end-start > length && onlyDigits(code[start:start+length]) && !isDigit(code[start+length]) && gtin.Valid(code[start:start+length]) {
			return code[start+length : end]
		}
	}
	return code[start:end]
}

// keep adds a model that no list brought, to that of its sentence if there is one.
func (s *modelSweep) keep(code string, i int, list *modelMark) {
	s.r.seen[squeeze(code)] = true
	s.r.found.Models = append(s.r.found.Models, code)
	if list != nil && list.first < i {
		list.models = append(list.models, code)
		list.end = max(list.end, s.t.tokens[i].end)
	}
}

// isSuspect tells whether a code may be a model because of where it stands.
func (s *modelSweep) isSuspect(i int, code string, glued, nearModels bool) bool {
	t, tok := s.t, &s.t.tokens[i]
	if key := squeeze(code); onlyDigits(key) {
		return len(key) >= 5 && (glued || nearModels)
	}
	if tok.lowercase && !glued {
		return false
	}
	quoted := i > 0 && isQuote(t.tokens[i-1].lower) || i+1 < len(t.tokens) && isQuote(t.tokens[i+1].lower) && t.tokens[i+1].gap == adjacent
	return quoted || len(code) >= 4 && (nearModels || glued || t.field != "description" || len(code) > longestModel)
}

func (s *modelSweep) doubt(i int) {
	if s.r.unexplained != nil {
		return
	}
	k := &mark{text: s.t, kind: recall.Lot, label: mention{first: i, next: i + 1}, end: s.t.tokens[i].end}
	s.r.unexplained = k
}

// behindGlued is a model built like those that were read, to whose front the
// last characters of another cell are glued; empty where there is none.
func (s *modelSweep) behindGlued(code string) string {
	const most = 4
	for cut := 1; cut <= most && cut < len(code); cut++ {
		rest := code[cut:]
		if key := squeeze(rest); len(key) >= 5 && isUpperLetter(rest[0]) && !onlyDigits(key) && s.isAlike(rest) && startOfModel(key) != startOfModel(squeeze(code)) {
			return rest
		}
	}
	return ""
}

// learn keeps how a model is built: its length, with letters and digits in
// order, and what it begins with.
func (s *modelSweep) learn(model string) {
	for _, part := range strings.FieldsFunc(model, func(c rune) bool { return c == ' ' || c == '/' }) {
		key := squeeze(part)
		s.parts[key] = true
		if len(key) >= 4 {
			s.shapes[shapeOf(key)] = true
			s.shapes[startOfModel(key)] = true
		}
	}
}

// isAlike tells whether a code is built like a model that was read.
func (s *modelSweep) isAlike(code string) bool {
	key := squeeze(code)
	if len(key) < 4 {
		return false
	}
	start := startOfModel(key)
	return s.shapes[shapeOf(key)] || start != "" && s.shapes[start]
}

// shapeOf writes down a code's first two characters and the class of the others.
func shapeOf(key string) string {
	shape := []byte(key)
	for i := 2; i < len(shape); i++ {
		switch {
		case isDigit(shape[i]):
			shape[i] = '0'
		default:
			shape[i] = 'A'
		}
	}
	return string(shape)
}

// startOfModel is the letters that a code of letters and digits begins with, if
// they are at least two, with a sign behind them; empty otherwise.
func startOfModel(key string) string {
	end := 0
	for end < len(key) && !isDigit(key[end]) {
		end++
	}
	if end < 2 || end == len(key) {
		return ""
	}
	return key[:end] + "#"
}

// isValue tells whether token i belongs to a code or a date that was read.
func (s *modelSweep) isValue(i int) bool {
	tok := &s.t.tokens[i]
	at, _ := slices.BinarySearchFunc(s.values, tok.start+1, func(v span, start int) int { return v.start - start })
	for k := at - 1; k >= 0 && k > at-4; k-- {
		if tok.start < s.values[k].end {
			return true
		}
	}
	return false
}

// isBarcode tells whether a code is digits of a barcode that was read.
func (s *modelSweep) isBarcode(code string) bool {
	const least = 5
	key := squeeze(code)
	if len(key) < least || !onlyDigits(key) {
		return false
	}
	return slices.ContainsFunc(s.r.found.GTINs, func(g recall.PrintedGTIN) bool { return strings.Contains(g.GTIN, key) })
}

// isGluedToken tells whether flattening glued another word to token i, or a
// word and a code into one.
func (t *text) isGluedToken(i int) bool {
	tok := &t.tokens[i]
	return tok.gap == adjacent && i > 0 && t.tokens[i-1].word || i+1 < len(t.tokens) && t.tokens[i+1].gap == adjacent && t.tokens[i+1].word || tok.digits >= 3 && t.hasWord(tok)
}

// isOtherNumber tells whether token i is plainly no model: an amount, a date, a
// telephone number, a standard, a number with its unit.
func (t *text) isOtherNumber(i int, code string) bool {
	tok := &t.tokens[i]
	if standards[tok.lower] || t.isAmount(i) || t.isPhone(i) || t.isTimeOrMonth(i) || isOrdinal(tok.lower) || t.proseNumber(i) || i > 0 && isMoney(t.tokens[i-1].lower) || t.inAddress(i) {
		return true
	}
	if strings.HasSuffix(code, "-") {
		return true // 16-foot
	}
	letters := strings.TrimLeft(code, "0123456789.-/")
	if numbers := len(code) - len(letters); numbers > 0 && numbers <= 4 && len(letters) <= 2 {
		return true // 40V, 1080P, 125CC, 10/24
	}
	if tok.letters > 0 {
		return false
	}
	c := t.cursorAt(i)
	if _, ok := c.dateValue(true); ok && c.pos >= tok.end {
		return true
	}
	if from, to, ok := strings.Cut(code, "-"); ok && len(from) <= 4 && len(to) <= 4 {
		return true // two years or amounts, or the end of a telephone number
	}
	return false
}

// inAddress tells whether token i belongs to an address on the web or of mail,
// or to a postal one: a state's two capitals or its name before a code of five digits.
func (t *text) inAddress(i int) bool {
	for k := i - 1; k >= 0 && k > i-8 && t.tokens[k+1].gap == adjacent; k-- {
		if s := t.tokens[k].lower; s == "@" || s == "http" || s == "https" || strings.Contains(s, ".com") || strings.HasPrefix(s, "www") {
			return true
		}
	}
	if i+1 < len(t.tokens) && t.tokens[i+1].gap == adjacent && t.tokens[i+1].lower == "@" {
		return true
	}
	tok := &t.tokens[i]
	return tok.letters == 0 && tok.digits == 5 && i > 1 && t.tokens[i-1].capital && (t.tokens[i-2].lower == "," || t.tokens[i-1].letters == 2 && !t.tokens[i-1].lowercase)
}
