package scan

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
)

// mostScans is how many scans a JPEG file may have. Encoders make some ten of
// them in a progressive file. The decoder goes through the whole picture for
// each, however few bytes it has: a small file could keep it busy for hours.
const mostScans = 32

// configOfJPEG reads a JPEG file's header, and refuses one that would be endless
// work.
func configOfJPEG(raw []byte) (image.Config, error) {
	if n := marksOf(raw).scans; n > mostScans {
		return image.Config{}, fmt.Errorf("it has %d scans", n)
	}
	return jpeg.DecodeConfig(bytes.NewReader(raw))
}

// marks is what the markers of a JPEG file tell.
type marks struct {
	progressive bool
	scans       int
}

// marksOf goes through the markers of a JPEG file (ITU-T T.81, table B.1) as the
// decoder does: segments are skipped by their length, and what stands between
// two of them, such as a scan's data, up to the next marker.
func marksOf(raw []byte) (m marks) {
	const sof2, rst0, rst7, startOfImage, endOfImage, startOfScan = 0xc2, 0xd0, 0xd7, 0xd8, 0xd9, 0xda
	for {
		at := bytes.IndexByte(raw, 0xff)
		if at < 0 {
			return m
		}
		for raw = raw[at:]; len(raw) > 0 && raw[0] == 0xff; {
			raw = raw[1:] // any number of them may stand before a marker
		}
		if len(raw) < 3 {
			return m
		}
		marker := raw[0]
		switch {
		case marker == 0, marker == startOfImage, rst0 <= marker && marker <= rst7: // these stand alone
			raw = raw[1:]
			continue
		case marker == endOfImage:
			return m
		case marker == sof2:
			m.progressive = true
		case marker == startOfScan:
			m.scans++
		}
		raw = raw[min(1+int(binary.BigEndian.Uint16(raw[1:])), len(raw)):]
	}
}
