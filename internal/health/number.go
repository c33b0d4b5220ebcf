package health

import (
	"math"
	"strconv"
)

// percent is a share of a whole, 0 to 100, with two decimals. Less than the whole
// is never 100, nor more than nothing 0.
func percent(part, whole int64) float64 {
	p := math.Round(1e4*float64(part)/float64(whole)) / 100
	switch {
	case p == 100 && part < whole:
		return 99.99
	case p == 0 && part > 0:
		return 0.01
	}
	return p
}

// decimal prints a number with one decimal, rounded down: what is below a bound
// is not shown as the bound.
func decimal(x float64) string { return strconv.FormatFloat(math.Floor(x*10)/10, 'f', -1, 64) }
