//go:build browser

package browser

import (
	"image"
	"image/color"
)

// bordered is a picture with a white border, the quiet zone of a barcode.
type bordered struct {
	image.Image
	width int
}

func (b bordered) Bounds() image.Rectangle {
	inner := b.Image.Bounds()
	return image.Rect(0, 0, inner.Dx()+2*b.width, inner.Dy()+2*b.width)
}

func (b bordered) ColorModel() color.Model { return color.GrayModel }

func (b bordered) At(x, y int) color.Color {
	at := image.Pt(x-b.width, y-b.width).Add(b.Image.Bounds().Min)
	if !at.In(b.Image.Bounds()) {
		return color.White
	}
	return b.Image.At(at.X, at.Y)
}
