package extract

import "strconv"

var numberWords = map[string]int{
	"no": 0, "zero": 0, "none": 0, "aucun": 0, "aucune": 0,
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
	"eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
	"seventy": 70, "eighty": 80, "ninety": 90, "a": 1, "an": 1, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5,
}

// numberAt reads the count that starts at token i, in digits ("3,820",
// "1.2 million") or in words, and returns how many tokens it spans; 0: none.
func (t *text) numberAt(i int) (n, span int) {
	tok := &t.tokens[i]
	if !tok.word {
		return 0, 0
	}
	if tok.digits == 0 {
		if n, ok := numberWords[tok.lower]; ok {
			return n, 1
		}
		return 0, 0
	}
	if tok.letters > 0 {
		return 0, 0
	}
	fraction, err := strconv.ParseFloat(tok.lower, 64)
	if err != nil || fraction > 1e9 {
		return 0, 0
	}
	span = 1
	for tok.digits <= 3 && i+span+1 < len(t.tokens) { // 3,820 and 1,250,000
		comma, group := &t.tokens[i+span], &t.tokens[i+span+1]
		if comma.lower != "," || comma.gap != adjacent || group.gap != adjacent || group.digits != 3 || len(group.lower) != 3 {
			break
		}
		thousand, _ := strconv.Atoi(group.lower)
		fraction = fraction*1000 + float64(thousand)
		span += 2
	}
	if i+span < len(t.tokens) {
		switch t.tokens[i+span].lower {
		case "million", "millions":
			fraction *= 1e6
			span++
		}
	}
	if fraction > 1e10 || fraction != float64(int(fraction)) {
		return 0, 0
	}
	return int(fraction), span
}
