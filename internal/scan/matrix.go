package scan

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/datamatrix"
	multiqr "github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// matrixEffort is how hard to look for symbols of two dimensions.
type matrixEffort int

const (
	none matrixEffort = iota
	quick
	thorough
)

// gs1Identifiers are the symbology identifiers of codes whose data is a GS1
// element string.
var gs1Identifiers = []string{"]C1", "]d2", "]Q3"}

func isGS1(text string) bool {
	return slices.ContainsFunc(gs1Identifiers, func(id string) bool { return strings.HasPrefix(text, id) })
}

// readMatrices returns the codes of two dimensions in a picture.
func readMatrices(ctx context.Context, p *picture, effort matrixEffort) []Code {
	views := []*picture{p}
	if effort == thorough {
		views = []*picture{p.stretched(), p.smoothed().stretched(), p.inverted(), p.mirrored(), p.turned()}
	}
	if max(p.width, p.height) <= coarsestEdge {
		views = append(views, p.doubled())
	}
	var codes []Code
	for _, view := range views {
		for _, binarizer := range []func(gozxing.LuminanceSource) gozxing.Binarizer{gozxing.NewHybridBinarizer, gozxing.NewGlobalHistgramBinarizer} {
			if ctx.Err() != nil {
				return codes
			}
			codes = append(codes, readQRCodes(view, binarizer)...)
			codes = append(codes, readDataMatrices(ctx, view, binarizer)...)
			if len(codes) > 0 {
				return codes
			}
		}
	}
	return codes
}

// window returns a part of a picture in black and white, nil when it is nothing
// to look at.
func (p *picture) window(left, top, width, height int, binarizer func(gozxing.LuminanceSource) gozxing.Binarizer) *gozxing.BinaryBitmap {
	source, err := gozxing.NewPlanarYUVLuminanceSource(p.pix, p.width, p.height, left, top, width, height, false)
	if err != nil {
		return nil
	}
	bitmap, err := gozxing.NewBinaryBitmap(binarizer(source))
	if err != nil {
		return nil
	}
	return bitmap
}

var matrixHints = map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}

func readQRCodes(p *picture, binarizer func(gozxing.LuminanceSource) gozxing.Binarizer) (codes []Code) {
	// The library has been known to panic on what nobody drew.
	defer func() {
		if recover() != nil {
			codes = nil
		}
	}()
	bitmap := p.window(0, 0, p.width, p.height, binarizer)
	if bitmap == nil {
		return nil
	}
	// The reader of many doesn't tell which of them are GS1's, so the reader of
	// one goes first.
	var results []*gozxing.Result
	if one, err := qrcode.NewQRCodeReader().Decode(bitmap, matrixHints); err == nil {
		results = append(results, one)
	}
	if many, err := multiqr.NewQRCodeMultiReader().DecodeMultiple(bitmap, matrixHints); err == nil {
		results = append(results, many...)
	}
	seen := map[string]bool{}
	for _, r := range results {
		if text := r.GetText(); text != "" && !seen[text] {
			seen[text] = true
			codes = append(codes, Code{QRCode, identifier(r, "]Q1") + strings.TrimPrefix(text, "\x1d")})
		}
	}
	return codes
}

// windows are the shares of a picture in which a Data Matrix is looked for:
// gozxing only finds one that lies about the middle.
var windows = []struct{ size, step int }{{1, 1}, {2, 4}, {4, 8}}

func readDataMatrices(ctx context.Context, p *picture, binarizer func(gozxing.LuminanceSource) gozxing.Binarizer) (codes []Code) {
	for _, w := range windows {
		width, height := p.width/w.size, p.height/w.size
		for top := 0; top+height <= p.height && height >= minSamples; top += max(p.height/w.step, 1) {
			for left := 0; left+width <= p.width && width >= minSamples; left += max(p.width/w.step, 1) {
				if ctx.Err() != nil {
					return codes
				}
				if c, ok := readDataMatrix(p, left, top, width, height, binarizer); ok && !slices.Contains(codes, c) {
					codes = append(codes, c)
				}
			}
		}
	}
	return codes
}

func readDataMatrix(p *picture, left, top, width, height int, binarizer func(gozxing.LuminanceSource) gozxing.Binarizer) (code Code, ok bool) {
	defer func() {
		if recover() != nil {
			code, ok = Code{}, false
		}
	}()
	bitmap := p.window(left, top, width, height, binarizer)
	if bitmap == nil {
		return Code{}, false
	}
	result, err := datamatrix.NewDataMatrixReader().Decode(bitmap, nil)
	if err != nil || result.GetText() == "" {
		return Code{}, false
	}
	return Code{DataMatrix, identifier(result, "]d1") + strings.TrimPrefix(result.GetText(), "\x1d")}, true
}

// identifier returns the symbology identifier of a result, or another when the
// library gives none.
func identifier(r *gozxing.Result, otherwise string) string {
	id, ok := r.GetResultMetadata()[gozxing.ResultMetadataType_SYMBOLOGY_IDENTIFIER].(string)
	if !ok || len(id) != len(otherwise) {
		return otherwise
	}
	if _, err := strconv.Atoi(id[2:]); err != nil {
		return otherwise
	}
	return id
}
