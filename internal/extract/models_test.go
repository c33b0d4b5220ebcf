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
		{"a head in capitals glued to a code", "The codes are on the package. ModelUPCQGS011F 0 12345 67890 5QGS011S 0 12345 67891 2", []string{"QGS011F", "QGS011S"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, read("description", test.text).Models); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}
