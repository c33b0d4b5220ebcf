package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
)

// groupings are the ways in which the digits of a barcode are printed apart, as
// the lengths of the groups, longest first: those of UPC-A, EAN-13 and GTIN-14
// symbols, and those that people make of them. Any other grouping counts only
// right behind a barcode's label; see barcodeAt.
var groupings = [][]int{
	{1, 2, 5, 5, 1}, {1, 1, 5, 5, 1}, {2, 1, 5, 5, 1}, {1, 5, 2, 3, 1},
	{1, 5, 5, 1}, {3, 5, 5, 1}, {1, 6, 6, 1}, {1, 6, 5, 1},
	{6, 5, 1}, {1, 6, 6}, {1, 5, 6}, {1, 10, 1}, {6, 6}, {7, 6},
}

// sweepGTINs reads the barcodes of a text that announces some: captions, pack
// sizes and remarks stand between label and digits in too many ways, and a
// flattened table has its label in the head alone. Every number as long as a
// barcode and with the right check digit is one then.
func (r *reader) sweepGTINs(t *text) {
	if !t.announcesGTINs() {
		if r.opts.Food {
			r.sweepWholeGTINs(t)
		}
		return
	}
	runs := t.digitRuns()
	var glued []digitRun
	for i := 0; i < len(runs); i++ {
		if at, n := t.groupedBarcode(runs[i:]); n > 0 {
			r.sweepIn(t, at)
			i += n - 1
			continue
		}
		switch run := runs[i]; {
		case run.end-run.start < 12:
		case t.isGlued(run):
			glued = append(glued, run)
		case gtin.Pad14(t.source[run.start:run.end]) != "":
			r.sweepIn(t, run.span)
		}
	}
	if len(glued) > 0 {
		r.cutGlued(t, glued)
	}
	r.sweepShortened(t, runs)
}

// sweepShortened reads a column of barcodes that have lost their zero in front:
// several numbers of eleven digits, all of which have the right check digit.
func (r *reader) sweepShortened(t *text, runs []digitRun) {
	var shortened []span
	for _, run := range runs {
		if run.end-run.start != 11 || t.isGlued(run) {
			continue
		}
		if !gtin.Valid("0" + t.source[run.start:run.end]) {
			return
		}
		shortened = append(shortened, run.span)
	}
	if len(shortened) < 2 {
		return
	}
	for _, at := range shortened {
		r.sweepIn(t, at)
	}
}

// sweepWholeGTINs reads the barcodes that the text on a food prints without a
// label: twelve digits in one piece, as no lot is.
func (r *reader) sweepWholeGTINs(t *text) {
	for i := range t.tokens {
		if tok := &t.tokens[i]; len(tok.lower) == 12 && onlyDigits(tok.lower) && gtin.Valid(tok.lower) && !r.inMark(t, span{tok.start, tok.end}) {
			r.sweepIn(t, span{tok.start, tok.end})
		}
	}
}

// inMark tells whether a stretch of a text was read as a mark of units.
func (r *reader) inMark(t *text, at span) bool {
	for i := range r.marks {
		if k := &r.marks[i]; k.text == t && slices.ContainsFunc(k.values, func(v value) bool { return v.at.start < at.end && at.start < v.at.end }) {
			return true
		}
	}
	return false
}

// sweepIn keeps a barcode, unless it is the end of a range of serial numbers or
// the sentence says that it is not recalled.
func (r *reader) sweepIn(t *text, at span) {
	for i := range r.marks {
		k := &r.marks[i]
		if k.text != t {
			continue
		}
		for _, v := range k.values {
			if (k.label.label == labelSerial || v.form == isRange) && v.at.start <= at.start && at.end <= v.at.end {
				return
			}
		}
	}
	if i := t.tokenAt(at.start); i < len(t.tokens) && t.excludes(i) {
		return
	}
	r.addGTIN(t, at)
}

// tokenAt returns the token that holds a byte.
func (t *text) tokenAt(at int) int {
	i, _ := slices.BinarySearchFunc(t.tokens, at, func(tok token, at int) int {
		switch {
		case tok.end <= at:
			return -1
		case tok.start > at:
			return 1
		}
		return 0
	})
	return i
}

// announcesGTINs tells whether a text names barcodes anywhere, be it in a head
// that flattening glued to its neighbours: "ModelUPCBold Colors".
func (t *text) announcesGTINs() bool {
	for _, m := range t.mentions {
		if m.label == labelGTIN {
			return true
		}
	}
	for _, name := range []string{"UPC", "EAN", "GTIN"} {
		for from := 0; ; {
			at := strings.Index(t.source[from:], name)
			if at < 0 {
				break
			}
			from += at + len(name)
			if before := from - len(name) - 1; before >= 0 && isUpperLetter(t.source[before]) && name != "UPC" {
				continue // OCEAN
			}
			rest := t.source[from:]
			if len(rest) < 2 || !isUpperLetter(rest[0]) || !isUpperLetter(rest[1]) {
				return true // but for UPCOMING
			}
		}
	}
	return false
}

