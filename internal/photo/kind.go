package photo

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"slices"
)

// Types are the media types of pictures: raster images that no browser runs
// anything of.
var Types = []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"}

// typeOf tells the media type by the bytes, whatever anybody said; "" for all that
// is none of Types, such as SVG and HTML.
func typeOf(body []byte) string {
	if isAVIF(body) {
		return "image/avif"
	}
	if sniffed := http.DetectContentType(body); slices.Contains(Types, sniffed) {
		return sniffed
	}
	return ""
}

// isAVIF looks for the brands of AVIF in the file type box that begins a file of
// the ISO base media format (AV1 Image File Format, section 6; ISO/IEC 14496-12,
// section 4.3).
func isAVIF(body []byte) bool {
	if len(body) < 16 || string(body[4:8]) != "ftyp" {
		return false
	}
	size := binary.BigEndian.Uint32(body)
	if size < 16 || size > uint32(min(len(body), 1024)) { //nolint:gosec // bounded
		return false
	}
	brands := slices.Concat(body[8:12], body[16:size]) // between them stands a version
	for brand := range slices.Chunk(brands, 4) {
		if bytes.Equal(brand, []byte("avif")) || bytes.Equal(brand, []byte("avis")) {
			return true
		}
	}
	return false
}
