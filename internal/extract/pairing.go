package extract

import (
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// pairing brings lots together with the dates that are printed beside them:
// "Lot A12, Exp 05/2026; Lot B7, Exp 06/2026".
type pairing struct {
	r        *reader
	clusters []cluster
}

// cluster is a code's mark and the date's beside it; one of them may be missing.
type cluster struct {
	code, date *mark
}

func isDateKind(kind recall.UnitKind) bool {
	return kind == recall.BestBefore || kind == recall.Expiry
}

func (p *pairing) add(k mark) {
	date := isDateKind(k.kind)
	if n := len(p.clusters); n > 0 {
		last := &p.clusters[n-1]
		switch {
		case date && last.code != nil && last.date == nil && p.near(last.code, &k) && !p.dateFirst(k.text):
			if last.code.all && len(k.values) > 0 {
				last.code = nil // "all lots with best-by dates through …"
			}
			last.date = &k
			return
		case !date && last.code == nil && p.near(last.date, &k) && p.dateFirst(k.text) && k.kind != recall.Serial:
			if !k.all {
				last.code = &k
			}
			return
		}
	}
	if date {
		p.clusters = append(p.clusters, cluster{date: &k})
	} else {
		p.clusters = append(p.clusters, cluster{code: &k})
	}
}

// dateFirst tells whether a field's list begins with a date, so that each date
// belongs to the code behind it.
func (p *pairing) dateFirst(t *text) bool {
	for _, c := range p.clusters {
		switch {
		case c.date != nil && c.date.text == t:
			return c.code == nil || c.date.label.first < c.code.label.first
		case c.code != nil && c.code.text == t:
			return false
		}
	}
	return false
}

// near tells whether two marks stand together: close by, or, where a food's lines
// describe one pack each, in one sentence.
func (p *pairing) near(k, next *mark) bool {
	return k.near(next) || p.r.opts.Food && k.text == next.text && !codeFields[k.text.field] && k.text.sentenceOf(k.label.first) == k.text.sentenceOf(next.label.first)
}

// near tells whether the next mark stands close behind this one.
func (k *mark) near(next *mark) bool {
	const reach = 60 // bytes
	return k.text == next.text && next.text.tokens[next.label.first].start-k.end < reach
}

// groups makes each cluster's alternatives: every code with every date of it,
// which holds no fewer units than the pairs that may have been meant.
func (p *pairing) groups() []group {
	const most = 400
	var out []group
	for _, c := range p.clusters {
		var codes, dates []recall.Predicate
		at := c.code
		if c.date != nil {
			dates, at = p.r.predicates(*c.date), c.date
		}
		if c.code != nil {
			codes, at = p.r.predicates(*c.code), c.code
		}
		if len(codes) == 0 || len(dates) == 0 || len(codes)*len(dates) > most {
			for _, pred := range slices.Concat(codes, dates) {
				out = append(out, group{[]recall.Predicate{pred}, at.text, at.label.first})
			}
			continue
		}
		for _, code := range codes {
			for _, date := range dates {
				out = append(out, group{[]recall.Predicate{code, date}, at.text, at.label.first})
			}
		}
	}
	return out
}

// readPairs reads a list whose head names two columns: "Lot, best by date:
// S195, 5/31/2027; S196, 6/30/2027". It returns the token behind the list, or 0.
func (r *reader) readPairs(t *text, code mention) int {
	i := code.next
	for i < len(t.tokens) && (t.tokens[i].lower == "," || t.tokens[i].lower == "/" || t.tokens[i].lower == "and" || t.tokens[i].lower == "&") {
		i++
	}
	if i == code.next || i >= len(t.tokens) {
		return 0
	}
	date, ok := t.mentionAt(i)
	if !ok || !date.label.date() || date.label == labelSold || !date.colon {
		return 0
	}
	end := 0
	for i = date.next; i < len(t.tokens); {
		v, next, ok := t.codeValue(i, code, leadIn{}, end > 0)
		if !ok || v.form != isEqual || v.at.end == 0 {
			break
		}
		for next < len(t.tokens) && (t.tokens[next].lower == "," || t.tokens[next].lower == "-" || t.tokens[next].lower == "–") {
			next++
		}
		if next >= len(t.tokens) {
			break
		}
		c := t.cursorAt(next)
		day, ok := c.dateValue(false)
		if !ok || day.from == "" && day.to == "" {
			break
		}
		behind := t.tokenBehind(next, c.pos)
		r.addMark(mark{text: t, kind: code.label.kind(), label: mention{label: code.label, first: i, next: next}, values: []value{v}}, next)
		r.addMark(mark{text: t, kind: date.label.kind(), label: mention{label: date.label, first: next, next: behind}, values: []value{day}}, behind)
		end = behind
		i = behind
		for i < len(t.tokens) && (t.tokens[i].lower == ";" || t.tokens[i].lower == "," || t.tokens[i].lower == "and" || t.tokens[i].lower == "&") {
			i++
		}
	}
	if end > 0 && i < len(t.tokens) && t.tokens[i].digits > 0 {
		r.marks[len(r.marks)-1].doubt = true // a pair in another notation
	}
	return end
}
