package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// reader gathers what one notice's fields say.
type reader struct {
	opts       Options
	found      Codes
	seen       map[string]bool // models that were found, squeezed
	notModels  map[string]bool // models that the notice takes out
	texts      []*text
	marks      []mark
	modelMarks []modelMark
	// modelsMissing says that models were announced last and none was read: the
	// list of models is not whole.
	modelsMissing bool
	modelsOpen    bool // some models are told by how their numbers begin or end
	// unexplained is a code that may be a model and that nothing tells what it is.
	unexplained  *mark
	places       places
	tabled       []group // what flattened tables say of units
	productCodes []mark  // of a food
}

// mark is what one label says of a unit's mark.
type mark struct {
	text   *text
	kind   recall.UnitKind
	label  mention
	end    int // the byte behind its last value
	values []value
	all    bool // every lot
	doubt  bool // limited in words that were not understood
	except bool
	or     bool     // a window to which codes are the alternative
	models []string // it stands with these alone
}

func newReader(opts Options) *reader {
	return &reader{opts: opts, seen: map[string]bool{}, notModels: map[string]bool{}, places: places{}}
}

// codeFields are fields that hold codes alone, so that what no label announces
// is a lot there, or a barcode.
var codeFields = map[string]bool{"code_info": true, "more_code_info": true}

// readField reads a field: its flattened tables by themselves, what is left as
// prose.
func (r *reader) readField(f Field) {
	whole := &text{field: f.Name, source: f.Text}
	tables := readTables(whole)
	if len(tables) == 0 {
		r.read(tokenise(f.Name, f.Text))
		return
	}
	prose := []byte(f.Text)
	for _, table := range tables {
		for i := table.at.start; i < table.at.end; i++ {
			prose[i] = ' '
		}
		prose[table.at.start] = '.' // what stands before a table is a sentence of its own
	}
	t := tokenise(f.Name, string(prose))
	t.source = f.Text // what is quoted are the notice's own words
	r.read(t)
	for i := range tables {
		r.takeTable(t, &tables[i])
	}
}

// takeTable keeps what a flattened table holds.
func (r *reader) takeTable(t *text, table *table) {
	for _, at := range table.gtins {
		r.addGTIN(t, at)
	}
	if len(table.models) > 0 {
		first := t.tokenBehind(0, table.at.start)
		r.keepModels(modelMark{text: t, first: min(first, len(t.tokens)-1), end: table.at.end, models: table.models,
			sentence: t.sentenceOf(min(first, len(t.tokens)-1))})
		r.modelsMissing = false
	}
	for _, g := range table.groups {
		g.text, g.near = t, 0
		r.tabled = append(r.tabled, g)
		r.dropAnnouncements(t, table.at.start, g.preds[0].Kind)
	}
}

// dropAnnouncements drops the doubts about codes of a kind that the text before
// a table announces, now that the table holds them.
func (r *reader) dropAnnouncements(t *text, before int, kind recall.UnitKind) {
	r.marks = slices.DeleteFunc(r.marks, func(k mark) bool {
		return k.text == t && k.doubt && len(k.values) == 0 && !k.all && family(k.kind) == family(kind) && t.tokens[k.label.first].start < before
	})
}

func (r *reader) read(t *text) {
	if len(t.tokens) == 0 {
		return
	}
	t.cutSentences()
	t.order = orderOfDates(t.lower, r.opts.dateOrder())
	r.texts = append(r.texts, t)
	before := r.readSoFar()
	t.findMentions()
	next := 0 // the token behind the last list
	for _, m := range t.mentions {
		if m.first >= next {
			next = r.readMention(t, m)
		}
	}
	r.sweepGTINs(t)
	if codeFields[t.field] && before == r.readSoFar() {
		r.readBareCodes(t)
	} else if codeFields[t.field] {
		r.readLoneCodes(t)
		r.readRecords(t)
	}
	r.places.read(t)
}

// readSoFar counts what was read.
func (r *reader) readSoFar() int {
	return len(r.marks) + len(r.productCodes) + len(r.found.GTINs) + len(r.found.Models)
}

// readMention reads what a label announces and returns the token to go on from.
func (r *reader) readMention(t *text, m mention) int {
	switch {
	case m.label == labelGTIN:
		return r.readGTINs(t, m)
	case m.label == labelModel && r.opts.Food && t.isProductCode(m):
		return r.readProductCodes(t, m)
	case m.label == labelModel:
		r.readModels(t, m)
	case m.label.code():
		return r.readCodes(t, m)
	case m.label.date():
		return r.readDates(t, m)
	}
	return m.next
}

