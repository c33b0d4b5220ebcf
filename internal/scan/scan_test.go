package scan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// texts are what a picture's codes say, in order.
func texts(t testing.TB, raw []byte) []string {
	t.Helper()
	codes, err := Read(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, c := range codes {
		list = append(list, c.Text)
	}
	slices.Sort(list)
	return list
}

// middle is a symbol in the middle of a picture of 480 by 360 pixels.
func middle(symbol image.Image, module, height float64) placed {
	return placed{symbol: symbol, x: 240, y: 180, module: module, height: height, light: 25, paper: 235}
}

func turned(p placed, degrees float64) placed { p.turn = degrees; return p }
func leaning(p placed, share float64) placed  { p.lean = share; return p }

func photo(p ...placed) scene {
	return scene{width: 480, height: 360, placed: p, background: 150, blur: 0.6, noise: 3}
}

func TestCodesAreReadHoweverTheyLie(t *testing.T) {
	const link = "https://id.gs1.org/01/09501101530003/10/AB123"
	ean := eanSymbol(t, "4006381333931")
	tests := map[string]struct {
		scene scene
		want  []string
	}{
		"EAN-13":              {photo(middle(ean, 2.5, 70)), []string{"]E04006381333931"}},
		"UPC-A":               {photo(middle(eanSymbol(t, "0850044968008"), 2.5, 70)), []string{"]E00850044968008"}},
		"EAN-8":               {photo(middle(eanSymbol(t, "96385074"), 2.5, 60)), []string{"]E496385074"}},
		"ITF-14":              {photo(middle(itfSymbol(t, "19501101530000"), 2, 70)), []string{"]I119501101530000"}},
		"GS1-128":             {photo(middle(code128Symbol(t, "\u00f1010950110153000317261231\u00f110AB"), 1.8, 70)), []string{"]C1010950110153000317261231\x1d10AB"}},
		"Code 128":            {photo(middle(code128Symbol(t, "SN-4711"), 2, 70)), []string{"]C0SN-4711"}},
		"QR code":             {photo(middle(qrSymbol(t, link), 4, 0)), []string{"]Q1" + link}},
		"GS1 QR code":         {photo(middle(gs1QRSymbol(t, "010950110153000310AB"), 5, 0)), []string{"]Q3010950110153000310AB"}},
		"GS1 DataMatrix":      {photo(middle(matrixSymbol(t, "\xe8010950110153000310AB\xe817261231"), 6, 0)), []string{"]d2010950110153000310AB\x1d17261231"}},
		"turned by 15":        {photo(turned(middle(ean, 2.5, 70), 15)), []string{"]E04006381333931"}},
		"turned by 45":        {photo(turned(middle(ean, 2.5, 70), 45)), []string{"]E04006381333931"}},
		"turned by 70":        {photo(turned(middle(ean, 2.5, 70), 70)), []string{"]E04006381333931"}},
		"on its side":         {photo(turned(middle(ean, 2.5, 70), 90)), []string{"]E04006381333931"}},
		"upside down":         {photo(turned(middle(ean, 2.5, 70), 180)), []string{"]E04006381333931"}},
		"turned by 300":       {photo(turned(middle(ean, 2.5, 70), 300)), []string{"]E04006381333931"}},
		"QR turned by 45":     {photo(turned(middle(qrSymbol(t, link), 4, 0), 45)), []string{"]Q1" + link}},
		"matrix turned by 30": {photo(turned(middle(matrixSymbol(t, "\xe8010950110153000310AB"), 6, 0), 30)), []string{"]d2010950110153000310AB"}},
		"matrix turned by 45": {photo(turned(middle(matrixSymbol(t, "\xe8010950110153000310AB"), 6, 0), 45)), []string{"]d2010950110153000310AB"}},
		"long and askew":      {photo(turned(middle(code128Symbol(t, "\u00f1010950110153000310AB"), 2, 40), 11)), []string{"]C1010950110153000310AB"}},
		"leaning away":        {photo(leaning(turned(middle(ean, 2.5, 70), 8), 0.25)), []string{"]E04006381333931"}},
		"two codes": {
			photo(placed{symbol: ean, x: 240, y: 90, module: 2.5, height: 60, light: 25, paper: 235}, placed{symbol: eanSymbol(t, "96385074"), x: 240, y: 260, module: 2.5, height: 60, light: 25, paper: 235}),
			[]string{"]E04006381333931", "]E496385074"},
		},
		"side by side": {
			photo(placed{symbol: eanSymbol(t, "96385074"), x: 120, y: 180, module: 2, height: 60, light: 25, paper: 235}, placed{symbol: eanSymbol(t, "40170725"), x: 360, y: 180, module: 2, height: 60, light: 25, paper: 235}),
			[]string{"]E440170725", "]E496385074"},
		},
		"a web address beside the barcode": {
			photo(placed{symbol: qrSymbol(t, "https://example.org/promo"), x: 120, y: 100, module: 3.5, light: 25, paper: 235}, placed{symbol: ean, x: 240, y: 270, module: 2.5, height: 60, light: 25, paper: 235}),
			[]string{"]E04006381333931", "]Q1https://example.org/promo"},
		},
		"matrix in a corner": {
			photo(placed{symbol: matrixSymbol(t, "\xe8010950110153000310AB"), x: 100, y: 270, module: 4, light: 25, paper: 235}),
			[]string{"]d2010950110153000310AB"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, texts(t, encodePNG(t, test.scene.render()))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCodesAreReadInBadPictures(t *testing.T) {
	p := turned(middle(eanSymbol(t, "4006381333931"), 3, 80), 5)
	for name, change := range map[string]func(*scene){
		"blurred":            func(s *scene) { s.blur = 1.6 },
		"low light, noise":   func(s *scene) { s.dim, s.noise = 0.2, 6 },
		"low light, no bulb": func(s *scene) { s.dim, s.noise = 0.12, 3 },
		"a lot of noise":     func(s *scene) { s.noise = 45 },
		"shadow":             func(s *scene) { s.shadow = 0.8 },
		"pale print":         func(s *scene) { s.placed[0].light = 190 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := photo(p)
			s.placed = slices.Clone(s.placed)
			change(&s)
			if diff := cmp.Diff([]string{"]E04006381333931"}, texts(t, encodeJPEG(t, s.render()))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUPCEIsReadOnlyAlone(t *testing.T) {
	upce := upceSymbol(t, "01234565")
	if diff := cmp.Diff([]string{"]E00012345000065"}, texts(t, encodePNG(t, photo(middle(upce, 3, 80)).render()))); diff != "" {
		t.Errorf("alone (-want +got):\n%s", diff)
	}
	two := photo(placed{symbol: eanSymbol(t, "96385074"), x: 240, y: 90, module: 2.5, height: 60, light: 25, paper: 235},
		placed{symbol: upce, x: 240, y: 260, module: 3, height: 60, light: 25, paper: 235})
	if diff := cmp.Diff([]string{"]E496385074"}, texts(t, encodePNG(t, two.render()))); diff != "" {
		t.Errorf("beside another code (-want +got):\n%s", diff)
	}
}

// A picture without codes shows none, whatever it is full of.
func TestPicturesWithoutCodes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := image.NewGray(image.Rect(0, 0, 300, 200))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.IntN(256))
	}
	stripes := image.NewGray(image.Rect(0, 0, 300, 200))
	for x, dark := 0, false; x < 300; dark = !dark {
		for width := 2 + random.IntN(9); width > 0 && x < 300; width-- {
			for y := range 200 {
				if !dark {
					stripes.SetGray(x, y, color.Gray{230})
				}
			}
			x++
		}
	}
	text := image.NewGray(image.Rect(0, 0, 300, 200))
	draw.Draw(text, text.Bounds(), image.White, image.Point{}, draw.Src)
	for line := range 14 {
		writer := font.Drawer{Dst: text, Src: image.Black, Face: basicfont.Face7x13, Dot: fixed.P(4, 14+13*line)}
		writer.DrawString(strings.Repeat("lot 4711 Ill|i|il 1234567890128 WARNING: keep away ", 2)[line : line+41])
	}
	board := image.NewGray(image.Rect(0, 0, 300, 200))
	for i := range board.Pix {
		if (i%300/6+i/300/6)%2 == 0 {
			board.Pix[i] = 255
		}
	}
	for name, img := range map[string]image.Image{
		"noise": noise, "stripes": stripes, "text": text, "chessboard": board,
		"blank": image.NewGray(image.Rect(0, 0, 300, 200)), "one pixel": image.NewGray(image.Rect(0, 0, 1, 1)), "one row": image.NewGray(image.Rect(0, 0, 900, 1)),
		"wrong check digit": photo(middle(wrongEAN(t), 2.5, 70)).render(),
		"half a barcode":    photo(placed{symbol: eanSymbol(t, "4006381333931"), x: 0, y: 180, module: 2.5, height: 80, light: 25, paper: 235}).render(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := texts(t, encodePNG(t, img)); len(got) != 0 {
				t.Errorf("read %q", got)
			}
		})
	}
}

func TestEveryKindOfPictureIsUnpacked(t *testing.T) {
	gray := photo(middle(eanSymbol(t, "4006381333931"), 2.5, 70)).render()
	coloured := func(img draw.Image) image.Image {
		draw.Draw(img, img.Bounds(), gray, image.Point{}, draw.Src)
		return img
	}
	faint := image.NewNRGBA(gray.Rect) // black of more or less opacity
	for i, v := range gray.Pix {
		faint.Pix[4*i+3] = 255 - v
	}
	mirror := image.NewGray(gray.Rect)
	for i := range gray.Pix {
		mirror.Pix[i] = gray.Pix[i-i%480+479-i%480]
	}
	for name, raw := range map[string][]byte{
		"JPEG":            encodeJPEG(t, coloured(image.NewRGBA(gray.Rect))),
		"grey JPEG":       encodeJPEG(t, gray),
		"PNG":             encodePNG(t, coloured(image.NewRGBA(gray.Rect))),
		"16-bit PNG":      encodePNG(t, coloured(image.NewRGBA64(gray.Rect))),
		"PNG of palette":  encodePNG(t, coloured(image.NewPaletted(gray.Rect, color.Palette{color.Black, color.Gray{90}, color.Gray{160}, color.White}))),
		"transparent PNG": encodePNG(t, faint),
		"mirrored":        encodePNG(t, mirror),
		"WebP":            encodeWebP(gray),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff([]string{"]E04006381333931"}, texts(t, raw)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// pngOf is the beginning of a PNG file that says it has so many pixels.
func pngOf(width, height uint32, depth byte) []byte {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, depth, 2, 0, 0, 0)
	raw := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	raw = append(raw, header...)
	return binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(header))
}

func TestPicturesThatCannotBeUsed(t *testing.T) {
	good := encodeJPEG(t, photo().render())
	bad := bytes.Clone(encodePNG(t, photo().render()))
	bad[len(bad)/2] ^= 0xff
	for name, test := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":                {nil, ErrFormat},
		"text":                   {[]byte("4006381333931"), ErrFormat},
		"GIF":                    {[]byte("GIF89a\x01\x00\x01\x00"), ErrFormat},
		"cut off":                {good[:len(good)/2], ErrDamaged},
		"only a beginning":       {good[:3], ErrDamaged},
		"a bit flipped":          {bad, ErrDamaged},
		"more pixels than there": {pngOf(100, 100, 8), ErrDamaged},
		"a bomb":                 {pngOf(60_000, 60_000, 8), ErrTooLarge},
		"just too many pixels":   {pngOf(10_000, 5_001, 8), ErrTooLarge},
		"too many of 16 bits":    {pngOf(8_000, 6_000, 16), ErrTooLarge},
	} {
		if codes, err := Read(t.Context(), test.raw); !errors.Is(err, test.want) || codes != nil {
			t.Errorf("%s: %v, %v, want %v", name, codes, err, test.want)
		}
	}
}

func TestTimeThatRanOutIsNoEmptyPicture(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if codes, err := Read(ctx, encodePNG(t, photo().render())); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", codes, err)
	}
}

// lapsing is a context whose time runs out when it was asked so many times.
type lapsing struct {
	context.Context
	left *int
}

func (l lapsing) Err() error {
	if *l.left--; *l.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func TestACodeOfNoProductDoesNotEndTheSearchInTime(t *testing.T) {
	raw := encodePNG(t, photo(middle(qrSymbol(t, "https://example.com/crib"), 5, 0)).render())
	if got := texts(t, raw); len(got) != 1 {
		t.Fatalf("read %q, want the address", got)
	}
	left := 50
	if codes, err := Read(lapsing{t.Context(), &left}, raw); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", codes, err)
	}
}

func TestReadingEndsSoonAfterItsTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := image.NewGray(image.Rect(0, 0, 1600, 1200))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.IntN(256))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if codes, err := Read(ctx, encodePNG(t, noise)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", codes, err)
	}
}

func TestNamesProduct(t *testing.T) {
	for _, test := range []struct {
		symbology Symbology
		text      string
		want      bool
	}{
		{EAN13, "]E04006381333931", true},
		{EAN8, "]E496385074", true},
		{ITF14, "]I119501101530000", true},
		{Code128, "]C10109501101530003", true},
		{Code128, "]C04006381333931", true},
		{Code128, "]C096385074", false},     // a number that happens to fit
		{Code128, "]C0036000291452", false}, // the same
		{Code128, "]C0SN-4711", false},
		{Code128, "]C100095011015300000011", false}, // a pallet
		{QRCode, "]Q1https://id.gs1.org/01/09501101530003", true},
		{QRCode, "]Q1https://example.org/promo", false},
		{QRCode, "]Q14006381333931", true},
		{QRCode, "]Q196385074", false},
		{QRCode, "]Q1", false},
		{DataMatrix, "]d2010950110153000310AB", true},
		{DataMatrix, "]d1hello", false},
	} {
		if got := (Code{test.symbology, test.text}).NamesProduct(); got != test.want {
			t.Errorf("%q: %v", test.text, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	small := scene{width: 120, height: 60, placed: []placed{{symbol: eanSymbol(f, "96385074"), x: 60, y: 30, module: 1.5, height: 40, light: 0}}}.render()
	f.Add(encodePNG(f, small))
	f.Add(encodeJPEG(f, small))
	f.Add(encodeWebP(small))
	f.Add(pngOf(60_000, 60_000, 8))
	f.Fuzz(func(t *testing.T, raw []byte) {
		codes, err := Read(t.Context(), raw)
		if (err == nil) != (codes != nil) {
			t.Errorf("%v, %v", codes, err)
		}
	})
}

// gozxing is given what looks like bars but was drawn by nobody.
func FuzzBars(f *testing.F) {
	f.Add([]byte("1112132112211321112222"))
	f.Fuzz(func(t *testing.T, widths []byte) {
		shades := []float64{}
		for range 40 {
			shades = append(shades, 255)
		}
		for i, w := range widths[:min(len(widths), mostRuns)] {
			for range 2 * (1 + int(w)%4) {
				shades = append(shades, float64(i%2*255))
			}
		}
		for range 40 {
			shades = append(shades, 255)
		}
		for _, g := range glances {
			for _, r := range readLine(g.edges(shades)) {
				if len(r.code.Text) < 4 || r.from > r.to {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}
