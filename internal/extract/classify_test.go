package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

func TestHazards(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []recall.HazardType
	}{
		{"The bouncer can tip over, posing fall and entrapment hazards.", []recall.HazardType{recall.HazardTipOver, recall.HazardFall, recall.HazardEntrapment}},
		{"Small parts can detach, posing a choking hazard.", []recall.HazardType{recall.HazardChoking}},
		{"The strap can break.", []recall.HazardType{recall.HazardMalfunction}},
		{"Carbon monoxide can build up. Violates the lead paint ban.", []recall.HazardType{recall.HazardCarbonMonox, recall.HazardLead}},
		{"This could lead to injuries. The fire department was called. No injuries.", nil},
		{"Button cell batteries can be ingested; magnets attract one another.", []recall.HazardType{recall.HazardBattery, recall.HazardMagnet}},
		{"Contamination with Salmonella; undeclared milk allergen.", []recall.HazardType{recall.HazardMicrobial, recall.HazardAllergen}},
		{"Risque d’étouffement, listeria monocytogenes, corps étrangers, brûlures", []recall.HazardType{recall.HazardChoking, recall.HazardMicrobial, recall.HazardForeignBody, recall.HazardBurn}},
	} {
		var got []recall.HazardType
		for _, h := range extract.Hazards(tt.text) {
			got = append(got, h.Type)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestHazardQuotesItsSentence(t *testing.T) {
	got := extract.Hazards("The legs are long. The straps can strangle a child, e.g. at night. Call us.", "A child can be strangled.")
	want := []recall.Hazard{{Type: recall.HazardStrangulation, Text: "The straps can strangle a child, e.g. at night."}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRemedies(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []recall.RemedyType
	}{
		{"Consumers should stop using the swings and contact Lumo for a full refund or a free replacement.", []recall.RemedyType{recall.RemedyStopUse, recall.RemedyRefund, recall.RemedyReplace}},
		{"Contact Lumo for a free repair kit and updated instructions.", []recall.RemedyType{recall.RemedyRepair, recall.RemedyInstructions}},
		{"The firm is out of business; dispose of the cribs.", []recall.RemedyType{recall.RemedyNone, recall.RemedyDispose}},
		{"Ne plus consommer, détruire le produit ou rapporter au point de vente. Remboursement.", []recall.RemedyType{recall.RemedyStopUse, recall.RemedyDispose, recall.RemedyReturn, recall.RemedyRefund}},
		{"Pay with a credit card.", nil},
	} {
		if diff := cmp.Diff(tt.want, extract.Remedies(tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestAudienceOf(t *testing.T) {
	for _, tt := range []struct {
		texts []string
		want  recall.Audience
	}{
		{[]string{"Lumo Recalls Infant Swings Due to Suffocation Hazard", "CloudRest"}, recall.Infant},
		{[]string{"Lumo Recalls Bunk Beds Due to Fall Hazard"}, recall.Child},
		{[]string{"Lumo Recalls 6-Drawer Dressers Due to Tip-Over Hazards to Children", "Lumo dressers"}, recall.General},
		{[]string{"Heaters Recalled; One Infant Died", "Lumo space heaters"}, recall.General},
		{[]string{"Lumo Adult Portable Bed Rails Recalled", "bed rails"}, recall.General},
		{[]string{"Baby spinach, 5 oz"}, recall.General},
		{[]string{"Lumo", "lait infantile 1er âge"}, recall.Infant},
		{[]string{"hochet en bois", "jouets"}, recall.Infant},
		{nil, recall.General},
	} {
		if got := extract.AudienceOf(tt.texts...); got != tt.want {
			t.Errorf("AudienceOf(%q) = %s, want %s", tt.texts, got, tt.want)
		}
	}
}

func TestCategories(t *testing.T) {
	got := extract.Categories("Lumo Recalls Strollers and Car Seats Due to Fire Hazard from Heaters", "Lumo strollers")
	if diff := cmp.Diff([]string{"strollers", "car-seats"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBrandFromTitle(t *testing.T) {
	for _, tt := range []struct{ title, product, want string }{
		{"Lumo Baby Recalls Infant Swings Due to Suffocation Hazard", "CloudRest swings", "Lumo Baby"},
		{"CPSC, Lumo Corp. Announce Recall of Strollers", "strollers", "Lumo"},
		{"Brightmart LLC dba Lumo® Recalls Cribs", "cribs", "Lumo"},
		{"Lumo Manufacturing (formerly Brightmart) Expands Recall of Heaters", "heaters", "Lumo Manufacturing"},
		{"Tallow Pine Cribs Recalled Due to Entrapment Hazard; Sold by Brightmart", "Tallow Pine Cribs", "Tallow Pine"},
		{"Infant Swings Recalled Due to Fall Hazard", "Lumo Infant Swings", "Lumo"},
		{"L.M.O Bicycle Helmets Recalled Due to Head Injury Hazard", "L.M.O Bicycle Helmets", "L.M.O"},
		{"Gun Safes Recalled Due to Injury Hazard", "Lumo brand Biometric Safes", "Lumo"},
		{"Heaters Recalled", "Lumo-branded heaters", "Lumo"},
		{"Children’s Robes Recall Expansion Announced Due to Burn Hazard", "Lumo Children’s Robes", "Lumo"},
		{"Portable Hook-On Chairs Recalled Due to Fall Hazard", "Portable Hook-On Chairs", ""},
		{"Various Recalls", "various products", ""},
		{"", "", ""},
	} {
		if got := extract.BrandFromTitle(tt.title, tt.product); got != tt.want {
			t.Errorf("BrandFromTitle(%q, %q) = %q, want %q", tt.title, tt.product, got, tt.want)
		}
	}
}

func number(n int) *int { return &n }

func TestIncidents(t *testing.T) {
	for _, tt := range []struct {
		text string
		want recall.Incidents
	}{
		{"The firm has received 11 reports of overheating. No injuries have been reported.", recall.Incidents{Reports: number(11), Injuries: number(0)}},
		{"Lumo has received twelve reports of the seat tipping, including three injuries and one death.", recall.Incidents{Reports: number(12), Injuries: number(3), Deaths: number(1)}},
		{"1,204 reports of cracks", recall.Incidents{Reports: number(1204)}},
		{"None reported. Seven deaths with other products are known.", recall.Incidents{Reports: number(0), Injuries: number(0), Deaths: number(0)}},
		{"No injuries or deaths have been reported.", recall.Incidents{Injuries: number(0), Deaths: number(0)}},
		{"A crack was reported by a 6-year-old.", recall.Incidents{}},
	} {
		if diff := cmp.Diff(tt.want, extract.Incidents(tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestUnitCounts(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []recall.UnitCount
	}{
		{"About 3,820 (in addition, about 700 were sold in Canada)", []recall.UnitCount{{Country: "US", Count: 3820, Approximate: true}, {Country: "CA", Count: 700, Approximate: true}}},
		{"1.2 million", []recall.UnitCount{{Country: "US", Count: 1200000}}},
		{"About 47,000 in Canada and 23,000 in Mexico", []recall.UnitCount{{Country: "CA", Count: 47000, Approximate: true}, {Country: "MX", Count: 23000}}},
		{"About 561,000 (561,000 were recalled before)", []recall.UnitCount{{Country: "US", Count: 561000, Approximate: true}}},
		{"unknown", nil},
	} {
		if diff := cmp.Diff(tt.want, extract.UnitCounts(tt.text, "US")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestHasCutEnd(t *testing.T) {
	for text, want := range map[string]bool{"with model …": true, "with model... ": true, "with model.": false, "": false, "a … b": false} {
		if got := extract.HasCutEnd(text); got != want {
			t.Errorf("HasCutEnd(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestWordsThatOnlyLookLikeHazards(t *testing.T) {
	for _, text := range []string{"Explore & More playmat recalled", "Choc chip biscuits", "Flames Foods lamb samosas"} {
		if got := extract.Hazards(text); len(got) > 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestTelephoneNumbersAreNoUnits(t *testing.T) {
	got := extract.UnitCounts("About 320 units; call 0121 313 6050", "GB")
	if len(got) != 1 || got[0].Count != 320 {
		t.Errorf("%+v, want 320 units", got)
	}
}

func TestBrands(t *testing.T) {
	for _, tt := range []struct{ title, description, product, want string }{
		{"Acme Trading Recalls Belay Devices Due to Fall Hazard", "This recall involves Lumo Vergo belay devices with batch 1.", "Vergo belay devices", "Lumo"},
		{"Acme Recalls Dehydrators", "This recall involves the Brod & Lumo Sahara Folding Dehydrators.", "Sahara Folding Dehydrators", "Brod & Lumo"},
		{"Acme Trading Recalls Fennick-Brand Fridges", "", "Fennick-brand fridges, model QF1", "Fennick"},
		{"Acme Recalls Lumo Cots", "This recall involves Lumo cots with drawers.", "Lumo cots", "Acme"},
		{"Acme Recalls Cots", "This recall involves 12 models of Lumo cots.", "Lumo cots", "Acme"},
		{"Acme Recalls Cots", "This recall involves gray cots.", "Cots", "Acme"},
		{"Helmets Recalled by Triple Lumo Distribution Due to Fall Hazard", "", "Helmets for children", "Triple Lumo Distribution"},
	} {
		got := extract.BrandFromLead(tt.description, tt.product)
		if got == "" {
			got = extract.BrandFromTitle(tt.title, tt.product)
		}
		if got != tt.want {
			t.Errorf("%q of %q: brand %q, want %q", tt.product, tt.title, got, tt.want)
		}
	}
}

func TestYearsAndArticlesCountNoIncidents(t *testing.T) {
	for _, text := range []string{"In 2016 the agency heard of illnesses.", "This is an alert due to illnesses."} {
		if got := extract.Incidents(text); got.Injuries != nil || got.Reports != nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if got := extract.Incidents("There was a report of an injury."); got.Injuries == nil || *got.Injuries != 1 {
		t.Errorf("an injury: %+v", got)
	}
}

func TestThrownOutIsDisposal(t *testing.T) {
	if got := extract.Remedies("These products should be thrown away or returned."); len(got) != 2 || got[0] != recall.RemedyDispose {
		t.Errorf("%v", got)
	}
}
