package agency

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// ModelsToBarcodes takes the barcodes out of what was read as models and adds
// them to the barcodes, as read from a field: shops print EANs behind "SKU:". A
// number of eight digits stays a model, because one in ten passes the check.
func ModelsToBarcodes(codes *extract.Codes, field string) {
	codes.Models = slices.DeleteFunc(codes.Models, func(model string) bool {
		const shortest = 12
		number := gtin.Pad14(strings.NewReplacer(" ", "", "-", "").Replace(model))
		if len(model) < shortest || number == "" || !gtin.Valid(number) {
			return false
		}
		AddBarcodes(codes, recall.PrintedGTIN{GTIN: number, Printed: model, From: field})
		return true
	})
}

// AddBarcodes adds the barcodes that are not there yet and that identify a
// product everywhere: a shop's own numbers and coupons don't.
func AddBarcodes(codes *extract.Codes, barcodes ...recall.PrintedGTIN) {
	for _, b := range barcodes {
		have := slices.ContainsFunc(codes.GTINs, func(g recall.PrintedGTIN) bool { return g.GTIN == b.GTIN })
		if !have && !gtin.Restricted(b.GTIN) && !gtin.Coupon(b.GTIN) {
			codes.GTINs = append(codes.GTINs, b)
		}
	}
}

// Widen adds that the notice may cover units beyond the codes that were read,
// by the words of a quote. Where nothing limits the notice there is nothing to
// widen.
func Widen(codes *extract.Codes, kind recall.UnitKind, quote recall.Quote) {
	if len(codes.Units) == 0 && len(codes.Models) == 0 {
		return
	}
	if len(codes.Units) == 0 {
		named := recall.All(1, kind, quote)
		named.Models = slices.Clone(codes.Models)
		codes.Units = []recall.Predicate{named}
	}
	AddUnreadable(codes, kind, quote)
}

// AddUnreadable adds that the notice limits itself by the words of a quote,
// which say how to nobody but a person.
func AddUnreadable(codes *extract.Codes, kind recall.UnitKind, quote recall.Quote) {
	last := 0
	for _, p := range codes.Units {
		last = max(last, p.Group)
	}
	codes.Units = append(codes.Units, recall.Unreadable(last+1, kind, quote))
}

var (
	codeWordInText = regexp.MustCompile(`[\pL\d][\pL\d./-]*`)
	// noCode are figures that count, measure or tell a time.
	noCode = regexp.MustCompile(`(?i)^(?:\d{1,2}(?:st|nd|rd|th)|(?:19|20)\d\d|\d+(?:[.,]\d+)?(?:mm|cm|m|km|kg|g|mg|ml|l|w|kw|v|a|mah|ah|wh|hz|in|inch|ft|pc|pcs|pk|pack|oz|lb|lbs|months?|years?|am|pm|x\d+\S*)|\d{1,2}[./-]\d{1,2}[./-](?:\d\d){1,2}|\d{4}-\d\d-\d\d|\d{1,2}[:.]\d\d(?:am|pm)?)$`)
)

// UnreadCode finds the first word with figures in a field that was not
// understood. It may be the very code on a unit, which the codes that were
// understood must not exclude then: see Widen. The quote runs to the end of the
// line.
func UnreadCode(codes extract.Codes, field, text string) (recall.Quote, bool) {
	for _, at := range codeWordInText.FindAllStringIndex(text, -1) {
		word := strings.TrimRight(text[at[0]:at[1]], "./-")
		const shortest = 3
		if len(word) < shortest || !strings.ContainsAny(word, "0123456789") || noCode.MatchString(word) || understood(codes, field, word, at[0]) {
			continue
		}
		end := len(text)
		if stop := strings.IndexByte(text[at[0]:], '\n'); stop >= 0 {
			end = at[0] + stop
		}
		return recall.Quote{Text: text[at[0]:end], Field: field, Start: at[0], End: end}, true
	}
	return recall.Quote{}, false
}

func understood(codes extract.Codes, field, word string, start int) bool {
	return slices.ContainsFunc(codes.Models, func(m string) bool { return strings.Contains(m, word) }) ||
		slices.ContainsFunc(codes.GTINs, func(g recall.PrintedGTIN) bool { return strings.Contains(g.Printed, word) }) ||
		codes.MisprintedGTIN(word) ||
		slices.ContainsFunc(codes.Units, func(p recall.Predicate) bool {
			return p.Quote.Field == field && p.Quote.Start <= start && start < p.Quote.End || strings.Contains(p.Quote.Text, word)
		})
}
