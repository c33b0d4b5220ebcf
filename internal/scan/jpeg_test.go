package scan

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"slices"
	"testing"
)

func TestProgressiveJPEGsWeighMore(t *testing.T) {
	base := encodeJPEG(t, image.NewRGBA(image.Rect(0, 0, 16, 16)))
	if marksOf(base).progressive {
		t.Error("a baseline file is taken for a progressive one")
	}
	at := bytes.Index(base, []byte{0xff, 0xc0})
	changed := bytes.Clone(base)
	changed[at+1] = 0xc2
	config, err := jpeg.DecodeConfig(bytes.NewReader(changed))
	if err != nil {
		t.Fatal(err)
	}
	if !marksOf(changed).progressive || bytesPerPixel(config.ColorModel, changed) <= bytesPerPixel(config.ColorModel, base) {
		t.Error("a progressive file weighs no more than a baseline one")
	}
}

// progressiveJPEG is a black picture of 8 by 8 pixels, whose scans behind the
// first say nothing. remark stands in a comment, and behind the end.
func progressiveJPEG(scans int, remark []byte) []byte {
	raw := []byte{0xff, 0xd8}
	segment := func(marker byte, parts ...[]byte) {
		body := slices.Concat(parts...)
		raw = append(append(raw, 0xff, marker, byte((len(body)+2)>>8), byte(len(body)+2)), body...)
	}
	oneCode := append([]byte{1}, make([]byte, 15)...)
	segment(0xfe, remark)
	segment(0xdb, []byte{0}, bytes.Repeat([]byte{1}, 64))
	segment(0xc2, []byte{8, 0, 8, 0, 8, 1, 1, 0x11, 0})
	segment(0xc4, []byte{0x00}, oneCode, []byte{0}) // the code 0: no difference
	segment(0xc4, []byte{0x10}, oneCode, []byte{0}) // the code 0: the block ends
	for i := range scans {
		band := []byte{0, 0}
		if i > 0 {
			band = []byte{1, 63}
		}
		segment(0xda, []byte{1, 1, 0}, band, []byte{0})
		raw = append(raw, 0x7f)
	}
	return slices.Concat(raw, []byte{0xff, 0xd9}, remark)
}

func TestJPEGsOfEndlessScansAreRefused(t *testing.T) {
	scan := []byte{0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 0x7f}
	for name, test := range map[string]struct {
		raw     []byte
		refused bool
	}{
		"as encoders make them":    {progressiveJPEG(10, nil), false},
		"the most":                 {progressiveJPEG(mostScans, nil), false},
		"too many":                 {progressiveJPEG(mostScans+1, nil), true},
		"many that are no part":    {progressiveJPEG(10, bytes.Repeat(scan, 2*mostScans)), false},
		"with bytes between":       {bytes.ReplaceAll(progressiveJPEG(mostScans+1, nil), scan, append([]byte{0x12, 0xff, 0x00, 0x34, 0xff}, scan...)), true},
		"with restarts in between": {bytes.ReplaceAll(progressiveJPEG(mostScans+1, nil), scan, append([]byte{0xff, 0xd3}, scan...)), true},
	} {
		if _, err := jpeg.Decode(bytes.NewReader(test.raw)); err != nil {
			t.Fatalf("%s: the decoder doesn't take it: %v", name, err)
		}
		codes, err := Read(t.Context(), test.raw)
		if test.refused != errors.Is(err, ErrDamaged) || !test.refused && (err != nil || len(codes) > 0) {
			t.Errorf("%s: %v, %v", name, codes, err)
		}
	}
}
