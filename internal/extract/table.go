package extract

import (
	"regexp"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// Carriers flatten tables: the heads of the columns stand glued to one another,
// and the cells behind them, row by row, without any mark between
// ("ModelUPCHG-11012345678905HG-12…"). Where the kinds of the columns tell where
// one cell ends and the next begins, the table is read here, as rows; where
// anything in it remains unclear, nothing of it is, and the readers of prose do
// what they can with it.

// columnKind is what the cells of a column are.
type columnKind uint8

const (
	columnText columnKind = iota
	columnModel
	columnGTIN
	columnLot
	columnSerial
	columnDateCode
	columnMade
	columnBestBefore
	columnExpiry
)

// heads are the words of columns' heads. The first that fits counts, so that
// longer ones stand before their beginnings.
var heads = []struct {
	kind  columnKind
	words string
}{
	{columnSerial, `Serial Number or Serial Number Prefix|Serial Number(?:s|\(s\))? (?:or )?Ranges?|Serial Number(?:s|\(s\))?(?: \(first [0-9]+ (?:digits|characters)\))?|Serial Nos?\.?(?: Range)?|Serial Ranges?`},
	{columnGTIN, `UPC Codes?|UPC Numbers?|UPCs?|Barcodes?`},
	{columnLot, `Lot Number(?:s|\(s\))?|Lot Codes?|Lot Nos?\.?|Lots?|Batch Number(?:s|\(s\))?|Batch Codes?|Batch Nos?\.?`},
	{columnDateCode, `Date Codes?|Production Codes?`},
	{columnMade, `Manufactur(?:e|ed|ing) Dates?|Dates? of Manufacture|Production Dates?`},
	{columnExpiry, `Expir(?:ation|y) Dates?|Exp\.? Dates?`},
	{columnBestBefore, `Best (?:By|Before|If Used By)(?: Dates?)?|Use[ -]By(?: Dates?)?`},
	{columnText, `Model Years?|Model Names?|Style Names?|Product Names?|Product Description(?:/Color)?|Item Descriptions?|Pattern Names?|Fabric [Cc]ontent|Sizes?(?:\(s\))?|Colors?|Descriptions?|Products?|Brands?|Names?|Patterns?`},
	{columnModel, `Model Number(?:s|\(s\))?|Model Nos?\.?|Model #s?|Models?|Item Number(?:s|\(s\))?|Item Codes?|Item Nos?\.?|Item #s?|SKU Numbers?|SKUs?|Style Numbers?|Styles?|Product Codes?|Product Numbers?|Part Numbers?`},
}

var (
	headWord  = regexp.MustCompile(headPattern())
	yearCell  = regexp.MustCompile(`(?:^|[^0-9])20[012][0-9][A-Z]`)
	firstN    = regexp.MustCompile(`first ([0-9]+) `)
	tableEnds = regexp.MustCompile(`(?:The|This|These|Consumers|Only|Note|Products|Units|No|It|All|If|In|For|Each|Both|Lithium-ion)\s[a-z][a-z’'-]*,?\s[a-z]|The\s(?:[A-Z][a-z]+\s){1,3}[a-z]+\s[a-z]|Sold (?:at|exclusively|on|by)\b|Manufactured in:|Remedy:|Note:|\n`)
)

// headPattern joins the heads to one expression with a group for each kind.
// Model stands before text where both fit, for "Model" begins "Model Name".
func headPattern() string {
	parts := make([]string, len(heads))
	for i, h := range heads {
		parts[i] = "(" + h.words + ")"
	}
	return `^(?:` + strings.Join(parts, "|") + `)`
}

// headBegins is how many bytes every head begins with that stand in its
// expression as they are.
const headBegins = 3

// headBeginnings are the beginnings of all heads.
var headBeginnings = func() map[string]bool {
	all := map[string]bool{}
	for _, h := range heads {
		depth, begin := 0, 0
		for i, r := range h.words {
			switch {
			case i == begin:
				all[h.words[i:i+headBegins]] = true
			case r == '(':
				depth++
			case r == ')':
				depth--
			case r == '|' && depth == 0:
				begin = i + 1
			}
		}
	}
	return all
}()

// mayBeHead reports whether a text can begin with a head. Most don't, and the
// expression takes long to find that out.
func mayBeHead(s string) bool { return len(s) >= headBegins && headBeginnings[s[:headBegins]] }

// column is one column of a table.
type column struct {
	kind  columnKind
	first int // "first 8 digits": how long its codes are; 0: not told
}

// table is a flattened table that was read.
type table struct {
	at     span
	models []string
	gtins  []span
	groups []group
}

// readTables reads the flattened tables of a text.
func readTables(t *text) []table {
	var tables []table
	for from := 0; from < len(t.source); {
		columns, at := findHead(t.source, from)
		if columns == nil {
			return tables
		}
		end := len(t.source)
		if stop := tableEnds.FindStringIndex(t.source[at.end:]); stop != nil {
			end = at.end + stop[0]
		}
		body := tableBody{text: t, columns: columns, at: span{at.end, end}}
		if read, ok := body.read(); ok {
			read.at = span{at.start, end}
			tables = append(tables, read)
		}
		from = end
	}
	return tables
}

// findHead finds the next run of at least two columns' heads of which one
// announces codes.
func findHead(s string, from int) ([]column, span) {
	for i := from; i < len(s); i++ {
		if !isUpperLetter(s[i]) || i > 0 && isUpperLetter(s[i-1]) {
			continue
		}
		columns, end := headAt(s, i)
		if len(columns) >= 2 && hasCodes(columns) && end < len(s) && !isSmallLetter(s[end]) {
			return columns, span{i, end}
		}
	}
	return nil, span{}
}

func hasCodes(columns []column) bool {
	for _, c := range columns {
		if c.kind != columnText {
			return true
		}
	}
	return false
}

func headAt(s string, i int) (columns []column, end int) {
	for end = i; ; {
		next := end
		for next < len(s) && (s[next] == ' ' || s[next] == '\t') {
			next++
		}
		if !mayBeHead(s[next:]) {
			return columns, end
		}
		found := headWord.FindStringSubmatchIndex(s[next:])
		if found == nil || len(columns) > 0 && next+found[1] < len(s) && isSmallLetter(s[next+found[1]]) {
			return columns, end
		}
		for n := range heads {
			if found[2*n+2] < 0 {
				continue
			}
			c := column{kind: heads[n].kind}
			if m := firstN.FindStringSubmatch(s[next : next+found[1]]); m != nil {
				for _, digit := range m[1] {
					c.first = c.first*10 + int(digit-'0')
				}
			}
			columns = append(columns, c)
			break
		}
		end = next + found[1]
	}
}

// tableBody is what stands behind a table's head.
type tableBody struct {
	text    *text
	columns []column
	at      span
}

func (b *tableBody) has(kinds ...columnKind) (is bool, first int) {
	for _, c := range b.columns {
		for _, k := range kinds {
			if c.kind == k {
				return true, c.first
			}
		}
	}
	return false, 0
}

// read reads the rows by what the columns hold. ok is false when they could not
// be told apart without doubt.
func (b *tableBody) read() (table, bool) {
	hasModels, _ := b.has(columnModel)
	hasSerials, first := b.has(columnSerial)
	hasLots, _ := b.has(columnLot, columnDateCode)
	hasGTINs, _ := b.has(columnGTIN)
	hasDates, _ := b.has(columnMade, columnBestBefore, columnExpiry)
	switch {
	case hasSerials && hasModels && hasGTINs && !hasLots && !hasDates:
		return b.readApart()
	case hasSerials && hasModels && !hasLots && !hasDates:
		return b.readSerials(first)
	case hasLots && hasDates && !hasSerials && !hasModels:
		return b.readLots()
	case !hasSerials && !hasLots && !hasDates && (hasModels || hasGTINs) && !b.hasYears():
		return b.readNames(hasModels)
	}
	return table{}, false
}

// hasYears tells whether a column holds years, which run into the cells beside them.
func (b *tableBody) hasYears() bool {
	return yearCell.MatchString(b.source())
}

func (b *tableBody) count(kind columnKind) (n int) {
	for _, c := range b.columns {
		if c.kind == kind {
			n++
		}
	}
	return n
}

// dateKind is the kind of the table's dates.
func (b *tableBody) dateKind() recall.UnitKind {
	for _, c := range b.columns {
		switch c.kind {
		case columnMade:
			return recall.Made
		case columnExpiry:
			return recall.Expiry
		case columnBestBefore:
			return recall.BestBefore
		}
	}
	return ""
}

func (b *tableBody) source() string { return b.text.source[b.at.start:b.at.end] }

// spanOf is the place in the field of a place in the body.
func (b *tableBody) spanOf(start, end int) span { return span{b.at.start + start, b.at.start + end} }

// barcodeIn finds a barcode at the front or the end of digits that cells glued
// together, and returns what stands before and behind it.
func barcodeIn(s string) (before, barcode, behind string, ok bool) {
	for _, length := range []int{12, 13} {
		if len(s) >= length && onlyDigits(s[:length]) && goodBarcode(s[:length]) {
			return "", s[:length], s[length:], true
		}
		// In digits alone a number that passes the check stands by chance in
		// many places; one at the front is where the reading begins.
		if at := len(s) - length; at >= 0 && onlyDigits(s[at:]) && !onlyDigits(s[:at]) && goodBarcode(s[at:]) {
			return s[:at], s[at:], "", true
		}
	}
	return "", "", "", false
}

func goodBarcode(digits string) bool {
	code := gtin.Pad14(digits)
	return gtin.Valid(digits) && !gtin.Restricted(code) && !gtin.Coupon(code) && strings.Trim(digits, "0") != ""
}
