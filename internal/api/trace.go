package api

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

const zeroTraceID = "00000000000000000000000000000000"

// parseTraceparent reads a traceparent header by the rules of W3C Trace Context
// level 1, section 3.2: lower-case hexadecimal, version ff and all-zero ids are
// invalid, and a higher version may carry more after the flags.
func parseTraceparent(h string) (traceID, flags string, ok bool) {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(h) < length || h[2] != '-' || h[35] != '-' || h[52] != '-' {
		return "", "", false
	}
	version, trace, parent, flags := h[:2], h[3:35], h[36:52], h[53:55]
	if !lowerHex(version) || !lowerHex(trace) || !lowerHex(parent) || !lowerHex(flags) || version == "ff" {
		return "", "", false
	}
	if len(h) > length && (version == "00" || h[length] != '-') {
		return "", "", false
	}
	if trace == zeroTraceID || parent == zeroTraceID[:16] {
		return "", "", false
	}
	return trace, flags, true
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// newTraceID makes a random trace id. It only has to be unique, not secret.
func newTraceID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], rand.Uint64()|1)
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

func newSpanID() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], rand.Uint64()|1)
	return hex.EncodeToString(b[:])
}
