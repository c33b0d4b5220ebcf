package rappelconso

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/crownsafe/api/internal/agency"
)

// row is one record with cleaned text under the names of version 2. A field
// that is missing, in one of the ways in which feeds say so, isn't in it.
type row map[string]string

// v1Names leads from the names of version 1 to those of version 2.
var v1Names = map[string]string{
	"reference_fiche":                      "numero_fiche",
	"ndeg_de_version":                      "numero_version",
	"nature_juridique_du_rappel":           "nature_juridique_rappel",
	"categorie_de_produit":                 "categorie_produit",
	"sous_categorie_de_produit":            "sous_categorie_produit",
	"nom_de_la_marque_du_produit":          "marque_produit",
	"noms_des_modeles_ou_references":       "modeles_ou_references",
	"identification_des_produits":          "identification_produits",
	"motif_du_rappel":                      "motif_rappel",
	"risques_encourus_par_le_consommateur": "risques_encourus",
	"description_complementaire_du_risque": "description_complementaire_risque",
	"numero_de_contact":                    "numero_contact",
}

// fieldName returns the name under which a row holds a field of either version.
func fieldName(name string) string {
	if v2, ok := v1Names[name]; ok {
		return v2
	}
	return name
}

// readRow reads a JSON record, inside the envelopes that the portal's older
// interfaces put around it ({"record":{"fields":{…}}}, {"fields":{…}}).
func readRow(raw []byte) (row, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, fmt.Errorf("the record is no object: %w", err)
	}
	for _, envelope := range []string{"record", "fields"} {
		if inner, ok := members[envelope]; ok && len(inner) > 0 && inner[0] == '{' {
			members = nil
			if err := json.Unmarshal(inner, &members); err != nil {
				return nil, fmt.Errorf("the record's %s is no object: %w", envelope, err)
			}
		}
	}
	r := make(row, len(members))
	bad := ""
	for name, value := range members {
		text, err := readValue(value)
		if err != nil && (bad == "" || name < bad) {
			bad = name
		}
		r.set(fieldName(name), text)
	}
	if bad != "" {
		return r, fmt.Errorf("%s is neither a text nor a list of texts", bad)
	}
	return r, nil
}

// readValue reads a scalar, or an array of scalars as its elements between $,
// which is the mark that the portal split identification_produits at.
func readValue(raw json.RawMessage) (string, error) {
	if len(raw) > 0 && raw[0] == '[' {
		var list []agency.Text
		if err := json.Unmarshal(raw, &list); err != nil {
			return "", err
		}
		tokens := make([]string, len(list))
		for i, t := range list {
			tokens[i] = string(t)
		}
		return strings.Join(tokens, "$"), nil
	}
	if len(raw) > 1 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), nil // nothing is escaped in most texts
	}
	var text agency.Text
	err := json.Unmarshal(raw, &text)
	return string(text), err
}

func (r row) set(name, text string) {
	if text = clean(text); !agency.Missing(text) {
		r[name] = text
	}
}

// clean is agency.Clean with a short way for the many texts that are clean.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	return agency.Clean(s)
}

func isClean(s string) bool {
	blank := true // what stands before the text counts as a blank
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '&', c == '<', c == 0x7f, c == ' ' && blank:
			return false
		case c >= 0xc2: // ¤ and no-break blank start with C2, the other odd blanks with E2 and EF
			if c == 0xc2 || c >= 0xe2 {
				return false
			}
			blank = false
		default:
			blank = c == ' '
		}
	}
	return s == "" || !blank && norm.NFC.IsNormalString(s)
}
