package extract

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/crownsafe/api/internal/recall"
)

var (
	cellCode    = regexp.MustCompile(`[A-Z0-9][A-Z0-9.\-/*]*`)
	serialRange = regexp.MustCompile(`([A-Z0-9][A-Z0-9*-]*)\s*(?:thru|through|to|and|–|—|-)\s+([A-Z0-9][A-Z0-9*-]*)|([A-Z0-9][A-Z0-9*-]*)\s*[–—]\s*([A-Z0-9][A-Z0-9*-]*)`)
	lastEnd     = regexp.MustCompile(`(?:thru|through|to|and|–|—|-)\s*([A-Z0-9][A-Z0-9*-]*)`)
	remark      = regexp.MustCompile(`\s*\([^()]*\)`)
	lettersOnly = regexp.MustCompile(`[A-Z]{2,}-[A-Z]+[^A-Z0-9-]|[A-Z]-[A-Z]{2,}[^A-Z0-9-]`)
	runningOn   = regexp.MustCompile(`^(?:-[A-Za-z]|[’'”"]|[A-Z][a-z](?:[^a-z]|$))`)
	monthYear   = regexp.MustCompile(`(?:0[1-9]|1[0-2])/20[0-9][0-9]`)
)

// readNames reads a table whose codes name products: models or barcodes, beside
// names, colours and sizes.
func (b *tableBody) readNames(hasModels bool) (table, bool) {
	hasGTINs, _ := b.has(columnGTIN)
	var out table
	s := b.source()
	if b.count(columnModel) > 1 || strings.Contains(s, "Model") || lettersOnly.MatchString(s) {
		return table{}, false // two numbers of a product, or models without figures
	}
	for _, at := range cellCode.FindAllStringIndex(s, -1) {
		start, end := b.trimCell(at[0], at[1])
		code := s[start:end]
		if b.runsOn(end) {
			return table{}, false
		}
		if hasGTINs {
			if before, barcode, behind, ok := barcodeIn(code); ok {
				from := start + len(before)
				out.gtins = append(out.gtins, b.spanOf(from, from+len(barcode)))
				code = before + behind
			}
		}
		switch {
		case followsAmount(s[end:]), len(squeeze(code)) < 4, !strings.ContainsAny(code, "0123456789"), standards[strings.ToLower(code)]:
		case !hasModels || !isCellModel(code):
			return table{}, false
		default:
			out.models = append(out.models, code)
		}
	}
	if hasGTINs && len(out.gtins) == 0 || hasModels && (len(out.models) == 0 || !uniform(out.models)) {
		return table{}, false
	}
	return out, true
}

// trimCell leaves out the capital of the word that is glued to a code's end, and
// signs at its ends.
func (b *tableBody) trimCell(start, end int) (int, int) {
	s := b.source()
	if end < len(s) && isSmallLetter(s[end]) && end-start > 1 && isUpperLetter(s[end-1]) {
		end--
	}
	for end > start && strings.IndexByte(".-/", s[end-1]) >= 0 {
		end--
	}
	return start, end
}

// runsOn tells whether a code goes on into the next cell, and nothing says where:
// "RTL-10016-foot", "13721410-Piece", "98205MPPTx", "9841012’".
func (b *tableBody) runsOn(end int) bool {
	return runningOn.MatchString(b.source()[end:])
}

// isCellModel admits codes of five characters or more with digits among them.
func isCellModel(code string) bool {
	const least = 5
	return len(squeeze(code)) >= least && strings.ContainsAny(code, "0123456789") && !standards[strings.ToLower(code)] &&
		!strings.ContainsAny(code, "/.") && len(code) <= longestModel && (len(code) < 11 || !onlyDigits(code))
}

var amountBehind = regexp.MustCompile(`^\s?(?:inch|inches|ounce|ounces|oz|lbs?|pounds?|feet|foot|ft|mm|cm|volts?|watts?|amps?|pieces?|pack|count|BTU|gallons?|[”"’])`)

func followsAmount(rest string) bool { return amountBehind.MatchString(rest) }

// uniform tells whether codes are cells of one column: each begins like the
// first, or is built like another one.
func uniform(codes []string) bool {
	for i, c := range codes {
		alike := builtLike(codes[0], c) && i > 0
		for j := range codes {
			alike = alike || i != j && len(codes[j]) == len(c) && sameClasses(codes[j], c)
		}
		if !alike && len(codes) > 1 {
			return false
		}
	}
	return true
}

