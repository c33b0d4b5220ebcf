package safetygate

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// measure is one thing that was done about the product. Most are done to
// traders: a consignment stopped at a border, an offer deleted. Only some
// concern who has the product at home.
type measure struct {
	category string // the agency's words: "Recall of the product from end users"
	other    string // what was done where the list has no word for it
	text     string // the whole, with who did it and when
}

// words are what was done.
func (m measure) words() string {
	if m.other != "" {
		return m.other
	}
	return m.category
}

// statusOf names what was done, in the agency's words: a notice whose measures
// are a border rejection or a deleted offer says so, and nothing of a recall.
func statusOf(measures []measure) string {
	var said []string
	for _, m := range measures {
		said = append(said, m.words())
	}
	return strings.Join(unique(said), "; ")
}

// effects leads from pieces of the agency's list of measures to what they mean
// for who has the product: the first piece that a measure holds counts. None is
// a measure that traders alone are told. A recall is what gets the product back
// from the consumer (Regulation (EU) 2023/988, article 3).
var effects = []struct {
	words  string
	remedy recall.RemedyType
}{
	{"commercial users", recall.RemedyNone},
	{"professional users", recall.RemedyNone},
	{"repair by consumer", recall.RemedyRepair},
	{"recall", recall.RemedyReturn},
	{"warning consumers", recall.RemedyOther},
	{"withdrawal", recall.RemedyNone},
	{"removal", recall.RemedyNone},
	{"rejected at border", recall.RemedyNone},
	{"rejection", recall.RemedyNone},
	{"border", recall.RemedyNone},
	{"ban on", recall.RemedyNone},
	{"temporary ban", recall.RemedyNone},
	{"stop of sales", recall.RemedyNone},
	{"destruction", recall.RemedyNone},
	{"prior conditions", recall.RemedyNone},
	{"marking the product", recall.RemedyNone},
	{"seizure", recall.RemedyNone},
	{"confiscation", recall.RemedyNone},
}

// remedyOf tells what a measure means for who has the product.
func remedyOf(m measure) []recall.RemedyType {
	if m.other != "" {
		if found := extract.Remedies(m.other); len(found) > 0 {
			return found
		}
		return []recall.RemedyType{recall.RemedyOther}
	}
	lower := strings.ToLower(m.category)
	for _, e := range effects {
		if strings.Contains(lower, e.words) {
			return []recall.RemedyType{e.remedy}
		}
	}
	return []recall.RemedyType{recall.RemedyOther}
}

// remedy gathers the measures. "None" stands only where nothing at all was done
// for consumers.
func (a *alert) remedy() recall.Remedy {
	var r recall.Remedy
	var texts []string
	for _, m := range a.measures {
		texts = append(texts, m.text)
		for _, kind := range remedyOf(m) {
			if !slices.Contains(r.Types, kind) {
				r.Types = append(r.Types, kind)
			}
		}
	}
	if len(r.Types) > 1 {
		r.Types = slices.DeleteFunc(r.Types, func(t recall.RemedyType) bool { return t == recall.RemedyNone })
	}
	r.Text = strings.Join(unique(texts), "\n")
	r.Contact = strings.Join(unique(a.recalls), " ")
	return r
}

// weeklyLabels part the weekly XML's measures, which run together without a
// mark between a value and the next label.
var weeklyLabels = regexp.MustCompile(`(?i)(Type of economic operator (?:taking notified measure\(s\)|to whom the measure\(s\) were ordered)|Category of measure\(s\)|Date of entry into force)\s*:\s*`)

// weeklyMeasures reads the weekly XML's measures. Reports of other years hold
// plain words, which are one measure.
func weeklyMeasures(text string) []measure {
	labels := weeklyLabels.FindAllStringSubmatchIndex(text, -1)
	if text == "" {
		return nil
	}
	if len(labels) == 0 {
		return []measure{{category: text, text: text}}
	}
	var found []measure
	operator := ""
	for i, at := range labels {
		end := len(text)
		if i+1 < len(labels) {
			end = labels[i+1][0]
		}
		value := strings.Trim(text[at[1]:end], " \n;,")
		switch label := strings.ToLower(text[at[2]:at[3]]); {
		case strings.HasPrefix(label, "type"):
			operator = value
		case strings.HasPrefix(label, "category"):
			found = append(found, newMeasure(value, "", operator))
		case len(found) > 0 && !strings.EqualFold(value, "unknown"):
			last := &found[len(found)-1]
			*last = newMeasure(last.words(), "", operator, value)
		}
	}
	return found
}

// otherMeasure begins what the agency's list has no word for.
var otherMeasure = regexp.MustCompile(`(?i)^other\s*:\s*`)

// newMeasure makes a measure of what was done and the circumstances (who, how,
// when) as far as they are known.
func newMeasure(category, other string, circumstances ...string) measure {
	if rest := otherMeasure.ReplaceAllString(category, ""); rest != category {
		category, other = "Other", rest
	}
	m := measure{category: category, other: other}
	m.text = m.words()
	if known := strings.Join(unique(circumstances), ", "); known != "" {
		m.text += " (" + known + ")"
	}
	return m
}

// mirrorFrame is who ordered a measure, before what was done: "Measures ordered
// by public authorities (to: Importer)".
var mirrorFrame = regexp.MustCompile(`(?i)^(Measures? .*?\(to:[^)]*\))\s*:?\s*`)

// mirrorMeasure reads one measure of the register's copy.
func mirrorMeasure(text string) measure {
	m := newMeasure(mirrorFrame.ReplaceAllString(text, ""), "")
	m.text = text
	return m
}
