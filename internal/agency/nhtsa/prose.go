package nhtsa

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// productsOfProse makes the products of a campaign whose format names neither
// make nor model: from its defect's description and its manufacturer.
func (c *campaign) productsOfProse(t texts, s *spelling, prose described) []recall.Product {
	brand := companyBrand(clean(c.manufacturer))
	if agency.Placeholder(brand) {
		brand = ""
	}
	brand = s.name(brand)
	var list []recall.Product
	for _, called := range prose.names {
		list = append(list, recall.Product{Name: called, Brand: brand, Models: prose.join([]string{called}, true), Units: slices.Clone(prose.units)})
	}
	if len(list) > 0 {
		return list
	}
	name := withoutBrand(s.name(recalledProduct(t.defect)), brand)
	if name == "" {
		name = t.subject
	}
	if name == "" && len(c.components) > 0 {
		name = strings.ToLower(clean(c.components[0]))
	}
	models := prose.numbers
	if prose.prefixes {
		models = nil // what model numbers start with names no model itself
	}
	return []recall.Product{{Name: name, Brand: brand, Models: models, Units: prose.units}}
}

// companyForms end a company's name without being part of a brand.
var companyForms = []string{"inc", "incorporated", "llc", "l.l.c", "ltd", "limited", "corp", "corporation", "company", "co", "gmbh", "usa", "u.s.a", "of america", "north america", "juvenile group", "children's products", "juvenile"}

// companyBrand cuts a company's name down to the name that stands on products.
func companyBrand(company string) string {
	company, _, _ = strings.Cut(company, "(")
	company = strings.TrimSpace(company)
	for again := true; again; {
		again = false
		company = strings.TrimRight(company, " ,.")
		for _, form := range companyForms {
			if n := len(company) - len(form); n > 0 && strings.EqualFold(company[n:], form) && strings.IndexByte(" ,", company[n-1]) >= 0 {
				company, again = company[:n], true
			}
		}
	}
	return company
}

// productEnds are what follows a product's name in "is recalling certain …".
var productEnds = []string{", ", ". ", ": ", " model", " manufactured", " built", " produced", " made ", " with ", " sold", " that ", " because", " equipped", " imported", " shipped", " ("}

// recalledProduct returns the words that a description calls the product by:
// "Acme is recalling certain Dreamer booster seats manufactured …".
func recalledProduct(defect string) string {
	lower := strings.ToLower(defect)
	if len(lower) != len(defect) {
		return ""
	}
	start := -1
	for _, lead := range []string{"recalling ", "certain "} {
		if i := strings.Index(lower, lead); i >= 0 {
			start = i + len(lead)
			break
		}
	}
	if start < 0 {
		return ""
	}
	rest := strings.TrimPrefix(lower[start:], "certain ")
	start = len(lower) - len(rest)
	end := len(rest)
	for _, e := range productEnds {
		if i := strings.Index(rest, e); i >= 0 {
			end = min(end, i)
		}
	}
	name := strings.TrimRight(strings.TrimSpace(defect[start:start+end]), ".")
	if len(name) > longestName {
		return ""
	}
	return name
}

const longestName = 100

func withoutBrand(name, brand string) string {
	if len(name) > len(brand) && brand != "" && strings.EqualFold(name[:len(brand)], brand) && name[len(brand)] == ' ' {
		return strings.TrimSpace(name[len(brand):])
	}
	return name
}
