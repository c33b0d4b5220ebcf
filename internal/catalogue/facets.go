package catalogue

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// facets counts the values of all hits, page or not. A column is counted by the
// numbers of its sets and summed up by value at the end.
type facets struct {
	snapshot *Snapshot
	any      bool
	columns  []int
	sets     [][][]int // by column asked for, part and set
	status   map[string]int
}

func newFacets(s *Snapshot, names []string) (*facets, error) {
	f := &facets{snapshot: s, any: len(names) > 0}
	for _, name := range names {
		switch i := slices.Index(columnNames[:], name); {
		case i >= 0 && !slices.Contains(f.columns, i):
			f.columns = append(f.columns, i)
			counts := make([][]int, len(s.parts))
			for j := range s.parts {
				counts[j] = make([]int, len(s.parts[j].columns[i].sets))
			}
			f.sets = append(f.sets, counts)
		case i >= 0:
		case name == "status":
			f.status = map[string]int{}
		default:
			return nil, fmt.Errorf("there is no facet %q", name)
		}
	}
	return f, nil
}

func (f *facets) count(part int, doc uint32) {
	p := &f.snapshot.parts[part]
	for i, column := range f.columns {
		f.sets[i][part][p.columns[column].of[doc]]++
	}
	if f.status != nil {
		status := recall.Active
		if p.traits[doc]&isWithdrawn != 0 {
			status = recall.Withdrawn
		}
		f.status[string(status)]++
	}
}

// results returns the counts, the most frequent value first.
func (f *facets) results() map[string][]FacetCount {
	results := map[string][]FacetCount{}
	for i, column := range f.columns {
		sums := map[string]int{}
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
		list = append(list, FacetCount{Value: v, Count: n})
	}
	slices.SortFunc(list, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return list
}
