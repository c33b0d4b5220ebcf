package gtin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyGTIN draws a valid number of one of the given lengths.
func anyGTIN(t *rapid.T, lengths ...int) string {
	n := rapid.SampledFrom(lengths).Draw(t, "length")
	body := rapid.StringMatching(fmt.Sprintf(`[0-9]{%d}[1-9]`, n-2)).Draw(t, "body")
	return withCheckDigit(body)
}

func TestGroupingNeverMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gtin := anyGTIN(t, 12, 13, 14)
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"", "UPC: ", "EAN ", "GTIN-", " ", "\t"}).Draw(t, "before"))
		for i := range len(gtin) {
			if i > 1 { // a digit alone behind a label may be taken for part of it
				b.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "-", "–", "\u00a0"}).Draw(t, "gap"))
			}
			if rapid.Bool().Draw(t, "wide") {
				b.WriteRune(rune(gtin[i]-'0') + '０')
			} else {
				b.WriteByte(gtin[i])
			}
		}
		r, err := Parse(b.String())
		if err != nil {
			t.Fatalf("Parse(%q): %v", b.String(), err)
		}
		if want := []string{Pad14(gtin)}; !slices.Equal(r.GTINs, want) {
			t.Fatalf("Parse(%q) = %v, want %v", b.String(), r.GTINs, want)
		}
	})
}

func TestOneWrongDigitIsFoundAndTheLastCorrected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gtin := []byte(anyGTIN(t, 12, 13, 14))
		i := rapid.IntRange(0, len(gtin)-1).Draw(t, "place")
		right := gtin[i]
		gtin[i] = '0' + (right-'0'+byte(rapid.IntRange(1, 9).Draw(t, "offset")))%10
		_, err := parse(string(gtin), in2026)
		if err == nil {
			t.Fatalf("Parse(%q) read a number with a wrong digit", gtin)
		}
		if err.Code != WrongCheckDigit && strings.Trim(string(gtin), "0") != "" {
			t.Fatalf("Parse(%q): code %s", gtin, err.Code)
		}
		if i == len(gtin)-1 {
			gtin[i] = right
			if want := []string{string(gtin)}; !slices.Equal(err.Suggestions, want) {
				t.Fatalf("suggestions %v, want %v", err.Suggestions, want)
			}
		}
	})
}

func TestUPCEMatchesItsUPCA(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[01][1-9][0-9]{5}`).Draw(t, "body")
		upca := expandUPCE(body[0], body[1:])
		upce := body + upca[11:]
		if got, ok := ExpandUPCE(upce); !ok || got != upca {
			t.Fatalf("ExpandUPCE(%q) = %q, %t, want %q", upce, got, ok, upca)
		}
		if strings.Count(upca, "0") < 4 {
			t.Fatalf("%q expands to %q: fewer zeros than are suppressed", upce, upca)
		}
		r, err := Parse(upce)
		if err != nil {
			t.Fatalf("Parse(%q): %v", upce, err)
		}
		if r.GTINs[0] != Pad14(upca) {
			t.Fatalf("Parse(%q) = %v, want %s first", upce, r.GTINs, Pad14(upca))
		}
		if Valid(upce) != slices.Contains(r.Flags, FlagAmbiguous) {
			t.Fatalf("Parse(%q): EAN-8 %t, flags %v", upce, Valid(upce), r.Flags)
		}
	})
}

// TestFormsOfOneLabelAgree writes the same data in each form that keeps it
// whole, and reads it back.
func TestFormsOfOneLabelAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gtin := Pad14(anyGTIN(t, 12, 13, 14))
		// Brackets would look like AIs in the bracketed form.
		lot := rapid.StringMatching(`[A-Za-z0-9!"%&'*+,./:;<=>?_-]{1,20}`).Draw(t, "lot")
		serial := rapid.StringMatching(`[A-Za-z0-9./_-]{1,20}`).Draw(t, "serial")
		day := rapid.IntRange(0, 28).Draw(t, "day")
		expiry := fmt.Sprintf("2712%02d", day)
		want := Reading{GTINs: []string{gtin}, Lot: lot, Serial: serial, Expiry: fmt.Sprintf("2027-12-%02d", day)}
		if day == 0 {
			want.Expiry = "2027-12"
		}
		codes := []string{
			"(01)" + gtin + "(17)" + expiry + "(10)" + lot + "(21)" + serial,
			"]C101" + gtin + "17" + expiry + "10" + lot + fnc1 + "21" + serial,
			"10" + lot + fnc1 + "21" + serial + fnc1 + "01" + gtin + "17" + expiry,
			"https://brand.example/p/01/" + gtin + "/10/" + escape(lot) + "/21/" + escape(serial) + "?17=" + expiry,
		}
		for _, code := range codes {
			got, err := parse(code, in2026)
			if err != nil {
				t.Fatalf("Parse(%q): %v", code, err)
			}
			got.Rewrites, got.Flags = nil, nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("Parse(%q) (-want +got):\n%s", code, diff)
			}
		}
	})
}

// escape percent-encodes a value for a path segment.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func TestItemUndoesAnIndicator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := Pad14(anyGTIN(t, 13))
		indicator := rapid.StringMatching(`[1-8]`).Draw(t, "indicator")
		if got := Item(withCheckDigit(indicator + item[1:13])); got != item {
			t.Fatalf("Item = %q, want %q", got, item)
		}
	})
}