// readCodes reads the lots, serial numbers or date codes behind their label.
func (r *reader) readCodes(t *text, m mention) int {
	if next := r.readPairs(t, m); next > 0 {
		return next
	}
	list := t.codesBehind(m)
	k := mark{text: t, kind: m.label.kind(), label: m, values: list.values, doubt: list.doubt}
	next := max(list.next, m.next)
	if len(list.values) == 0 && !list.doubt {
		k.values = t.codesBefore(m)
	}
	if len(k.values) == 0 {
		if values, end := t.serialColumn(m); len(values) > 0 {
			return r.addColumn(t, m, values, end)
		}
		k.all = t.saysAll(m)
		if m.label != labelSerial && !k.all {
			if dates, end, doubt := t.datesAt(next, false); len(dates) > 0 || doubt {
				k.kind, k.values, next, k.doubt = dateKindOf(m), dates, end, doubt
			}
		}
	}
	r.addMark(k, next)
	return next
}

// dateKindOf is what a written-out date behind a code's label means: food is
// told apart by its best-by date ("all lot codes through Jan 5, 2026"), a
// production code by its day of production.
func dateKindOf(m mention) recall.UnitKind {
	if m.label == labelDateCode {
		return recall.Made
	}
	return recall.BestBefore
}

// addMark keeps a mark that says something, up to token next.
func (r *reader) addMark(k mark, next int) {
	if len(k.values) == 0 && !k.all && !k.doubt {
		return
	}
	t := k.text
	t.openPlaces(k.values)
	k.end = t.tokens[max(next-1, k.label.next-1)].end
	for _, v := range k.values {
		k.end = max(k.end, v.at.end)
	}
	if len(k.values) > 0 {
		k.end = k.values[len(k.values)-1].at.end
	}
	k.doubt = k.doubt || t.goesOn(k.end)
	if t.misreadColumn(&k, r.seen) {
		k.values, k.doubt = nil, true
	}
	k.except = len(k.values) > 0 && (t.excludes(k.label.first) || t.exceptBefore(k.label.first))
	if k.except && k.doubt {
		return // an exception that was not understood takes nothing out
	}
	r.marks = append(r.marks, k)
}

// otherCodes are the ways in which a list says that it is not whole.
var otherCodes = []string{"and others", "or others", "and other ", "and more", "and additional", "and many", "among others", "etc", "et autres", "and/or others"}

// listsOthers tells whether a list that ends at a byte goes on in such words.
func (t *text) listsOthers(end int) bool {
	rest := strings.TrimLeft(t.lower[end:], " ,;.)\"”’'")
	for _, words := range otherCodes {
		if strings.HasPrefix(rest, words) {
			return true
		}
	}
	return false
}

// goesOn tells whether more codes belong to a list than it names: "… and all
// prior batches".
func (t *text) goesOn(end int) bool {
	const before, behind = 16, 40 // bytes around the list's end
	rest := t.lower[max(0, end-before):min(len(t.lower), end+behind)]
	if t.listsOthers(end) {
		return true
	}
	if without := t.lower[end:min(len(t.lower), end+12)]; strings.Contains(without, "or no ") || strings.Contains(without, "or without") {
		return true // units without a mark belong to it too
	}
	at := strings.Index(rest, "and all ")
	if at < 0 || at > before+8 {
		return false
	}
	at += len("and ")
	switch word, _, _ := strings.Cut(rest[at+4:], " "); word {
	case "prior", "previous", "earlier", "subsequent", "later", "other", "others", "following":
		return true
	}
	return false
}

// readDates reads the dates behind "best by", "expires", "manufactured".
func (r *reader) readDates(t *text, m mention) int {
	from := m.next
	years := m.label == labelMade || m.label == labelSold
	values, end, doubt := t.datesAt(from, years)
	or := len(values) > 0 && years && t.orCodes(m, end)
	if m.label == labelSold && !or && !t.limitsBySale(m) {
		return m.next
	}
	if len(values) == 0 && !doubt {
		switch m.label {
		case labelMade, labelSold:
			from = t.windowAhead(m)
			if from == 0 {
				return m.next
			}
			values, end, doubt = t.datesAt(from, true)
		default:
			doubt = t.unreadDate(m)
		}
	}
	if m.label == labelMade && t.describesPrint(m, end) {
		return max(end, m.next)
	}
	t.boundAhead(m, values)
	k := mark{text: t, kind: m.label.kind(), label: m, values: values, doubt: doubt, or: or}
	if len(values) == 0 && !doubt {
		k.all = t.saysAll(m)
	}
	r.addMark(k, max(end, m.next))
	return max(end, m.next)
}

