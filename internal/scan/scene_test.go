package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"
	"github.com/boombuler/barcode/datamatrix"
	"github.com/boombuler/barcode/ean"
	"github.com/boombuler/barcode/qr"
	"github.com/boombuler/barcode/twooffive"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// placed is a symbol as it lies in a scene.
type placed struct {
	symbol       image.Image // one pixel a module
	x, y         float64     // of its middle, in pixels of the picture
	module       float64     // pixels
	height       float64     // of the bars, in pixels; 0: square modules
	turn         float64     // degrees
	lean         float64     // perspective: how much smaller one end is, as a share
	light, paper float64     // shades of bars and of what is around them
}

// scene is a photograph that a test makes.
type scene struct {
	width, height int
	placed        []placed
	blur          float64 // standard deviation in pixels
	noise         float64 // standard deviation in shades
	dim           float64 // shades are multiplied by this; 0: 1
	shadow        float64 // how much darker the right edge is, as a share
	background    float64 // shade; 0: white
	seed          uint64
}

const quietModules = 10

// render makes the photograph, by asking of each pixel what lies under it.
func (s scene) render() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, s.width, s.height))
	shades := make([]float64, s.width*s.height)
	for i := range shades {
		shades[i] = s.background
		if s.background == 0 {
			shades[i] = 255
		}
	}
	for _, p := range s.placed {
		s.draw(shades, p)
	}
	s.soften(shades)
	random := rand.New(rand.NewPCG(s.seed, 1))
	for i, v := range shades {
		if s.dim != 0 {
			v *= s.dim
		}
		v *= 1 - s.shadow*float64(i%s.width)/float64(s.width)
		img.Pix[i] = byte(min(max(v+random.NormFloat64()*s.noise, 0), 255))
	}
	return img
}

// samples is how finely a pixel is looked at, each way.
const samples = 2

func (s scene) draw(shades []float64, p placed) {
	bounds := p.symbol.Bounds()
	columns, rows := float64(bounds.Dx()), float64(bounds.Dy())
	sin, cos := math.Sincos(p.turn * math.Pi / 180)
	tall := p.height
	if tall == 0 {
		tall = rows * p.module
	}
	for y := range s.height {
		for x := range s.width {
			sum, inside := 0.0, 0
			for sub := range samples * samples {
				dx := float64(x) + (float64(sub%samples)+0.5)/samples - p.x
				dy := float64(y) + (float64(sub/samples)+0.5)/samples - p.y
				u, v := dx*cos+dy*sin, -dx*sin+dy*cos
				if p.lean != 0 {
					scale := 1 + p.lean*u/(columns*p.module)
					u, v = u/scale, v/scale
				}
				column, row := u/p.module+columns/2, (v/tall+0.5)*rows
				edge := quietModules * rows * p.module / tall
				if column < -quietModules || column >= columns+quietModules || row < -edge || row >= rows+edge {
					continue
				}
				inside++
				shade := p.paper
				if p.paper == 0 {
					shade = 255
				}
				if column >= 0 && column < columns && row >= 0 && row < rows {
					if c := color.GrayModel.Convert(p.symbol.At(bounds.Min.X+int(column), bounds.Min.Y+int(row))).(color.Gray); c.Y < 128 {
						shade = p.light
					}
				}
				sum += shade
			}
			if inside > 0 {
				i := y*s.width + x
				share := float64(inside) / (samples * samples)
				shades[i] = shades[i]*(1-share) + sum/(samples*samples)
			}
		}
	}
}

