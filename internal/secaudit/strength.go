package secaudit

import (
	"math"
	"strings"
	"unicode"
)

// Strength is how hard a secret is to guess.
type Strength struct {
	Length      int     // characters
	Bits        float64 // of entropy, estimated from above
	Placeholder bool    // made to be replaced
}

// phrases are found only in secrets that were made to be replaced, written without
// the signs between their words.
var phrases = []string{
	"changeme", "changethis", "changeit", "replaceme", "replacethis", "placeholder", "example", "yoursecret", "yourkey", "yourtoken",
	"yourpassword", "secretkey", "mysecret", "supersecret", "verysecret", "defaultsecret", "notasecret", "insecure", "donotuse", "password",
	"passw0rd", "letmein", "todo",
}

// words are placeholders when nothing else is there.
var words = []string{
	"secret", "token", "key", "test", "testing", "admin", "administrator", "root", "user", "guest", "default", "dev", "development", "production",
	"staging", "crownsafe", "postgres", "postgresql", "redis", "azure", "ops", "operator", "none", "null", "undefined", "foobar", "qwerty",
	"dummy", "sample", "xxx",
}

// Measure judges a secret.
func Measure(secret string) Strength {
	runes := []rune(secret)
	return Strength{Length: len(runes), Bits: bits(runes), Placeholder: placeholder(secret)}
}

func placeholder(secret string) bool {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, secret)
	for _, phrase := range phrases {
		if strings.Contains(bare, phrase) {
			return true
		}
	}
	unnumbered := strings.TrimRight(bare, "0123456789")
	for _, word := range words {
		if unnumbered == word || unnumbered == word+word {
			return true
		}
	}
	return false
}

// bits estimates the entropy of a text from above: what it could have at most,
// given how often each character is in it, where it begins to repeat itself, and
// which characters only go on with a sequence, such as 1234 or aaaa.
func bits(text []rune) float64 {
	text = text[:period(text)]
	counts := map[rune]float64{}
	for _, r := range text {
		counts[r]++
	}
	each := 0.0
	for _, n := range counts {
		share := n / float64(len(text))
		each -= share * math.Log2(share)
	}
	total := 0.0
	for i, r := range text {
		if i >= 2 && r-text[i-1] == text[i-1]-text[i-2] && r-text[i-1] >= -1 && r-text[i-1] <= 1 {
			continue // the next of a sequence
		}
		total += each
	}
	return total
}

// period is the length of what a text repeats, if it does so twice at least, else
// its own.
func period(text []rune) int {
	for length := 1; length <= len(text)/2; length++ {
		repeats := true
		for i := length; i < len(text) && repeats; i++ {
			repeats = text[i] == text[i-length]
		}
		if repeats {
			return length
		}
	}
	return len(text)
}
