package recall

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	quote := Quote{Text: "the words"}
	published := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	with := func(units ...Predicate) Notice {
		return Notice{PublishedAt: published, Products: []Product{{Name: "crib", Models: []string{"MB-100"}, Units: units}}}
	}
	models := func(models ...string) Notice {
		return Notice{PublishedAt: published, Products: []Product{{Name: "crib", Models: models}}}
	}
	said := func(text string) Notice { return Notice{PublishedAt: published, Summary: text} }
	except := All(1, Lot, quote)
	except.Group = 2
	ofModel := All(2, Lot, quote)
	ofModel.Models = []string{"MB-100"}
	for name, c := range map[string]struct {
		notice Notice
		want   []FlagKind
	}{
		"nothing":                         {with(), nil},
		"a lot and a window":              {with(Equals(1, Lot, "A17", quote), Range(1, Made, "2025-01", "2026-03", quote)), nil},
		"all lots, and nothing else":      {with(All(1, Lot, quote)), nil},
		"all lots beside one":             {with(Equals(1, Lot, "A17", quote), All(2, Lot, quote)), []FlagKind{FlagCoversAll}},
		"all lots made in a window":       {with(All(1, Lot, quote), Range(1, Made, "2025", "2026-03", quote)), nil},
		"all lots of one model":           {with(Equals(1, Lot, "A17", quote), ofModel), nil},
		"all lots beside what is unread":  {with(Unreadable(1, Lot, quote), All(2, Lot, quote)), nil},
		"from noughts to nines":           {with(Range(1, Serial, "0000", "9999", quote)), []FlagKind{FlagCoversAll}},
		"from noughts to some number":     {with(Range(1, Serial, "0000", "5210", quote)), nil},
		"starting with a dash":            {with(Affix(1, Lot, OpPrefix, "-", quote)), []FlagKind{FlagCoversAll}},
		"starting with a letter":          {with(Affix(1, Lot, OpPrefix, "L", quote)), nil},
		"a century":                       {with(Range(1, Sold, "1926", "2026-02", quote)), []FlagKind{FlagCoversAll}},
		"made after the publication":      {with(Range(1, Made, "2025-01", "2027-01", quote)), []FlagKind{FlagFutureDate}},
		"made in the month after":         {with(Range(1, Made, "2025-01", "2026-04", quote)), nil},
		"made in the year of publication": {with(Equals(1, Made, "2026", quote)), nil},
		"best before next year":           {with(Equals(1, BestBefore, "2027-05", quote)), nil},
		"best before in a human life":     {with(Equals(1, Expiry, "2062-05", quote)), []FlagKind{FlagFutureDate}},
		"a battery as a model":            {models("MB-100", "CR2032"), []FlagKind{FlagDeniedModel}},
		"a norm as a model":               {models("ASTM F2057"), []FlagKind{FlagDeniedModel}},
		"a sentence as a model":           {models(strings.Repeat("sold with a mattress and ", 4)), []FlagKind{FlagProseModel}},
		"a barcode that holds":            {said("with UPC 0 36000 29145 2 on the box"), nil},
		"a barcode and a size":            {said("with UPC 0 36000 29145 2 16 oz on the box"), nil},
		"a barcode that fails":            {said("with UPC 0 36000 29145 3 on the box"), []FlagKind{FlagCheckDigit}},
		"the second one fails":            {said("UPC: 036000291452 and UPC: 036000291451."), []FlagKind{FlagCheckDigit}},
		"a barcode that lost a digit":     {said("UPC code 36000291452 is printed"), nil},
		"a number far from the label":     {said("The UPC is printed on the packaging in 036000291451"), nil},
		"a word that ends like the label": {said("the colour OCEAN 036000291451"), nil},
		"the label at the end":            {said("look for the barcode"), nil},
		"a number that is no barcode's":   {said("EAN 12"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []FlagKind
			for _, f := range Flags(&c.notice) {
				if got = append(got, f.Kind); f.Where == "" || f.Detail == "" {
					t.Errorf("a flag without place or detail: %+v", f)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestQualityScore(t *testing.T) {
	t.Parallel()
	published := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	full := Notice{
		PublishedAt: published, Images: []string{"https://example.org/crib.jpg"},
		Remedy: Remedy{Types: []RemedyType{RemedyRefund}, Contact: "0800 000"},
		Products: []Product{{
			Name: "crib", Models: []string{"MB-100"}, Units: []Predicate{Equals(1, Lot, "A17", Quote{Text: "lot A17"})},
			GTINs: []PrintedGTIN{{GTIN: "00036000291452", Printed: "036000291452"}},
		}},
	}
	bare := Notice{PublishedAt: published, Products: []Product{{Name: "crib"}}}
	unread := Notice{PublishedAt: published, Products: []Product{{Name: "crib", Units: []Predicate{Unreadable(1, Lot, Quote{})}}}}
	flagged := full
	flagged.Products = []Product{full.Products[0]}
	flagged.Products[0].Models = []string{"MB-100", "CR2032", "LR44"}
	half := full
	half.Products = []Product{{Name: "crib", GTINs: []PrintedGTIN{{GTIN: "00036000291452", Printed: "36000291452"}}}}
	for name, c := range map[string]struct {
		notice Notice
		want   int
	}{
		"everything": {full, 100}, "nothing": {bare, 0}, "codes that were not understood": {unread, 0},
		"one kind of flag": {flagged, 90}, "picture, remedy, contact and half a barcode": {half, 35},
	} {
		if got := QualityOf(&c.notice).Score(); got != c.want {
			t.Errorf("%s: %d points, want %d (%+v)", name, got, c.want, QualityOf(&c.notice))
		}
	}
}
