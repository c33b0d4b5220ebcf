package scan

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"

	"golang.org/x/image/webp"
)

const (
	// MaxPixels bounds a picture; the cameras of telephones make up to 50 million.
	MaxPixels = 50_000_000
	// maxDecodedBytes bounds what a picture takes while it is decoded, which for
	// 16 bits a channel or a progressive JPEG is many times its pixels.
	maxDecodedBytes = 256 << 20
)

// The errors of Read. A message can be shown to whoever sent the picture.
var (
	ErrFormat   = errors.New("this is no JPEG, PNG or WebP picture")
	ErrTooLarge = errors.New("the picture has too many pixels")
	ErrDamaged  = errors.New("the picture is damaged")
)

// picture is a picture in shades of grey, 0 black to 255 white. How its EXIF
// data would turn it doesn't matter: codes are looked for at every angle.
type picture struct {
	width, height int
	pix           []byte // by row
}

// format is one kind of picture.
type format struct {
	is     func(raw []byte) bool
	config func(raw []byte) (image.Config, error)
	decode func(raw []byte) (image.Image, error)
}

var formats = []format{
	{
		is:     func(raw []byte) bool { return bytes.HasPrefix(raw, []byte("\xff\xd8\xff")) },
		config: configOfJPEG,
		decode: func(raw []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(raw)) },
	},
	{
		is:     func(raw []byte) bool { return bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")) },
		config: func(raw []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(raw)) },
		decode: func(raw []byte) (image.Image, error) { return png.Decode(bytes.NewReader(raw)) },
	},
	{
		is: func(raw []byte) bool {
			return len(raw) >= 12 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP"
		},
		config: func(raw []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(raw)) },
		decode: func(raw []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(raw)) },
	},
}

