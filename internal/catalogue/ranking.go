package catalogue

import (
	"cmp"
	"slices"
)

// ranking keeps the best of many notices: the highest keys, equal ones in order
// of id. Within a part a notice's number stands for its id, so that ids are
// compared only between the best of each part.
type ranking struct {
	limit int
	parts []partRanking
}

type partRanking struct {
	rows []ranked
	last ranked // the least that is kept, once full
	full bool
}

type ranked struct {
	key int64
	doc uint32
}

func newRanking(s *Snapshot, limit int) *ranking {
	return &ranking{limit: limit, parts: make([]partRanking, len(s.parts))}
}

func compareRanked(a, b ranked) int {
	return cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(a.doc, b.doc))
}

// add offers a notice of the part with a number.
func (r *ranking) add(part int, key int64, doc uint32) {
	p := &r.parts[part]
	row := ranked{key, doc}
	if p.full && compareRanked(row, p.last) > 0 {
		return
	}
	if p.rows = append(p.rows, row); len(p.rows) >= 8*r.limit {
		p.prune(r.limit)
	}
}

func (p *partRanking) prune(limit int) {
	slices.SortFunc(p.rows, compareRanked)
	if len(p.rows) > limit {
		p.rows = p.rows[:limit]
		p.full, p.last = true, p.rows[limit-1]
	}
}

// rankedRow is a notice in its place.
type rankedRow struct {
	part *part
	ranked
}

// best returns the best of all parts, at most as many as the limit.
func (r *ranking) best(s *Snapshot) []rankedRow {
	var all []rankedRow
	for i := range r.parts {
		r.parts[i].prune(r.limit)
		for _, row := range r.parts[i].rows {
			all = append(all, rankedRow{&s.parts[i], row})
		}
	}
	slices.SortFunc(all, func(a, b rankedRow) int {
		return cmp.Or(cmp.Compare(b.key, a.key), compareIDs(a.part.segment, a.doc, b.part.segment, b.doc))
	})
	return all[:min(len(all), r.limit)]
}
