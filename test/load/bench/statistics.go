package main

import (
	"cmp"
	"math"
	"slices"
)

// percentile returns the smallest value that at least share (0 to 1) of the
// values don't exceed: the nearest-rank method. The zero value for none.
func percentile[T cmp.Ordered](values []T, share float64) T {
	if len(values) == 0 {
		var none T
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median is the middle value, the lower one of two.
func median[T cmp.Ordered](values []T) T { return percentile(values, 0.5) }