// readLots reads a table of lots with their dates: "0515I109/2021 0130B201/2022"
// behind the barcodes of their products.
func (b *tableBody) readLots() (table, bool) {
	var out table
	s, from := b.source(), 0
	for _, at := range monthYear.FindAllStringIndex(s, -1) {
		cell := strings.TrimSpace(s[from:at[0]])
		lotEnd := strings.LastIndex(s[:at[0]], cell) + len(cell)
		if _, barcode, behind, ok := barcodeIn(cell); ok && behind != "" {
			start := from + strings.Index(s[from:at[0]], barcode)
			out.gtins = append(out.gtins, b.spanOf(start, start+len(barcode)))
			cell = behind
		}
		if !isCellLot(cell) {
			return table{}, false
		}
		lot := b.spanOf(lotEnd-len(cell), lotEnd)
		out.groups = append(out.groups, b.lotGroup(cell, lot, s[at[0]:at[1]], b.spanOf(at[0], at[1])))
		from = at[1]
	}
	if rest := strings.TrimSpace(s[from:]); len(out.groups) < 2 || strings.ContainsAny(rest, "0123456789") {
		return table{}, false
	}
	return out, true
}

func isCellLot(code string) bool {
	const least, longest = 4, 14
	return len(code) >= least && len(code) <= longest && cellCode.FindString(code) == code && strings.ContainsAny(code, "0123456789")
}

func (b *tableBody) lotGroup(lot string, at span, month string, monthAt span) group {
	day := month[3:] + "-" + month[:2]
	kind := recall.Lot
	if is, _ := b.has(columnLot); !is {
		kind = recall.DateCode
	}
	return group{preds: []recall.Predicate{
		recall.Equals(0, kind, lot, b.text.quote(at)),
		recall.Equals(0, b.dateKind(), day, b.text.quote(monthAt)),
	}}
}

// readSerials reads a table of models with their serial numbers.
func (b *tableBody) readSerials(first int) (table, bool) {
	rows, ok := b.serialRows(first)
	if !ok {
		return table{}, false
	}
	var out table
	for _, r := range rows {
		out.models = append(out.models, r.model)
		var p recall.Predicate
		if quote := b.text.quote(r.at); r.to == "" {
			p = recall.Affix(0, recall.Serial, recall.OpPrefix, r.from, quote)
		} else {
			p = recall.Range(0, recall.Serial, r.from, r.to, quote)
		}
		p.Models = []string{r.model}
		out.groups = append(out.groups, group{preds: []recall.Predicate{p}})
	}
	return out, uniform(out.models)
}

// readApart reads rows of a model, its barcode and its serial numbers that
// blanks keep apart: a barcode tells that the cell before it begins a row.
func (b *tableBody) readApart() (table, bool) {
	var out table
	s := b.source()
	cells := fieldsIn(s)
	for i := 0; i < len(cells); i++ {
		at := cells[i]
		cell := s[at.start:at.end]
		switch {
		case i+1 < len(cells) && goodBarcode(s[cells[i+1].start:cells[i+1].end]) && isCellModel(cell):
			out.models = append(out.models, cell)
			out.gtins = append(out.gtins, b.spanOf(cells[i+1].start, cells[i+1].end))
			i++
			continue
		case len(out.models) == 0 || strings.Trim(cell, "-") == "" || cellCode.FindString(cell) != cell:
			return table{}, false
		}
		p, next := b.serialAt(cells, i)
		p.Models = []string{out.models[len(out.models)-1]}
		out.groups = append(out.groups, group{preds: []recall.Predicate{p}})
		i = next
	}
	return out, len(out.models) > 0 && len(out.groups) > 0
}

// serialAt reads a serial number, a range of them or a beginning, and returns
// its last cell.
func (b *tableBody) serialAt(cells []span, i int) (recall.Predicate, int) {
	s := b.source()
	first := s[cells[i].start:cells[i].end]
	if i+2 < len(cells) {
		switch s[cells[i+1].start:cells[i+1].end] {
		case "–", "—", "-", "to", "thru", "through":
			last := s[cells[i+2].start:cells[i+2].end]
			return recall.Range(0, recall.Serial, first, last, b.text.quote(b.spanOf(cells[i].start, cells[i+2].end))), i + 2
		}
	}
	quote := b.text.quote(b.spanOf(cells[i].start, cells[i].end))
	if beginning, is := strings.CutSuffix(first, "-"); is {
		return recall.Affix(0, recall.Serial, recall.OpPrefix, beginning, quote), i
	}
	return recall.Equals(0, recall.Serial, first, quote), i
}

