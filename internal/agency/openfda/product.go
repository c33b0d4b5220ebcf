package openfda

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// nameLength is how long a product's name becomes at most, in characters: a
// description has hundreds, ingredients included.
const nameLength = 160

var (
	// printedCode is a barcode or another labelled code with its figures.
	printedCode = regexp.MustCompile(`(?i)\b(?:retail |case |unit )?(?:UPCs?|GTINs?|EANs?|NDCs?|bar ?codes?)\b(?: ?(?:codes?|numbers?|no\.?|#'?s?))*[\s:#."]*(?:\d[\d -]*\d)?"?`)
	// boilerplate begins what a description says besides what the product is.
	boilerplate = regexp.MustCompile(`(?i)[\s,;.(]*\b(?:ingredients?\s*:|contains?\s*:|(?:proudly )?dist(?:ributed|\.)? (?:by|for)|manufactured (?:by|for|in)|mfd\.? (?:by|for)|produced (?:by|in|for)|packed by|made in|product of|keep (?:frozen|refrigerated)|item (?:numbers?|codes?|no\.?|#)|lots? ?(?:#|codes?|no|numbers?|:)|batch|best (?:by|before|if)|sell by|use by|rx only|serial n|udi\b)`)
	netWeight   = regexp.MustCompile(`(?i)[\s,;]*\bnet\.? ?(?:wt|weight)\b\.?:?`)
	// listMark is a mark of an enumeration: "1)", "2.", "a.)", "(b)".
	listMark   = regexp.MustCompile(`(?:^|[\s,;.])\(?(\d{1,2}|[a-z])(?:\.\)|\)|\.)\s+`)
	namedBrand = regexp.MustCompile(`(?:^|[\s(,;:"])((?:[\p{Lu}\d&][\p{L}\p{N}'’&.-]*[ ]){1,4}|[\p{L}\p{N}'’&.-]+-)(?i:brand(?:ed)?)\b`)
	brandField = regexp.MustCompile(`(?i)\bbrand(?: name)?\s*:\s*([^,;.\n]{2,40})`)
)

// products makes one product of each that the description enumerates. Codes
// aren't tied to one of several: every product gets them all, and beside them a
// group that can't be read, so that the code of one never excludes a unit of
// another.
func (w wireReport) products(description string) []recall.Product {
	codeInfo := w.CodeInfo.Clean()
	codes := extract.Read([]extract.Field{
		{Name: "product_description", Text: description},
		{Name: "code_info", Text: codeInfo},
		{Name: "more_code_info", Text: w.MoreCodeInfo.Clean()},
	}, extract.Options{Language: "en", Cut: extract.HasCutEnd(codeInfo)})
	parts := enumerated(description)
	if len(parts) > 1 && len(codes.Units) > 0 {
		first := codes.Units[0]
		last := slices.MaxFunc(codes.Units, func(p, q recall.Predicate) int { return p.Group - q.Group }).Group
		codes.Units = append(codes.Units, recall.Unreadable(last+1, first.Kind, first.Quote))
	}
	products := make([]recall.Product, len(parts))
	for i, part := range parts {
		products[i] = recall.Product{
			Name: productName(part), Brand: w.brand(part, description),
			GTINs: slices.Clone(codes.GTINs), Models: slices.Clone(codes.Models), Units: slices.Clone(codes.Units),
		}
		for j := range products[i].Units {
			products[i].Units[j].Models = slices.Clone(products[i].Units[j].Models)
		}
	}
	return products
}

// enumerated cuts a description at the marks of an enumeration that counts up
// from its beginning; "9 in. pie" and "vitamin B. complex" are none.
func enumerated(description string) []string {
	var starts, ends []int
	for _, m := range listMark.FindAllStringSubmatchIndex(description, -1) {
		if mark := description[m[2]:m[3]]; mark == nthMark(len(starts), mark) {
			starts, ends = append(starts, m[0]), append(ends, m[1])
		}
	}
	if len(starts) < 2 || starts[0] > nameLength {
		return []string{description}
	}
	lead := strings.Trim(description[:starts[0]], " \n,;:.")
	parts := make([]string, 0, len(starts))
	for i := range starts {
		end := len(description)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		part := strings.TrimSpace(description[ends[i]:end])
		if part == "" {
			return []string{description}
		}
		if lead != "" && len(lead) < 60 {
			part = lead + " " + part
		}
		parts = append(parts, part)
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

// productName takes from a description what the product is.
func productName(description string) string {
	name := printedCode.ReplaceAllString(description, " ")
	if at := boilerplate.FindStringIndex(name); at != nil && at[0] > 10 {
		name = name[:at[0]]
	}
	name = netWeight.ReplaceAllString(name, ",")
	name = strings.Trim(strings.Join(strings.Fields(name), " "), " ,;:.-#*&")
	if name == "" {
		name = strings.Join(strings.Fields(description), " ")
	}
	return firstWords(name, nameLength)
}

// firstWords cuts a text at the end of a word.
func firstWords(text string, length int) string {
	runes := []rune(text)
	if len(runes) <= length {
		return text
	}
	cut := string(runes[:length])
	if blank := strings.LastIndexByte(cut, ' '); blank > length/2 {
		cut = cut[:blank]
	}
	return strings.TrimRight(cut, " ,;:(-")
}

// brand takes the brand that the description names as one, that of the drug's
// label, or the firm where the product carries its name. A contract packer's
// name is on no shelf: better no brand than his.
func (w wireReport) brand(part, description string) string {
	for _, text := range []string{part, description} {
		for _, pattern := range []*regexp.Regexp{brandField, namedBrand} {
			if m := pattern.FindStringSubmatch(text); m != nil {
				if brand := strings.Trim(m[1], " -\""); !agency.Placeholder(brand) {
					return brand
				}
			}
		}
	}
	for _, name := range w.OpenFDA.BrandName {
		if brand := name.Clean(); !agency.Placeholder(brand) {
			return brand
		}
	}
	firm := extract.BrandFromTitle(w.RecallingFirm.Clean()+" Recalls "+part, "")
	if firm == "" || agency.Placeholder(firm) {
		return ""
	}
	return carriedName(firm, description)
}

// carriedName returns as much of the firm's name, from its beginning, as the
// description repeats.
func carriedName(firm, description string) string {
	lower := strings.ToLower(description)
	words := strings.Fields(firm)
	for n := len(words); n > 0; n-- {
		name := strings.Trim(strings.Join(words[:n], " "), " ,.&")
		if len(name) > 3 && strings.Contains(lower, strings.ToLower(name)) {
			return name
		}
	}
	return ""
}
