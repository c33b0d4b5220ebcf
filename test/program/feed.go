package program

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// CPSCID is the id of the i-th invented notice.
func CPSCID(i int) string {
	number := fmt.Sprintf("%05d", 60001+i)
	return "us-cpsc:" + number[:2] + "-" + number[2:]
}

// CPSCRecall is the i-th invented notice in the shape of the CPSC's REST answer.
func CPSCRecall(i int, description string) map[string]any {
	return map[string]any{
		"RecallID": 50000 + i, "RecallNumber": fmt.Sprintf("%05d", 60001+i), "RecallDate": "2024-03-05T00:00:00",
		"Description": description, "URL": fmt.Sprintf("https://www.cpsc.gov/Recalls/2024/Invented-%d", i),
		"Title":           fmt.Sprintf("Vantor%d Recalls Cribs Due to Fall Hazard", i),
		"ConsumerContact": "Vantor at 800-555-0100", "LastPublishDate": "2024-03-05T00:00:00",
		"Products":       []map[string]any{{"Name": fmt.Sprintf("Vantor%d Moonbeam cribs", i), "Description": "", "Model": "", "Type": "", "CategoryID": "", "NumberOfUnits": "About 1,200"}},
		"Inconjunctions": []any{}, "Images": []any{}, "Injuries": []map[string]any{{"Name": "None reported"}}, "Manufacturers": []any{},
		"Retailers": []any{}, "Importers": []any{}, "Distributors": []any{}, "SoldAtLabel": nil, "ManufacturerCountries": []any{}, "ProductUPCs": []any{},
		"Hazards":       []map[string]any{{"Name": "The side rail can come off, posing a fall hazard.", "HazardType": "", "HazardTypeID": ""}},
		"Remedies":      []map[string]any{{"Name": "Stop using the crib and contact Vantor for a refund."}},
		"RemedyOptions": []map[string]any{{"Option": "Refund"}},
	}
}

// CPSCDescription describes the i-th notice, with a model.
func CPSCDescription(i int) string {
	return fmt.Sprintf("This recall involves Vantor%d Moonbeam cribs with model number VM-%d. The model number is printed on a label under the mattress.", i, 10000+i)
}

// CPSCFile writes n invented notices as one REST answer.
func CPSCFile(t *testing.T, n int) string {
	t.Helper()
	recalls := make([]map[string]any, n)
	for i := range recalls {
		recalls[i] = CPSCRecall(i, CPSCDescription(i))
	}
	return WriteJSON(t, "cpsc.json", recalls)
}

// WriteJSON writes a value to a file of its own and returns its path.
func WriteJSON(t *testing.T, name string, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Encoded is a value as the body of an answer.
func Encoded(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
