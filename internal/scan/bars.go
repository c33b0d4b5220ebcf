package scan

import "math"

const (
	// minSamples is the length of line that no barcode fits into.
	minSamples = 40
	// leastContrast is the difference in shade below which nothing is a bar.
	leastContrast = 6
)

// glance is one way of looking at a line.
type glance struct {
	// blur is the standard deviation, in samples, of the blur that is taken off,
	// and by how much of it that is done; 0: the line is left as it is.
	blur, by float64
	// hysteresis is the share of the line's contrast that a change of shade must
	// have to be a bar's edge: a high one passes over dirt and noise, a low one
	// finds bars that are washed out. Below a fifth, blur has eaten so much that
	// single bars are misread.
	hysteresis float64
}

// glances were chosen by trying some ten thousand lines at every blur and size:
// they find what can be read, and read nothing else.
var glances = []glance{{hysteresis: 0.3}, {blur: 1, by: 1.5, hysteresis: 0.2}, {blur: 1.6, by: 3, hysteresis: 0.2}}

// edges finds the edges of bars in a line of shades.
func (g glance) edges(shades []float64) []edge {
	if g.by > 0 {
		shades = g.sharpened(shades)
	}
	return edgesOf(shades, g.hysteresis, leastContrast*(1+g.by))
}

// sharpened takes off blur: what a sample differs by from the mean around it, it
// differs by more.
func (g glance) sharpened(shades []float64) []float64 {
	reach := int(3*g.blur) + 1
	weights := make([]float64, 2*reach+1)
	total := 0.0
	for i := range weights {
		off := float64(i - reach)
		weights[i] = math.Exp(-off * off / (2 * g.blur * g.blur))
		total += weights[i]
	}
	out := make([]float64, len(shades))
	for i, v := range shades {
		mean := 0.0
		for k, weight := range weights {
			mean += weight / total * shades[min(max(i+k-reach, 0), len(shades)-1)]
		}
		out[i] = v + g.by*(v-mean)
	}
	return out
}

// edge is where a line turns from light to dark, or back.
type edge struct {
	at   float64 // samples from the line's beginning
	dark bool    // what begins here
}

// edgesOf finds the edges of bars in a line of shades. An edge lies halfway
// between the shades of the bar and the space that it parts, wherever these two
// lie: so a narrow bar that blur made grey is found, and a shadow over the
// picture doesn't matter. A change of shade is none below a share of the line's
// contrast, nor below least.
func edgesOf(shades []float64, share, least float64) []edge {
	turn := max(contrast(shades)*share, least)
	var edges []edge
	lightest, darkest := 0, 0 // since the last turn
	last, rising, begun := 0, false, false
	for i, v := range shades {
		if v > shades[lightest] {
			lightest = i
		}
		if v < shades[darkest] {
			darkest = i
		}
		switch {
		case (!begun || rising) && shades[lightest]-v >= turn:
			if begun {
				edges = append(edges, edge{crossing(shades, last, lightest), false})
			}
			last, darkest, rising, begun = lightest, i, false, true
		case (!begun || !rising) && v-shades[darkest] >= turn:
			if begun {
				edges = append(edges, edge{crossing(shades, last, darkest), true})
			}
			last, lightest, rising, begun = darkest, i, true, true
		}
	}
	if begun {
		end := darkest
		if rising {
			end = lightest
		}
		edges = append(edges, edge{crossing(shades, last, end), !rising})
	}
	return edges
}

// contrast is the difference between the light and the dark of a line, leaving
// out the fiftieth that is lightest and that is darkest.
func contrast(shades []float64) float64 {
	const beyond = 256 // sharpened shades go beyond black and white
	var counts [3 * beyond]int
	for _, v := range shades {
		counts[min(max(int(v)+beyond, 0), len(counts)-1)]++
	}
	cut, low, high := len(shades)/50, 0, len(counts)-1
	for n := counts[low]; n <= cut; n += counts[low] {
		low++
	}
	for n := counts[high]; n <= cut; n += counts[high] {
		high--
	}
	return float64(max(high-low, 0))
}

// crossing returns where the shade passes the middle of two extremes.
func crossing(shades []float64, a, b int) float64 {
	middle := (shades[a] + shades[b]) / 2
	for i := a; i < b; i++ {
		v, w := shades[i]-middle, shades[i+1]-middle
		if v == 0 {
			return float64(i)
		}
		if v < 0 != (w < 0) {
			return float64(i) + v/(v-w)
		}
	}
	return float64(b)
}

const (
	// quietBefore and quietAfter are the light that must stand on either side of
	// a symbol: quietBefore in modules, quietAfter in bars and spaces of mean width
	// around, because a symbol that leans away grows or shrinks. No symbol has as
	// much within. The standards ask for 7 to 10 modules, of which cameras and
	// label makers take some.
	quietBefore, quietAfter = 4.6, 3.2
	// around is how many bars and spaces that mean is taken of.
	around = 16
	// meanRun is the mean width of a symbol's bars and spaces, in modules.
	meanRun  = 1.6
	mostRuns = 600
)

// symbol is a stretch of bars and spaces with light on either side.
type symbol struct {
	from, to float64   // samples from the line's beginning
	widths   []float64 // of bar, space, …, bar, in samples
	module   float64   // a guess at the narrowest bar
}

// eachSymbol calls do with the stretches of a line that could be symbols.
func eachSymbol(edges []edge, do func(symbol)) {
	for i := 0; i+fewestRuns < len(edges); i++ {
		if !edges[i].dark {
			continue
		}
		module := (edges[i+3].at - edges[i].at) / 3
		before := edges[i].at
		if i > 0 {
			before -= edges[i-1].at
		}
		if module <= 0 || before < quietBefore*module {
			continue
		}
		if widths := runsFrom(edges[i:], module); len(widths) >= fewestRuns {
			do(symbol{edges[i].at, edges[i+len(widths)].at, widths, module})
		}
	}
}

// runsFrom returns the widths of the bars and spaces up to the next quiet zone.
// module is a guess at the first ones'.
func runsFrom(edges []edge, module float64) []float64 {
	var widths []float64
	for j := 0; j+1 < len(edges) && j < mostRuns; j++ {
		width, mean := edges[j+1].at-edges[j].at, meanRun*module
		if j >= around {
			mean = (edges[j].at - edges[j-around].at) / around
		}
		if !edges[j].dark && width > quietAfter*mean {
			break
		}
		widths = append(widths, width)
	}
	if len(widths) > 0 && len(widths)%2 == 0 {
		widths = widths[:len(widths)-1]
	}
	return widths
}
