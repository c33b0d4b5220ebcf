package web

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/traffic"
)

// trafficView is what was answered lately: numbers of the last minute, and a chart
// of the last ten.
type trafficView struct {
	PerSecond        string
	Refused, Failing int64
	P50, P95, P99    string
	Chart            chart
}

// chart draws rates on 600 by 120, the oldest at the left, as paths of SVG.
type chart struct {
	Top                              string // the rate at the upper edge
	Says                             string
	Area, Requests, Refused, Failing string
}

const (
	chartWidth, chartHeight = 600.0, 120.0
	chartPoint              = 10 * time.Second
)

func trafficViewOf(t Traffic, now time.Time) trafficView {
	last := t.Summary(now, time.Minute)
	return trafficView{
		PerSecond: decimal(last.PerSecond), Refused: last.Refused, Failing: last.Failing,
		P50: took(last.P50), P95: took(last.P95), P99: took(last.P99),
		// The oldest seconds are being overwritten while this one goes on.
		Chart: chartOf(t.Rates(now, traffic.Kept-chartPoint, chartPoint)),
	}
}

func chartOf(points []traffic.Point) chart {
	most := 0.0
	for _, p := range points {
		most = max(most, p.Requests)
	}
	top := roundUp(most)
	line := func(value func(traffic.Point) float64) string {
		if !slices.ContainsFunc(points, func(p traffic.Point) bool { return value(p) > 0 }) {
			return "" // it would cover the others' baseline
		}
		var path strings.Builder
		for i, p := range points {
			x := chartWidth * float64(i) / float64(max(1, len(points)-1))
			y := chartHeight - 1 - (chartHeight-4)*value(p)/top
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], x, y)
		}
		return path.String()
	}
	c := chart{
		Top:      decimal(top),
		Requests: line(func(p traffic.Point) float64 { return p.Requests }),
		Refused:  line(func(p traffic.Point) float64 { return p.Refused }),
		Failing:  line(func(p traffic.Point) float64 { return p.Failing }),
	}
	if c.Requests != "" {
		c.Area = fmt.Sprintf("%sL%g %gL0 %gZ", c.Requests, chartWidth, chartHeight, chartHeight)
	}
	now := traffic.Point{}
	if len(points) > 0 {
		now = points[len(points)-1]
	}
	c.Says = fmt.Sprintf("Requests a second over the last ten minutes: %s now, %s at most.", decimal(now.Requests), decimal(most))
	return c
}

// roundUp is the next of 1, 2 and 5 times a power of ten; 1 at least.
func roundUp(x float64) float64 {
	if x <= 1 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, factor := range []float64{1, 2, 5} {
		if x <= factor*power {
			return factor * power
		}
	}
	return 10 * power
}

// decimal words a rate with as many digits as tell something.
func decimal(x float64) string {
	switch {
	case x >= 100:
		return thousands(int(math.Round(x)))
	case x == math.Trunc(x):
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// took words how long something took, with two digits that tell something.
func took(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
