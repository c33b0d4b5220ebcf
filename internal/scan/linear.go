package scan

import (
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"

	"github.com/crownsafe/api/internal/gtin"
)

// reading is a code as one line shows it.
type reading struct {
	code     Code
	from, to float64 // samples from the line's beginning
}

// The numbers of bars and spaces of the symbols, without what can vary.
const (
	runsEAN13   = 59
	runsEAN8    = 43
	runsUPCE    = 33
	runsITF14   = 4 + 7*10 + 3
	fewestRuns  = 6 + 6 + 6 + 7 // a Code 128 of one character
	runsInACode = 6             // of Code 128
)

// decoder decodes what one line shows of a symbology.
type decoder struct {
	symbology Symbology
	fits      func(runs int) bool
	make      func() gozxing.Reader
	// digits are the runs with which the digits of a symbol of the EAN family
	// begin.
	digits []int
	// text makes of what was decoded what a scanner would send; false for what
	// is no code of the symbology after all.
	text func(decoded string) (string, bool)
}

var decoders = []decoder{
	{
		EAN13, exactly(runsEAN13), oned.NewEAN13Reader, []int{3, 7, 11, 15, 19, 23, 32, 36, 40, 44, 48, 52},
		func(digits string) (string, bool) { return "]E0" + digits, gtin.Valid(digits) },
	},
	{
		EAN8, exactly(runsEAN8), oned.NewEAN8Reader, []int{3, 7, 11, 15, 24, 28, 32, 36},
		func(digits string) (string, bool) { return "]E4" + digits, gtin.Valid(digits) },
	},
	{
		UPCE, exactly(runsUPCE), oned.NewUPCEReader, []int{3, 7, 11, 15, 19, 23},
		func(digits string) (string, bool) {
			upca, ok := gtin.ExpandUPCE(digits)
			return "]E00" + upca, ok
		},
	},
	{
		ITF14, exactly(runsITF14), oned.NewITFReader, nil,
		func(digits string) (string, bool) {
			return "]I1" + digits, len(digits) == 14 && gtin.Valid(digits)
		},
	},
	{
		Code128, func(runs int) bool { return runs%runsInACode == 1 }, oned.NewCode128Reader, nil,
		func(data string) (string, bool) {
			if isGS1(data) {
				return data, true
			}
			return "]C0" + data, data != ""
		},
	},
}

func exactly(want int) func(int) bool { return func(runs int) bool { return runs == want } }

var linearHints = map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_ASSUME_GS1: true}

// readLine decodes the symbols of a line, from either end.
func readLine(edges []edge) []reading {
	var found []reading
	eachSymbol(edges, func(s symbol) {
		for _, d := range decoders {
			if !d.fits(len(s.widths)) {
				continue
			}
			if text, ok := d.read(s); ok {
				found = append(found, reading{Code{d.symbology, text}, s.from, s.to})
			}
		}
	})
	return found
}

func (d *decoder) read(s symbol) (string, bool) {
	widths := slices.Clone(s.widths)
	for range 2 {
		if !d.clear(widths) {
			slices.Reverse(widths)
			continue
		}
		if text, ok := d.decode(widths, s.module); ok {
			return text, true
		}
		slices.Reverse(widths)
	}
	return "", false
}

const (
	runsPerDigit, modulesPerDigit = 4, 7
	// unclear is how far, in modules, a bar or space may be from the width that
	// it is taken for. gozxing goes much further; but 1 and 7, and 2 and 8,
	// differ by one module of each, and blur moves all of a picture's bars alike,
	// so that every line would agree on the same wrong digits.
	unclear = 0.5
)

// clear reports whether each digit of a symbol of the EAN family is plainly one
// digit.
func (d *decoder) clear(widths []float64) bool {
	for _, at := range d.digits {
		if !clearDigit(widths[at : at+runsPerDigit]) {
			return false
		}
	}
	return true
}

func clearDigit(widths []float64) bool {
	total := 0.0
	for _, w := range widths {
		total += w
	}
	return slices.ContainsFunc(oned.UPCEANReader_L_AND_G_PATTERNS, func(pattern []int) bool {
		for i, modules := range pattern {
			if math.Abs(widths[i]*modulesPerDigit/total-float64(modules)) > unclear {
				return false
			}
		}
		return true
	})
}

const (
	// bitsPerModule is how finely a symbol is drawn for gozxing.
	bitsPerModule = 12
	// quietBits is the light around it.
	quietBits = 16 * bitsPerModule
)

// decode draws a symbol anew, alone and at an even size, and has gozxing decode it.
func (d *decoder) decode(widths []float64, module float64) (text string, ok bool) {
	total := 0.0
	for _, w := range widths {
		total += w
	}
	scale := bitsPerModule / module
	row := gozxing.NewBitArray(2*quietBits + int(total*scale) + 1)
	at := float64(quietBits)
	for i, w := range widths {
		from, to := int(math.Round(at)), int(math.Round(at+w*scale))
		if i%2 == 0 {
			if err := row.SetRange(from, to); err != nil {
				return "", false
			}
		}
		at += w * scale
	}
	// The library has been known to panic on what nobody drew.
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	decodes, isRow := d.make().(oned.RowDecoder)
	if !isRow {
		return "", false
	}
	result, err := decodes.DecodeRow(0, row, linearHints)
	if err != nil {
		return "", false
	}
	return d.text(result.GetText())
}
