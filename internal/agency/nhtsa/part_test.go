package nhtsa_test

import "testing"

// The live feed has the child restraints only: in every format they are a part
// of their own, so that its dumps never miss a vehicle.
func TestChildRestraintsAreAPartOfTheirOwn(t *testing.T) {
	t.Parallel()
	restraints := 0
	for _, name := range []string{"flat.txt", "flat-2002.txt", "socrata.json", "api.json"} {
		parsed, err := parse(t, read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for i := range parsed.Records {
			n := &parsed.Records[i].Notice
			part, isRestraint := newAgency().PartOf(n), n.ID[len("us-nhtsa:")+2] == 'C'
			if isRestraint {
				restraints++
			}
			if part == "" || (part == "car-seats") != isRestraint {
				t.Errorf("%s: %s belongs to %q", name, n.ID, part)
			}
		}
	}
	if restraints == 0 {
		t.Error("no fixture holds a child restraint")
	}
}