// describesPrint tells whether a label and its date are quoted together from what
// is printed on the product, in a sentence that limits nothing: “Date of
// Production: November 2025” is printed on the base.
func (t *text) describesPrint(m mention, end int) bool {
	open := m.first - 1
	for open > 0 && (t.tokens[open].lower == "of" || t.tokens[open].lower == "date") {
		open--
	}
	if open < 0 || !isQuote(t.tokens[open].lower) || end >= len(t.tokens) || !isQuote(t.tokens[end].lower) {
		return false
	}
	first, last := t.sentenceTokens(m.first)
	printed := false
	for i := first; i < last; i++ {
		switch t.tokens[i].lower {
		case "only", "included", "include", "includes", "affected", "involves", "involved", "recalled", "with", "bearing", "limited":
			return false
		case "printed", "appears", "appear", "stamped":
			printed = true
		}
	}
	return printed
}

// datesAt reads dates from token i on and returns the token behind them.
func (t *text) datesAt(i int, years bool) (values []value, end int, doubt bool) {
	if i >= len(t.tokens) {
		return nil, i, false
	}
	c := t.cursorAt(i)
	values, doubt = c.dates(years)
	return values, t.tokenBehind(i, c.pos), doubt
}

// cursorAt returns a cursor for the dates at token i.
func (t *text) cursorAt(i int) cursor {
	return cursor{s: t.lower, pos: t.tokens[i].start, order: t.order}
}

// tokenBehind returns the first token from i on that starts at or behind a byte.
func (t *text) tokenBehind(i, at int) int {
	for i < len(t.tokens) && t.tokens[i].start < at {
		i++
	}
	return i
}

// unreadDate tells whether a number stands right behind a date's label: a date
// in a notation that was not understood.
func (t *text) unreadDate(m mention) bool {
	in := t.readLeadIn(m.next)
	if in.located || in.next >= len(t.tokens) || !m.strong && in.next > m.next+3 {
		return false
	}
	tok := &t.tokens[in.next]
	return tok.word && tok.digits > 0 && !t.isAmount(in.next) || monthNames[tok.lower] > 0 && tok.capital
}

// windowAhead finds the date behind "manufactured by Acme in China from …",
// in the same sentence, before it speaks of something else. 0: there is none.
func (t *text) windowAhead(m mention) int {
	_, end := t.sentenceTokens(m.first)
	for i := m.next; i < end && i < m.next+16; i++ {
		switch t.tokens[i].lower {
		case "sold", "available", "distributed", "shipped", "purchased", "stores", "online", "measure", "since", "expires", "vendus", "vendu":
			return 0
		case "from", "between", "before", "prior", "after", "on", "in", "during", "through", "until", "entre", "du", "avant", "après", "en", "to", "dates", "ranging":
			c := t.cursorAt(i)
			if v, ok := c.dateValue(true); ok && (v.from != "" || v.to != "") {
				return i
			}
		}
	}
	return 0
}

// limitsBySale tells whether a notice limits itself by dates of sale: "Only
// units sold between … are included". Dates that tell when a product was in the
// shops limit nothing.
func (t *text) limitsBySale(m mention) bool {
	if codeFields[t.field] {
		return true
	}
	first, end := t.sentenceTokens(m.first)
	only := false
	for i := first; i < m.first; i++ {
		switch t.tokens[i].lower {
		case "only", "uniquement", "seuls", "seules", "limited":
			only = true
		case "sold", "available", "stores", "at":
			only = false
		}
	}
	if !only || m.next < len(t.tokens) && t.tokens[m.next].lower == "at" {
		return false
	}
	for i := first; i < end; i++ {
		switch t.tokens[i].lower {
		case "included", "affected", "involved", "involves", "subject", "recalled", "recall", "concernés", "concernées", "rappelés", "rappel":
			return true
		}
	}
	return false
}

// saysAll tells whether the words before a label are "all" or "tous les".
func (t *text) saysAll(m mention) bool {
	for k := m.first - 1; k >= 0 && k > m.first-4; k-- {
		switch t.tokens[k].lower {
		case "all", "every", "any", "tous", "toutes":
			return true
		case "les", "the", "of", "product", "production", "unexpired", "/", "manufacturing", "sizes", "and", "-":
		default:
			return false
		}
	}
	return false
}
