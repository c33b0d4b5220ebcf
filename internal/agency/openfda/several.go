package openfda

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// products makes one product of each that the description enumerates.
//
// Each gets its own barcodes and codes where every one has some of its own, the
// codes in an enumeration by as many marks. Otherwise every product gets all of
// them, so that the code of one never excludes a unit of another.
func (w wireReport) products(description string) []recall.Product {
	codeInfo := string(w.CodeInfo)
	names := enumerated(description, nameMark)
	lists := enumerated(codeInfo, codeMark)
	tied := len(names) > 1 && len(lists) == len(names)
	barcodes, limited := true, true // every product has some of its own
	each := make([]extract.Codes, len(names))
	for i, name := range names {
		list := codeInfo
		if tied {
			list = lists[i].alone(codeInfo)
		}
		each[i] = w.codes(name.alone(description), list)
		if tied {
			lists[i].requote(each[i].Units, fieldCodeInfo, codeInfo)
		}
		name.requote(each[i].Units, fieldDescription, description)
		barcodes = barcodes && len(each[i].GTINs) > 0
		limited = limited && len(each[i].Units) > 0
	}
	if len(names) > 1 {
		all := w.codes(description, codeInfo)
		if !barcodes && len(all.GTINs) > 0 || !limited && len(all.Units) > 0 {
			if !limited && len(all.Units) > 0 {
				// No telling whether the codes of one limit the others.
				first := all.Units[0]
				all.Units = append(all.Units, recall.Unreadable(nextGroup(all.Units), first.Kind, first.Quote))
			}
			for i := range each {
				each[i] = all
			}
		}
	}
	products := make([]recall.Product, len(names))
	for i, name := range names {
		part := name.text(description)
		products[i] = recall.Product{Name: productName(part), Brand: w.brand(part, description),
			GTINs: slices.Clone(each[i].GTINs), Models: slices.Clone(each[i].Models), Units: slices.Clone(each[i].Units)}
		for j := range products[i].Units {
			products[i].Units[j].Models = slices.Clone(products[i].Units[j].Models)
		}
	}
	return products
}

// codes reads the identifiers of a product, and doubts what of code_info was not
// understood.
func (w wireReport) codes(description, codeInfo string) extract.Codes {
	codes := extract.Read([]extract.Field{
		{Name: fieldDescription, Text: description},
		{Name: fieldCodeInfo, Text: codeInfo},
		{Name: "more_code_info", Text: string(w.MoreCodeInfo)},
	}, extract.Options{Language: "en", Cut: extract.HasCutEnd(codeInfo), Food: w.isFood()})
	if start, end, ok := unreadCodes(codes, codeInfo); ok {
		codes.Units = append(codes.Units, recall.Unreadable(nextGroup(codes.Units), recall.Lot, recall.Quote{
			Text: codeInfo[start:end], Field: fieldCodeInfo, Start: start, End: end,
		}))
	}
	return codes
}

func (w wireReport) isFood() bool {
	return strings.HasPrefix(strings.ToLower(string(w.ProductType)), "food")
}

func nextGroup(units []recall.Predicate) int {
	next := 1
	for _, p := range units {
		next = max(next, p.Group+1)
	}
	return next
}

var (
	// nameMark is a mark of an enumeration of products: "1)", "2.", "a.)", "(b)".
	nameMark = regexp.MustCompile(`(?:^|[\s,;.])\(?(\d{1,2}|[a-z])(?:\.\)|\)|\.)\s+`)
	// codeMark is one of an enumeration of codes, which is written closer:
	// "Lots:a) 24356; b)25003".
	codeMark = regexp.MustCompile(`(?:^|[\s,;.:])\(?(\d{1,2}|[a-z])(?:\.?\)\s*|\.\s+)`)
)

// part is one of the things that a text enumerates: bytes in it.
type part struct {
	mark, start, end int
	lead             int // where the enumeration begins
}

// text is what stands behind the mark, with the words that stand before all of them.
func (p part) text(whole string) string {
	own := strings.TrimSpace(whole[p.start:p.end])
	if lead := strings.Trim(whole[:p.lead], " \n,;:."); lead != "" && len(lead) < longestLead {
		return lead + " " + own
	}
	return own
}

// longestLead is how long the words before an enumeration may be, in bytes, to
// belong to each name.
const longestLead = 60

// alone blanks out the other parts, so that what stands in this one keeps its place.
func (p part) alone(whole string) string {
	return whole[:p.lead] + strings.Repeat(" ", p.start-p.lead) + whole[p.start:p.end] + strings.Repeat(" ", len(whole)-p.end)
}

// requote takes the words of other parts out of quotes: a label in front of the
// enumeration stands far from the codes that it announces.
func (p part) requote(units []recall.Predicate, field, whole string) {
	for i := range units {
		q := &units[i].Quote
		if q.Field != field {
			continue
		}
		if q.Start < p.start && q.End > p.start {
			q.Start = p.start
		}
		q.Text = whole[q.Start:q.End]
	}
}

// enumerated cuts a text at the marks of an enumeration that counts up from its
// beginning; "9 in. pie" and "vitamin B. complex" are none. A text without one is
// one part.
func enumerated(text string, mark *regexp.Regexp) []part {
	whole := []part{{end: len(text)}}
	var parts []part
	for _, m := range mark.FindAllStringSubmatchIndex(text, -1) {
		if word := text[m[2]:m[3]]; word == nthMark(len(parts), word) {
			parts = append(parts, part{mark: m[0], start: m[1], end: len(text)})
		}
	}
	if len(parts) < 2 || parts[0].mark > nameLength {
		return whole
	}
	for i := range parts {
		parts[i].lead = parts[0].mark
		if i+1 < len(parts) {
			parts[i].end = parts[i+1].mark
		}
		if strings.TrimSpace(text[parts[i].start:parts[i].end]) == "" {
			return whole
		}
	}
	return parts
}

// nthMark writes the n-th mark, from 0, of an enumeration in the style of mark.
func nthMark(n int, mark string) string {
	if mark[0] >= 'a' {
		return string(rune('a' + min(n, 25)))
	}
	n++
	if n < 10 {
		return string(rune('0' + n))
	}
	return string(rune('0'+n/10)) + string(rune('0'+n%10))
}
