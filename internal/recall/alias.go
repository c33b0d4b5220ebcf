package recall

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Declare adds a link that the agency itself states: the id of another notice,
// or the address of its page where that is all that the agency gives. A link to
// the notice itself, an empty one and one that is there already are left out.
func (n *Notice) Declare(target string) {
	if target == "" || target == n.ID || sameAddress(target, n.URL) ||
		slices.ContainsFunc(n.Aliases, func(a Alias) bool { return a.ID == target }) {
		return
	}
	n.Aliases = append(n.Aliases, Alias{ID: target, Kind: Declared})
}

// IsAddress tells an alias that is the address of a page from one that is an id.
func (a *Alias) IsAddress() bool { return strings.Contains(a.ID, "://") }

// KnownAliases returns the aliases that are ids. Which notice an address stands
// for is known only beside all the others.
func (n *Notice) KnownAliases() []Alias {
	return slices.DeleteFunc(slices.Clone(n.Aliases), func(a Alias) bool { return a.IsAddress() })
}

// AddressKey brings the address of a notice's page to the form that two
// addresses are compared in: scheme, www, letter case, fragment, a closing slash
// and parameters that hold no number make no difference. Empty for what is no address, and for the
// front page of a site, which is no notice's.
func AddressKey(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	path := strings.Trim(u.Path, "/")
	if path == "" {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(u.Host, "www.")+"/"+path) + numbers(u.Query())
}

// numbers are the parameters that say which notice a page shows: "?nhtsaId=26V481000".
func numbers(parameters url.Values) string {
	maps.DeleteFunc(parameters, func(name string, values []string) bool {
		return strings.HasPrefix(name, "utm") || !slices.ContainsFunc(values, hasDigit)
	})
	if len(parameters) == 0 {
		return ""
	}
	return "?" + strings.ToLower(parameters.Encode())
}

func sameAddress(a, b string) bool {
	key := AddressKey(a)
	return key != "" && key == AddressKey(b)
}

// Alike reports whether two notices of two agencies possibly speak of one
// event: they print one barcode, or name one specific model of one brand. It is
// the same from either side, and says nothing of a third notice.
func Alike(a, b *Notice) bool {
	if a.Agency == b.Agency || a.ID == b.ID {
		return false
	}
	for i := range a.Products {
		for j := range b.Products {
			if sameBarcode(&a.Products[i], &b.Products[j]) || sameModel(&a.Products[i], &b.Products[j]) {
				return true
			}
		}
	}
	return false
}

func sameBarcode(a, b *Product) bool {
	for i := range a.GTINs {
		if a.GTINs[i].Possible() {
			continue
		}
		if slices.ContainsFunc(b.GTINs, func(g PrintedGTIN) bool { return !g.Possible() && g.GTIN == a.GTINs[i].GTIN }) {
			return true
		}
	}
	return false
}

func sameModel(a, b *Product) bool {
	if !slices.ContainsFunc(a.Models, func(m string) bool {
		key := ModelKey(m)
		return SpecificModel(key) && slices.ContainsFunc(b.Models, func(other string) bool { return ModelKey(other) == key })
	}) {
		return false
	}
	own, other := brandCore(Tokens(a.Brand)), brandCore(Tokens(b.Brand))
	return len(own) > 0 && len(other) > 0 && (allStand(own, other) || allStand(other, own))
}
