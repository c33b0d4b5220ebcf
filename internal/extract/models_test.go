package extract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

func TestModelsOfTables(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"a word glued to a code of letters and digits", "The models are listed below.Product NameModel NumberLumo Tower HeaterQT1323Lumo Tower HeaterQT1481Lumo Wall HeaterQT1635", []string{"QT1323", "QT1481", "QT1635"}},
		{"a code glued to the name before and behind it", "Model NumberBrand / DescriptionQT25TKO-1 Lumo 25 Ton SplitterQT25TKO-2 Lumo 25 Ton SplitterQT35TKO-1 Lumo 35 Ton Splitter", []string{"QT25TKO-1", "QT25TKO-2", "QT35TKO-1"}},
		{"a head in capitals glued to a code", "The codes are on the package. ModelUPCQGS011F 0 12345 67890 5", []string{"QGS011F"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read("description", test.text).Models); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestModelsOfLists(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"a blank inside", "and “Model: QS 550” is printed on a label", []string{"QS 550"}},
		{"some with a blank inside", "They have model number QD32, QD 50, QD 50.1, QDT51, QDR 52 or QHC 59.", []string{"QD32", "QD 50", "QD 50.1", "QDT51", "QDR 52", "QHC 59"}},
		{"a word before the number", "model numbers QRS-150, QRP-199, QRS Plus-150, QTS-199. The", []string{"QRS-150", "QRP-199", "QRS Plus-150", "QTS-199"}},
		{"letters behind a blank", "models – QG10, QG10X CV, QG10XU, and QG12XUK – and", []string{"QG10", "QG10X CV", "QG10XU", "QG12XUK"}},
		{"other numbers in brackets", "with model numbers 93551 (QY-318B), 96771 (blue), and 98521 (6Q-PC). The", []string{"93551", "QY-318B", "96771", "98521", "6Q-PC"}},
		{"a slash inside", "Recalled Model Numbers QE58K9430SS/AA QE58N9430SG/AA QE58BG8315SSAA", []string{"QE58K9430SS/AA", "QE58N9430SG/AA", "QE58BG8315SSAA"}},
		{"capitals alone, joined by signs", "with model numbers LQ-BRMD-BLK, LQ-BRMD-PNK, and 04-LQ-PNK. Only", []string{"LQ-BRMD-BLK", "LQ-BRMD-PNK", "04-LQ-PNK"}},
		{"capitals alone between others", "Model numbers QAS5SS4P+BFL, MQISUS+BFL, MQISU, MQISU+1 and MQISU+AHD are included", []string{"QAS5SS4P+BFL", "MQISUS+BFL", "MQISU", "MQISU+1", "MQISU+AHD"}},
		{"words that describe each", "Models 905e Auto Steamer, 915e On-Demand Power Steamer, and 925e Steam Machine are", []string{"905e", "915e", "925e"}},
		{"words behind the last", "model QX-831 comes in blue, red and 3 sizes", []string{"QX-831"}},
		{"capitals that are no model's", "Model numbers QX-831 LED and QX-832 are in the USA, UPC 123", []string{"QX-831 LED", "QX-832"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read("description", test.text).Models); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestModelsOutsideALabelsList(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"in the label's sentence, behind other words", "The models are QD3318B and QD3418S for the Lumo brand, and SQ1977 and SQ1979 for the Velo brand.", []string{"QD3318B", "QD3418S", "SQ1977", "SQ1979"}},
		{"built like one of the list", "Model number QHX-100 is on the seat. The swing QHX-2000S was sold too.", []string{"QHX-100", "QHX-2000S"}},
		{"numbers between glued cells", "The item codes are on the seat.ColorItem CodeBlue300008005Black300008004Warm Wood/Gray300008003White300008001", []string{"300008005", "300008004", "300008003", "300008001"}},
		{"a barcode glued behind", "Product and ColorModel NumberUPC CodeLight Blue FishQF156-MT012345678905Pink FishQF156-LI012345678912", []string{"QF156-MT", "QF156-LI"}},
		{"the tail of another cell glued before", "Recalled Model Numbers QE58K9430SS/AA QE58K9431SG/AAQE58K9435SS/AA", []string{"QE58K9430SS/AA", "QE58K9431SG", "AAQE58K9435SS/AA", "QE58K9435SS/AA"}},
		{"of another mark", "Model number QHX-100 and batch number QHX2106C01 are on the label.", []string{"QHX-100"}},
		{"taken out", "Model number QHX-100 is recalled. Model QHX-200 is not included in this recall.", []string{"QHX-100"}},
		{"how many models, and whose", "This recall involves ten models of Lumo-Velo Gemma kits.", nil},
		{"how many models, and from whom", "This recall involves three swing models from Lumo International; Velo and Gemma.", nil},
		{"years glued to models", "ModelsModel YearLumo Models2022QE 350 2023QE 450", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read("description", test.text).Models); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestUnexplainedCodesLeaveTheModelsOpen(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		open bool
	}{
		{"several glued into one", "Model NumberSKUUPCStone GrayQS-1000801108111840056145528Carbon. Item number Q235474 is on the box.", true},
		{"a row of numbers of another column", "Model No. Size Lumo 14467 6-Qt QY-PC20US-5P 5-Qt 14570 6-Qt QYPC24US-8P", true},
		{"a code in quotation marks", "Model number 999604 is on the box. The seat is marked with the code “LQ-65708”.", true},
		{"two codes without a gap", "Model Numbers QKD036010003AH7QB3610C5B and QKD011 are on the battery.", true},
		{"letters that are a label as well", "Model numbers QX 831, ID 832 are recalled.", true},
		{"letters that are a word as well", "model numbers AS 831, QX 832 are recalled.", true},
		{"amounts, dates, standards and addresses", "Model number QHX-100 has 12 volts, weighs 1,500 pounds, fits CR2032 batteries and ASTM F963-23, was sold in 2023-2024 for $10000. Write to Lumo, Boston, MA 02134 or recall12345@example.com, call 800-555-0123.", false},
		{"a word glued to a number of units", "Model number QHX-100.Units: About 32,000Importer: Lumo Inc.", false},
		{"codes that stand under their own label", "Model number QHX-100 with lot codes A12345 and B12345 and UPC 012345678905.", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			codes := read("description", test.text)
			open := slices.ContainsFunc(codes.Units, func(p recall.Predicate) bool { return p.Op == recall.OpUnreadable })
			if open != test.open || len(codes.Models) == 0 {
				t.Errorf("%q: models %q, %v", test.text, codes.Models, units(codes))
			}
		})
	}
	fields := []extract.Field{{Name: "title", Text: "Lumo Recalls QROMEO5 Sights"}, {Name: "description", Text: "Models SQR52001 and SQR52002 are recalled."}}
	codes := extract.Read(fields, extract.Options{})
	if !slices.ContainsFunc(codes.Units, func(p recall.Predicate) bool { return p.Op == recall.OpUnreadable && p.Quote.Text == "QROMEO5" }) {
		t.Errorf("a title's code that no list holds does not leave the models open: %v", units(codes))
	}
}

