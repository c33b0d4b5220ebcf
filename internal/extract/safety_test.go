package extract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// The worst fault would be a code that a notice lists and that our reading
// leaves out beside others: its unit would be told that it is not affected.

func squeezed(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(code))
}

// coversCode tells whether a reading covers a code or admits that it may.
func coversCode(c extract.Codes, code string) bool {
	for _, p := range c.Units {
		switch p.Op {
		case recall.OpUnreadable, recall.OpAll:
			return true
		case recall.OpEquals:
			if squeezed(*p.From) == squeezed(code) {
				return true
			}
		case recall.OpPrefix:
			if strings.HasPrefix(squeezed(code), squeezed(*p.From)) {
				return true
			}
		case recall.OpRange:
			if (p.From == nil || squeezed(*p.From) <= squeezed(code)) && (p.To == nil || squeezed(code) <= squeezed(*p.To)) {
				return true
			}
		}
	}
	return len(c.Units) == 0
}

func draw(t *rapid.T, name string, from ...string) string {
	return rapid.SampledFrom(from).Draw(t, name)
}

func TestNoListedCodeIsLeftOut(t *testing.T) {
	shapes := []string{`[A-Z]{1,2}[0-9]{2,6}`, `[0-9]{4,9}`, `[A-Z]{2}-[0-9]{3,5}`, `[0-9]{4}[A-Z]{2}[0-9]{2}`, `[0-9]{2}[A-Z][0-9]{3}`, `[0-9]{3}-[0-9]{4}-[A-Z]`, `[A-Z][0-9][A-Z][0-9]{2}`}
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching(rapid.SampledFrom(shapes).Draw(t, "shape"))
		codes := rapid.SliceOfN(code, 1, 7).Draw(t, "codes")
		separator := draw(t, "separator", ", ", "; ", " and ", " & ", " or ", ",", "\n", " / ", " ")
		last := draw(t, "last", separator, " and ", ", and ", " or ", " & ")
		opening, closing := "", ""
		if rapid.Bool().Draw(t, "quoted") {
			opening, closing = "“", "”"
		}
		var list strings.Builder
		for i, c := range codes {
			switch {
			case i > 0 && i == len(codes)-1:
				list.WriteString(last)
			case i > 0:
				list.WriteString(separator)
			}
			list.WriteString(opening + c + closing + draw(t, "remark", "", "", "", " (blue)", " (large size)"))
		}
		text := draw(t, "before", "", "This recall involves grey swings. ", "The swings come with ") +
			draw(t, "label", "Lot ", "lot code ", "Lot numbers: ", "lot #", "batches ", "Serial Nos. ", "serial numbers are ", "with date codes ", "the following lot numbers are included: ", "production codes of ") +
			list.String() + draw(t, "after", "", ".", " are included in this recall.", ", printed on the bottom of the seat.", " were sold.")
		for _, field := range []string{"description", "code_info"} {
			got := read(field, text)
			for _, c := range codes {
				if !coversCode(got, c) {
					t.Errorf("%s: %q leaves %s out: %v", field, text, c, units(got))
				}
			}
		}
	})
}

func TestNoListedDateIsLeftOut(t *testing.T) {
	layouts := []string{"01/02/2006", "1/2/06", "January 2, 2006", "Jan 2 2006", "02 Jan 2006", "02Jan2006", "2-Jan-2006", "2006-01-02", "01.02.2006", "Jan. 2, 2006", "Jan 02 06", "01 02 2006", "Jan-02-06"}
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Time {
			return time.Date(2024, 1, 1+rapid.IntRange(0, 1400).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		}), 1, 5).Draw(t, "days")
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		separator := draw(t, "separator", ", ", "; ", " and ", " & ", " ", "\n")
		var list []string
		for _, d := range days {
			list = append(list, d.Format(layout))
		}
		if rapid.Bool().Draw(t, "capitals") {
			for i := range list {
				list[i] = strings.ToUpper(list[i])
			}
		}
		text := draw(t, "label", "Best by ", "Best By Dates: ", "EXP ", "Expiration date: ", "Use by ", "expires ", "Sell By ") + strings.Join(list, separator) +
			draw(t, "after", "", ".", " 12 oz", " Lot A12", " are included")
		got := read("description", text)
		for _, d := range days {
			if !coversDay(got, d.Format("2006-01-02")) {
				t.Errorf("%q leaves %s out: %v", text, d.Format(layout), units(got))
			}
		}
	})
}

func coversDay(c extract.Codes, day string) bool {
	dates := 0
	for _, p := range c.Units {
		if p.Op == recall.OpUnreadable {
			return true
		}
		if p.Kind != recall.BestBefore && p.Kind != recall.Expiry {
			continue
		}
		dates++
		if (p.From == nil || *p.From <= day) && (p.To == nil || *p.To >= day[:len(*p.To)]) {
			return true
		}
	}
	return dates == 0
}

func TestWindowsHoldTheirEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.Date(2015, 1, 1+rapid.IntRange(0, 3000).Draw(t, "from"), 0, 0, 0, 0, time.UTC)
		to := from.AddDate(0, 0, rapid.IntRange(1, 900).Draw(t, "days"))
		layout := draw(t, "layout", "January 2, 2006", "Jan. 2, 2006", "01/02/2006", "2006-01-02", "January 2006", "01/2006")
		form := draw(t, "form", "manufactured between %s and %s.", "manufactured from %s through %s,", "made in China from %s to %s and", "with a manufacture date between %s, and %s.",
			"produced by Lumo from %s, through %s", "manufacturing dates: %s – %s")
		text := "This recall involves swings " + fmt.Sprintf(form, from.Format(layout), to.Format(layout))
		got := read("description", text)
		if len(got.Units) != 1 || got.Units[0].Kind != recall.Made || got.Units[0].Op != recall.OpRange && from.Format(layout) != to.Format(layout) {
			t.Fatalf("%q: %v", text, units(got))
		}
		p := got.Units[0]
		if start, end := from.Format("2006-01-02"), to.Format("2006-01-02"); *p.From > start || *p.To < end[:len(*p.To)] {
			t.Errorf("%q: %v does not hold %s to %s", text, units(got), start, end)
		}
	})
}
