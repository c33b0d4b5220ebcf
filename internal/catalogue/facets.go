package catalogue

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// facets counts the values of all hits, page or not. Few hits are counted by the
// numbers of their sets and summed up by value at the end.
type facets struct {
	snapshot *Snapshot
	columns  []int
	values   []map[string]int // by column asked for: counted value by value
	sets     [][][]int        // by column asked for, part and set: counted one by one
	status   map[string]int
}

func newFacets(s *Snapshot, names []string) (*facets, error) {
	f := &facets{snapshot: s}
	for _, name := range names {
		switch i := slices.Index(columnNames[:], name); {
		case i >= 0 && !slices.Contains(f.columns, i):
			f.columns = append(f.columns, i)
			counts := make([][]int, len(s.parts))
			for j := range s.parts {
				counts[j] = make([]int, len(s.parts[j].columns[i].sets))
			}
			f.sets = append(f.sets, counts)
			f.values = append(f.values, map[string]int{})
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
		if c := &p.columns[column]; count >= p.len()/manyHits {
			for value := range c.rows {
				f.values[i][c.values[value]] += c.rows[value].countIn(hits)
			}
		} else {
			hits.each(func(doc uint32) { f.sets[i][part][c.of[doc]]++ })
		}
	}
	if f.status != nil {
		withdrawn := hits.countBoth(p.withdrawn)
		f.status[string(recall.Withdrawn)] += withdrawn
		f.status[string(recall.Active)] += count - withdrawn
	}
}

// results returns the counts, the most frequent value first.
func (f *facets) results() map[string][]FacetCount {
	results := map[string][]FacetCount{}
	for i, column := range f.columns {
		sums := f.values[i]
		for part, counts := range f.sets[i] {
			for set, n := range counts {
				if n == 0 {
					continue
				}
				for _, v := range f.snapshot.parts[part].columns[column].sets[set] {
					sums[v] += n
				}
			}
		}
		results[columnNames[column]] = facetCounts(sums)
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