func TestNoListedModelIsLeftOut(t *testing.T) {
	// Two letters set apart from the figures can be a word or a unit ("ET 00" is
	// "and 00" in French, "AM 00" a time), and five figures a size of battery
	// (18650, 21700); these can't.
	shapes := []string{`[A-Z]{2,3}[0-9]{3,5}`, `[A-Z]{2}-[0-9]{3,4}`, `[QXZ]{2,3} [1-9][0-9]{1,3}`, `[0-9]{6,7}`, `[A-Z]{2}[0-9]{2}[A-Z]{2}/[A-Z]{2}`, `[A-Z]{2}-[A-Z]{4}-[A-Z]{3}`, `[0-9]{2}[A-Z]{2}[0-9]{3}`}
	rapid.Check(t, func(t *rapid.T) {
		models := rapid.SliceOfN(rapid.StringMatching(rapid.SampledFrom(shapes).Draw(t, "shape")), 2, 6).Draw(t, "models")
		var list strings.Builder
		for i, m := range models {
			if i > 0 {
				list.WriteString(draw(t, "separator", ", ", "; ", " and ", ", and ", " & "))
			}
			list.WriteString(m + draw(t, "remark", "", "", "", " (blue)", " (QZ-77A)"))
		}
		text := draw(t, "label", "Model numbers ", "model numbers: ", "SKU numbers ", "item numbers: ") + list.String() + draw(t, "after", "", ".", " are included in this recall.", ", printed on the seat.")
		codes := read("description", text)
		read := " " + squeezed(strings.Join(codes.Models, " ")) + " "
		open := len(codes.Models) == 0 || slices.ContainsFunc(codes.Units, func(p recall.Predicate) bool { return p.Op == recall.OpUnreadable })
		for _, m := range models {
			if !open && !strings.Contains(read, squeezed(m)) {
				t.Errorf("%q leaves %s out: %q", text, m, codes.Models)
			}
		}
	})
}

func TestBeginningsOfModelsEndInAnAsterisk(t *testing.T) {
	for text, want := range map[string][]string{
		"mattresses with model numbers beginning with 13QBNAT are recalled": {"13QBNAT*"},
		"The model number starts with QDB3, QDB4 or QDB5.":                  {"QDB3*", "QDB4*", "QDB5*"},
	} {
		got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
		if diff := cmp.Diff(want, got.Models); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestAMonthOfManufactureInFigures(t *testing.T) {
	for text, want := range map[string][]string{
		"helmets with production date 202201":         {"1 made equals 2022-01"},
		"boots manufactured in July and August 2022.": {"1 made equals 2022-07", "2 made equals 2022-08"},
		"made in May, June and July 2022.":            {"1 made equals 2022-05", "2 made equals 2022-06", "3 made equals 2022-07"},
	} {
		got := extract.Read([]extract.Field{{Name: "description", Text: text}}, extract.Options{})
		if diff := cmp.Diff(want, units(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestModelsInWhatANoticeInvolves(t *testing.T) {
	for text, want := range map[string][]string{
		"This recall involves Lumo QRN216 and QRX217K6 lawnmowers, and general-purpose engines.": {"QRN216", "QRX217K6", "*"},
		"This recall involves Lumo lawnmowers with QRX217K6 engines.":                            nil,
		"This recall involves 12V battery chargers and USB-C cables.":                            nil,
		"This recall involves Lumo lawnmowers with model number QX-901. QRX217K6 is an engine.":  {"QX-901"},
	} {
		if diff := cmp.Diff(want, read("description", text).Models); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
