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
		case date && last.code != nil && last.date == nil && last.code.near(&k) && !p.dateFirst(k.text):
			if last.code.all && len(k.values) > 0 {
				last.code = nil // "all lots with best-by dates through …"
			}
			last.date = &k
			return
		case !date && last.code == nil && last.date.near(&k) && p.dateFirst(k.text) && k.kind != recall.Serial:
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
