package stock

import (
	"strings"
	"unicode"

	"github.com/crownsafe/api/internal/recall"
)

// column is one field of a unit and the headings under which lists have it,
// letters and digits only, in lower case.
type column struct {
	field    string
	of       func(*recall.Unit) *string
	words    bool // columns of the same field add up instead of contradicting one another
	headings []string
}

var columns = []column{
	{"gtin", func(u *recall.Unit) *string { return &u.GTIN }, false, []string{
		"gtin", "gtin8", "gtin12", "gtin13", "gtin14", "barcode", "barcodenumber", "ean", "ean8", "ean13", "eancode", "upc", "upca", "upce", "upccode",
	}},
	{"scan", func(u *recall.Unit) *string { return &u.Scan }, false, []string{"scan"}},
	{"brand", func(u *recall.Unit) *string { return &u.Brand }, true, []string{"brand", "brandname"}},
	{"name", func(u *recall.Unit) *string { return &u.Name }, true, []string{"name", "product", "productname", "title", "producttitle", "item", "itemname"}},
	{"model", func(u *recall.Unit) *string { return &u.Model }, false, []string{"model", "modelno", "modelnumber", "modelname"}},
	{"lot", func(u *recall.Unit) *string { return &u.Lot }, false, []string{"lot", "lotno", "lotnumber", "lotcode"}},
	{"batch", func(u *recall.Unit) *string { return &u.Batch }, false, []string{"batch", "batchno", "batchnumber", "batchcode"}},
	{"serial", func(u *recall.Unit) *string { return &u.Serial }, false, []string{"serial", "serialno", "serialnumber"}},
	{"date_code", func(u *recall.Unit) *string { return &u.DateCode }, false, []string{"datecode", "productioncode"}},
	{"made_on", func(u *recall.Unit) *string { return &u.MadeOn }, false, []string{"madeon", "manufacturedon", "manufacturedate", "dateofmanufacture", "productiondate"}},
	{"bought_on", func(u *recall.Unit) *string { return &u.BoughtOn }, false, []string{"boughton", "purchasedon", "purchasedate", "dateofpurchase"}},
	{"best_before", func(u *recall.Unit) *string { return &u.BestBefore }, false, []string{"bestbefore", "bestbeforedate", "bestby", "bestbydate"}},
	{"expiry", func(u *recall.Unit) *string { return &u.Expiry }, false, []string{"expiry", "expirydate", "expires", "expirationdate", "useby", "usebydate"}},
	{"country", func(u *recall.Unit) *string { return &u.Country }, false, []string{"country", "countrycode"}},
}

var byHeading = func() map[string]*column {
	index := map[string]*column{}
	for i := range columns {
		for _, heading := range columns[i].headings {
			index[heading] = &columns[i]
		}
	}
	return index
}()

// columnOf returns the column that a heading names, nil for one that is only
// passed through.
func columnOf(heading string) *column {
	return byHeading[strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, heading)]
}

// unit reads a row's cells. Two columns of one field that disagree are a fault:
// to choose one would be to guess.
func unit(meanings []*column, cells []string) (u recall.Unit, bad *recall.BadUnit) {
	for i, c := range meanings {
		if c == nil {
			continue
		}
		value, to := plain(cells[i]), c.of(&u)
		switch {
		case value == "" || value == *to:
		case *to == "":
			*to = value
		case c.words:
			*to += " " + value
		default:
			return u, fault(c.field, "contradiction", "stands in several columns, and they differ: %q and %q", shorten(*to), shorten(value))
		}
	}
	return u, nil
}

// plain undoes what spreadsheets do to a cell to keep it text: blanks around
// it, ="0123" and '=0123.
func plain(cell string) string {
	cell = strings.TrimSpace(cell)
	if inner, ok := strings.CutPrefix(cell, `="`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok && !strings.Contains(inner, `"`) {
			return strings.TrimSpace(inner)
		}
	}
	if rest, ok := strings.CutPrefix(cell, "'"); ok && rest != "" && (formula(rest) || rest[0] >= '0' && rest[0] <= '9') {
		return rest
	}
	return cell
}

// shorten cuts a value for a message.
func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
