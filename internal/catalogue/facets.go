package catalogue

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// facets counts the values of all hits, page or not.
type facets struct {
	snapshot *Snapshot
	columns  []int
	counts   []map[string]int // by column asked for
	status   map[string]int
}

func newFacets(s *Snapshot, names []string) (*facets, error) {
	f := &facets{snapshot: s}
	for _, name := range names {
		switch i := slices.Index(columnNames[:], name); {
		case i >= 0 && !slices.Contains(f.columns, i):
			f.columns = append(f.columns, i)
			f.counts = append(f.counts, map[string]int{})
		case i >= 0:
		case name == "status":
			f.status = map[string]int{}
		default:
			return nil, fmt.Errorf("there is no facet %q", name)
		}
	}
	return f, nil
}

// manyHits is the share of a part's notices, one in so many, from which on the
// hits are counted value by value instead of one by one.
const manyHits = 32

// count counts the values of a part's hits.
func (f *facets) count(part int, hits rowSet, count int) {
	p := &f.snapshot.parts[part]
	for i, column := range f.columns {
		c := &p.columns[column]
		for value, n := range c.count(hits, count) {
			if n > 0 {
				f.counts[i][c.values[value]] += n
			}
		}
	}
	if f.status != nil {
		withdrawn := hits.countBoth(p.withdrawn)
		f.status[string(recall.Withdrawn)] += withdrawn
		f.status[string(recall.Active)] += count - withdrawn
	}
}

// count returns by value how many of some notices have it.
func (c *column) count(hits rowSet, count int) []int {
	counts := make([]int, len(c.values))
	if count >= len(c.of)/manyHits {
		for value := range c.rows {
			counts[value] = c.rows[value].countIn(hits)
		}
		return counts
	}
	hits.each(func(doc uint32) {
		for _, value := range c.has[c.of[doc]] {
			counts[value]++
		}
	})
	return counts
}

// results returns the counts, the most frequent value first.
func (f *facets) results() map[string][]FacetCount {
	results := map[string][]FacetCount{}
	for i, column := range f.columns {
		results[columnNames[column]] = facetCounts(f.counts[i])
	}
	if f.status != nil {
		results["status"] = facetCounts(f.status)
	}
	return results
}

func facetCounts(sums map[string]int) []FacetCount {
	list := make([]FacetCount, 0, len(sums))
	for v, n := range sums {
		if n > 0 {
			list = append(list, FacetCount{Value: v, Count: n})
		}
	}
	slices.SortFunc(list, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return list
}
