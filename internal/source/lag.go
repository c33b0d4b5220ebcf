package source

import (
	"math"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// lagWindow is how many of an agency's newest notices its lag is measured by.
const lagWindow = 1000

// lagOf sums arrivals up.
func lagOf(arrivals []store.Arrival) Lag {
	between := func(from, to func(*store.Arrival) time.Time) Percentiles {
		seconds := make([]float64, len(arrivals))
		for i := range arrivals {
			a := &arrivals[i]
			// Agencies date notices ahead by a day at times.
			seconds[i] = max(0, to(a).Sub(from(a)).Seconds())
		}
		slices.Sort(seconds)
		return Percentiles{P50: percentile(seconds, 50), P95: percentile(seconds, 95)}
	}
	published := func(a *store.Arrival) time.Time { return a.PublishedAt }
	seen := func(a *store.Arrival) time.Time { return a.SeenAt }
	searchable := func(a *store.Arrival) time.Time { return a.SearchableAt }
	whole := between(published, searchable)
	return Lag{P50: whole.P50, P95: whole.P95, Seen: between(published, seen), Searchable: between(seen, searchable), Notices: len(arrivals)}
}

// percentile is the nearest rank's: the smallest value that p per cent of the
// sorted values do not exceed; nil of nothing.
func percentile(sorted []float64, p int) *float64 {
	if len(sorted) == 0 {
		return nil
	}
	rank := (len(sorted)*p + 99) / 100
	value := math.Round(sorted[rank-1]*1000) / 1000
	return &value
}
