package fsis

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// item is one line of field_product_items, which stands for one product.
type item struct {
	text string
	at   int // where it stands in the field's cleaned text
}

// items cuts the list of products at its line ends and drops the bullets.
func items(list string) []item {
	var found []item
	at := 0
	for line := range strings.SplitAfterSeq(list, "\n") {
		text := strings.TrimLeft(line, "•·*- \t")
		start := at + len(line) - len(text)
		at += len(line)
		if text = strings.TrimRight(text, " \n\t"); strings.ContainsFunc(text, isWordRune) {
			found = append(found, item{text, start})
		}
	}
	return found
}

func isWordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r > 0xBF
}

// longestItem is how many characters of a line some carriers keep.
const longestItem = 255

// dangling is a word that no line ends with.
var dangling = regexp.MustCompile(`(?i)\b(?:as|the|a|an|and|or|of|with|in|on|by|for|to|at|from|bearing|is|are|each|that|which)$`)

func (i item) cut() bool {
	length := utf8.RuneCountInString(i.text)
	stopped := strings.HasSuffix(i.text, ".") && length < longestItem
	return extract.HasCutEnd(i.text) || dangling.MatchString(i.text) || length >= longestItem-1 && length <= longestItem+1 && !stopped
}

// products makes one product of every line, with the codes of that line, or one
// of the title where there is no list. cut says that a line was cut off.
func (s story) products() (products []recall.Product, cut bool) {
	lines := items(s.row[fieldProducts])
	limited := false
	for _, line := range lines {
		codes := extract.Read([]extract.Field{{Name: fieldProducts, Text: line.text}}, extract.Options{Language: s.language(), Cut: line.cut(), Food: true})
		for i := range codes.Units {
			if q := &codes.Units[i].Quote; q.Field == fieldProducts {
				q.Start, q.End = q.Start+line.at, q.End+line.at
			}
		}
		limited = limited || len(codes.Units) > 0
		cut = cut || line.cut()
		products = append(products, s.named(itemName(line.text, s.product), codes))
	}
	if len(lines) == 0 {
		codes := extract.Read([]extract.Field{{Name: fieldTitle, Text: s.title}, {Name: fieldSummary, Text: s.row[fieldSummary]}},
			extract.Options{Language: s.language(), Cut: extract.HasCutEnd(s.row[fieldSummary]), Food: true})
		return []recall.Product{s.named(s.product, codes)}, false
	}
	if !limited {
		s.limitBySummary(products)
	}
	return products, cut
}

// limitBySummary takes what limits the notice from the press release where no
// line of the list says anything. It isn't tied to one of several products, so
// that it excludes no unit of several.
func (s story) limitBySummary(products []recall.Product) {
	codes := extract.Read([]extract.Field{{Name: fieldSummary, Text: s.row[fieldSummary]}},
		extract.Options{Language: s.language(), Cut: extract.HasCutEnd(s.row[fieldSummary]), Food: true})
	if len(codes.Units) == 0 {
		return
	}
	for i := range products {
		units := slices.Clone(codes.Units)
		if len(products) > 1 {
			last := slices.MaxFunc(units, func(p, q recall.Predicate) int { return p.Group - q.Group }).Group
			units = append(units, recall.Unreadable(last+1, units[0].Kind, units[0].Quote))
		}
		products[i].Units = units
	}
}

func (s story) named(name string, codes extract.Codes) recall.Product {
	return recall.Product{Name: name, Brand: s.brandOf(name), GTINs: codes.GTINs, Models: codes.Models, Units: codes.Units}
}
