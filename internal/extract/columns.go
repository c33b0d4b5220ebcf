package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// row is one row of a flattened table of serial numbers.
type row struct {
	value value
	model string
}

// serialColumn reads the ranges of a flattened table in whose head the label
// stands: "Model Description Serial No. Range TB21044BEN … 3014835626 to
// 3015507481". Only pairs of codes built alike count, and only long ones.
func (t *text) serialColumn(m mention) (rows []row, end int) {
	const reach = 600
	if m.next >= len(t.tokens) || !m.strong && !m.plural {
		return nil, 0
	}
	next := &t.tokens[m.next]
	ranges := next.lower == "range" || next.lower == "ranges"
	if !ranges && (m.label != labelSerial || next.lowercase && !next.capital) {
		return nil, 0
	}
	model := ""
	for i := m.next; i+2 < len(t.tokens) && i < m.next+reach; i++ {
		tok := &t.tokens[i]
		if strings.HasPrefix(tok.lower, "prefix") || strings.HasPrefix(tok.lower, "begin") || strings.HasPrefix(tok.lower, "start") {
			return nil, 0
		}
		if !tok.word || tok.digits < 3 || strings.Contains(tok.lower, "/") {
			continue
		}
		if to, behind := t.rangeEnd(i+1, ranges, m); behind > 0 && tok.digits >= 4 && t.tokens[behind-1].digits >= 4 && t.isCode(i, m, leadIn{}, false) {
			if from := t.code(i); ordered(from, to) {
				v := value{form: isRange, from: from, to: to, at: span{tok.start, t.tokens[behind-1].end}}
				rows, end = append(rows, row{v, model}), behind
				i = behind - 1
				continue
			}
			return nil, 0 // a table of another make
		}
		if t.isColumnCode(i, m) {
			model = t.code(i)
		}
	}
	return rows, end
}

// addColumn keeps a table's rows, each limited to the model that stands before
// it, as far as that is a model of the notice.
func (r *reader) addColumn(t *text, m mention, rows []row, end int) int {
	for _, row := range rows {
		k := mark{text: t, kind: recall.Serial, label: m, values: []value{row.value}, end: row.value.at.end}
		if m.label != labelSerial {
			k.kind = m.label.kind()
		}
		if row.model != "" && r.seen[squeeze(row.model)] {
			k.models = []string{row.model}
		}
		r.marks = append(r.marks, k)
	}
	return m.next
}

// misreadColumn tells whether the values of a mark are the cells of a table's
// other column: one of them is a model, or the label stands in a row of heads.
func (t *text) misreadColumn(k *mark, models map[string]bool) bool {
	if len(k.values) == 0 || k.values[0].form == isRange {
		return false
	}
	for _, v := range k.values {
		if v.form == isEqual && models[squeeze(v.from)] {
			return true
		}
	}
	i := k.label.first
	if i == 0 || codeFields[t.field] || k.label.colon || !t.tokens[i].capital {
		return false
	}
	head := &t.tokens[i-1]
	return head.capital && headerWords[head.lower]
}
