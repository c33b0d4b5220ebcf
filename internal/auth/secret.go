package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

// The prefixes of the secrets that the service gives out. Each goes on with 43
// random characters of [0-9A-Za-z], 256 bits, and 6 for the CRC-32 (IEEE) of all
// before them, so that a scanner can tell a real one from something alike.
const (
	keyPrefix     = "crs_live_" // an API key
	refreshPrefix = "crs_rt_"   // a refresh token
	cookiePrefix  = "crs_bs_"   // a browser's cookie
	verifyPrefix  = "crs_vt_"   // proves an address
	resetPrefix   = "crs_pr_"   // sets a new password
)

const (
	base62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randomChars = 43
	sumChars    = 6
)

// newSecret makes a secret with a prefix.
func newSecret(prefix string) string {
	text := make([]byte, 0, len(prefix)+randomChars+sumChars)
	text = append(text, prefix...)
	var random [2 * randomChars]byte
	for len(text) < len(prefix)+randomChars {
		_, _ = rand.Read(random[:]) // it never fails
		for _, b := range random {
			// 248 is the last multiple of 62 in a byte: beyond it some characters would
			// come more often than others.
			if b < 248 && len(text) < len(prefix)+randomChars {
				text = append(text, base62[b%62])
			}
		}
	}
	return string(text) + checksum(text)
}

func checksum(text []byte) string {
	var sum [sumChars]byte
	rest := crc32.ChecksumIEEE(text)
	for i := sumChars - 1; i >= 0; i-- {
		sum[i] = base62[rest%62]
		rest /= 62
	}
	return string(sum[:])
}

// wellFormed reports that a text could be a secret with a prefix, so that
// nobody need be asked about one that can't.
func wellFormed(text, prefix string) bool {
	if len(text) != len(prefix)+randomChars+sumChars || !strings.HasPrefix(text, prefix) {
		return false
	}
	body, sum := text[:len(text)-sumChars], text[len(text)-sumChars:]
	return strings.Trim(body[len(prefix):], base62) == "" && checksum([]byte(body)) == sum
}

// hashOf is what is kept of a secret.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
