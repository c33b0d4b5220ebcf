package loadtest

import (
	"fmt"
	"math"
	"strings"
)

// plot is a drawing of lines over axes, for SVG.
type plot struct {
	Title, XName, YName string
	Width, Height       float64
	Left, Top           float64 // of the area in which the lines are
	InnerW, InnerH      float64
	XTicks, YTicks      []tick
	Lines               []line
}

// tick is a place on an axis.
type tick struct {
	At   float64
	Text string
}

// line is one line, in the class of its colour.
type line struct {
	Name, Path string
	Colour     int
	At         float64 // where the name stands
}

// series is what a line is made of.
type series struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

const (
	plotWidth, plotHeight  = 780, 260
	plotLeft, plotTop      = 64, 30
	plotRight, plotBottom  = 28, 44
	colours                = 11
	fewestTicks, mostTicks = 4, 8
	nameGap, nameLetter    = 22, 5.8 // what a line's name takes beside the others
)

// axis maps values to places.
type axis struct {
	low, high float64
	log       bool
	ticks     []float64
}

func (a axis) place(v float64) float64 {
	if a.log {
		return (math.Log10(max(v, a.low)) - math.Log10(a.low)) / (math.Log10(a.high) - math.Log10(a.low))
	}
	return (v - a.low) / (a.high - a.low)
}

// linear is an axis from 0 to a round number.
func linear(most float64) axis {
	if !(most > 0) {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most/fewestTicks)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if most/(step*factor) <= mostTicks {
			step *= factor
			break
		}
	}
	a := axis{high: math.Ceil(most/step) * step}
	for n := 0; float64(n)*step <= a.high*1.0001; n++ {
		a.ticks = append(a.ticks, float64(n)*step)
	}
	return a
}

// logarithmic is an axis over whole powers of ten.
func logarithmic(least, most float64) axis {
	if !(least > 0) || !(most > 0) {
		least, most = 1, 10
	}
	from, to := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	to = max(to, from+1)
	a := axis{low: math.Pow(10, from), high: math.Pow(10, to), log: true}
	for p := from; p <= to; p++ {
		a.ticks = append(a.ticks, math.Pow(10, p))
	}
	return a
}

// draw makes a plot. label words a tick of the x axis.
func draw(title, xName, yName string, x, y axis, label func(float64) string, all []series) plot {
	p := plot{
		Title: title, XName: xName, YName: yName, Width: plotWidth, Height: plotHeight, Left: plotLeft, Top: plotTop,
		InnerW: plotWidth - plotLeft - plotRight, InnerH: plotHeight - plotTop - plotBottom,
	}
	across := func(v float64) float64 { return p.Left + p.InnerW*x.place(v) }
	down := func(v float64) float64 { return p.Top + p.InnerH*(1-y.place(v)) }
	for _, v := range x.ticks {
		p.XTicks = append(p.XTicks, tick{across(v), label(v)})
	}
	for _, v := range y.ticks {
		p.YTicks = append(p.YTicks, tick{down(v), number(v)})
	}
	beside := p.Left
	for i, s := range all {
		var path strings.Builder
		pen := byte('M')
		for _, pt := range s.points {
			if math.IsNaN(pt.y) {
				pen = 'M' // a gap: nothing was measured there
				continue
			}
			fmt.Fprintf(&path, "%c%.1f %.1f", pen, across(pt.x), down(pt.y))
			pen = 'L'
		}
		p.Lines = append(p.Lines, line{s.name, path.String(), i % colours, beside})
		beside += nameGap + nameLetter*float64(len(s.name))
	}
	return p
}

// number words a tick.
func number(v float64) string { return fmt.Sprintf("%.6g", v) }

// rates plots requests a second over time.
func (r *Report) rates() plot {
	answered, failed, most := series{name: "ended"}, series{name: "failed"}, 0.0
	for _, m := range r.Timeline {
		answered.points = append(answered.points, point{m.Second, m.RPS})
		failed.points = append(failed.points, point{m.Second, m.FailedRPS})
		most = max(most, m.RPS)
	}
	return draw("Requests a second", "seconds", "", linear(r.Seconds), linear(most), number, []series{answered, failed})
}

// times plots percentiles over time.
func (r *Report) times() plot {
	lines := []series{{name: "p50"}, {name: "p95"}, {name: "p99"}}
	least, most := math.Inf(1), 0.0
	for _, m := range r.Timeline {
		for i, v := range []Figure{m.P50, m.P95, m.P99} {
			lines[i].points = append(lines[i].points, point{m.Second, float64(v)})
			if v.Known() {
				least, most = min(least, float64(v)), max(most, float64(v))
			}
		}
	}
	return draw("Time to answer", "seconds", "ms", linear(r.Seconds), logarithmic(least, most), number, lines)
}

// percentiles plots each endpoint's distribution, with the slowest of a hundred, of a
// thousand and of ten thousand equally far apart.
func (r *Report) percentiles() plot {
	const farthest = 10_000 // 99.99 %
	least, most := math.Inf(1), 0.0
	var lines []series
	for _, e := range r.Endpoints {
		s := series{name: e.Name}
		for _, d := range e.Distribution {
			s.points = append(s.points, point{100 / max(100-d.Percent, 100.0/farthest), float64(d.Within)})
			least, most = min(least, float64(d.Within)), max(most, float64(d.Within))
		}
		lines = append(lines, s)
	}
	label := func(v float64) string { return number(100-100/v) + " %" }
	return draw("Time within which so many are answered", "share of the requests", "ms", logarithmic(1, farthest), logarithmic(least, most), label, lines)
}
