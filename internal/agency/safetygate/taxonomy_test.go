package safetygate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/recall"
)

func TestAudience(t *testing.T) {
	for name, c := range map[string]struct {
		one  alert
		want recall.Audience
	}{
		"toy":                       {alert{category: readCategory("Toys"), generic: "Slime"}, recall.Child},
		"toy for babies":            {alert{category: readCategory("product.category.toys"), generic: "Bath toy", description: "Ducks for babies."}, recall.Infant},
		"rattle":                    {alert{category: readCategory("Jouets"), generic: "Hochet"}, recall.Infant},
		"children's care":           {alert{category: readCategory("Childcare articles and children's equipment"), generic: "Cot"}, recall.Infant},
		"children's clothing":       {alert{category: readCategory("Clothing, textiles and fashion items"), generic: "Children's jacket"}, recall.Child},
		"clothing":                  {alert{category: readCategory("Clothing, textiles and fashion items"), generic: "Leather gloves"}, recall.General},
		"looks like food":           {alert{category: readCategory("Food-imitating products"), generic: "Candle", description: "Children may mistake it for a cake."}, recall.General},
		"vehicle":                   {alert{category: readCategory("Motor vehicles"), generic: "Passenger car", description: "With child seats."}, recall.General},
		"shampoo":                   {alert{category: readCategory("Cosmetics"), generic: "Shampoo", specific: "Kids bubble"}, recall.General},
		"baby powder":               {alert{category: readCategory("Cosmetics"), generic: "Baby powder"}, recall.Infant},
		"electrical, of no child's": {alert{category: readCategory("Electrical appliances and equipment"), generic: "Kettle"}, recall.General},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.one.audience(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestCategory(t *testing.T) {
	for text, want := range map[string]string{
		"product.category.childcare.articles.and.children.equipment": "nursery",
		"CHILDCARE_ARTICLES_AND_CHILDRENS_EQUIPMENT":                 "nursery",
		"Childcare articles and children's equipment":                "nursery",
		"product.category.motor.vehicles":                            "vehicles",
		"Articles de puériculture et équipements pour enfants":       "nursery",
		"Electrical appliances and equipment":                        "appliances",
		"Food-imitating products":                                    "household",
		"Hobby/sports equipment":                                     "sports",
		"Something new":                                              "",
	} {
		if got := readCategory(text).slug; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestHazards(t *testing.T) {
	for name, c := range map[string]struct {
		one  alert
		want []recall.HazardType
	}{
		"coded":                        {alert{risks: []string{"choking", "electric shock"}, danger: "Small parts."}, []recall.HazardType{recall.HazardChoking, recall.HazardShock}},
		"vague, the danger tells":      {alert{risks: []string{"injuries"}, danger: "The ladder may collapse and the user may fall."}, []recall.HazardType{recall.HazardFall}},
		"vague, nothing tells":         {alert{risks: []string{"damage to sight"}, danger: "The beam is too strong."}, []recall.HazardType{recall.HazardOther}},
		"finer than the agency's list": {alert{risks: []string{"chemical"}, danger: "The solders contain lead."}, []recall.HazardType{recall.HazardChemical, recall.HazardLead}},
		"no type, no danger":           {alert{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []recall.HazardType
			for _, h := range c.one.hazards() {
				got = append(got, h.Type)
				if h.Text == "" {
					t.Errorf("%s without the agency's words", h.Type)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWeeklyMeasures(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"none":        {"", nil},
		"plain words": {"Voluntary measures: Withdrawal from the market", []string{"Voluntary measures: Withdrawal from the market"}},
		"run together": {"Type of economic operator taking notified measure(s): RetailerCategory of measure(s): Stop of salesDate of entry into force: UnknownCategory of measure(s): Other: Free repairDate of entry into force: 01/02/2026",
			[]string{"Stop of sales (Retailer)", "Free repair (Retailer, 01/02/2026)"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, m := range weeklyMeasures(c.text) {
				got = append(got, m.text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCountries(t *testing.T) {
	for name, want := range map[string]string{
		"The Netherlands": "NL", "Germany": "DE", "Pays-Bas": "NL", "United Kingdom in respect of Northern Ireland": "GB", "Atlantis": "",
	} {
		if got := countryCode(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for key, want := range map[string]string{"FR": "FR", "EL": "GR", "UK": "GB", "XI": "GB", "": "", "EUR": ""} {
		if got := isoCode(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}
