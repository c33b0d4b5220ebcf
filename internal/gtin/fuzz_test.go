package gtin

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var isoDate = regexp.MustCompile(`^(\d{4}-\d\d(-\d\d)?)?$`)

// checkAnswer holds what is true of every answer to every code.
func checkAnswer(t *testing.T, code string) {
	r, err := parse(code, in2026)
	if err != nil {
		if err.Message == "" || !slices.Contains([]ErrorCode{WrongCheckDigit, WrongLength, WrongCharacters, NoGTIN}, err.Code) {
			t.Errorf("Parse(%q): error %+v", code, err)
		}
		if !utf8.ValidString(err.Message) || len(err.Message) > 600 {
			t.Errorf("Parse(%q): message %q", code, err.Message)
		}
		for _, s := range err.Suggestions {
			if _, err := Parse(s); err != nil {
				t.Errorf("Parse(%q) suggests %q, which can't be read: %v", code, s, err)
			}
		}
		return
	}
	if n := len(r.GTINs); n < 1 || n > 2 || n == 2 != slices.Contains(r.Flags, FlagAmbiguous) {
		t.Errorf("Parse(%q): GTINs %v, flags %v", code, r.GTINs, r.Flags)
	}
	for _, g := range r.GTINs {
		if len(g) != 14 || !Valid(g) {
			t.Errorf("Parse(%q): GTIN %q is not valid", code, g)
		}
	}
	for _, date := range []string{r.BestBefore, r.Expiry, r.MadeOn} {
		if !isoDate.MatchString(date) {
			t.Errorf("Parse(%q): date %q", code, date)
		}
	}
	for _, mark := range []string{r.Lot, r.Serial} {
		if len(mark) > maxLot || mark != strings.TrimSpace(mark) || strings.ContainsFunc(mark, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("Parse(%q): lot or serial %q", code, mark)
		}
	}
	again, err := parse(r.GTINs[0], in2026)
	if err != nil || again.GTINs[0] != r.GTINs[0] {
		t.Errorf("Parse(%q) = %s, which reads as %v, %v", code, r.GTINs[0], again.GTINs, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, code := range []string{
		"", "0", "041220787340", "0 41220 78734 0", "UPC-E 04252614", "EAN 13 4006381333931", "01234565", "96385074",
		"41220787340", "425261", "0425261", "０４１２２０７８７３４０", "ISBN 0-306-40615-2", "9780306406157 51299",
		"(01)09501101530003(10)AB(1)(17)261200", "]C1010950110153000310AB\x1d17261231", "^0109501101530003^21S",
		"0109501101530003 17 140704 10 AB-123", "02095011015300033724", "8006095011015300030102", "00106141412345678908",
		"https://id.gs1.org/01/09501101530003/10/A%2F?17=261231", "]E3978030640615751299", "\xff\x00", "A17", "½", "[01][10]",
	} {
		f.Add(code)
	}
	f.Fuzz(checkAnswer)
}

func FuzzDigitalLink(f *testing.F) {
	for _, rest := range []string{
		"01/09501101530003", "gtin/9501101530003/lot/A/ser/B?exp=261231", "a/01/b/01/09501101530003/22/X/10/%41?15=260200&x#y",
		"8006/095011015300030102", "414/9501101530003", "01/01/01/01/01", "01/12345670/10/%ZZ;", "?01=09501101530003", "//01//", "%30%31/09501101530003",
	} {
		f.Add("brand.example", rest)
	}
	f.Fuzz(func(t *testing.T, host, rest string) {
		checkAnswer(t, "https://"+host+"/"+rest)
		checkAnswer(t, host+"/"+rest)
	})
}
