package agency

import (
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// BehindLimits is OpenModels for a product that other predicates limit too,
// which stay in front. They limit the named models already, so that of the open
// list only the doubt about further models is added.
func (c Cell) BehindLimits(limits []recall.Predicate, models []string) []recall.Predicate {
	groups := c.OpenModels(models)
	last := 0
	for _, l := range limits {
		last = max(last, l.Group)
	}
	if last > 0 {
		groups = groups[1:]
	}
	units := slices.Clone(limits)
	for _, u := range NumberGroups(groups) {
		u.Group += last
		units = append(units, u)
	}
	return units
}
