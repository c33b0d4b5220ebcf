package recall

import "testing"

func TestAddressKey(t *testing.T) {
	const want = "recalls-rappels.canada.ca/en/alert-recall/lumo-cots"
	for _, same := range []string{
		"https://recalls-rappels.canada.ca/en/alert-recall/lumo-cots", "http://www.Recalls-Rappels.canada.ca/en/alert-recall/lumo-cots/",
		"https://recalls-rappels.canada.ca/en/alert-recall/Lumo-Cots?utm=1#top",
	} {
		if got := AddressKey(same); got != want {
			t.Errorf("%s: %q", same, got)
		}
	}
	if a, b := AddressKey("https://www.nhtsa.gov/recalls?nhtsaId=90V100000"), AddressKey("https://www.nhtsa.gov/recalls?nhtsaId=90V200000"); a == b {
		t.Errorf("two campaigns have one address: %q", a)
	}
	for _, none := range []string{"", "us-cpsc:26-348", "https://recalls-rappels.canada.ca", "https://recalls-rappels.canada.ca/", "://%"} {
		if got := AddressKey(none); got != "" {
			t.Errorf("%q: %q, want nothing", none, got)
		}
	}
}

func TestDeclareLeavesOutItselfAndRepetitions(t *testing.T) {
	n := Notice{ID: "us-cpsc:26-348", URL: "https://www.cpsc.gov/Recalls/2026/Lumo"}
	for _, target := range []string{"", "us-cpsc:26-348", "http://cpsc.gov/recalls/2026/lumo/", "ca-hc:1", "ca-hc:1", "https://recalls-rappels.canada.ca/en/lumo"} {
		n.Declare(target)
	}
	if len(n.Aliases) != 2 || n.Aliases[0] != (Alias{ID: "ca-hc:1", Kind: Declared}) || !n.Aliases[1].IsAddress() || n.Aliases[0].IsAddress() {
		t.Errorf("aliases %+v", n.Aliases)
	}
	if got := n.KnownAliases(); len(got) != 1 || got[0].ID != "ca-hc:1" {
		t.Errorf("aliases with an id: %+v", got)
	}
}
