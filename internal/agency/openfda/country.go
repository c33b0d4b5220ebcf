package openfda

import (
	"regexp"
	"slices"
	"strings"
)

// soldIn leads from the names in distribution_pattern to ISO 3166-1 codes. It
// holds countries that the reports name; Georgia is left out, being a state.
var soldIn = map[string]string{
	"australia": "AU", "austria": "AT", "bahamas": "BS", "bahrain": "BH", "barbados": "BB", "belgium": "BE", "bermuda": "BM",
	"brazil": "BR", "canada": "CA", "cayman islands": "KY", "chile": "CL", "china": "CN", "colombia": "CO", "costa rica": "CR",
	"czech republic": "CZ", "denmark": "DK", "dominican republic": "DO", "ecuador": "EC", "egypt": "EG", "el salvador": "SV",
	"finland": "FI", "france": "FR", "germany": "DE", "greece": "GR", "guatemala": "GT", "haiti": "HT", "honduras": "HN",
	"hong kong": "HK", "hungary": "HU", "iceland": "IS", "india": "IN", "indonesia": "ID", "ireland": "IE", "israel": "IL",
	"italy": "IT", "jamaica": "JM", "japan": "JP", "jordan": "JO", "korea": "KR", "kuwait": "KW", "lebanon": "LB", "malaysia": "MY",
	"mexico": "MX", "netherlands": "NL", "new zealand": "NZ", "nicaragua": "NI", "nigeria": "NG", "norway": "NO", "oman": "OM",
	"panama": "PA", "paraguay": "PY", "peru": "PE", "philippines": "PH", "poland": "PL", "portugal": "PT", "qatar": "QA",
	"romania": "RO", "saudi arabia": "SA", "singapore": "SG", "south africa": "ZA", "spain": "ES", "sweden": "SE",
	"switzerland": "CH", "taiwan": "TW", "thailand": "TH", "trinidad": "TT", "turkey": "TR", "ukraine": "UA",
	"united arab emirates": "AE", "uae": "AE", "united kingdom": "GB", "uk": "GB", "uruguay": "UY", "vietnam": "VN",
}

var countryName = func() *regexp.Regexp {
	names := make([]string, 0, len(soldIn))
	for name := range soldIn {
		names = append(names, regexp.QuoteMeta(name))
	}
	slices.Sort(names)
	return regexp.MustCompile(`(?i)(new )?\b(` + strings.Join(names, "|") + `)\b`)
}()

// countriesIn returns the United States, of whose market the reports are, and
// the other countries that a distribution pattern names.
func countriesIn(pattern string) []string {
	countries := []string{"US"}
	for _, m := range countryName.FindAllStringSubmatch(pattern, -1) {
		if m[1] != "" {
			continue // New Mexico
		}
		if code := soldIn[strings.ToLower(m[2])]; !slices.Contains(countries, code) {
			countries = append(countries, code)
		}
	}
	return countries
}
