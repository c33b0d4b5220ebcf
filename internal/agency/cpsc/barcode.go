package cpsc

import (
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

const fieldUPCs = "ProductUPCs"

// printedBarcodes reads the ProductUPCs of a recall. A code whose check digit is
// wrong, or that a shop gave out for itself, identifies nothing and is left
// out; the description, where it usually stands as well, keeps it findable.
func printedBarcodes(upcs []string) []recall.PrintedGTIN {
	var out []recall.PrintedGTIN
	seen := map[string]bool{}
	add := func(number, printed string) {
		number = gtin.Pad14(number)
		if number == "" || seen[number] || gtin.Restricted(number) || gtin.Coupon(number) {
			return
		}
		seen[number] = true
		out = append(out, recall.PrintedGTIN{GTIN: number, Printed: printed, From: fieldUPCs})
	}
	for _, field := range upcs {
		for _, printed := range splitCodes(field) {
			digits := strings.NewReplacer(" ", "", "-", "").Replace(printed)
			if len(digits) != 11 {
				add(digits, printed)
				continue
			}
			// A zero in front or the check digit behind was lost: both readings
			// stand, told apart from a barcode in full by its 11 printed digits.
			add("0"+digits, printed)
			if check, ok := gtin.CheckDigit(digits); ok {
				add(digits+string(check), printed)
			}
		}
	}
	return out
}

// splitCodes cuts a field that holds several codes. Blanks stand between codes
// or inside one ("0 76847 61701 5"): inside, unless the parts are codes.
func splitCodes(field string) []string {
	var out []string
	for part := range strings.FieldsFuncSeq(field, func(r rune) bool { return r == ',' || r == ';' || r == '/' || r == '\n' }) {
		part = strings.TrimSpace(part)
		words := strings.Fields(part)
		allCodes := len(words) > 1
		for _, w := range words {
			allCodes = allCodes && len(w) >= 11
		}
		if allCodes {
			out = append(out, words...)
		} else if part != "" {
			out = append(out, part)
		}
	}
	return out
}
