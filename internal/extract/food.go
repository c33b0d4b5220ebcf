package extract

import (
	"cmp"
	"slices"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// isProductCode tells whether a label says "product code" or "case code", not
// "item number".
func (t *text) isProductCode(m mention) bool {
	switch t.tokens[m.first].lower {
	case "product", "case", "package", "packaging":
	default:
		return false
	}
	for i := m.first; i < m.next; i++ {
		if t.tokens[i].lower == "code" || t.tokens[i].lower == "codes" {
			return true
		}
	}
	return false
}

// readProductCodes keeps the product codes of a food until it is known whether
// other codes tell its units apart.
func (r *reader) readProductCodes(t *text, m mention) int {
	m.label = labelDateCode
	list := t.codesBehind(m)
	if len(list.values) == 0 && !list.doubt {
		list.values = t.codesBefore(m)
	}
	next := max(list.next, m.next)
	list.values = slices.DeleteFunc(list.values, func(v value) bool {
		barcode := v.form == isEqual && onlyDigits(v.from) && (len(v.from) == 12 || len(v.from) == 13) && gtin.Valid(v.from)
		if barcode {
			r.addGTIN(t, v.at)
		}
		return barcode
	})
	if len(list.values) == 0 {
		return next
	}
	before := len(r.marks)
	r.addMark(mark{text: t, kind: recall.DateCode, label: m, values: list.values, doubt: list.doubt}, next)
	for _, k := range r.marks[before:] {
		if k.doubt || slices.ContainsFunc(k.values, func(v value) bool { return v.form == isRange && len(v.from) != len(v.to) }) {
			k.values, k.doubt = nil, true // "product codes 307 2263 through 307 2274"
		}
		r.productCodes = append(r.productCodes, k)
	}
	r.marks = r.marks[:before]
	return next
}

// openPlaces takes a code behind places that a notice leaves open, "###14", for
// the end of codes.
func (t *text) openPlaces(values []value) {
	for i := range values {
		if v := &values[i]; v.form == isEqual && v.at.start >= 2 && t.source[v.at.start-2:v.at.start] == "##" {
			v.form = isSuffix
		}
	}
}

// settleTradeNumbers decides what the numbers of a food are. Item numbers stand
// on cases: where anything else tells the product or its units, they are no
// models of it. Product codes are production codes where no other code is named.
func (r *reader) settleTradeNumbers() {
	if !r.opts.Food {
		return
	}
	coded := slices.ContainsFunc(r.marks, func(k mark) bool { return family(k.kind) == recall.Lot && (len(k.values) > 0 || k.all) })
	for _, k := range r.productCodes {
		if !coded && !k.except {
			r.insertMark(k)
			continue
		}
		for _, v := range k.values {
			r.found.TradeNumbers = append(r.found.TradeNumbers, v.from)
		}
	}
	if len(r.marks)+len(r.found.GTINs) == 0 {
		return // nothing else tells which product is meant
	}
	r.barcodesAmongModels()
	r.found.TradeNumbers = append(r.found.TradeNumbers, r.found.Models...)
	r.found.Models, r.modelMarks, r.modelsMissing, r.modelsOpen = nil, nil, false, false
}

// insertMark puts a mark where it stands among those of its text.
func (r *reader) insertMark(k mark) {
	texts := func(t *text) int { return slices.Index(r.texts, t) }
	at, _ := slices.BinarySearchFunc(r.marks, k, func(a, b mark) int {
		return cmp.Or(cmp.Compare(texts(a.text), texts(b.text)), cmp.Compare(a.label.first, b.label.first))
	})
	r.marks = slices.Insert(r.marks, at, k)
}