// digitRun is some digits in a row. joined tells that a blank or a dash alone
// stands between them and the run before.
type digitRun struct {
	span
	joined, dashed bool
}

func (t *text) digitRuns() []digitRun {
	var runs []digitRun
	last := -1 // the end of the run before
	for i := 0; i < len(t.source); i++ {
		if !isDigit(t.source[i]) {
			continue
		}
		run := digitRun{span: span{i, i + 1}}
		for run.end < len(t.source) && isDigit(t.source[run.end]) {
			run.end++
		}
		if last >= 0 && i-last <= len(" – ") {
			switch t.source[last:i] {
			case "-", "–", "‑", " - ", " – ":
				run.joined, run.dashed = true, true
			case " ", "  ", "\u00a0", "\u202f":
				run.joined = true
			}
		}
		runs = append(runs, run)
		last, i = run.end, run.end
	}
	return runs
}

// groupedBarcode reads a barcode that is printed in several groups, the first of
// which begins the runs. It returns how many runs it takes, 0 when there is none.
//
// Where dashes hold the groups together, digits of the neighbouring cells may be
// glued to the outer ones: "TRX1138-49398-06563-1".
func (t *text) groupedBarcode(runs []digitRun) (at span, n int) {
	var digits [16]byte
	for _, lengths := range groupings {
		n := len(lengths)
		if len(runs) < n {
			continue
		}
		first, last := runs[0], runs[n-1]
		at := span{first.end - lengths[0], last.start + lengths[n-1]}
		if at.start < first.start || at.end > last.end {
			continue
		}
		fits, dashed := true, true
		for k := 1; k < n && fits; k++ {
			fits = runs[k].joined && (k == n-1 || runs[k].end-runs[k].start == lengths[k])
			dashed = dashed && runs[k].dashed
		}
		whole := at.start == first.start && at.end == last.end
		if !fits || !whole && (!dashed || n < 4) {
			continue
		}
		number := digits[:0]
		for i := at.start; i < at.end; i++ {
			if c := t.source[i]; isDigit(c) {
				number = append(number, c)
			}
		}
		if gtin.Valid(string(number)) {
			return at, n
		}
	}
	return span{}, 0
}

// isGlued tells whether other cells of a flattened table may be glued to a run
// of digits: it is too long for a barcode, or letters touch it.
func (t *text) isGlued(run digitRun) bool {
	if run.end-run.start > 14 {
		return true
	}
	if run.start > 0 {
		if class, _ := classify(t.source, run.start-1); class == classLetter {
			return true
		}
	}
	if run.end == len(t.source) {
		return false
	}
	class, _ := classify(t.source, run.end)
	return class == classLetter || t.source[run.end] == '/'
}

// cutGlued cuts the barcodes out of runs to which other cells are glued in
// front or behind: "1000199850067300199Bold". Of readings that overlap, the one
// whose company is named most often in the text is taken; all, where that does
// not decide.
func (r *reader) cutGlued(t *text, runs []digitRun) {
	readings := make([][]span, len(runs))
	votes := map[string]int{}
	company := func(at span) string { return gtin.Pad14(t.source[at.start:at.end])[1:8] }
	for _, have := range r.found.GTINs {
		votes[have.GTIN[1:8]]++
	}
	for i, run := range runs {
		readings[i] = t.barcodesIn(run)
		for _, at := range readings[i] {
			votes[company(at)]++
		}
	}
	for _, candidates := range readings {
		for _, at := range candidates {
			beaten := slices.ContainsFunc(candidates, func(other span) bool {
				return other.start < at.end && at.start < other.end && votes[company(other)] > votes[company(at)]
			})
			if !beaten {
				r.sweepIn(t, at)
			}
		}
	}
}

// barcodesIn returns the stretches of a run that may be a barcode: the whole of
// it, twelve digits at either end or, where those are none, thirteen.
func (t *text) barcodesIn(run digitRun) []span {
	var found []span
	add := func(at span) {
		if gtin.Pad14(t.source[at.start:at.end]) != "" && !slices.Contains(found, at) {
			found = append(found, at)
		}
	}
	size := run.end - run.start
	if size <= 14 {
		add(run.span)
	}
	for _, length := range []int{12, 13} {
		if length == 13 && len(found) > 0 && size < 25 || size < length {
			break
		}
		add(span{run.start, run.start + length})
		add(span{run.end - length, run.end})
	}
	return found
}
