// Package scan reads barcodes from photographs: EAN-13, EAN-8, UPC-A, UPC-E,
// ITF-14, Code 128 and GS1-128, QR Code and Data Matrix, however they lie in the
// picture. gozxing, which decodes the symbols, is fenced in here.
//
// It knows nothing of products and notices, and it never guesses: a code that
// was misread is worse than none, so every symbol must satisfy its check digits,
// and a linear one must be read alike on several lines, with no other reading
// beside it.
package scan

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
)

// Code is one code that a picture shows.
type Code struct {
	Symbology Symbology
	// Text is what a scanner would send: the symbology identifier of ISO/IEC
	// 15424 ("]E0", "]C1", "]d2") and the data, FNC1 within it as ASCII 29. A UPC
	// is sent as the EAN-13 that it stands for.
	Text string
}

// Symbology is a kind of symbol.
type Symbology string

// The symbologies.
const (
	EAN13      Symbology = "ean-13" // and UPC-A
	EAN8       Symbology = "ean-8"
	UPCE       Symbology = "upc-e"
	ITF14      Symbology = "itf-14"
	Code128    Symbology = "code-128"
	QRCode     Symbology = "qr-code"
	DataMatrix Symbology = "data-matrix"
)

const (
	// workingEdge is the longer edge, in pixels, at which pictures are mostly
	// looked at: a symbol that fills a fifth of it has three pixels a module.
	workingEdge = 1500
	// finestEdge is the longer edge of the finest look; a picture of 12 megapixels
	// stays as it is.
	finestEdge = 4100
	// coarsestEdge is up to where small pictures are enlarged for symbols of two
	// dimensions, whose modules must be whole pixels.
	coarsestEdge = 700
)

// Read finds the codes in a picture, each once, in the order in which they were
// found; none is no error. It looks until it has found a code that could be a
// product's, and then no harder; ctx bounds how long. The error is ErrFormat,
// ErrTooLarge or ErrDamaged, or ctx's when no product's was found in time.
func Read(ctx context.Context, raw []byte) ([]Code, error) {
	full, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return search(ctx, full)
}

// look is one way of looking at a picture.
type look struct {
	edge   int       // the picture is brought to at most this
	angles []float64 // of the lines that are tried, in degrees
	thick  int       // a line is the mean of so many to either side, against noise
	matrix matrixEffort
}

var (
	upright  = []float64{0, 90}
	tilted   = []float64{45, 135}
	slanting = []float64{22.5, 112.5, 67.5, 157.5}
	// between are the angles between those: a long and low symbol is only crossed
	// from end to end by lines within a few degrees of it.
	between = []float64{11.25, 168.75, 101.25, 78.75, 33.75, 56.25, 123.75, 146.25}
)

// looks are tried in order until one finds a code that could be a product's.
var looks = []look{
	{edge: workingEdge, angles: upright, thick: 1, matrix: quick},
	{edge: workingEdge, angles: tilted, thick: 1},
	{edge: finestEdge, angles: upright, thick: 1},
	{edge: workingEdge, angles: slanting, thick: 1, matrix: thorough},
	{edge: workingEdge, angles: between, thick: 1},
	{edge: workingEdge, angles: slices.Concat(upright, tilted, slanting), thick: 4},
	{edge: finestEdge, angles: slices.Concat(tilted, slanting), thick: 1},
	{edge: workingEdge / 2, angles: slices.Concat(upright, tilted), thick: 1, matrix: thorough},
}

func search(ctx context.Context, full *picture) ([]Code, error) {
	var codes, doubtful []Code
	add := func(list []Code, found []Code) []Code {
		for _, c := range found {
			if !slices.ContainsFunc(list, func(have Code) bool { return have.Text == c.Text }) {
				list = append(list, c)
			}
		}
		return list
	}
	// A small picture is the same for several looks.
	type attempt struct {
		width, thick int
		angle        float64
		matrix       matrixEffort
	}
	tried := map[attempt]bool{}
	first := func(a attempt) bool {
		again := tried[a]
		tried[a] = true
		return !again
	}
	for _, l := range looks {
		if ctx.Err() != nil {
			break
		}
		p := full.within(l.edge)
		if l.matrix != none && first(attempt{width: p.width, matrix: l.matrix}) {
			codes = add(codes, readMatrices(ctx, p, l.matrix))
		}
		for _, angle := range l.angles {
			if !first(attempt{width: p.width, thick: l.thick, angle: angle}) {
				continue
			}
			sure, weak := readLines(ctx, p, angle*math.Pi/180, l.thick)
			codes, doubtful = add(codes, sure), add(doubtful, weak)
		}
		if slices.ContainsFunc(codes, Code.NamesProduct) {
			return codes, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err() // a web page's code was found, and a product's may have been left to find
	case len(codes) > 0:
		return codes, nil
	case len(doubtful) == 1:
		return doubtful, nil
	}
	return []Code{}, nil
}

// NamesProduct reports whether a code names a product, and not a web page, a
// parcel or a machine's serial number: the symbologies of retail and GS1 do, the
// others where they hold a GS1 Digital Link or an element string. Of numbers
// without any such mark only those of 13 and 14 digits are taken for a GTIN, and
// never a shorter one that happens to have a fitting check digit.
func (c Code) NamesProduct() bool {
	if _, err := gtin.Parse(c.Text); err != nil {
		return false
	}
	switch c.Symbology {
	case QRCode, DataMatrix, Code128:
		data := c.Text[min(3, len(c.Text)):]
		return isGS1(c.Text) || len(data) >= 13 || strings.Trim(data, "0123456789") != ""
	}
	return true
}
