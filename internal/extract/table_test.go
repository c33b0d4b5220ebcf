package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crownsafe/api/internal/extract"
)

func TestFlattenedTables(t *testing.T) {
	for _, tt := range []struct {
		name, text    string
		models, units []string
		gtins         []string
	}{
		{name: "names and item numbers",
			text:   "The item numbers are:Product NameItem NumberLumo gray highchair with wheels310LMGYWHLSLumo gray highchair310LMGYPLNSLumo brown highchair310LMBRPLNS",
			models: []string{"310LMGYWHLS", "310LMGYPLNS", "310LMBRPLNS"}},
		{name: "models and barcodes",
			text:   "Recalled are:ColorModel NumberUPC CodeSky blueQF156-MT036000291452RoseQF156-LI042100005264",
			models: []string{"QF156-MT", "QF156-LI"}, gtins: []string{"00036000291452", "00042100005264"}},
		{name: "barcodes alone",
			text:  "Brod pots:Product NameUPC CodeBrod 3.5Q oven036000291452Brod 4.5Q oven042100005264",
			gtins: []string{"00036000291452", "00042100005264"}},
		{name: "lots and months of a barcode",
			text:  "Printed on the jar:UPCLot NumberManufacturing Date0360002914520515I109/20210130B201/2022",
			gtins: []string{"00036000291452"},
			units: []string{"1 lot equals 0515I1", "1 made equals 2021-09", "2 lot equals 0130B2", "2 made equals 2022-01"}},
		{name: "models with ranges of serial numbers",
			text:   "These ranges:Model NumberSerial Number RangeQCRE30BWVF34618193 thru VF34618322QCRG30BBVF34508449 thru VF34508592, VF34521553 thru VF34521696",
			models: []string{"QCRE30BW", "QCRG30BB"},
			units: []string{"1 serial range [VF34618193..VF34618322] of QCRE30BW", "2 serial range [VF34508449..VF34508592] of QCRG30BB",
				"3 serial range [VF34521553..VF34521696] of QCRG30BB"}},
		{name: "places left open, and colours in brackets",
			text:   "Below: Model Numbers Serial Numbers QEK1722SX (Stainless) YA325***** thru YA724***** QEK1722ER (Red) YA325***** thru YA624*****",
			models: []string{"QEK1722SX", "QEK1722ER"},
			units:  []string{"1 serial range [YA32500000..YA72499999] of QEK1722SX", "2 serial range [YA32500000..YA62499999] of QEK1722ER"}},
		{name: "rows that stand apart, with a barcode behind each model",
			text:   "Included are: Model Number UPC Code Serial Number or Serial Number Prefix QP3030DJ 036000291452 LT081195Q – LT081286Q MT- QP3030SJ 042100005264 LT048419Q RT- The label is below.",
			models: []string{"QP3030DJ", "QP3030SJ"}, gtins: []string{"00036000291452", "00042100005264"},
			units: []string{"1 serial range [LT081195Q..LT081286Q] of QP3030DJ", "2 serial prefix MT of QP3030DJ",
				"3 serial equals LT048419Q of QP3030SJ", "4 serial prefix RT of QP3030SJ"}},
		{name: "models with the beginnings of serial numbers",
			text:   "All scooters below.Model NumbersSerial Numbers (first 8 digits)1311000331EK30-01 or 31EK30-021311000531EK30-03The label is on the deck.",
			models: []string{"13110003", "13110005"},
			units:  []string{"1 serial prefix 31EK30-01 of 13110003", "2 serial prefix 31EK30-02 of 13110003", "3 serial prefix 31EK30-03 of 13110005"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := extract.Read([]extract.Field{{Name: "description", Text: tt.text}}, extract.Options{})
			var gtins []string
			for _, g := range got.GTINs {
				gtins = append(gtins, g.GTIN)
			}
			if diff := cmp.Diff(tt.models, got.Models); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.units, units(got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.gtins, gtins); diff != "" {
				t.Errorf("barcodes (-want +got):\n%s", diff)
			}
			for _, u := range got.Units {
				if u.Quote.Text != tt.text[u.Quote.Start:u.Quote.End] {
					t.Errorf("quote %q is not the text's %q", u.Quote.Text, tt.text[u.Quote.Start:u.Quote.End])
				}
			}
		})
	}
}

// A table in which a cell's end can't be told must not be read half: who holds
// a model that was cut wrong would be told that no notice names it.
func TestUnclearTablesAreLeftToDoubt(t *testing.T) {
	for name, text := range map[string]string{
		"a size glued to a model": "Ladders:Model #DescriptionQTL-10016-foot standQTL-20018-foot standQTL-30022-foot stand",
		"a word that is no word":  "Cables:Product NameModel NumberRing cable98202 and 98205MPPTx to tank9841012’ cable98201",
		"two numbers in one":      "Makers:Product NameUPC CodesModel NumbersLumo maker4006381333931708924708925",
	} {
		t.Run(name, func(t *testing.T) {
			got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
			if len(got.Models) == 0 {
				return
			}
			for _, u := range got.Units {
				if u.Op == "unreadable" {
					return
				}
			}
			t.Errorf("models %q as if they were all", got.Models)
		})
	}
}
