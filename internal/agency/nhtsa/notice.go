package nhtsa

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// The types of record, column RCLTYPECD.
const (
	kindVehicle        = "V"
	kindEquipment      = "E"
	kindTyre           = "T"
	kindChildRestraint = "C"
)

// page is where people read a campaign.
const page = "https://www.nhtsa.gov/recalls?nhtsaId="

// texts are a campaign's texts, cleaned.
type texts struct {
	subject, defect, consequence, corrective, notes string
}

// record makes the canonical notice out of a campaign.
func (a *Agency) record(c *campaign, completeness int) (agency.Record, error) {
	published, err := a.published(c)
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading the dates of campaign %s: %w", c.id(), err)
	}
	if c.kind == "" {
		c.kind = c.id()[2:3]
	}
	t := texts{clean(c.subject), clean(c.defect), clean(c.consequence), clean(c.corrective), clean(c.notes)}
	spelling := newSpelling(clean(c.manufacturer) + "\n" + t.subject + "\n" + t.defect + "\n" + t.corrective)
	list := c.products(t, spelling)
	n := recall.Notice{
		ID:          Code + ":" + c.id(),
		Agency:      Code,
		URL:         page + c.id(),
		Language:    "en",
		Title:       c.title(t, list),
		Summary:     paragraphs(t.defect, t.consequence),
		PublishedAt: published,
		Status:      recall.Active,
		Countries:   []string{"US"},
		Audience:    c.audience(t, list),
		Categories:  c.categories(list),
		Products:    list,
		Hazards:     extract.Hazards(t.consequence, t.defect),
		Remedy: recall.Remedy{
			Types:   c.remedies(t),
			Text:    paragraphs(c.advisories(), t.corrective),
			Contact: contact(t.corrective, t.notes),
		},
	}
	if c.affected > 0 {
		n.UnitsCount = []recall.UnitCount{{Country: "US", Count: c.affected, Approximate: true}}
	}
	n.Normalise()
	return agency.Record{
		Notice:       n,
		SourceHash:   agency.HashOf(map[string]any{"rows": c.count, "digest": fmt.Sprintf("%016x", c.rows)}),
		Version:      version(c),
		Completeness: completeness,
	}, nil
}

// published is the day on which NHTSA received the manufacturer's report, or
// the day on which it recorded the campaign.
func (a *Agency) published(c *campaign) (time.Time, error) {
	received, err := agency.ParseDate(c.received, a.now())
	if err == nil {
		return received, nil
	}
	if created, err := agency.ParseDate(c.created, a.now()); err == nil {
		return created, nil
	}
	return time.Time{}, err
}

// version is the day of the campaign's latest record, as YYYYMMDD: rows are
// added to a campaign when it grows. Formats without that day give the day of
// the report, which is never later.
func version(c *campaign) int64 {
	for _, day := range []string{c.created, c.received} {
		if isDate(day) {
			if v, err := strconv.ParseInt(day, 10, 64); err == nil {
				return v
			}
		}
	}
	return 0
}

// mistaken are bytes of UTF-8 that were once taken for Windows-1252.
var mistaken = strings.NewReplacer("â€™", "’", "â€˜", "‘", "â€œ", "“", "â€\u009d", "”", "â€“", "–", "â€”", "—", "â€¦", "…", "Â", "")

// clean is agency.Clean, with the traces of wrong encodings gone.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	if strings.Contains(s, "Â") || strings.Contains(s, "â€") {
		s = mistaken.Replace(s)
	}
	return agency.Clean(s)
}

func paragraphs(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n")
}

// advisories says what the two consumer advisories of a campaign demand.
func (c *campaign) advisories() string {
	var said []string
	if c.doNotDrive {
		said = append(said, "NHTSA advisory: do not drive.")
	}
	if c.parkOutside {
		said = append(said, "NHTSA advisory: park outside.")
	}
	return strings.Join(said, " ")
}

