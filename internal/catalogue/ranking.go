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
	parts []leastFirst
}

type ranked struct {
	key int64
	doc uint32
}

// before reports whether a notice ranks before another one of its part.
func (a ranked) before(b ranked) bool { return a.key > b.key || a.key == b.key && a.doc < b.doc }

// leastFirst is a heap whose top is the one that ranks last.
type leastFirst []ranked

func newRanking(s *Snapshot, limit int) *ranking {
	return &ranking{limit: limit, parts: make([]leastFirst, len(s.parts))}
}

// add offers a notice of the part with a number.
func (r *ranking) add(part int, key int64, doc uint32) {
	row, h := ranked{key, doc}, r.parts[part]
	if len(h) < r.limit {
		h = append(h, row)
		r.parts[part] = h
		h.up(len(h) - 1)
		return
	}
	if row.before(h[0]) {
		h[0] = row
		h.down(0)
	}
}

func (h leastFirst) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h[parent].before(h[i]) {
			return
		}
		h[parent], h[i] = h[i], h[parent]
		i = parent
	}
}

func (h leastFirst) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child].before(h[child+1]) {
			child++
		}
		if !h[i].before(h[child]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

// rankedRow is a notice in its place.
type rankedRow struct {
	part   *part
	number int // of the part
	ranked
}

// best returns the best of all parts whose key is at least so high, at most as
// many as the limit.
func (r *ranking) best(s *Snapshot, least int64) []rankedRow {
	var all []rankedRow
	for i, rows := range r.parts {
		for _, row := range rows {
			if row.key >= least {
				all = append(all, rankedRow{&s.parts[i], i, row})
			}
		}
	}
	if len(all) > r.limit { // what can't get in by its key needs no look at its id
		slices.SortFunc(all, func(a, b rankedRow) int { return cmp.Compare(b.key, a.key) })
		least := all[r.limit-1].key
		end, _ := slices.BinarySearchFunc(all, least, func(row rankedRow, least int64) int {
			if row.key >= least {
				return -1
			}
			return 1
		})
		all = all[:end]
	}
	slices.SortFunc(all, func(a, b rankedRow) int {
		return cmp.Or(cmp.Compare(b.key, a.key), compareIDs(a.part.segment, a.doc, b.part.segment, b.doc))
	})
	return all[:min(len(all), r.limit)]
}