// fieldsIn returns where the words between blanks stand.
func fieldsIn(s string) []span {
	var cells []span
	start := -1
	for i, r := range s + " " {
		switch {
		case unicode.IsSpace(r) && start >= 0:
			cells, start = append(cells, span{start, i}), -1
		case !unicode.IsSpace(r) && start < 0:
			start = i
		}
	}
	return cells
}

// serialRow is a range of serial numbers of a model, or (to empty) how they begin.
type serialRow struct {
	model, from, to string
	at              span
}

func (b *tableBody) serialRows(first int) ([]serialRow, bool) {
	if first > 0 {
		return b.beginnings(first)
	}
	s, model, read := b.source(), "", 0
	ends := lastEnd.FindAllStringSubmatch(s, -1)
	if len(ends) == 0 {
		return nil, false
	}
	// The end of the last range stands free, and shows how a serial number is built.
	build := ends[len(ends)-1][1]
	var rows []serialRow
	for {
		at := serialRange.FindStringSubmatchIndex(s[read:])
		if at == nil {
			break
		}
		start, second := read+max(at[2], at[6]), read+max(at[4], at[8])
		glued, from, okFrom := cutBehind(s[start:read+max(at[3], at[7])], build)
		to, _, okTo := cutBefore(s[second:read+at[1]], build)
		from, last := fillPlaceholders(from, '0'), fillPlaceholders(to, '9')
		if !okFrom || !okTo || !ordered(from, last) {
			return nil, false
		}
		switch name := strings.TrimSuffix(strings.Trim(remark.ReplaceAllString(s[read:start], ""), " ,;\t"), "Between"); {
		case name+glued == "" && model == "", name != "" && glued != "" && !strings.HasSuffix(s[read:start], " "):
			return nil, false
		case name+glued != "":
			if model = strings.TrimSpace(name + " " + glued); !isCellModel(model) {
				return nil, false
			}
		}
		rows = append(rows, serialRow{model, from, last, b.spanOf(start+len(glued), second+len(to))})
		read = second + len(to)
	}
	if strings.ContainsAny(s[read:], "0123456789") {
		return nil, false
	}
	return rows, true
}

// cutBehind cuts a serial number off the end of what a cell glued before it.
func cutBehind(code, build string) (before, serial string, ok bool) {
	at := len(code) - len(build)
	if at < 0 || !sameClasses(code[at:], build) {
		return "", "", false
	}
	return code[:at], code[at:], true
}

// cutBefore cuts a serial number off the front of what a cell glued behind it.
func cutBefore(code, build string) (serial, behind string, ok bool) {
	if len(code) < len(build) || !sameClasses(code[:len(build)], build) {
		return "", "", false
	}
	return code[:len(build)], code[len(build):], true
}

// beginnings reads rows of a model and of the beginnings of its serial numbers,
// of which the head tells the length: "13110003 31EK30-01 or 31EK30-02". How long
// the models are is what lets every row be read, if one length alone does.
func (b *tableBody) beginnings(length int) ([]serialRow, bool) {
	const shortest, longest = 4, 14
	var rows []serialRow
	for models := shortest; models <= longest; models++ {
		read, ok := b.beginningsOf(models, length)
		if !ok {
			continue
		}
		if rows != nil {
			return nil, false
		}
		rows = read
	}
	return rows, rows != nil
}

// beginningsOf reads the rows of models of one length.
func (b *tableBody) beginningsOf(models, length int) ([]serialRow, bool) {
	s := b.source()
	var rows []serialRow
	for _, at := range cellCode.FindAllStringIndex(s, -1) {
		start, end := b.trimCell(at[0], at[1])
		if !strings.ContainsAny(s[start:end], "0123456789") {
			continue
		}
		model := ""
		if len(rows) > 0 && strings.HasSuffix(strings.TrimSpace(s[:start]), "or") {
			model = rows[len(rows)-1].model // 31EK30-01 or 31EK30-02
		}
		for start < end {
			if model == "" {
				if start+models >= end || !isCellModel(s[start:start+models]) {
					return nil, false
				}
				model, start = s[start:start+models], start+models
			}
			cut := start + widthOf(s[start:end], length)
			if cut > end || len(rows) > 0 && !sameClasses(s[start:cut], rows[0].from[:min(len(rows[0].from), cut-start)]) {
				return nil, false
			}
			rows = append(rows, serialRow{model: model, from: s[start:cut], at: b.spanOf(start, cut)})
			model, start = "", cut
		}
	}
	return rows, len(rows) > 0
}

// widthOf is how many bytes the first so many letters and digits take.
func widthOf(s string, characters int) int {
	for i := range len(s) {
		if characters == 0 {
			return i
		}
		if s[i] != '-' {
			characters--
		}
	}
	return len(s) + characters
}
