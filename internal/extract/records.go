package extract

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

// readRecords joins the marks of a field of codes that stand in records: each
// line of a table that was written as prose.
func (r *reader) readRecords(t *text) {
	r.readGlosses(t)
	r.joinEnds(t)
	r.readCycles(t)
}

// readGlosses takes a date that only explains a code, "761511 = cut on 9/18/2027",
// for one mark with it.
func (r *reader) readGlosses(t *text) {
	r.marks = slices.DeleteFunc(r.marks, func(k mark) bool {
		at := k.label.first - 2
		if k.text != t || k.kind != recall.Made || len(k.values) == 0 || at < 0 || t.tokens[at+1].lower != "=" || t.tokens[at].digits == 0 {
			return false
		}
		code := mark{text: t, kind: recall.Lot, label: mention{first: at}, values: []value{t.whole(span{t.tokens[at].start, t.tokens[at].end})}}
		for i := range r.marks {
			if named := &r.marks[i]; named.label.label.code() && slices.ContainsFunc(named.values, func(v value) bool { return squeeze(v.from) == squeeze(code.values[0].from) }) {
				code.kind = named.kind
			}
		}
		r.tableRecord(t, []mark{code, k})
		return true
	})
}

// tableRecord keeps the marks of one record: the alternatives that they make.
func (r *reader) tableRecord(t *text, marks []mark) {
	groups := []group{{text: t, near: marks[0].label.first}}
	for _, k := range marks {
		var next []group
		for _, g := range groups {
			for _, p := range r.predicates(k) {
				next = append(next, group{append(slices.Clone(g.preds), p), t, g.near})
			}
		}
		groups = next
	}
	r.tabled = append(r.tabled, groups...)
}

// joinEnds makes one window of two pairs that a word for a range joins: "Julian
// Date 190 Best By 8/22/2027 through Julian Date 260 Best By 10/31/2027". A first
// date that can't be read leaves the window open.
func (r *reader) joinEnds(t *text) {
	for i := 0; i+3 < len(r.marks); i++ {
		code, date, lastCode, lastDate := &r.marks[i], &r.marks[i+1], &r.marks[i+2], &r.marks[i+3]
		if code.text != t || lastDate.text != t || !single(code) || !single(lastCode) || !single(lastDate) ||
			!code.label.label.code() || code.kind != lastCode.kind || !isDateKind(date.kind) || date.kind != lastDate.kind ||
			!single(date) && (len(date.values) > 0 || !date.doubt) || !t.leadsOn(date.end, lastCode.label.first) || !ordered(code.values[0].from, lastCode.values[0].from) {
			continue
		}
		codes, dates := code.values[0], lastDate.values[0]
		codes.form, codes.to = isRange, lastCode.values[0].to
		dates.form, dates.from, dates.at.start = isRange, "", t.tokens[date.label.first].start
		if dates.from = t.firstDate(date); dates.from > dates.to {
			continue
		}
		code.values, date.values, date.doubt, date.end = []value{codes}, []value{dates}, false, dates.at.end
		r.marks = slices.Delete(r.marks, i+2, i+4)
	}
}

// firstDate is the date behind a mark's label, empty where it can't be read.
func (t *text) firstDate(k *mark) string {
	if single(k) {
		return k.values[0].from
	}
	c := t.cursorAt(k.label.next)
	c.fillers()
	if d, ok := c.date(false); ok && d.year > 0 && !c.unsure {
		return d.String()
	}
	return ""
}

// single tells whether a mark is one value and nothing else.
func single(k *mark) bool {
	return len(k.values) == 1 && !k.doubt && !k.except && k.values[0].form == isEqual
}

// leadsOn tells whether a word for a range ends what stands between a byte and a token.
func (t *text) leadsOn(from, token int) bool {
	const reach = 30
	to := t.tokens[token].start
	if from > to || to-from > reach {
		return false
	}
	between := strings.TrimSpace(t.lower[from:to])
	return strings.HasSuffix(between, "through") || strings.HasSuffix(between, "thru")
}

// readCycles reads records whose marks come again and again in one order and
// among which is a date of manufacture: each date is that of its own record alone.
func (r *reader) readCycles(t *text) {
	var at []int
	for i := range r.marks {
		k := &r.marks[i]
		switch {
		case k.text != t:
			continue
		case len(k.values) == 0 || k.doubt || k.except || k.or || len(k.models) > 0:
			return
		}
		at = append(at, i)
	}
	period := r.period(at)
	if period == 0 {
		return
	}
	for n := 0; n < len(at); n += period {
		record := make([]mark, period)
		for i := range record {
			record[i] = r.marks[at[n+i]]
		}
		r.tableRecord(t, record)
	}
	r.marks = slices.DeleteFunc(r.marks, func(k mark) bool { return k.text == t })
}

// period is how many marks a record has, or 0.
func (r *reader) period(at []int) int {
	const most = 4
	kind := func(i int) recall.UnitKind { return r.marks[at[i]].kind }
	for p := 2; p <= most && 2*p <= len(at); p++ {
		seen := map[recall.UnitKind]bool{}
		whole := len(at)%p == 0
		for i := range at {
			whole = whole && kind(i) == kind(i%p)
			seen[family(kind(i))] = true
		}
		if whole && len(seen) == p && seen[recall.Made] {
			return p
		}
	}
	return 0
}
