package web

import (
	"strings"
	"time"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// verdictView is a verdict in plain words.
type verdictView struct {
	Mark     string // parts the ids of several answers on one page
	Outcome  recall.Outcome
	Title    string
	Text     string
	Do, Then string // the advice: its first sentence, and the rest
	Ask      *askView
	Read     []readAs // how what was typed was read
	Gaps     *gapsView
	Events   []eventView
	Further  int // matching notices that aren't shown
	Hits     []hitView
	Coverage []coverageView
	AsOf     time.Time
	Serial   int64
}

type readAs struct{ Label, Value string }

// askView asks for the one code that would decide, with all that is known.
type askView struct {
	Name, Value, Label string
	Date               bool
	Known              []field
}

type coverageView struct {
	Name, Age  string
	State      source.State
	StateWords string
	Notices    int
	CouldMatch bool
}

// headings words the outcomes. None of them may sound like an all-clear.
var headings = map[recall.Outcome][2]string{
	recall.Affected:    {"This unit is recalled", "A recall notice covers it."},
	recall.NeedCode:    {"It may be recalled: one more code decides", "A notice covers this product, but only some units of it."},
	recall.NotAffected: {"Not among the recalled units", "Notices cover this product, and the codes that you gave lie outside all of them."},
	recall.NoMatch:     {"No recall notice found", "That is no all-clear: an agency may not have published a notice yet, or may describe the product in other words."},
	recall.CannotTell:  {"That isn't enough to tell", "Give the barcode, or the brand together with the product name or model."},
}

var outcomeLabels = map[recall.Outcome]string{
	recall.Affected: "Covers this unit", recall.NeedCode: "May cover this unit", recall.NotAffected: "Doesn't cover this unit",
}

// view words a verdict. found are notices that a search for the same words found.
func (r *reader) view(v *recall.Verdict, f *form, found []string) *verdictView {
	heading := headings[v.Verdict]
	view := &verdictView{
		Outcome: v.Verdict, Title: heading[0], Text: heading[1],
		Read: readings(&v.Query), AsOf: v.AsOf, Serial: v.Serial, Events: r.events(v.Matches, found),
	}
	view.Do, view.Then, _ = strings.Cut(v.Advice, ". ")
	if view.Then != "" {
		view.Do += "."
	}
	if v.Verdict == recall.NeedCode && v.Matches[0].Need != nil {
		view.Ask = ask(f, v.Matches[0].Need.Identifier)
	}
	if v.Verdict != recall.Affected {
		view.Gaps = r.gapsOf(v.Coverage)
	}
	if len(view.Events) > shownEvents {
		for _, e := range view.Events[shownEvents:] {
			view.Further += e.Matching() + len(e.Possible)
		}
		view.Events = view.Events[:shownEvents]
	}
	for _, c := range v.Coverage {
		state := source.State(c.State)
		view.Coverage = append(view.Coverage, coverageView{
			Name: r.agency(c.Agency), State: state, StateWords: stateWords[state], Age: age(c.AgeSeconds, c.Notices), Notices: c.Notices, CouldMatch: c.CouldMatch,
		})
	}
	return view
}

// told are the notices that the answer shows.
func (v *verdictView) told() map[string]bool {
	told := map[string]bool{}
	for i := range v.Events {
		e := &v.Events[i]
		for _, list := range [][]matchView{e.Notices, e.Folded, e.Possible} {
			for k := range list {
				told[list[k].ID] = true
			}
		}
		for _, list := range [][]lineView{e.Others, e.Nearby} {
			for k := range list {
				told[list[k].ID] = true
			}
		}
	}
	return told
}

func readings(u *recall.Unit) []readAs {
	var list []readAs
	for _, r := range []readAs{
		{"Barcode", u.GTIN}, {"Brand", u.Brand}, {"Product", u.Name}, {"Model", u.Model}, {"Lot or batch", u.Lot}, {"Serial number", u.Serial},
		{"Made", u.MadeOn}, {"Best before", u.BestBefore}, {"Expiry", u.Expiry}, {"Bought", u.BoughtOn},
	} {
		if r.Value != "" {
			list = append(list, r)
		}
	}
	return list
}

// formFields are the form's fields for the codes that can be asked for.
var formFields = map[string]string{
	"brand": "brand", "model": "model", "lot": "lot", "batch": "lot", "date_code": "lot", "serial": "serial",
	"made_on": "made_on", "best_before": "best_before", "expiry": "best_before", "bought_on": "bought_on",
}

// ask makes the form for one more code; nil where the first field asks for it.
func ask(f *form, identifier string) *askView {
	name := formFields[identifier]
	if name == "" {
		return nil
	}
	label := fieldWords(identifier)
	a := &askView{Name: name, Label: strings.ToUpper(label[:1]) + label[1:], Date: strings.HasSuffix(name, "_on") || name == "best_before"}
	for _, known := range f.filled() {
		if known.Name == name {
			a.Value = known.Value
		} else {
			a.Known = append(a.Known, known)
		}
	}
	return a
}
