package agency_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

func TestBehindLimits(t *testing.T) {
	cell := agency.Cell{Field: "model", Text: "KX-1 and others"}
	models := []string{"KX-1"}
	describe := func(units []recall.Predicate) []string {
		var list []string
		for _, u := range units {
			list = append(list, fmt.Sprintf("%d %s %v", u.Group, u.Op, u.Models))
		}
		return list
	}
	for name, test := range map[string]struct {
		limits []recall.Predicate
		want   []string
	}{
		"nothing else limits the product": {nil, []string{"1 all [KX-1]", "2 unreadable []"}},
		"two lots do": {[]recall.Predicate{recall.Equals(1, recall.Lot, "A", recall.Quote{}), recall.Equals(2, recall.Lot, "B", recall.Quote{})},
			[]string{"1 equals []", "2 equals []", "3 unreadable []"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(test.limits)
			if diff := cmp.Diff(test.want, describe(cell.BehindLimits(test.limits, models))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(test.limits) != before {
				t.Error("the limits that were given were changed")
			}
		})
	}
}
