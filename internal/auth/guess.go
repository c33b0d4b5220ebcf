package auth

import (
	_ "embed"
	"math"
	"strings"
	"unicode"
)

// minGuessBits is how many guesses a password must hold out against, as a power
// of two: twelve random letters have 56 bits, "Summer2026!!" has 22.
const minGuessBits = 36

// commonWords are what people make passwords of: a short list of well-known ones,
// first names, months, animals, sports. The commoner come first.
//
//go:embed commonwords.txt
var commonWordsFile string

var commonWords = strings.Fields(commonWordsFile)

// rows are the rows of keyboards, and the alphabet; walked in either direction,
// and from the end to the beginning.
var rows = []string{
	"1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz",
	"qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "147258369", "!@#$%^&*()",
}

// leet are the letters that a digit or a sign is written for.
var leet = map[rune]string{
	'0': "o", '1': "il", '3': "e", '4': "a", '5': "s", '7': "t", '8': "b", '9': "g",
	'@': "a", '$': "s", '!': "i", '+': "t", '|': "l", '€': "e",
}

// Costs, in bits, of pieces that somebody who guesses tries early.
const (
	wordBits   = 9 // of some hundred words, in some cases and spellings
	walkBits   = 8
	yearBits   = 6
	repeatBits = 2
)

// guessBits estimates how many guesses a password holds out against, as a power
// of two, for somebody who knows how people make passwords: it is the cheapest
// way to put it together from common words, walks over a keyboard, years,
// repetitions and single characters.
func guessBits(password string) float64 {
	text := []rune(password)
	if n := period(text); n < len(text) {
		return guessBits(string(text[:n])) + math.Log2(float64(len(text)/n))
	}
	lower := []rune(strings.ToLower(password))
	if len(lower) != len(text) { // a letter whose small form is longer
		lower = text
	}
	best := make([]float64, len(text)+1) // of the first i characters
	for i := range text {
		best[i+1] = math.Inf(1)
	}
	relax := func(to int, bits float64) { best[to] = min(best[to], bits) }
	for i := range lower {
		relax(i+1, best[i]+charBits(text[i]))
		if i > 0 && lower[i] == lower[i-1] {
			relax(i+1, best[i]+repeatBits)
		}
		if n := walk(lower[i:]); n >= 3 {
			relax(i+n, best[i]+walkBits)
		}
		if year(lower[i:]) {
			relax(i+4, best[i]+yearBits)
		}
		for _, word := range commonWords {
			if n := spells(lower[i:], word); n > 0 {
				relax(i+n, best[i]+wordBits)
			}
		}
	}
	return best[len(text)]
}

// period is the length of the piece that the whole text repeats; its own length
// when it repeats none.
func period(text []rune) int {
	for n := 1; n <= len(text)/2; n++ {
		if len(text)%n != 0 {
			continue
		}
		same := true
		for i := n; i < len(text) && same; i++ {
			same = text[i] == text[i-n]
		}
		if same {
			return n
		}
	}
	return len(text)
}

// charBits is the cost of one character that belongs to nothing.
func charBits(r rune) float64 {
	switch {
	case unicode.IsDigit(r):
		return 3.3
	case unicode.IsLower(r):
		return 4.7
	}
	return 5.5
}

// walk is how many of the first characters are neighbours on a row, in one direction.
func walk(text []rune) int {
	longest := 0
	for _, row := range rows {
		keys := []rune(row)
		for _, step := range []int{1, len(keys) - 1} {
			longest = max(longest, walkOn(text, keys, step))
		}
	}
	return longest
}

func walkOn(text, keys []rune, step int) int {
	at := indexOf(keys, text[0])
	if at < 0 {
		return 0
	}
	n := 1
	for ; n < len(text); n++ {
		at = (at + step) % len(keys)
		if keys[at] != text[n] {
			break
		}
	}
	return n
}

func indexOf(keys []rune, r rune) int {
	for i, key := range keys {
		if key == r {
			return i
		}
	}
	return -1
}

// year reports that the first four characters are a year that people live in.
func year(text []rune) bool {
	return len(text) >= 4 && (text[0] == '1' && text[1] == '9' || text[0] == '2' && text[1] == '0') &&
		unicode.IsDigit(text[2]) && unicode.IsDigit(text[3])
}

// spells is how many of the first characters spell a word, with letters or with
// what is written for them; 0 when they don't.
func spells(text []rune, word string) int {
	if len(text) < len(word) {
		return 0
	}
	for i := range len(word) {
		if text[i] != rune(word[i]) && !strings.ContainsRune(leet[text[i]], rune(word[i])) {
			return 0
		}
	}
	return len(word)
}
