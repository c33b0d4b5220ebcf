package recall

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Marks are the codes on a unit: lots, serial numbers, date codes. They are
// compared without case, blanks, hyphens and printed labels.

// codeLabels are words that people type with a code because they stand beside
// it on the product. Longer ones first, so that "lot number" goes whole.
var codeLabels = []string{
	"SERIALNUMBER", "SERIALNO", "SERIAL", "BATCHNUMBER", "BATCHCODE", "BATCHNO", "BATCH", "LOTNUMBER", "LOTCODE", "LOTNO", "LOT",
	"PRODUCTIONCODE", "PRODUCTIONDATE", "DATECODE", "COHORT", "CODE", "PC", "SN", "NUMERODELOT", "NDELOT",
}

// codeKey brings a code to the form in which codes are compared: A–Z and 0–9
// (and other letters, upper case), without a label such as "PC:" or "Lot".
// A label is dropped only where punctuation or a blank sets it apart or where a
// digit follows, so that the code "LOTUS7" stays whole.
func codeKey(code string) string {
	return codeRunes(stripLabel(code))
}

func codeRunes(s string) string {
	if !isASCII(s) {
		s = foldLetters(s)
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf && unicode.IsLetter(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// numberSigns are the signs that French and German print behind an N.
var numberSigns = strings.NewReplacer("°", ".", "º", ".", "№", "No.")

// stripLabel cuts a label off the front of a code as typed.
func stripLabel(code string) string {
	code = numberSigns.Replace(code)
	for cut := 1; cut < len(code); cut++ {
		c := code[cut]
		if c != ':' && c != '#' && c != '.' && c != ' ' && c != '=' {
			continue
		}
		if rest := code[cut+1:]; isLabel(codeRunes(code[:cut])) && codeRunes(rest) != "" {
			return stripLabel(strings.TrimLeft(rest, " :#.="))
		}
	}
	return code
}

func isLabel(word string) bool {
	for _, label := range codeLabels {
		if word == label || word == label+"S" {
			return true
		}
	}
	return word == "NO" || word == "NUMBER" || word == "N" || word == "L"
}

// glued are letters that packs print straight before a figure to say what it
// is: "L2401" is lot 2401.
var glued = []string{"LOT", "L", "SN", "PC", "NO", "N"}

// unglue drops such letters from a code that is nothing but figures behind them.
func unglue(key string) string {
	for _, label := range glued {
		if rest, ok := strings.CutPrefix(key, label); ok && allDigits(rest) {
			return rest
		}
	}
	return key
}

// compareMark compares a code with a predicate's bounds, as printed and without
// letters that only say what the figure is. no means that the code is
// comparable and differs either way; a code of another build than the notice's
// own says nothing.
func compareMark(p *Predicate, key string) truth {
	if p.Op == OpAll {
		return yes
	}
	from, to := "", ""
	if p.From != nil {
		from = codeKey(*p.From)
	}
	if p.To != nil {
		to = codeKey(*p.To)
	}
	plain := compareBounds(p, from, to, key)
	if plain == yes {
		return yes
	}
	bare := compareBounds(p, unglue(from), unglue(to), unglue(key))
	if bare == yes || plain == no {
		return bare
	}
	return unknown
}

func compareBounds(p *Predicate, from, to, key string) truth {
	switch p.Op {
	case OpEquals:
		return compareEqual(from, key)
	case OpPrefix:
		return compareAffix(from, strings.HasPrefix(key, from))
	case OpSuffix:
		return compareAffix(from, strings.HasSuffix(key, from))
	case OpRange:
		return compareRange(p, from, to, key)
	}
	return unknown
}

func compareAffix(text string, holds bool) truth {
	if text == "" {
		return unknown
	}
	return fromBool(holds)
}

// compareEqual is no only for codes that plainly differ. Two numbers that differ
// in leading zeros alone are one; a code that begins like the other may be the
// same mark with a part left out, a time of day or a line number.
func compareEqual(want, key string) truth {
	switch {
	case want == "":
		return unknown
	case want == key, allDigits(want) && allDigits(key) && strings.TrimLeft(want, "0") == strings.TrimLeft(key, "0"):
		return yes
	case isPart(want, key), isPart(key, want):
		return unknown
	}
	return no
}

// isPart reports whether a mark may be the other one with something left out: a
// time of day, a line or a plant behind it, or letters before it.
func isPart(part, whole string) bool {
	if rest, ok := strings.CutPrefix(whole, part); ok && rest != "" {
		return len(part) >= partOfMark || len(part) >= partOfMark-1 && !isDigit(rest[0])
	}
	rest, ok := strings.CutSuffix(whole, part)
	return ok && len(part) >= partOfMark && !hasDigit(rest)
}

// partOfMark is how long a beginning must be to be taken for a part of a mark.
const partOfMark = 5

func fromBool(b bool) truth {
	if b {
		return yes
	}
	return no
}

// compareRange compares by the running number in which the two ends differ:
// "SR-HX13-01001 to SR-HX13-01488" runs over the last five digits. Where the
// code is not built like the ends, nothing can be said.
func compareRange(p *Predicate, from, to, key string) truth {
	if from == "" && to == "" || from != "" && to != "" && (!sameBuild(from, to) || compareBuilt(from, to) > 0) {
		return unknown // ends that don't span a range, such as week codes across a new year
	}
	sample := from
	if sample == "" {
		sample = to
	}
	if !sameBuild(sample, key) || from != "" && to != "" && len(from) == len(to) && len(key) > len(to) {
		return unknown // "210501" says nothing of 2101 to 2152
	}
	if from != "" {
		if c := compareBuilt(key, from); c < 0 || c == 0 && !p.FromInclusive {
			return no
		}
	}
	if to != "" {
		if c := compareBuilt(key, to); c > 0 || c == 0 && !p.ToInclusive {
			return no
		}
	}
	return yes
}

// sameBuild reports whether two codes are built alike: both plain numbers, or
// the same classes of characters (letter, digit) place by place.
func sameBuild(a, b string) bool {
	if allDigits(a) && allDigits(b) {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if isDigit(a[i]) != isDigit(b[i]) {
			return false
		}
	}
	return true
}

// compareBuilt orders two codes that are built alike.
func compareBuilt(a, b string) int {
	if allDigits(a) && allDigits(b) {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(a) != len(b) {
			return len(a) - len(b)
		}
	}
	return strings.Compare(a, b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
