package safetygate

import "strings"

// countryCodes leads from the names of the countries that take part in Safety
// Gate (the Union, the European Economic Area, and the United Kingdom until it
// left) to ISO 3166-1 alpha-2, in English and where it differs in French.
var countryCodes = map[string]string{
	"austria": "AT", "belgium": "BE", "bulgaria": "BG", "croatia": "HR", "cyprus": "CY", "czechia": "CZ", "czech republic": "CZ",
	"denmark": "DK", "estonia": "EE", "finland": "FI", "france": "FR", "germany": "DE", "greece": "GR", "hungary": "HU",
	"iceland": "IS", "ireland": "IE", "italy": "IT", "latvia": "LV", "liechtenstein": "LI", "lithuania": "LT", "luxembourg": "LU",
	"malta": "MT", "netherlands": "NL", "norway": "NO", "poland": "PL", "portugal": "PT", "romania": "RO", "slovakia": "SK",
	"slovenia": "SI", "spain": "ES", "sweden": "SE", "switzerland": "CH", "united kingdom": "GB", "northern ireland": "GB",

	"autriche": "AT", "belgique": "BE", "bulgarie": "BG", "croatie": "HR", "chypre": "CY", "tchéquie": "CZ", "république tchèque": "CZ",
	"danemark": "DK", "estonie": "EE", "finlande": "FI", "allemagne": "DE", "grèce": "GR", "hongrie": "HU",
	"islande": "IS", "irlande": "IE", "italie": "IT", "lettonie": "LV", "lituanie": "LT",
	"malte": "MT", "pays-bas": "NL", "norvège": "NO", "pologne": "PL", "roumanie": "RO", "slovaquie": "SK",
	"slovénie": "SI", "espagne": "ES", "suède": "SE", "suisse": "CH", "royaume-uni": "GB",
}

// countryCode returns the code of a country that a notice names, or "". The
// weekly reports write "The Netherlands", and "United Kingdom in respect of
// Northern Ireland".
func countryCode(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	name = strings.TrimPrefix(name, "the ")
	if code := countryCodes[name]; code != "" {
		return code
	}
	if strings.HasPrefix(name, "united kingdom") || strings.HasPrefix(name, "royaume-uni") {
		return "GB"
	}
	return ""
}

// isoCode takes the two letters that the site's JSON names a country by. The
// Commission writes EL for Greece and UK for the United Kingdom.
func isoCode(key string) string {
	key = strings.ToUpper(strings.TrimSpace(key))
	switch {
	case key == "EL":
		return "GR"
	case key == "UK" || strings.HasPrefix(key, "UK-") || key == "XI":
		return "GB"
	case len(key) != 2:
		return ""
	}
	return key
}
