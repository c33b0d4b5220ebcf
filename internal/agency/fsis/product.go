package fsis

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// item is one line of field_product_items, which stands for one product.
type item struct {
	text  string
	field string // where the words are quoted from: field_product_items or field_summary
	at    int    // where they stand in that field's cleaned text
}

// items cuts the list of products at its line ends and drops the bullets. What
// FSIS's system cut off a line is taken from the press release, which repeats
// the list.
func (s story) items() []item {
	var found []item
	at := 0
	for line := range strings.SplitAfterSeq(s.row[fieldProducts], "\n") {
		text := strings.TrimLeft(line, bullets)
		start := at + len(line) - len(text)
		at += len(line)
		if text = strings.TrimRight(text, " \n\t"); strings.ContainsFunc(text, isWordRune) {
			found = append(found, s.completed(item{text, fieldProducts, start}))
		}
	}
	return found
}

const bullets = "•·*- \t"

// completed returns the line as the press release has it, where the list cut it.
func (s story) completed(line item) item {
	const telling = 80 // bytes that no two lines of a list begin with
	summary := s.row[fieldSummary]
	if !line.cut() || len(line.text) < telling {
		return line
	}
	at := strings.Index(summary, line.text[:telling])
	if at < 0 {
		return line
	}
	text, _, _ := strings.Cut(summary[at:], "\n")
	text = strings.TrimRight(text, " \t")
	if len(text) < len(line.text) {
		return line
	}
	return item{text, fieldSummary, at}
}

func isWordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r > 0xBF
}

// longestItem is how many characters of a line FSIS's system keeps.
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
	lines := s.items()
	if len(lines) == 0 {
		return []recall.Product{s.named(s.product, s.readRelease(fieldTitle, fieldSummary))}, false
	}
	limited := false
	for _, line := range lines {
		codes := s.read(line)
		limited = limited || len(codes.Units) > 0
		cut = cut || line.cut()
		for _, name := range itemNames(line.text, s.product) {
			products = append(products, s.named(name, codes))
		}
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
	codes := s.readRelease(fieldSummary)
	if len(codes.Units) == 0 {
		return
	}
	if len(products) > 1 {
		agency.AddUnreadable(&codes, codes.Units[0].Kind, codes.Units[0].Quote)
	}
	for i := range products {
		products[i].Units = clonePredicates(codes.Units)
	}
}

func clonePredicates(units []recall.Predicate) []recall.Predicate {
	out := slices.Clone(units)
	for i := range out {
		out[i].Models = slices.Clone(out[i].Models)
	}
	return out
}

func (s story) named(name string, codes extract.Codes) recall.Product {
	return recall.Product{
		Name: name, Brand: s.brandOf(name), GTINs: slices.Clone(codes.GTINs), Models: slices.Clone(codes.Models), Units: clonePredicates(codes.Units),
	}
}