func (c *campaign) remedies(t texts) []recall.RemedyType {
	types := extract.Remedies(t.corrective)
	if len(types) == 0 && t.corrective != "" {
		types = []recall.RemedyType{remedyOf(t.corrective)}
	}
	if c.doNotDrive {
		types = append([]recall.RemedyType{recall.RemedyStopUse}, without(types, recall.RemedyStopUse)...)
	}
	return types
}

// remedyOf classes the words of manufacturers that extraction doesn't know. The
// law knows repair, replacement and refund (49 U.S.C. 30120), and the latter two
// go by their names.
func remedyOf(corrective string) recall.RemedyType {
	lower := strings.ToLower(corrective)
	for _, word := range []string{"modify", "install", "reinforce", "reprogram", "update", "remedy", "correct", "adjust", "tighten"} {
		if strings.Contains(lower, word) {
			return recall.RemedyRepair
		}
	}
	return recall.RemedyOther
}

func without(types []recall.RemedyType, unwanted recall.RemedyType) []recall.RemedyType {
	var kept []recall.RemedyType
	for _, t := range types {
		if t != unwanted {
			kept = append(kept, t)
		}
	}
	return kept
}

// contact returns the sentence that tells whom to call.
func contact(texts ...string) string {
	for _, t := range texts {
		for sentence := range strings.SplitSeq(strings.ReplaceAll(t, "\n", ". "), ". ") {
			if strings.Contains(strings.ToLower(sentence), "contact ") {
				return strings.TrimSpace(sentence)
			}
		}
	}
	return ""
}

// categories returns our word for the type of record, and for equipment what
// the products' names say.
func (c *campaign) categories(list []recall.Product) []string {
	switch c.kind {
	case kindChildRestraint:
		return []string{"car-seats"}
	case kindVehicle:
		return []string{"vehicles"}
	case kindTyre:
		return []string{"tires"}
	}
	found := []string{"vehicle-equipment"}
	for i := range min(len(list), 10) {
		for _, category := range extract.Categories(list[i].Name) {
			if category == "car-seats" && len(found) == 1 {
				found = append(found, category)
			}
		}
	}
	return found
}

// audience: child restraints are for babies unless they are boosters.
func (c *campaign) audience(t texts, list []recall.Product) recall.Audience {
	if c.kind == kindVehicle || c.kind == kindTyre {
		return recall.General
	}
	var names []string
	for i := range min(len(list), 10) {
		names = append(names, list[i].Name)
	}
	own := strings.Join(names, " ")
	if c.kind == kindEquipment {
		return extract.AudienceOf(own, strings.Join(c.components, " "))
	}
	all := strings.ToLower(own + " " + t.subject + " " + t.defect)
	if strings.Contains(all, "booster") && !strings.Contains(all, "infant") && !strings.Contains(all, "rear-facing") && !strings.Contains(all, "rear facing") && !strings.Contains(all, "harness") {
		return recall.Child
	}
	return recall.Infant
}

// title says which products and which component a campaign is about, or gives
// the subject where the format has one.
func (c *campaign) title(t texts, list []recall.Product) string {
	var names []string
	seen := map[string]bool{}
	for _, p := range list {
		name := p.Name
		if c.kind == kindVehicle && len(p.Models) > 0 {
			name = p.Models[0]
		}
		if full := strings.TrimSpace(p.Brand + " " + name); !seen[full] {
			seen[full] = true
			names = append(names, full)
		}
	}
	title := strings.Join(names[:min(len(names), namesInTitle)], ", ")
	if more := len(names) - namesInTitle; more > 0 {
		title += fmt.Sprintf(" and %d more", more)
	}
	if c.kind == kindChildRestraint && !strings.Contains(strings.ToLower(title), "child restraint") {
		title += " child restraint"
	}
	about := t.subject
	if about == "" && len(c.components) > 0 {
		about = strings.ToLower(strings.ReplaceAll(clean(c.components[0]), ":", ", "))
	}
	if about == "" {
		return title
	}
	return title + ": " + about
}

const namesInTitle = 3
