package scan

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

// blurredLine is a line across a symbol as a camera sees it: so many samples to
// a module, blurred by a standard deviation in modules, with noise in shades.
func blurredLine(r *rand.Rand, symbol image.Image, perModule, blur, noise float64) []float64 {
	const quiet = 12
	modules := make([]float64, symbol.Bounds().Dx()+2*quiet)
	for i := range modules {
		modules[i] = 1
		if x := i - quiet; x >= 0 && x < symbol.Bounds().Dx() && color.GrayModel.Convert(symbol.At(x, 0)).(color.Gray).Y < 128 {
			modules[i] = 0
		}
	}
	// below is the share of the blur that lies below x.
	below := func(x float64) float64 { return (1 + math.Erf(x/blur/math.Sqrt2)) / 2 }
	phase := r.Float64()
	shades := make([]float64, int(float64(len(modules))*perModule)-2)
	for i := range shades {
		at, v := (float64(i)+phase)/perModule, 0.0
		for k := max(0, int(at)-5); k < min(len(modules), int(at)+6); k++ {
			v += modules[k] * (below(float64(k+1)-at) - below(float64(k)-at))
		}
		shades[i] = 30 + 200*v + r.NormFloat64()*noise
	}
	return shades
}

// withCheckDigit makes a number of so many random digits with its check digit.
func withCheckDigit(r *rand.Rand, length int) string {
	digits, sum := "", 0
	for i := range length - 1 {
		d := r.IntN(10)
		digits += fmt.Sprint(d)
		if (length-i)%2 == 0 {
			sum += 3 * d
		} else {
			sum += d
		}
	}
	return digits + fmt.Sprint((10-sum%10)%10)
}

// However blurred and small a symbol is, it is read rightly or not at all; and
// what an eye could read is read.
func TestASymbolIsReadRightlyOrNotAtAll(t *testing.T) {
	const symbols, lines, noise = 10, 12, 3
	for _, length := range []int{13, 8} {
		for _, perModule := range []float64{1.6, 3} {
			for _, blur := range []float64{0.3, 0.45, 0.6, 0.7} {
				r := rand.New(rand.NewPCG(uint64(length), uint64(perModule*1000+blur*100)))
				read := 0
				for range symbols {
					digits := withCheckDigit(r, length)
					symbol := eanSymbol(t, digits)
					var b ballot
					for line := range lines {
						shades := blurredLine(r, symbol, perModule, blur, noise)
						for _, g := range glances {
							b.count(line, 0, readLine(g.edges(shades)))
						}
					}
					sure, _ := b.result()
					for _, c := range sure {
						if read++; c.Text[3:] != digits {
							t.Errorf("%s at %.1f samples a module and blur %.2f was read as %s", digits, perModule, blur, c.Text)
						}
					}
				}
				if blur <= 0.45 && perModule > 2 && read != symbols {
					t.Errorf("of %d symbols of %d digits at %.1f samples a module and blur %.2f, %d were read", symbols, length, perModule, blur, read)
				}
			}
		}
	}
}

func TestEdgesLieBetweenBarsAndSpaces(t *testing.T) {
	shades := []float64{200, 200, 200, 200, 0, 0, 0, 200, 200, 100, 200, 200, 195, 200, 200}
	var at []float64
	for _, e := range edgesOf(shades, 0.3, leastContrast) {
		at = append(at, e.at)
	}
	want := []float64{3.5, 6.5, 8.5, 9.5}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("edges at %v, want %v", at, want)
	}
	for name, flat := range map[string][]float64{"grey": make([]float64, 100), "faint": {100, 101, 103, 100, 99, 100, 104, 100}} {
		if edges := edgesOf(flat, 0.3, leastContrast); len(edges) != 0 {
			t.Errorf("%s has edges at %v", name, edges)
		}
	}
}
