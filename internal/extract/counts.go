package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/recall"
)

var countries = newLexicon(
	entry[string]{"CA", []string{"canada", "canadian"}},
	entry[string]{"US", []string{"united states", "u . s", "us", "usa", "états-unis"}},
	entry[string]{"MX", []string{"mexico", "mexique"}},
	entry[string]{"GB", []string{"united kingdom", "uk", "royaume-uni"}},
	entry[string]{"FR", []string{"france"}},
	entry[string]{"AU", []string{"australia"}},
	entry[string]{"NZ", []string{"new zealand"}},
	entry[string]{"DE", []string{"germany", "allemagne"}},
	entry[string]{"JP", []string{"japan", "japon"}},
)

// UnitCounts reads how many units a notice covers, by country: "About 3,820
// (in addition, about 700 were sold in Canada)". A count whose country the
// words don't tell belongs to the given one (ISO 3166-1 alpha-2). Counts of one
// country are added up only where the text gives them for several products.
func UnitCounts(source, country string) []recall.UnitCount {
	t := tokenise("", source)
	var counts []recall.UnitCount
	inBrackets := false
	for i := 0; i < len(t.tokens); {
		switch t.tokens[i].lower {
		case "(":
			inBrackets = true
		case ")":
			inBrackets = false
		}
		if span := t.phoneAt(i); span > 0 {
			i += span
			continue
		}
		n, span := t.numberAt(i)
		if span == 0 || t.tokens[i].digits == 0 || n == 0 {
			i++
			continue
		}
		where := t.countryBehind(i+span, country)
		if !inBrackets || where != country {
			counts = addCount(counts, recall.UnitCount{Country: where, Count: n, Approximate: t.approximate(i)})
		}
		i += span
	}
	return counts
}

// phoneAt returns how many tokens a telephone number with a leading zero takes
// from token i on: "0121 313 6050". 0: there is none.
func (t *text) phoneAt(i int) int {
	if t.tokens[i].lower[0] != '0' || t.tokens[i].digits < 2 {
		return 0
	}
	end := i + 1
	for end < len(t.tokens) && t.tokens[end].gap == blank && onlyDigits(t.tokens[end].lower) {
		end++
	}
	return end - i
}

// addCount keeps one count for each country; a second one of the country that
// stands outside brackets belongs to another product.
func addCount(counts []recall.UnitCount, c recall.UnitCount) []recall.UnitCount {
	for i := range counts {
		if counts[i].Country == c.Country {
			counts[i].Count += c.Count
			counts[i].Approximate = counts[i].Approximate || c.Approximate
			return counts
		}
	}
	return append(counts, c)
}

// countryBehind finds the country that the words up to the next number name.
func (t *text) countryBehind(i int, otherwise string) string {
	for ; i < len(t.tokens); i++ {
		if t.tokens[i].digits > 0 || t.tokens[i].lower == ";" || t.tokens[i].lower == ")" {
			break
		}
		if country, span := countries.at(t, i); span > 0 {
			return country
		}
	}
	return otherwise
}

func (t *text) approximate(i int) bool {
	if i == 0 {
		return false
	}
	word := t.tokens[i-1].lower
	return word == "about" || word == "environ" || word == "nearly" || word == "over" || strings.HasPrefix(word, "approx")
}
