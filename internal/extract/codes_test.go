package extract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

func TestGTINs(t *testing.T) {
	for _, tt := range []struct {
		name, field, text string
		want              []recall.PrintedGTIN
	}{
		{"UPC-A", "description", "The UPC Code: 012345678905 is on the box.", []recall.PrintedGTIN{{GTIN: "00012345678905", Printed: "012345678905", From: "description"}}},
		{"in groups", "description", "UPC 0 12345 67890 5", []recall.PrintedGTIN{{GTIN: "00012345678905", Printed: "0 12345 67890 5", From: "description"}}},
		{"with hyphens", "description", "UPC 0-12345-67890-5", []recall.PrintedGTIN{{GTIN: "00012345678905", Printed: "0-12345-67890-5", From: "description"}}},
		{"EAN-13 and GTIN-14", "description", "EAN 4006381333931; GTIN 10012345678902", []recall.PrintedGTIN{
			{GTIN: "04006381333931", Printed: "4006381333931", From: "description"}, {GTIN: "10012345678902", Printed: "10012345678902", From: "description"}}},
		{"list", "description", "UPC codes 012345678905, 012345678912 and 012345678929", []recall.PrintedGTIN{
			{GTIN: "00012345678905", Printed: "012345678905", From: "description"}, {GTIN: "00012345678912", Printed: "012345678912", From: "description"},
			{GTIN: "00012345678929", Printed: "012345678929", From: "description"}}},
		{"11 digits in both readings", "description", "UPC 12345678905", []recall.PrintedGTIN{
			{GTIN: "00012345678905", Printed: "12345678905", From: "description"}, {GTIN: "00123456789050", Printed: "12345678905", From: "description"}}},
		{"glued to its label and to the next column", "description", "UPC012345678905 and UPC 012345678905Blue", []recall.PrintedGTIN{{GTIN: "00012345678905", Printed: "012345678905", From: "description"}}},
		{"bare list in a field of codes", "code_info", "012345678905,012345678912", []recall.PrintedGTIN{
			{GTIN: "00012345678905", Printed: "012345678905", From: "code_info"}, {GTIN: "00012345678912", Printed: "012345678912", From: "code_info"}}},
		{"French", "identification", "code-barres : 4006381333931", []recall.PrintedGTIN{{GTIN: "04006381333931", Printed: "4006381333931", From: "identification"}}},
		{"wrong check digit", "description", "UPC 012345678906", nil},
		{"shop-internal", "description", "UPC 212345678901", nil},
		{"number without a barcode's label", "description", "The serial number 012345678905 was made for 012345678912 people.", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, read(tt.field, tt.text).GTINs); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestCodesWithBlanksInQuotationMarks(t *testing.T) {
	for text, want := range map[string][]string{
		`with production codes "100222 U," "100219 U," or "100224 U."`: {
			"1 date_code equals 100222 U", "2 date_code equals 100222", "3 date_code equals 100219 U", "4 date_code equals 100219", "5 date_code equals 100224 U", "6 date_code equals 100224"},
		"lot code “20309 11” and more": {"1 lot equals 20309 11", "2 lot equals 20309"},
		"lot code “20309” 11 cases":    {"1 lot equals 20309"},
	} {
		if diff := cmp.Diff(want, units(read("description", text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestModels(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"one", "with model number QXH70CFAVX on the back", []string{"QXH70CFAVX"}},
		{"list with an abbreviation", "Model Nos. 30911173AD, 3091967AD, and 30911120D.", []string{"30911173AD", "3091967AD", "30911120D"}},
		{"names", "This includes the models CloudRide, CloudRide Classic Connect and Aprilo A30.", []string{"CloudRide", "CloudRide Classic Connect", "Aprilo A30"}},
		{"in quotation marks, beside an SKU", "“Model No: 901,” “SKU: QEBA030AGXP” are printed on the label.", []string{"901", "QEBA030AGXP"}},
		{"name of two words in quotation marks", "The model number “F7 Pro” is on the chain stay.", []string{"F7 Pro"}},
		{"item and style numbers", "item number 7495201 and style #QF0A8ADB3", []string{"7495201", "QF0A8ADB3"}},
		{"remarks in brackets between", "SKU numbers QGT0002 (microphone only) and QMS0002 (with poster)", []string{"QGT0002", "QMS0002"}},
		{"short numeric range", "models 4701 through 4704", []string{"4701", "4702", "4703", "4704"}},
		{"column of a flattened table", "Model NumberColorTQ21044BENBlue TQ21048BEN Grey", []string{"TQ21044BEN", "TQ21048BEN"}},
		{"glued head", "The SKU NumberQYCO1012Window Blind", []string{"QYCO1012"}},
		{"words after the label name no model", "The MODELS NEED TO BE MODIFIED. Five models of Electric Packaged Units", nil},
		{"years", "for model years 2022-2024 and the 2023 models", nil},
		{"beginnings of models", "model numbers beginning with 310", []string{"310*"}},
		{"first digits of models", "the following first six digits in the SKU number: 113210 and 113313", []string{"113210*", "113313*"}},
		{"batteries and standards", "model with CR2032 battery, ASTM F963-23, models with 12-inch wheels", nil},
		{"taken out", "Models QX-831 and QX-832 are recalled. Model QX-900 is not included in this recall.", []string{"QX-831", "QX-832"}},
		{"exception in a clause", "Seats with model numbers QX-831 and QX-832, except model QX-832, are recalled.", []string{"QX-831"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, read("description", tt.text).Models); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestQuoteShowsTheLabelWithTheValue(t *testing.T) {
	text := "Élan brand swings. Only lot code A12, made in 2019, is affected."
	got := extract.Read([]extract.Field{{Name: "title", Text: "Swings"}, {Name: "description", Text: text}}, extract.Options{})
	if len(got.Units) == 0 {
		t.Fatal("nothing read")
	}
	want := recall.Quote{Text: "lot code A12", Field: "description", Start: 25, End: 37}
	if diff := cmp.Diff(want, got.Units[0].Quote); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQuotesOfAListDoNotRepeatIt(t *testing.T) {
	var got []string
	for _, p := range read("description", "Made with date codes: 2310, 2308 and 2305 or best by 5/1/2026, 6/1/2026.").Units {
		got = append(got, p.Quote.Text)
	}
	want := []string{
		"date codes: 2310", "best by 5/1/2026", "date codes: 2310", "6/1/2026", "2308", "best by 5/1/2026", "2308", "6/1/2026",
		"2305", "best by 5/1/2026", "2305", "6/1/2026",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCodesOfModelsNamedSentenceBySentence(t *testing.T) {
	text := "Model number “QMA008” is printed on the base of the stand. Serial numbers (14 digits) starting with “57X” are included. " +
		"Model number “QPB002” is printed on the back. Serial numbers (14 digits) starting with “35S” are included. " +
		"Model number “QP0003” is printed on the back. All serial numbers are included."
	got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
	want := []string{"1 serial prefix 57X of QMA008", "2 serial prefix 35S of QPB002", "3 serial all of QP0003"}
	if diff := cmp.Diff(want, units(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRangesOfBeginnings(t *testing.T) {
	for text, want := range map[string][]string{
		"Serial numbers that begin with 2003 through 2005 are recalled.": {"1 serial prefix 2003", "2 serial prefix 2004", "3 serial prefix 2005"},
		"Serial numbers beginning with VF08 to VF09 are recalled.":       {"1 serial prefix VF08", "2 serial prefix VF09"},
		"Serial numbers beginning with 12139055 through 12140194.":       {"1 serial range [12139055..12140194]"},
	} {
		got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
		if diff := cmp.Diff(want, units(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestAQuotedLabelTellsWhatIsPrintedAndLimitsNothing(t *testing.T) {
	for text, want := range map[string]int{
		"“Model No: QX901” and “Date of Production: November 2025” are printed on a yellow label.": 0,
		"Only walkers with “Date of Production: November 2025” printed on the label are recalled.": 1,
	} {
		got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
		if len(got.Units) != want {
			t.Errorf("%s: %v", text, units(got))
		}
	}
}

func TestFormsOfCodes(t *testing.T) {
	for text, want := range map[string][]string{
		"a five-digit date code running from EL101 through EL158":                                        {"1 date_code range [EL101..EL158]"},
		"Only machines that have serial numbers up to 78209 are subject to this program.":                {"1 serial range [..78209]"},
		"The pumps have the following date codes, which are located under the gauge: 200003 and 200101.": {"1 date_code equals 200003", "2 date_code equals 200101"},
		"Only ovens with a 1996 date code are involved.":                                                 {"1 date_code equals 1996"},
		"chargers with a serial number ending in the number 0 through 2 or the letter “D.”":              {"1 serial suffix 0", "2 serial suffix 1", "3 serial suffix 2", "4 serial suffix D"},
		"bicycles with date codes beginning with P, Q and RB through RD are included":                    {"1 date_code prefix P", "2 date_code prefix Q", "3 date_code prefix RB", "4 date_code prefix RC", "5 date_code prefix RD"},
		"They are marked with batch codes AAA, AAB and AAC.":                                             {"1 batch equals AAA", "2 batch equals AAB", "3 batch equals AAC"},
		"Sights contain either the letter K or M as the last digit of the serial number on the bottom.":  {"1 serial unreadable"},
		"Manufactured in April, May and June of 1989.":                                                   {"1 made equals 1989-04", "2 made equals 1989-05", "3 made equals 1989-06"},
	} {
		got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
		var have []string
		for _, line := range units(got) {
			line, _, _ = strings.Cut(line, " @")
			have = append(have, line)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	if got := read("description", "This recall involves Morla pajama sets, Style 816TR in Petal."); len(got.Models) != 1 || got.Models[0] != "816TR" {
		t.Errorf("style: models %q", got.Models)
	}
}
