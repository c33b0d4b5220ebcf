package agency

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// Cell is a cell of a table, or a structured field, that holds codes of one
// kind rather than sentences. Text is cleaned (see Clean); quotes are its very
// words, under Field.
type Cell struct {
	Field    string
	Text     string
	Language string // of its words, a BCP 47 tag; dates in numbers are read in its order
}

// Codes reads lots, batches, serial numbers or date codes. It returns groups of
// predicates that are alternatives, their numbers still to be given (see
// NumberGroups). A list of codes alone becomes exactly those; "all" covers
// every unit; what is a sentence is read as prose. A list that goes on, and
// words that nothing could be made of, become an Unreadable group of their own.
// The result is empty when the cell says that there is no such code.
func (c Cell) Codes(kind recall.UnitKind) [][]recall.Predicate {
	if cellSaysNone.MatchString(c.Text) || Missing(c.Text) {
		return nil
	}
	if cellSaysAll.MatchString(c.Text) {
		return [][]recall.Predicate{{recall.All(1, kind, c.quote(0, len(c.Text)))}}
	}
	body, all := c.remark()
	parts := cellParts(body)
	var groups [][]recall.Predicate
	for _, p := range parts {
		if !isCellCode(p.text) {
			return c.prose(kind)
		}
		groups = append(groups, []recall.Predicate{recall.Equals(1, kind, p.text, c.quote(p.start, p.start+len(p.text)))})
	}
	if all != nil {
		groups = append(groups, []recall.Predicate{recall.All(1, kind, c.quote(all[0], all[1]))})
	}
	if len(groups) == 0 {
		return c.prose(kind)
	}
	return groups
}

// Barcodes reads the barcodes of a cell that may hold other codes and cellRemark
// as well: those that are no GTIN are left out, as are shops' own numbers.
func (c Cell) Barcodes() []recall.PrintedGTIN {
	return c.read("Barcode: ").GTINs
}

// Models reads model numbers and names. open says that the cell doesn't name
// them all.
func (c Cell) Models() (models []string, open bool) {
	if cellSaysNone.MatchString(c.Text) || Missing(c.Text) || cellSaysAll.MatchString(c.Text) {
		return nil, false
	}
	body, _ := c.remark()
	open = cellGoesOnIn(c.Text)
	for _, p := range cellParts(body) {
		if !isCellModel(p.text) {
			return c.read("Model: ").Models, true
		}
		if !slices.Contains(models, p.text) {
			models = append(models, p.text)
		}
	}
	return models, open
}

// OpenModels is what units say of a product whose models are not all known: the
// named ones are covered, of another one nothing can be said.
func (c Cell) OpenModels(models []string) [][]recall.Predicate {
	named := recall.All(1, recall.Lot, c.quote(0, len(c.Text)))
	named.Models = slices.Clone(models)
	return [][]recall.Predicate{{named}, {recall.Unreadable(1, recall.Lot, c.quote(0, len(c.Text)))}}
}

// NumberGroups gives groups of predicates their numbers, from 1, each group
// once.
func NumberGroups(groups [][]recall.Predicate) []recall.Predicate {
	var out []recall.Predicate
	for i, g := range groups {
		for _, p := range g {
			p.Group = i + 1
			out = append(out, p)
		}
	}
	return out
}

var (
	cellSaysAll  = regexp.MustCompile(`(?i)^(?:all|any|every)(?: (?:known|affected))?(?:,? (?:batch|lot|date|product|production|serial|best before|use by|expiry|unit|size|model|code|number|no)(?:e?s)?\.?)*\.?$`)
	cellSaysNone = regexp.MustCompile(`(?i)^(?:un|not |none |no )?(?:known|provided|available|specified|stated|given|identified|disclosed|marked|applicable|batch(?: number| code)?|lot number|barcode)s?\.?$|^(?:unbranded|tbc|tba)\.?$`)
	cellGoesOn   = regexp.MustCompile(`(?i)\b(?:etc|others?|various|several|multiple|includ(?:es?|ing)|e\.?g|such as|some|at least|possibl[ey]|additional|more|limited to|among|unknown|for example)\b|\.\.\.|…`)
	// cellOwnLabel are words that say themselves what the codes behind them are.
	cellOwnLabel = regexp.MustCompile(`(?i)\b(?:batch|lot|serial|code|julian|best before|bbe?|use by|expiry|exp|manufactur\w*|produced|production|made|sold|purchased)\b`)
	cellRemark   = regexp.MustCompile(`\s*\(([^()]*)\)\s*\.?$`)
	// cellSeparator of a list: a full stop or slash may be part of a code.
	cellSeparator = regexp.MustCompile(`(?i)\s*(?:[,;\n•|]|\s&\s|\band\b|\bor\b)\s*`)
	cellCodeWord  = regexp.MustCompile(`^#?[\p{Lu}\p{Ll}\d](?:[\p{Lu}\p{Ll}\d./_\-]*[\p{Lu}\p{Ll}\d])?$`)
	cellDateLike  = regexp.MustCompile(`^\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}$|^\d{1,2}[./\-](?:19|20)\d{2}$`)
	cellRangeLike = regexp.MustCompile(`^([A-Za-z]*)\d{2,}[\-–—]([A-Za-z]*)\d{2,}$`)
)

// cellGoesOnIn tells whether a list names only some of its members. The end of a
// range "up to and including" is none of that.
func cellGoesOnIn(text string) bool {
	return cellGoesOn.MatchString(cellLastDay.ReplaceAllString(text, ""))
}

var cellLastDay = regexp.MustCompile(`(?i)\band including\b`)

