package catalogue

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// search is one query at work.
type search struct {
	snapshot *Snapshot
	query    *Query
	order    Sort
	filters  []partFilter
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
	run := &search{snapshot: s, query: &q, facets: facets, filters: q.filters(s), ranking: newRanking(s, clampLimit(q.Limit)+1)}
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
	switch {
	case len(pieces) > 0:
		run.takeFound(x)
	case run.unfiltered():
		run.takeNewest()
	default:
		run.takeAll()
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

// takeFound takes what the words found.
func (r *search) takeFound(x *scan) {
	byScore := r.order == ByRelevance
	x.eachFound(func(part int, doc uint32) {
		if !r.counts(part, doc) {
			return
		}
		var key int64
		if byScore {
			key = x.score(&r.snapshot.parts[part], doc)
		} else {
			key = r.byTime(part, doc)
		}
		r.rank(part, key, doc)
	})
}

// takeAll takes every notice.
func (r *search) takeAll() {
	for i := range r.snapshot.parts {
		p := &r.snapshot.parts[i]
		for doc := range uint32(p.len()) {
			if !p.dead.has(doc) && r.counts(i, doc) {
				r.rank(i, r.byTime(i, doc), doc)
			}
		}
	}
}

// unfiltered reports whether this is the plain list of active notices, the
// newest first.
func (r *search) unfiltered() bool {
	q := r.query
	return r.order == ByNewest && !r.facets.any && q.From.IsZero() && q.To.IsZero() && q.status() == recall.Active &&
		len(q.Agencies)+len(q.Countries)+len(q.Audiences)+len(q.Categories)+len(q.Hazards)+len(q.Remedies) == 0
}

// takeNewest takes the notices that come next in every part, where they stand
// in that order already; the others are only counted.
func (r *search) takeNewest() {
	r.total = r.snapshot.active
	for i := range r.snapshot.parts {
		p := &r.snapshot.parts[i]
		next := 0
		if r.behind != nil {
			next = sort.Search(p.len(), func(j int) bool { return r.behind[i].has(p.published[p.byTime[j]], p.byTime[j]) })
		}
		for taken := 0; next < p.len() && taken < r.ranking.limit; next++ {
			if doc := p.byTime[next]; p.stands(doc) {
				r.ranking.add(i, p.published[doc], doc)
				taken++
			}
		}
	}
}

// counts reports whether the filters admit a notice, and counts it then.
func (r *search) counts(part int, doc uint32) bool {
	if !r.filters[part].admits(&r.snapshot.parts[part], doc) {
		return false
	}
	r.total++
	if r.facets.any {
		r.facets.count(part, doc)
	}
	return true
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
func (r *search) rank(part int, key int64, doc uint32) {
	if r.behind == nil || r.behind[part].has(key, doc) {
		r.ranking.add(part, key, doc)
	}
}

func (r *search) page(x *scan, words bool) Page {
	rows := r.ranking.best(r.snapshot)
	page := Page{Hits: []Hit{}, Total: r.total, Facets: r.facets.results()}
	if limit := clampLimit(r.query.Limit); len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		c := cursor{query: r.query.fingerprint(), key: last.key, id: last.part.id(last.doc), decisions: x.decisions.made}
		page.Next = c.encode()
	}
	for _, row := range rows {
		hit := Hit{Notice: row.part.notice(row.doc), Serial: row.part.serials[row.doc], Matched: []string{}}
		r.snapshot.resolveAliases(&hit.Notice)
		if words {
			hit.Score = x.points(x.score(row.part, row.doc))
			hit.Matched = x.tally[row.part.first+row.doc].fields.names()
		}
		page.Hits = append(page.Hits, hit)
	}
	return page
}

// partFilter admits the notices of one part that a query asks for.
type partFilter struct {
	sets         []setFilter
	status       trait
	dated        bool
	from, before int64
}

// setFilter admits by the number of the set in a column.
type setFilter struct {
	of     []uint32
	admits []bool
}

const openEnd = 1 << 62

// filters makes a query's filters for every part.
func (q *Query) filters(s *Snapshot) []partFilter {
	wanted := [columnCount][]string{byAgency: q.Agencies, byCountry: q.Countries, byAudience: strs(q.Audiences),
		byCategory: q.Categories, byHazard: strs(q.Hazards), byRemedy: strs(q.Remedies)}
	filters := make([]partFilter, len(s.parts))
	for i := range filters {
		f := &filters[i]
		f.dated = !q.From.IsZero() || !q.To.IsZero()
		f.from, f.before = -openEnd, openEnd
		if !q.From.IsZero() {
			f.from = day(q.From)
		}
		if !q.To.IsZero() {
			f.before = day(q.To.UTC().AddDate(0, 0, 1))
		}
		if q.status() == recall.Withdrawn {
			f.status = isWithdrawn
		}
		for column, values := range wanted {
			if len(values) > 0 {
				f.sets = append(f.sets, newSetFilter(&s.parts[i].columns[column], values))
			}
		}
	}
	return filters
}

// day returns the beginning of the day that a time lies in, UTC.
func day(t time.Time) int64 {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix()
}

func newSetFilter(c *column, values []string) setFilter {
	f := setFilter{of: c.of, admits: make([]bool, len(c.sets))}
	for i, set := range c.sets {
		f.admits[i] = slices.ContainsFunc(set, func(v string) bool { return slices.Contains(values, v) })
	}
	return f
}

func (f *partFilter) admits(p *part, doc uint32) bool {
	if p.traits[doc]&(isWithdrawn|isGone) != f.status {
		return false
	}
	if f.dated {
		if at := p.published[doc]; at < f.from || at >= f.before {
			return false
		}
	}
	for i := range f.sets {
		if !f.sets[i].admits[f.sets[i].of[doc]] {
			return false
		}
	}
	return true
}
