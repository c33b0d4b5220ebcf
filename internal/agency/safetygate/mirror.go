package safetygate

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// row is a record of the register's copy: cleaned texts by field. Some fields
// are lists in one answer and a text in another; a field without a value, or
// with a word for none, isn't in it.
type row map[string][]string

func (r row) first(fields ...string) string {
	for _, f := range fields {
		if len(r[f]) > 0 {
			return r[f][0]
		}
	}
	return ""
}

func (r row) joined(field string) string { return strings.Join(r[field], "; ") }

// readFields reads the fields of a record, inside the envelope that version 1
// of the portal's interface puts around them.
func readFields(raw json.RawMessage) (row, json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, raw, fmt.Errorf("the record is no object: %w", err)
	}
	if inner, ok := members["fields"]; ok {
		members = nil
		if err := json.Unmarshal(inner, &members); err != nil {
			return nil, raw, fmt.Errorf("the record's fields are no object: %w", err)
		}
		raw = inner
	}
	r := make(row, len(members))
	for field, value := range members {
		if values := readValues(value); len(values) > 0 {
			r[field] = values
		}
	}
	return r, raw, nil
}

// readValues reads a scalar, an array of scalars, or a file, which is an object
// with its address.
func readValues(raw json.RawMessage) []string {
	var list agency.List[json.RawMessage]
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil
	}
	var values []string
	for _, element := range list {
		var text agency.Text
		if err := json.Unmarshal(element, &text); err != nil {
			var file struct {
				URL agency.Text `json:"url"`
			}
			if json.Unmarshal(element, &file) != nil {
				continue
			}
			text = file.URL
		}
		if clean := text.Clean(); clean != "" {
			values = append(values, clean)
		}
	}
	return values
}

// readRow reads one record of the register's copy.
func (a *Agency) readRow(raw json.RawMessage) (alert, error) {
	r, content, err := readFields(raw)
	if err != nil {
		return alert{}, err
	}
	one := alert{
		number:       r.first("alert_number"),
		url:          r.first("rapex_url"),
		category:     readCategory(r.first("product_category")),
		generic:      known(r.first("product_type", "product_category")),
		specific:     known(r.first("product_name")),
		brands:       brandsOf(r["product_brand"]),
		description:  r.first("product_description"),
		packaging:    known(r.first("product_packaging_description")),
		counterfeit:  isYes(r.first("product_counterfeit")),
		models:       cellOf(r, "product_model_type"),
		batches:      cellOf(r, "product_batch_number"),
		barcodes:     cellOf(r, "product_barcode"),
		produced:     cellOf(r, "product_production_date"),
		recallCode:   known(r.joined("product_recall_code")),
		danger:       r.first("alert_description"),
		legal:        r.first("risk_legal_provision"),
		defect:       r.first("technical_defect"),
		recalls:      addresses(r["product_recall_url"]),
		images:       addresses(append(r["product_image"], r["product_other_images"]...)),
		hash:         agency.HashOf(content),
		completeness: completenessMirror,
	}
	one.language = one.category.language()
	if one.danger == "" && one.description == "" {
		one.completeness = completenessExcerpt
	}
	for _, risk := range r["alert_type"] {
		one.risks = append(one.risks, risksOf(risk)...)
	}
	for _, m := range r["measures_country"] {
		one.measures = append(one.measures, mirrorMeasure(m))
	}
	for _, c := range append(r["alert_country"], r["alert_other_countries"]...) {
		for name := range strings.SplitSeq(c, ",") {
			one.countries = append(one.countries, countryCode(name))
		}
	}
	return one, a.dates(&one, r.first("alert_date"), r.first("modification_date"))
}

// cellOf joins a field's values into a cell.
func cellOf(r row, field string) agency.Cell { return listOf(field, r[field]) }

// risksOf parts a list of risks: "Choking, Chemical".
func risksOf(list string) []string {
	var risks []string
	for risk := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		risks = append(risks, strings.ToLower(strings.TrimSpace(risk)))
	}
	return unique(risks)
}

func isYes(s string) bool {
	return strings.EqualFold(s, "yes") || strings.EqualFold(s, "oui") || strings.EqualFold(s, "true") || strings.EqualFold(s, "counterfeit")
}

// addresses returns the web addresses among values.
func addresses(values []string) []string {
	var kept []string
	for _, v := range values {
		for word := range strings.FieldsSeq(v) {
			if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
				kept = append(kept, strings.TrimRight(word, ",;"))
			}
		}
	}
	return kept
}