// remark takes a remark in brackets off the end of the text. all is where one
// stands that says that every unit is meant.
func (c Cell) remark() (body string, all []int) {
	at := cellRemark.FindStringSubmatchIndex(c.Text)
	if at == nil || !cellSaysAll.MatchString(c.Text[at[2]:at[3]]) {
		return c.Text, nil
	}
	return c.Text[:at[0]], at[2:4]
}

// cellPart is one member of a list, with where it starts.
type cellPart struct {
	text  string
	start int
}

func cellParts(body string) []cellPart {
	var out []cellPart
	start := 0
	add := func(end int) {
		if text := strings.TrimSpace(body[start:end]); text != "" {
			out = append(out, cellPart{text, start + strings.Index(body[start:end], text)})
		}
	}
	for _, at := range cellSeparator.FindAllStringIndex(body, -1) {
		add(at[0])
		start = at[1]
	}
	add(len(body))
	return out
}

// isCellCode tells codes ("186334", "24-13", "AB 12/3") from words, dates and
// ranges, which are read as prose.
func isCellCode(s string) bool {
	words := strings.Fields(s)
	const mostWords, longest = 3, 30
	if len(words) > mostWords || len(s) > longest || !strings.ContainsAny(s, "0123456789") {
		return false
	}
	for _, w := range words {
		short := len(w) <= 3 && strings.ToUpper(w) == w
		if !cellCodeWord.MatchString(w) || cellDateLike.MatchString(w) || cellRangeLike.MatchString(w) || !short && !strings.ContainsAny(w, "0123456789") {
			return false
		}
	}
	return cellMonth.FindString(s) == "" && !cellOwnLabel.MatchString(s)
}

var cellMonth = regexp.MustCompile(`(?i)\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]*\b|\d)`)

// isCellModel tells the numbers and names of models from sentences.
func isCellModel(s string) bool {
	const mostWords, longest = 6, 50
	return len(strings.Fields(s)) <= mostWords && len(s) <= longest && !strings.ContainsAny(s, ":()[]") && !cellGoesOn.MatchString(s) &&
		!cellRangeWords.MatchString(s)
}

var cellRangeWords = regexp.MustCompile(`(?i)\b(?:to|from|between|through|starting|beginning|ending|see|below|listed|following)\b`)

// cellLabels are what stands before a cell's words when they are read as prose.
var cellLabels = map[recall.UnitKind]string{
	recall.Lot: "Lot: ", recall.Batch: "Batch: ", recall.Serial: "Serial number: ", recall.DateCode: "Date code: ",
	recall.Made: "Manufactured: ", recall.BestBefore: "Best before: ", recall.Expiry: "Use by: ", recall.Sold: "Sold: ",
}

// prose reads a cell that is no plain list. Nothing read, or a list that goes
// on, leaves an Unreadable group.
func (c Cell) prose(kind recall.UnitKind) [][]recall.Predicate {
	label := cellLabels[kind]
	found := c.read(label)
	if cellOwnLabel.MatchString(c.Text) {
		if own := c.read(""); len(own.Units) > 0 {
			found = own
		}
	}
	var groups [][]recall.Predicate
	unreadable := false
	for start := 0; start < len(found.Units); {
		end := start + 1
		for end < len(found.Units) && found.Units[end].Group == found.Units[start].Group {
			end++
		}
		group := slices.Clone(found.Units[start:end])
		for i := range group {
			p := &group[i]
			unreadable = unreadable || p.Op == recall.OpUnreadable
			if kind == recall.Expiry && p.Kind == recall.BestBefore {
				p.Kind = recall.Expiry // the prose reader doesn't tell the two apart
			}
		}
		groups = append(groups, group)
		start = end
	}
	codes, missed := c.passedOver(groups)
	if kind != recall.Lot && kind != recall.Batch && kind != recall.Serial && kind != recall.DateCode {
		codes, missed = nil, missed || len(codes) > 0 // a code is no date
	}
	for _, p := range codes {
		groups = append(groups, []recall.Predicate{recall.Equals(1, kind, p.text, c.quote(p.start, p.start+len(p.text)))})
	}
	if len(groups) == 0 || !unreadable && (missed || cellGoesOnIn(c.Text)) {
		groups = append(groups, []recall.Predicate{recall.Unreadable(1, kind, c.quote(0, len(c.Text)))})
	}
	return groups
}

// passedOver finds the members of a list that the prose reader passed over:
// codes, which count all the same, and numbers that are not understood.
func (c Cell) passedOver(groups [][]recall.Predicate) (codes []cellPart, missed bool) {
	for _, part := range cellParts(c.Text) {
		if !strings.ContainsAny(part.text, "0123456789") {
			continue
		}
		quoted := func(p recall.Predicate) bool {
			return p.Quote.Start < part.start+len(part.text) && part.start < p.Quote.End
		}
		switch {
		case slices.ContainsFunc(groups, func(g []recall.Predicate) bool { return slices.ContainsFunc(g, quoted) }):
		case isCellCode(part.text):
			codes = append(codes, part)
		default:
			missed = true
		}
	}
	return codes, missed
}

// read reads the text behind a label as prose, with quotes of the text alone.
func (c Cell) read(label string) extract.Codes {
	found := extract.Read([]extract.Field{{Name: c.Field, Text: label + c.Text}}, extract.Options{Language: c.Language})
	for i := range found.Units {
		q := &found.Units[i].Quote
		*q = c.quote(max(q.Start-len(label), 0), max(q.End-len(label), 0))
	}
	return found
}

// quote quotes a part of the text; an empty one quotes all of it.
func (c Cell) quote(start, end int) recall.Quote {
	if start >= end {
		start, end = 0, len(c.Text)
	}
	return recall.Quote{Text: c.Text[start:end], Field: c.Field, Start: start, End: end}
}
