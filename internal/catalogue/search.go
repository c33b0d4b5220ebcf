package catalogue

import (
	"cmp"
	"math"
	"sort"

	"github.com/crownsafe/api/internal/recall"
)

// search is one query at work.
type search struct {
	snapshot *Snapshot
	query    *Query
	order    Sort
	hits     []rowSet // by part: every notice that the query finds
	behind   []behind // by part; nil on the first page
	ranking  *ranking
	facets   *facets
	total    int
}

// Search returns one page of the notices that a query finds.
//
// The words are ranked, not all required: a notice scores what its words are
// worth (a rare word more than a common one, a name or brand more than a
// description, the very word more than a synonym, a prefix or a typo), times
// the share of the query's words that it has. Fillers neither find nor exclude;
// a query of nothing else is a query without words, which lists everything.
//
// The cursor keeps a walk through the pages whole while notices are added: none
// is lost and none comes twice. Total and facets are those of the moment. The
// error is ErrBadCursor, or names a facet that there is none of.
func (s *Snapshot) Search(q Query) (Page, error) {
	facets, err := newFacets(s, q.Facets)
	if err != nil {
		return Page{}, err
	}
	run := &search{snapshot: s, query: &q, facets: facets, ranking: newRanking(s, clampLimit(q.Limit)+1)}
	pieces := read(q.Words)
	run.order = q.sortOrder(len(pieces) > 0)
	var pinned []uint32
	if q.Cursor != "" {
		c, err := decodeCursor(q.Cursor, q.fingerprint())
		if err != nil {
			return Page{}, err
		}
		pinned = append([]uint32{}, c.decisions...)
		for i := range s.parts {
			run.behind = append(run.behind, c.in(&s.parts[i]))
		}
	}
	x := newScan(s, false, pinned)
	defer x.release()
	x.look(pieces)
	if x.decisions.spent || len(x.decisions.pinned) > 0 {
		return Page{}, ErrBadCursor
	}
	run.find(x, len(pieces) > 0)
	if run.order == ByRelevance {
		run.takeBest(x)
	} else {
		run.takeByTime()
	}
	return run.page(x, len(pieces) > 0), nil
}

func clampLimit(limit int) int { return min(max(limit, 1), 100) }

func (q *Query) sortOrder(words bool) Sort {
	switch {
	case q.Sort == "" && words:
		return ByRelevance
	case q.Sort == "", q.Sort == ByRelevance && !words:
		return ByNewest
	}
	return q.Sort
}

func (q *Query) status() recall.Status { return cmp.Or(q.Status, recall.Active) }

// find makes the set of all hits, and counts them.
func (r *search) find(x *scan, words bool) {
	filters := r.query.filters()
	for i := range r.snapshot.parts {
		p := &r.snapshot.parts[i]
		hits := x.room.empty(p.len())
		if words {
			for _, w := range x.words {
				hits.unite(w.parts[i][inNames].rows)
				hits.unite(w.parts[i][inProse].rows)
			}
			hits.keep(filters.status(p))
		} else {
			hits.unite(filters.status(p))
		}
		hits.drop(p.dead)
		filters.apply(hits, p, &x.room)
		count := hits.count()
		r.total += count
		r.facets.count(i, hits, count)
		r.hits = append(r.hits, hits)
	}
}

// takeBest takes the hits that score highest.
func (r *search) takeBest(x *scan) {
	high := bar{limit: r.ranking.limit}
	for i := range r.snapshot.parts {
		p := &r.snapshot.parts[i]
		x.view(i).eachBest(r.hits[i], x.room.empty(p.len()), high.least, func(doc uint32, key int64) {
			if r.behind == nil || r.behind[i].has(key, doc) {
				high.add(key)
				r.ranking.add(i, key, doc)
			}
		})
	}
}

// fewHits is the share of a part's notices, one in so many, below which it is
// quicker to look at the hits than to look for them in the order of time.
const fewHits = 16

// takeByTime takes the hits that come first in an order of time.
func (r *search) takeByTime() {
	for i, hits := range r.hits {
		p := &r.snapshot.parts[i]
		if hits.count() < p.len()/fewHits {
			hits.each(func(doc uint32) { r.rank(i, doc) })
			continue
		}
		r.takeNext(i, hits)
	}
}

// takeNext walks the hits of a part in the order of time until there are enough.
// Those of one second don't stand in the order of ids both ways, so that all of
// them are looked at.
func (r *search) takeNext(part int, hits rowSet) {
	p := &r.snapshot.parts[part]
	nth := func(i int) uint32 {
		if r.order == ByOldest {
			i = p.len() - 1 - i
		}
		return p.byTime[i]
	}
	next := 0
	if r.behind != nil {
		next = sort.Search(p.len(), func(i int) bool { return r.byTime(part, nth(i)) <= r.behind[part].key })
	}
	taken, last := 0, int64(0)
	for ; next < p.len(); next++ {
		doc := nth(next)
		if taken >= r.ranking.limit && p.published[doc] != last {
			return
		}
		if hits.has(doc) && r.rank(part, doc) {
			taken, last = taken+1, p.published[doc]
		}
	}
}

// byTime returns the key of a notice in an order of time.
func (r *search) byTime(part int, doc uint32) int64 {
	at := r.snapshot.parts[part].published[doc]
	if r.order == ByOldest {
		return -at
	}
	return at
}

// rank offers a notice for the page unless it came on one before.
func (r *search) rank(part int, doc uint32) bool {
	key := r.byTime(part, doc)
	if r.behind != nil && !r.behind[part].has(key, doc) {
		return false
	}
	r.ranking.add(part, key, doc)
	return true
}

func (r *search) page(x *scan, words bool) Page {
	rows := r.ranking.best(r.snapshot, math.MinInt64)
	page := Page{Hits: []Hit{}, Total: r.total, Facets: r.facets.results()}
	if limit := clampLimit(r.query.Limit); len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		c := cursor{query: r.query.fingerprint(), key: last.key, id: last.part.id(last.doc), decisions: x.decisions.made}
		page.Next = c.encode()
	}
	aliases := r.snapshot.newResolver()
	for _, row := range rows {
		hit := Hit{Notice: row.part.notice(row.doc), Serial: row.part.serials[row.doc], Matched: []string{}}
		aliases.resolve(&hit.Notice, candidate{row.part, row.doc})
		if words {
			v := x.view(row.number)
			w := v.worth(row.doc)
			hit.Score = x.points(v.score(w.sum, w.covered, brevity[row.part.widths[row.doc]]))
			hit.Matched = w.fields.names()
		}
		page.Hits = append(page.Hits, hit)
	}
	return page
}

// points makes a score of about 1 of one word that stands in one field of a
// middling weight.
func (x *scan) points(score int64) float64 {
	return float64(score) / float64(x.weight) / (64 << 20)
}