// decode reads a picture, by what it is and not by what it is said to be, and
// refuses one that is too large before any of it is unpacked.
func decode(raw []byte) (p *picture, err error) {
	// The decoders have been known to panic on what nobody drew.
	defer func() {
		if v := recover(); v != nil {
			p, err = nil, fmt.Errorf("%w: %v", ErrDamaged, v)
		}
	}()
	for _, f := range formats {
		if !f.is(raw) {
			continue
		}
		config, err := f.config(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		pixels := int64(config.Width) * int64(config.Height)
		if pixels > MaxPixels || pixels*bytesPerPixel(config.ColorModel, raw) > maxDecodedBytes {
			return nil, fmt.Errorf("%w: %d × %d", ErrTooLarge, config.Width, config.Height)
		}
		if pixels <= 0 {
			return nil, ErrDamaged
		}
		img, err := f.decode(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return grey(img).within(finestEdge), nil
	}
	return nil, ErrFormat
}

// bytesPerPixel is what decoding a pixel takes at most.
func bytesPerPixel(model color.Model, raw []byte) int64 {
	switch model {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case color.YCbCrModel, color.CMYKModel:
		if marksOf(raw).progressive {
			return 4 * 4 // the coefficients of the whole picture are kept
		}
	}
	return 4
}

// grey takes the brightness of a picture, on white where it is transparent.
func grey(img image.Image) *picture {
	bounds := img.Bounds()
	p := &picture{bounds.Dx(), bounds.Dy(), make([]byte, bounds.Dx()*bounds.Dy())}
	for y := range p.height {
		row := p.pix[y*p.width : (y+1)*p.width]
		switch img := img.(type) {
		case *image.YCbCr:
			copy(row, img.Y[y*img.YStride:])
		case *image.Gray:
			copy(row, img.Pix[y*img.Stride:])
		case *image.RGBA:
			greyRow(row, img.Pix[y*img.Stride:], false)
		case *image.NRGBA:
			greyRow(row, img.Pix[y*img.Stride:], true)
		default:
			for x := range row {
				r, g, b, a := img.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
				row[x] = byte((299*r+587*g+114*b)/1000>>8 + (0xffff-a)>>8)
			}
		}
	}
	return p
}

// greyRow reads a row of 4 bytes a pixel; straight tells that the colours are
// not multiplied by the opacity yet.
func greyRow(row, pix []byte, straight bool) {
	for x := range row {
		c := pix[4*x : 4*x+4]
		light, a := (299*uint32(c[0])+587*uint32(c[1])+114*uint32(c[2]))/1000, uint32(c[3])
		if straight {
			light = light * a / 255
		}
		row[x] = byte(min(light+255-a, 255))
	}
}

// within returns the picture with its longer edge at most at edge: each pixel is
// the mean of a square of the old ones.
func (p *picture) within(edge int) *picture {
	longer := max(p.width, p.height)
	by := (longer + edge - 1) / edge
	if by <= 1 {
		return p
	}
	out := &picture{max(p.width/by, 1), max(p.height/by, 1), nil}
	out.pix = make([]byte, out.width*out.height)
	sums := make([]int, out.width)
	for y := range out.height {
		clear(sums)
		rows := min(by, p.height)
		for dy := range rows {
			row := p.pix[(y*by+dy)*p.width:]
			for x := range sums {
				for dx := range min(by, p.width) {
					sums[x] += int(row[x*by+dx])
				}
			}
		}
		for x, sum := range sums {
			out.pix[y*out.width+x] = byte(sum / (rows * min(by, p.width)))
		}
	}
	return out
}

// doubled returns the picture at twice its size, interpolated.
func (p *picture) doubled() *picture {
	out := &picture{2 * p.width, 2 * p.height, make([]byte, 4*p.width*p.height)}
	for y := range out.height {
		for x := range out.width {
			out.pix[y*out.width+x] = byte(p.at(float64(x)/2-0.25, float64(y)/2-0.25) + 0.5)
		}
	}
	return out
}

// at returns the brightness between pixels; outside, that of the nearest edge.
func (p *picture) at(x, y float64) float64 {
	x, y = min(max(x, 0), float64(p.width-1)), min(max(y, 0), float64(p.height-1))
	x0, y0 := int(x), int(y)
	fx, fy := x-float64(x0), y-float64(y0)
	right, below := 0, 0
	if x0+1 < p.width {
		right = 1
	}
	if y0+1 < p.height {
		below = p.width
	}
	i := y0*p.width + x0
	top := float64(p.pix[i])*(1-fx) + float64(p.pix[i+right])*fx
	bottom := float64(p.pix[i+below])*(1-fx) + float64(p.pix[i+below+right])*fx
	return top*(1-fy) + bottom*fy
}

// stretched returns the picture with its shades spread over the whole range, the
// darkest and lightest hundredth cut off.
func (p *picture) stretched() *picture {
	var counts [256]int
	for _, v := range p.pix {
		counts[v]++
	}
	cut := len(p.pix) / 100
	low, high := 0, 255
	for n := counts[low]; n <= cut && low < 255; n += counts[low] {
		low++
	}
	for n := counts[high]; n <= cut && high > 0; n += counts[high] {
		high--
	}
	if high <= low {
		return p
	}
	out := &picture{p.width, p.height, make([]byte, len(p.pix))}
	for i, v := range p.pix {
		out.pix[i] = byte(min(max((int(v)-low)*255/(high-low), 0), 255))
	}
	return out
}

// smoothed returns the picture with each pixel the mean of the nine around it.
func (p *picture) smoothed() *picture {
	out := &picture{p.width, p.height, make([]byte, len(p.pix))}
	for y := range p.height {
		for x := range p.width {
			sum, n := 0, 0
			for yy := max(y-1, 0); yy <= min(y+1, p.height-1); yy++ {
				for xx := max(x-1, 0); xx <= min(x+1, p.width-1); xx++ {
					sum += int(p.pix[yy*p.width+xx])
					n++
				}
			}
			out.pix[y*p.width+x] = byte(sum / n)
		}
	}
	return out
}

// mirrored returns the picture as a mirror shows it.
func (p *picture) mirrored() *picture {
	out := &picture{p.width, p.height, make([]byte, len(p.pix))}
	for y := range p.height {
		for x := range p.width {
			out.pix[y*p.width+x] = p.pix[y*p.width+p.width-1-x]
		}
	}
	return out
}

// inverted returns the picture as a negative: laser-marked codes are light on dark.
func (p *picture) inverted() *picture {
	out := &picture{p.width, p.height, make([]byte, len(p.pix))}
	for i, v := range p.pix {
		out.pix[i] = 255 - v
	}
	return out
}

// turned returns the middle of the picture, turned by an eighth.
func (p *picture) turned() *picture {
	edge := min(p.width, p.height)
	out := &picture{edge, edge, make([]byte, edge*edge)}
	half := float64(edge) / 2
	for y := range edge {
		for x := range edge {
			dx, dy := float64(x)-half+0.5, float64(y)-half+0.5
			out.pix[y*edge+x] = byte(p.at(float64(p.width)/2+(dx-dy)*math.Sqrt2/2-0.5, float64(p.height)/2+(dx+dy)*math.Sqrt2/2-0.5) + 0.5)
		}
	}
	return out
}
