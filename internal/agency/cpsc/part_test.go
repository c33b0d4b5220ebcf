package cpsc_test

import (
	"os"
	"path/filepath"
	"testing"
)

// A dump of the REST service never misses what only the export had. A record of
// the service without an address and a day of publication (26-902 of the fixture)
// cannot be told from the export's, and is never missed either.
func TestExportAndServiceAreParts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"rest.json": "service", "export.csv": "export"} {
		payload, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parse(t, payload)
		if err != nil || len(parsed.Records) == 0 {
			t.Fatalf("%s: %d records, %v", name, len(parsed.Records), err)
		}
		for i := range parsed.Records {
			if n := &parsed.Records[i].Notice; newAgency().PartOf(n) != want && n.ID != "us-cpsc:26-902" {
				t.Errorf("%s: %s belongs to %q, want %q", name, n.ID, newAgency().PartOf(n), want)
			}
		}
	}
}