// soften blurs by two passes of a Gaussian.
func (s scene) soften(shades []float64) {
	if s.blur == 0 {
		return
	}
	reach := int(3*s.blur) + 1
	kernel := make([]float64, 2*reach+1)
	sum := 0.0
	for i := range kernel {
		kernel[i] = math.Exp(-float64((i-reach)*(i-reach)) / (2 * s.blur * s.blur))
		sum += kernel[i]
	}
	for _, step := range []struct{ dx, dy int }{{1, 0}, {0, 1}} {
		old := append([]float64(nil), shades...)
		for y := range s.height {
			for x := range s.width {
				v := 0.0
				for k, weight := range kernel {
					xx := min(max(x+(k-reach)*step.dx, 0), s.width-1)
					yy := min(max(y+(k-reach)*step.dy, 0), s.height-1)
					v += old[yy*s.width+xx] * weight
				}
				shades[y*s.width+x] = v / sum
			}
		}
	}
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func drawn(t testing.TB) func(symbol barcode.Barcode, err error) image.Image {
	return func(symbol barcode.Barcode, err error) image.Image {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return symbol
	}
}

func eanSymbol(t testing.TB, digits string) image.Image {
	symbol, err := ean.Encode(digits)
	return drawn(t)(symbol, err)
}

func code128Symbol(t testing.TB, text string) image.Image {
	symbol, err := code128.Encode(text)
	return drawn(t)(symbol, err)
}

func itfSymbol(t testing.TB, digits string) image.Image {
	return drawn(t)(twooffive.Encode(digits, true))
}

func qrSymbol(t testing.TB, text string) image.Image {
	return drawn(t)(qr.Encode(text, qr.M, qr.Auto))
}

func matrixSymbol(t testing.TB, text string) image.Image {
	return drawn(t)(datamatrix.Encode(text))
}

// modulesImage draws a row of modules; 1 is dark.
func modulesImage(modules string) image.Image {
	img := image.NewGray(image.Rect(0, 0, len(modules), 1))
	for x := range len(modules) {
		if modules[x] == '0' {
			img.Pix[x] = 255
		}
	}
	return img
}

// upceSymbol draws a UPC-E, by gozxing's own writer: boombuler has none.
func upceSymbol(t testing.TB, digits string) image.Image {
	t.Helper()
	matrix, err := oned.NewUPCEWriter().Encode(digits, gozxing.BarcodeFormat_UPC_E, 1, 1, map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_MARGIN: 0})
	if err != nil {
		t.Fatal(err)
	}
	return matrix
}

// gs1QRSymbol draws a QR code with FNC1 in the first position.
func gs1QRSymbol(t testing.TB, elements string) image.Image {
	t.Helper()
	matrix, err := qrcode.NewQRCodeWriter().Encode(elements, gozxing.BarcodeFormat_QR_CODE, 1, 1,
		map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_GS1_FORMAT: true, gozxing.EncodeHintType_MARGIN: 0})
	if err != nil {
		t.Fatal(err)
	}
	return matrix
}

// wrongEAN draws an EAN-13 whose check digit is wrong, which no encoder does:
// the last digit of 4006381333931 becomes a 2.
func wrongEAN(t testing.TB) image.Image {
	t.Helper()
	const one, two = "1100110", "1101100" // section 5.2.1.2 of the GS1 General Specifications, set C
	right := eanSymbol(t, "4006381333931")
	var modules strings.Builder
	for x := range right.Bounds().Dx() {
		if color.GrayModel.Convert(right.At(x, 0)).(color.Gray).Y < 128 {
			modules.WriteByte('1')
		} else {
			modules.WriteByte('0')
		}
	}
	drawn := modules.String()
	cut := len(drawn) - 3 - len(one)
	if drawn[cut:len(drawn)-3] != one {
		t.Fatalf("the last digit is drawn as %s", drawn[cut:len(drawn)-3])
	}
	return modulesImage(drawn[:cut] + two + drawn[len(drawn)-3:])
}

// encodeWebP writes a lossless WebP file in black and white, in the plainest way
// that the format has: no transforms, and one bit for each of red, green and
// blue (the WebP Lossless Bitstream Specification, sections 3 and 6).
func encodeWebP(img *image.Gray) []byte {
	var bits []byte
	n := 0
	put := func(value, count int) {
		for i := range count {
			if n%8 == 0 {
				bits = append(bits, 0)
			}
			bits[n/8] |= byte(value>>i&1) << (n % 8)
			n++
		}
	}
	put(img.Rect.Dx()-1, 14)
	put(img.Rect.Dy()-1, 14)
	put(0, 1+3) // no use of alpha, version 0
	put(0, 1)   // no transform
	put(0, 1)   // no colour cache
	put(0, 1)   // one group of prefix codes
	for range 3 {
		put(1, 1) // simple code
		put(1, 1) // of two symbols
		put(1, 1) // the first of 8 bits
		put(0, 8)
		put(255, 8)
	}
	for _, symbol := range []int{255, 0} { // alpha, distance
		put(1, 1)
		put(0, 1)
		put(1, 1)
		put(symbol, 8)
	}
	for _, v := range img.Pix {
		bit := int(v >> 7)
		put(bit|bit<<1|bit<<2, 3)
	}
	chunk := append([]byte{0x2f}, bits...)
	out := []byte("RIFF\x00\x00\x00\x00WEBPVP8L")
	out = binary.LittleEndian.AppendUint32(out, uint32(len(chunk)))
	out = append(out, chunk...)
	if len(chunk)%2 == 1 {
		out = append(out, 0)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
