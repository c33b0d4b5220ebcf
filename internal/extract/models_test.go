package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
