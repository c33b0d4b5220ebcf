package recall

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/gtin"
)

// FlagKind says what looks wrong in a notice that can be used all the same: the
// agency may have printed it so, or we may have misread it.
type FlagKind string

// The kinds of flags.
const (
	FlagCoversAll   FlagKind = "covers_everything" // a predicate takes in every unit beside others that limit
	FlagCheckDigit  FlagKind = "check_digit"       // the text prints a barcode that fails its check digit
	FlagFutureDate  FlagKind = "future_date"       // units made or sold after the notice was published
	FlagDeniedModel FlagKind = "denied_model"      // a model that is a norm, a battery or a unit of measure
	FlagProseModel  FlagKind = "prose_model"       // a model that is a sentence
)

var flagKinds = [FlagKindCount]FlagKind{FlagCoversAll, FlagCheckDigit, FlagFutureDate, FlagDeniedModel, FlagProseModel}

// FlagKinds lists the kinds in their fixed order.
func FlagKinds() []FlagKind { return flagKinds[:] }

// FlagKindCount is how many kinds there are.
const FlagKindCount = 5

// FlagSet is a set of kinds, by their places in FlagKinds.
type FlagSet uint8

// Has reports whether the kind at a place is in the set.
func (s FlagSet) Has(place int) bool { return s&(1<<place) != 0 }

// Len returns how many kinds are in the set.
func (s FlagSet) Len() int { return bits.OnesCount8(uint8(s)) }

// Flag is one thing that looks wrong.
type Flag struct {
	Kind   FlagKind
	Where  string // path in the notice, such as products[0].units[2]
	Detail string // what stands there
}

// What is beyond belief.
const (
	longestWindow = 50 * 366 * 24 * time.Hour // of dates of manufacture or sale
	longestKeep   = 20                        // years from the publication to a best-before date
	longestModel  = 60                        // characters
	tolerance     = 45 * 24 * time.Hour       // agencies print the month, or publish ahead of the date
)

// Flags returns what looks wrong in a notice that Lint lets pass.
func Flags(n *Notice) []Flag {
	var flags []Flag
	flag := func(kind FlagKind, where, detail string) { flags = append(flags, Flag{kind, where, detail}) }
	for i := range n.Products {
		p := &n.Products[i]
		for j, model := range p.Models {
			switch key := ModelKey(model); {
			case deniedModel(key):
				flag(FlagDeniedModel, fmt.Sprintf("products[%d].models[%d]", i, j), model)
			case len(model) > longestModel:
				flag(FlagProseModel, fmt.Sprintf("products[%d].models[%d]", i, j), model)
			}
		}
		limited := hasLimit(p.Units)
		for j := range p.Units {
			u := &p.Units[j]
			where := func() string { return fmt.Sprintf("products[%d].units[%d]", i, j) }
			if u.Op == OpAll && limited && aloneInGroup(p.Units, j) || u.unbounded() {
				flag(FlagCoversAll, where(), u.Quote.Text)
			}
			if u.future(n.PublishedAt) {
				flag(FlagFutureDate, where(), u.Quote.Text)
			}
		}
	}
	if printed := failingBarcode(n.Summary); printed != "" {
		flag(FlagCheckDigit, "summary", printed)
	}
	return flags
}

// hasLimit reports whether some predicate takes in a part of the units only.
func hasLimit(units []Predicate) bool {
	for i := range units {
		if op := units[i].Op; op != OpAll && op != OpUnreadable && !units[i].Except {
			return true
		}
	}
	return false
}

// aloneInGroup reports whether nothing else decides in a predicate's group, and
// the group is one for every model.
func aloneInGroup(units []Predicate, at int) bool {
	if len(units[at].Models) > 0 {
		return false
	}
	for i := range units {
		if i != at && units[i].Group == units[at].Group {
			return false
		}
	}
	return true
}

// unbounded reports bounds that shut nothing out: an affix without a letter or a
// digit, codes from noughts to nines, dates over half a century.
func (p *Predicate) unbounded() bool {
	switch p.Op {
	case OpPrefix, OpSuffix:
		return p.From != nil && ModelKey(*p.From) == ""
	case OpRange:
	default:
		return false
	}
	if p.From == nil || p.To == nil || p.Except {
		return false
	}
	switch p.Kind {
	case Lot, Batch, Serial, DateCode:
		return strings.Trim(*p.From, "0") == "" && strings.Trim(*p.To, "9") == ""
	}
	w, ok := p.window()
	return ok && w.Last.Sub(w.First) > longestWindow
}

// future reports a date that can't have been when the notice was published.
func (p *Predicate) future(published time.Time) bool {
	var limit time.Time
	switch p.Kind {
	case Made, Sold:
		limit = published.Add(tolerance)
	case BestBefore, Expiry:
		limit = published.AddDate(longestKeep, 0, 0)
	default:
		return false
	}
	for _, bound := range []*string{p.From, p.To} {
		if bound == nil {
			continue
		}
		if period, err := ParsePeriod(*bound); err == nil && period.First.After(limit) {
			return true
		}
	}
	return false
}

// barcodeLabels announce a barcode in a notice's words.
var barcodeLabels = []string{"UPC", "EAN", "GTIN", "arcode"}

// failingBarcode returns the first number behind a barcode's label that has a
// barcode's length and fails its check digit.
func failingBarcode(text string) string {
	for _, label := range barcodeLabels {
		for rest := text; ; {
			before, behind, found := strings.Cut(rest, label)
			if !found {
				break
			}
			rest = behind
			if label != "arcode" && endsInLetter(before) {
				continue // OCEAN, CLEAN
			}
			if printed, digits := numberAhead(behind); barcodeLength(len(digits)) && !gtin.Valid(digits) {
				return printed
			}
		}
	}
	return ""
}

func endsInLetter(s string) bool {
	return s != "" && (s[len(s)-1]|0x20 >= 'a' && s[len(s)-1]|0x20 <= 'z')
}

// numberAhead reads the number that stands within a few characters of the start
// of a text, with the blanks and dashes in it.
func numberAhead(text string) (printed, digits string) {
	const within = 16
	start := strings.IndexAny(text[:min(len(text), within)], "0123456789")
	if start < 0 {
		return "", ""
	}
	end := start
	for ; end < len(text); end++ {
		c := text[end]
		if c >= '0' && c <= '9' {
			digits += string(c)
			continue
		}
		if len(digits) >= 12 && barcodeLength(len(digits)) && gtin.Valid(digits) {
			break // what follows the barcode is the size of the package
		}
		between := end+1 < len(text) && text[end+1] >= '0' && text[end+1] <= '9'
		if c != ' ' && c != '-' || !between {
			break
		}
	}
	return text[start:end], digits
}

// barcodeLength: eleven digits are no length of a barcode, but one lost digit.
func barcodeLength(n int) bool { return n == 8 || n == 12 || n == 13 || n == 14 }
