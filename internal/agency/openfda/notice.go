package openfda

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// completeness is the same for every copy: there is one format only.
const completeness = 1

var printableID = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]*$`)

// number returns the recall number as a native id, or false before FDA has
// classified the recall, when the field is "", "N/A" or absent.
func (w wireReport) number() (string, bool) {
	n := strings.ReplaceAll(strings.ToUpper(string(w.RecallNumber)), "/", "-")
	return n, printableID.MatchString(n)
}

// provisionalID is the native id of a report without a number. Reports of one
// event differ by their product's description.
func (w wireReport) provisionalID() (string, error) {
	event := string(w.EventID)
	if event == "" {
		return "", errors.New("neither recall_number nor event_id is given")
	}
	if !printableID.MatchString(strings.ToUpper(event)) {
		return "", fmt.Errorf("event_id %q is no number", event)
	}
	sum := sha256.Sum256([]byte(w.describedAs))
	return "event-" + event + "-" + hex.EncodeToString(sum[:4]), nil
}

// record makes the notice of a report.
func (a *Agency) record(w wireReport) (agency.Record, error) {
	record := agency.Record{Completeness: completeness}
	provisional, provisionalErr := w.provisionalID()
	native, numbered := w.number()
	switch {
	case numbered && provisionalErr == nil:
		record.FormerIDs = []string{Code + ":" + provisional}
	case !numbered && provisionalErr != nil:
		return record, provisionalErr
	case !numbered:
		native = provisional
	}
	description := string(w.ProductDescription)
	if description == "" {
		return record, fmt.Errorf("report %s has no product_description", native)
	}
	published, updated, err := a.dates(w)
	if err != nil {
		return record, fmt.Errorf("report %s: %w", native, err)
	}
	record.Version = version(updated, string(w.Status))

	firm, reason := string(w.RecallingFirm), string(w.ReasonForRecall)
	products := w.products(description)
	audience := extract.AudienceOf(description)
	n := &record.Notice
	*n = recall.Notice{
		ID: Code + ":" + native, Agency: Code, Language: "en",
		Title: title(firm, products[0].Name), Summary: w.summary(description, firm, reason),
		PublishedAt: published, UpdatedAt: updated, AgencyStatus: string(w.Status),
		Countries: countriesIn(string(w.DistributionPattern)),
		Audience:  audience, Categories: w.categories(description, audience),
		Products: products, Hazards: hazards(reason),
		Remedy:     recall.Remedy{Contact: w.contact(firm)},
		UnitsCount: unitCount(string(w.ProductQuantity)),
	}
	if event := string(w.EventID); event != "" {
		// The event, not its other reports: which of those a payload holds is chance.
		n.Aliases = []recall.Alias{{ID: Code + ":event-" + event, Kind: recall.Declared}}
	}
	n.Normalise()
	return record, nil
}

// dates takes the day on which the firm began the recall, or, where that is
// missing or mistyped (02121207), the day of FDA's report on it.
func (a *Agency) dates(w wireReport) (published time.Time, updated *time.Time, err error) {
	var errs []error
	for _, field := range []struct {
		name string
		text agency.Text
	}{
		{"recall_initiation_date", w.RecallInitiationDate}, {"report_date", w.ReportDate},
		{"center_classification_date", w.CenterClassificationDate},
	} {
		day, err := agency.ParseDate(string(field.text), a.now())
		if err != nil {
			errs = append(errs, fmt.Errorf("reading %s: %w", field.name, err))
			continue
		}
		if published.IsZero() {
			published = day
		}
		if field.name == "report_date" {
			updated = &day
		}
	}
	if published.IsZero() {
		return published, nil, errors.Join(errs...)
	}
	return published, updated, nil
}

// version orders copies of a report by report_date and, because that doesn't
// move when a recall goes on, by the way that a recall's status takes.
func version(reported *time.Time, status string) int64 {
	if reported == nil {
		return 0
	}
	day, _ := strconv.ParseInt(reported.Format("20060102"), 10, 64) // eight digits always parse
	rank := slices.Index([]string{"ongoing", "completed", "terminated"}, strings.ToLower(status)) + 1
	return day*10 + int64(rank)
}

func title(firm, product string) string {
	if firm == "" || strings.HasPrefix(strings.ToLower(product), strings.ToLower(firm)) {
		return product
	}
	return firm + ": " + product
}

// summary is what the report says of the product and of what is wrong, and what
// a notice has no fields for: the codes in FDA's words, who recalls the product
// and where it was sold.
func (w wireReport) summary(description, firm, reason string) string {
	lines := []string{description, reason}
	if codes := strings.TrimSpace(string(w.CodeInfo) + "\n" + string(w.MoreCodeInfo)); codes != "" {
		lines = append(lines, "Codes: "+codes)
	}
	if firm != "" {
		lines = append(lines, "Recalled by "+strings.TrimSuffix(firm, ".")+".")
	}
	if pattern := string(w.DistributionPattern); pattern != "" {
		lines = append(lines, "Distribution: "+pattern)
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

func (w wireReport) contact(firm string) string {
	region := strings.TrimSpace(string(w.State) + " " + string(w.PostalCode))
	parts := []string{firm, string(w.Address1), string(w.Address2), string(w.City), region, string(w.Country)}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}

// categories are the kind of product that FDA regulates it as, and for the
// young what the words name ("infant formula"). The other words of a food's
// description ("free range", "freezer bag") name no product.
func (w wireReport) categories(description string, audience recall.Audience) []string {
	var out []string
	switch kind := strings.ToLower(string(w.ProductType)); {
	case strings.HasPrefix(kind, "food"):
		out = []string{"food"}
	case strings.HasPrefix(kind, "drug"):
		out = []string{"drug"}
	case strings.HasPrefix(kind, "device"):
		out = []string{"device"}
	}
	if audience == recall.General {
		return out
	}
	for _, c := range extract.Categories(description) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func hazards(reason string) []recall.Hazard {
	found := extract.Hazards(reason)
	if len(found) == 0 && reason != "" {
		found = []recall.Hazard{{Type: recall.HazardOther, Text: reason}}
	}
	return found
}

// wholeUnits is a quantity that counts single units and nothing else; cases,
// pounds and mixtures don't tell how many units are out there.
var wholeUnits = regexp.MustCompile(`(?i)^(\d{1,3}(?:,\d{3})+|\d+)\s+(?:individual\s+|retail\s+)?` +
	`(?:units?|bottles?|cans?|jars?|bags?|packages?|packs?|packets?|pouches|tubs?|tubes?|containers?|pieces?|bars?|sandwiches|cups?|devices?|kits?|trays?|jugs?|tins?|vials?|syringes?|cakes?|each|ea)` +
	`\.?(?:\s*\(?total\)?)?$`)

func unitCount(quantity string) []recall.UnitCount {
	m := wholeUnits.FindStringSubmatch(quantity)
	if m == nil {
		return nil
	}
	n, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil || n == 0 {
		return nil
	}
	return []recall.UnitCount{{Country: "US", Count: n}}
}
