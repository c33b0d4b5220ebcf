package openfda_test

import "testing"

func TestBrandThatADescriptionBeginsWith(t *testing.T) {
	for description, test := range map[string]struct{ firm, brand string }{
		"Roshmina Cinnamon Powder, 3.5 oz":              {"Larkmere Trading Inc. DBA Roshmina Foods", "Roshmina"},
		"QUILL & FERN Praline Pecans":                   {"Quill Nut Company", "QUILL"},
		"Larkmere's Oat Snack":                          {"Larkmeres Bakehouse LLC", "Larkmere's"},
		"Meadow House Ingredient Systems Vanilla Milk":  {"Elsewhere Corp.", "Meadow House"},
		"Dairy House Vanilla Powder":                    {"Elsewhere Corp.", "Dairy House"},
		"Lucky Quill Foods Cinnamon Powder; 40g":        {"Elsewhere Corp.", "Lucky Quill Foods"},
		"Quillby Farms Farm-Raised Salmon":              {"Elsewhere Corp.", "Quillby Farms"},
		"QuillHeart Infant Formula":                     {"Elsewhere Corp.", "QuillHeart"},
		"Cinnamon, Clear Plastic Container":             {"Cinnamon Traders LLC", ""},
		"Peanut Paste bulk":                             {"Peanut Processors Inc.", ""},
		"Smoked Salmon, sliced":                         {"Smoked Salmon Company", ""},
		"Fresh Kitchen Salad":                           {"Elsewhere Corp.", ""},
		"Atlantic Farm Raised Salmon":                   {"Elsewhere Corp.", ""},
		"Moringa Leaf Powder":                           {"Elsewhere Corp.", ""},
		"100% Pure Cacao":                               {"100% Foods", ""},
		"in-store Bakery Cookies":                       {"Elsewhere Corp.", ""},
		"1) QuillHeart Formula 12 oz 2) QuillHeart Tea": {"Elsewhere Corp.", "QuillHeart"},
	} {
		product := one(t, map[string]string{"product_description": description, "recalling_firm": test.firm}).Notice.Products[0]
		if product.Brand != test.brand {
			t.Errorf("%q by %s: brand %q, want %q", description, test.firm, product.Brand, test.brand)
		}
	}
}
