package extract

import (
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// readGTINs reads the barcodes behind a barcode's label and returns the token
// behind the last one. In a text without such a label numbers are never
// barcodes: one random number in ten passes the check digit.
func (r *reader) readGTINs(t *text, m mention) int {
	if t.excludes(m.first) {
		return m.next
	}
	i := m.next
	if in := t.readLeadIn(i); !in.located && !in.prefix && !in.suffix {
		i = in.next
	}
	for {
		start := t.skipQuotes(i)
		end, printed := t.barcodeAt(start)
		if end == 0 {
			return max(i, m.next)
		}
		r.addGTIN(t, printed)
		i = t.skipQuotes(end)
		i = t.skipBrackets(i)
		next := t.listSeparator(i, []value{{}})
		if next < 0 {
			return i
		}
		if twin, ok := t.mentionAt(next); ok && twin.label == labelGTIN {
			return i
		}
		i = next
	}
}

// barcodeAt reads the digits of one barcode from token i on, which may be
// printed in groups, and returns the token behind it; 0 when there is none.
func (t *text) barcodeAt(i int) (end int, printed span) {
	digits := make([]byte, 0, 16)
	possible, possibleEnd := 0, 0
	for k := i; k < len(t.tokens) && k < i+8; k++ {
		tok := &t.tokens[k]
		if k > i && (tok.lower == "-" || tok.lower == "–") {
			continue
		}
		if !tok.word || tok.letters > 0 || tok.digits == 0 || k > i && tok.gap > blank || strings.ContainsAny(tok.lower, "/.+") {
			break
		}
		for _, c := range []byte(tok.lower) {
			if isDigit(c) {
				digits = append(digits, c)
			}
		}
		n := len(digits)
		if n > 14 {
			break
		}
		if (n >= 12 || n == 8 && k == i) && gtin.Valid(string(digits)) {
			possible, possibleEnd = n, k+1
			if n == 8 && k+1 < len(t.tokens) && t.tokens[k+1].digits > 0 && t.tokens[k+1].gap == blank && t.tokens[k+1].letters == 0 && t.tokens[k+1].digits < 8 {
				continue // a longer code printed in groups
			}
			break
		}
		if n == 11 {
			possible, possibleEnd = n, k+1
		}
	}
	if possible == 0 {
		return 0, span{}
	}
	return possibleEnd, span{t.tokens[i].start, t.tokens[possibleEnd-1].end}
}

// addGTIN keeps a printed barcode: one with a right check digit, or both
// readings of one with 11 digits, that lost its leading zero or its check digit.
func (r *reader) addGTIN(t *text, at span) {
	printed := t.source[at.start:at.end]
	digits := squeeze(printed)
	if len(digits) == 11 {
		if whole := "0" + digits; gtin.Valid(whole) {
			r.keepGTIN(whole, printed, t.field)
		}
		if check, ok := gtin.CheckDigit(digits); ok {
			r.keepGTIN(digits+string(check), printed, t.field)
		}
		return
	}
	r.keepGTIN(digits, printed, t.field)
}

// barcodesAmongModels keeps what shops call a SKU and is a barcode in full. The
// number stays a model as well: people give it as either.
func (r *reader) barcodesAmongModels() {
	for _, m := range r.found.Models {
		if (len(m) == 12 || len(m) == 13) && onlyDigits(m) && gtin.Valid(m) && len(r.modelMarks) > 0 {
			r.keepGTIN(m, m, r.modelMarks[0].text.field)
		}
	}
}

func (r *reader) keepGTIN(digits, printed, field string) {
	code := gtin.Pad14(digits)
	if gtin.Restricted(code) || gtin.Coupon(code) || strings.Trim(code, "0") == "" {
		return
	}
	for _, have := range r.found.GTINs {
		if have.GTIN == code {
			return
		}
	}
	r.found.GTINs = append(r.found.GTINs, recall.PrintedGTIN{GTIN: code, Printed: printed, From: field})
}

// MisprintedGTIN tells whether a number is a misprint in a list of barcodes: as
// long as one, or a digit shorter or longer, and of the company of one that was
// read. It is no code of a unit.
func (c *Codes) MisprintedGTIN(number string) bool {
	const company = 5 // digits that a company's barcodes share at least
	digits := squeeze(number)
	if len(digits) < 10 || len(digits) > 14 || !onlyDigits(digits) {
		return false
	}
	for _, g := range c.GTINs {
		if digits[:company] == squeeze(g.Printed)[:company] {
			return true
		}
	}
	return false
}

// skipBrackets moves behind a short remark in brackets: "(Black)", "(6.75 oz)".
func (t *text) skipBrackets(i int) int {
	if i >= len(t.tokens) || t.tokens[i].lower != "(" {
		return i
	}
	for k := i + 1; k < len(t.tokens) && k < i+8; k++ {
		if t.tokens[k].lower == ")" {
			return k + 1
		}
	}
	return i
}
