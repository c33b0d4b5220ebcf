package scan

import (
	"context"
	"math"
)

const (
	// linesPerLook is how many parallel lines are laid over a picture.
	linesPerLook = 160
	// pixelsPerSample is the distance at which a line is sampled.
	pixelsPerSample = 1.0
)

// line is a straight line over a picture, sampled.
type line struct {
	number int     // among the lines of one direction
	from   float64 // along the direction, of the first sample
	shades []float64
}

// readLines lays parallel lines at an angle over a picture and returns the codes
// of one dimension on which enough of them agree, and apart from those what is
// too weak to count beside anything else.
func readLines(ctx context.Context, p *picture, angle float64, thick int) (sure, weak []Code) {
	var b ballot
	eachLine(p, angle, thick, func(l line) bool {
		for _, g := range glances {
			b.count(l.number, l.from, readLine(g.edges(l.shades)))
		}
		return ctx.Err() == nil
	})
	return b.result()
}

// eachLine calls do with the lines over a picture until it says no.
func eachLine(p *picture, angle float64, thick int, do func(line) bool) {
	sin, cos := math.Sincos(angle)
	if math.Abs(cos) < 1e-9 {
		cos = 0
	}
	if math.Abs(sin) < 1e-9 {
		sin = 0
	}
	w, h := float64(p.width), float64(p.height)
	reach := (w*math.Abs(sin) + h*math.Abs(cos)) / 2
	step := max(1, 2*reach/linesPerLook)
	number := 0
	for across := -reach + step/2; across < reach; across += step {
		number++
		from, to := clip(w, h, cos, sin, across)
		if to-from < minSamples {
			continue
		}
		l := line{number: number, from: from, shades: make([]float64, int((to-from)/pixelsPerSample))}
		for i := range l.shades {
			along := from + float64(i)*pixelsPerSample
			sum := 0.0
			for t := -thick; t <= thick; t++ {
				off := across + float64(t)
				sum += p.at(w/2+along*cos-off*sin-0.5, h/2+along*sin+off*cos-0.5)
			}
			l.shades[i] = sum / float64(2*thick+1)
		}
		if thick > 1 {
			soften(l.shades)
		}
		if !do(l) {
			return
		}
	}
}

// clip returns where a line enters and leaves a picture, along its direction
// from the point that is nearest to the middle.
func clip(w, h, cos, sin, across float64) (from, to float64) {
	from, to = math.Inf(-1), math.Inf(1)
	for _, side := range []struct{ at, slope, half float64 }{
		{-across * sin, cos, w / 2},
		{across * cos, sin, h / 2},
	} {
		if side.slope == 0 {
			if math.Abs(side.at) > side.half {
				return 0, 0
			}
			continue
		}
		a, b := (-side.half-side.at)/side.slope, (side.half-side.at)/side.slope
		from, to = max(from, min(a, b)), min(to, max(a, b))
	}
	return from, to
}

// soften replaces each sample by a mean of it and its neighbours.
func soften(shades []float64) {
	before := shades[0]
	for i := 1; i+1 < len(shades); i++ {
		here := shades[i]
		shades[i] = (before + 2*here + shades[i+1]) / 4
		before = here
	}
}
