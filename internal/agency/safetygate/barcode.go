package safetygate

import (
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

var (
	barcodeMembers = regexp.MustCompile(`(?i)[,/]|\s&\s|\s(?:and|or|und|et|ou|e|y|i)\s`)
	barcodeLabel   = regexp.MustCompile(`(?i)^(?:(?:bar ?code|code[- ]barres?|ean|gtin|upc|jan)(?:[ \-]?(?:8|12|13|14|a|e))?)(?:\s*(?:no|number|code)\.?)?\s*[:#.]?\s+|^[\pL ]+:\s*`)
	figures        = regexp.MustCompile(`^\d[\d \-–.]*\d$`)
	betweenFigures = strings.NewReplacer(" ", "", "-", "", "–", "", ".", "")
)

// readBarcodes reads a cell of barcodes, which holds lists with all kinds of
// marks between, remarks, and codes that are no GTIN; those are returned as
// they are printed.
func readBarcodes(cell agency.Cell) (found []recall.PrintedGTIN, others []string) {
	for _, entry := range (span{cell.Text, 0}).split(entries) {
		for _, part := range entry.split(barcodeMembers) {
			text := strings.TrimSpace(remark.ReplaceAllString(barcodeLabel.ReplaceAllString(part.text, ""), ""))
			if namesNone(text) {
				continue
			}
			gtins := barcodesOf(text, cell.Field)
			if len(gtins) == 0 {
				others = append(others, text)
			}
			found = appendGTINs(found, gtins...)
		}
	}
	return found, others
}

// barcodesOf reads one member of a list: several codes with nothing but blanks
// between them, or one that is printed in groups.
func barcodesOf(text, field string) []recall.PrintedGTIN {
	var found []recall.PrintedGTIN
	words := strings.Fields(text)
	whole := 0
	for _, w := range words {
		if codes := gtinsOf(w, field); len(codes) > 0 && len(betweenFigures.Replace(w)) >= 11 {
			found = append(found, codes...)
			whole++
		}
	}
	if whole == len(words) || whole > 0 && !figures.MatchString(text) {
		return found
	}
	if figures.MatchString(text) {
		if codes := gtinsOf(text, field); len(codes) > 0 {
			return codes
		}
	}
	return found
}

// gtinsOf reads figures as one barcode, or in both ways where one of twelve
// digits was lost.
func gtinsOf(printed, field string) []recall.PrintedGTIN {
	digits := betweenFigures.Replace(strings.TrimSuffix(printed, ".0")) // a number that a table took for one
	if strings.Trim(digits, "0123456789") != "" {
		return nil
	}
	var readings []string
	switch len(digits) {
	case 8:
		if upca, ok := gtin.ExpandUPCE(digits); ok {
			readings = append(readings, upca)
		} else {
			readings = append(readings, digits)
		}
	case 11:
		readings = append(readings, "0"+digits)
		if check, ok := gtin.CheckDigit(digits); ok {
			readings = append(readings, digits+string(check))
		}
	case 12, 13, 14:
		readings = append(readings, digits)
	}
	var found []recall.PrintedGTIN
	for _, r := range readings {
		code := gtin.Pad14(r)
		if gtin.Valid(r) && !gtin.Restricted(code) && !gtin.Coupon(code) {
			found = append(found, recall.PrintedGTIN{GTIN: code, Printed: printed, From: field})
		}
	}
	return found
}
