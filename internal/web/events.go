package web

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// Bounds of what is shown of one event.
const (
	openNotices  = 3 // shown at once; the others are folded away below them
	otherNotices = 6 // of the event that match nothing themselves
)

// event is what several notices tell of one happening, by their places in a
// list that has the strongest first.
type event struct {
	sure     []int // the strongest notice and those that declared links join to it
	possible []int // notices of other events that are possibly this one
}

// gather parts a list of notices into events, each in the place of its
// strongest notice. The aliases are those that the catalogue resolved, so that
// declared links are symmetric and transitive already. A possible link joins two
// events and leads no further: an event that was joined to another draws none in.
func gather(ids []string, aliases func(id string) []recall.Alias) []event {
	var events []event
	of := map[string]int{} // the event of a notice, listed or not, by declared links
	for i, id := range ids {
		e, known := of[id]
		if !known {
			e = len(events)
			events = append(events, event{})
			of[id] = e
		}
		events[e].sure = append(events[e].sure, i)
		for _, a := range aliases(id) {
			if _, taken := of[a.ID]; a.Kind == recall.Declared && !taken {
				of[a.ID] = e
			}
		}
	}
	return join(events, possibleLinks(ids, aliases, of))
}

// possibleLinks are the pairs of events, the stronger first, that a possible
// link between any two of their notices joins.
func possibleLinks(ids []string, aliases func(id string) []recall.Alias, of map[string]int) map[[2]int]bool {
	linked := map[[2]int]bool{}
	for _, id := range ids {
		for _, a := range aliases(id) {
			here := of[id]
			if there, ok := of[a.ID]; ok && a.Kind == recall.Possible && there != here {
				linked[[2]int{min(here, there), max(here, there)}] = true
			}
		}
	}
	return linked
}

// join puts every event that is possibly a stronger one below the strongest of
// these.
func join(events []event, linked map[[2]int]bool) []event {
	joined := make([]bool, len(events))
	var heads []event
	for e := range events {
		if joined[e] {
			continue
		}
		head := events[e]
		for other := e + 1; other < len(events); other++ {
			if linked[[2]int{e, other}] && !joined[other] {
				head.possible = append(head.possible, events[other].sure...)
				joined[other] = true
			}
		}
		slices.Sort(head.possible)
		heads = append(heads, head)
	}
	return heads
}

// eventView is an event of a verdict: the notices that match, and others of the
// same event.
type eventView struct {
	Outcome  recall.Outcome // of the strongest notice
	Notices  []matchView
	Folded   []matchView // further ones, shown on demand
	Others   []lineView  // of the event, but match nothing themselves
	Possible []matchView
	Nearby   []lineView // possibly of the event, and match nothing themselves
	Agencies int        // that tell of the event for certain
	Credits  []credit
}

// Matching is how many notices match and are of the event for certain.
func (e *eventView) Matching() int { return len(e.Notices) + len(e.Folded) }

// Total is how many notices are of the event for certain.
func (e *eventView) Total() int { return e.Matching() + len(e.Others) }

// events groups the matches of a verdict. found are notices that a search found
// besides; those of an event are shown with it.
func (r *reader) events(matches []recall.Match, found []string) []eventView {
	ids := make([]string, len(matches))
	for i := range matches {
		ids[i] = matches[i].Recall.ID
	}
	var views []eventView
	for _, e := range gather(ids, r.aliases) {
		view := eventView{Outcome: matches[e.sure[0]].Verdict}
		var shown []string
		for _, i := range e.sure {
			view.Notices = append(view.Notices, r.match(&matches[i]))
			shown = append(shown, ids[i])
		}
		view.Notices, view.Folded = fold(view.Notices)
		view.Others, view.Nearby = r.others(e, ids, found)
		for i := range view.Others {
			shown = append(shown, view.Others[i].ID)
		}
		view.Agencies = countAgencies(shown)
		for _, i := range e.possible {
			view.Possible = append(view.Possible, r.match(&matches[i]))
			shown = append(shown, ids[i])
		}
		for i := range view.Nearby {
			shown = append(shown, view.Nearby[i].ID)
		}
		view.Credits = r.credits(shown)
		views = append(views, view)
	}
	return views
}

// countAgencies is how many agencies published these notices.
func countAgencies(ids []string) int {
	agencies := map[string]bool{}
	for _, id := range ids {
		agencies[agencyOf(id)] = true
	}
	return len(agencies)
}

// fold parts what is shown at once from the rest. A single one isn't worth a fold.
func fold[T any](list []T) (open, folded []T) {
	if len(list) <= openNotices+1 {
		return list, nil
	}
	return list[:openNotices], list[openNotices:]
}

// others are notices that are certainly or possibly of an event and don't match
// themselves: those of further agencies, and those that the search found.
func (r *reader) others(e event, matched, found []string) (sure, possible []lineView) {
	told := map[string]bool{}
	for _, id := range matched {
		told[id] = true
	}
	agencies := map[string]bool{}
	for _, i := range e.sure {
		agencies[agencyOf(matched[i])] = true
	}
	look := func(id string, kind recall.AliasKind) []lineView {
		var lines []lineView
		for _, a := range r.aliases(id) {
			if len(lines) == otherNotices {
				break
			}
			if a.Kind != kind || told[a.ID] || (agencies[agencyOf(a.ID)] && !slices.Contains(found, a.ID)) {
				continue
			}
			told[a.ID] = true
			if n := r.notice(a.ID); n != nil { // else it is not here, or was withdrawn
				lines = append(lines, r.line(n))
			}
		}
		return lines
	}
	sure = look(matched[e.sure[0]], recall.Declared)
	for _, i := range e.sure {
		possible = append(possible, look(matched[i], recall.Possible)...)
	}
	for _, i := range e.possible {
		possible = append(possible, look(matched[i], recall.Declared)...)
	}
	return sure, possible[:min(len(possible), otherNotices)]
}

func agencyOf(id string) string {
	agency, _, _ := strings.Cut(id, ":")
	return agency
}

// hitView is an event of a search.
type hitView struct {
	Lead     lineView
	Others   []lineView // of the same event
	Folded   []lineView
	Possible []lineView
	Credits  []credit
}

// hits groups what a search found, without the notices that were told of already.
func (r *reader) hits(hits []catalogue.Hit, told map[string]bool) []hitView {
	var ids []string
	for i := range hits {
		n := &hits[i].Notice
		if !told[n.ID] {
			r.notices[n.ID] = n // resolved by the search
			ids = append(ids, n.ID)
		}
	}
	var views []hitView
	for _, e := range gather(ids, r.aliases) {
		view := hitView{Lead: r.line(r.notices[ids[e.sure[0]]])}
		shown := []string{view.Lead.ID}
		for _, i := range e.sure[1:] {
			view.Others = append(view.Others, r.line(r.notices[ids[i]]))
			shown = append(shown, ids[i])
		}
		view.Others, view.Folded = fold(view.Others)
		for _, i := range e.possible {
			view.Possible = append(view.Possible, r.line(r.notices[ids[i]]))
			shown = append(shown, ids[i])
		}
		view.Credits = r.credits(shown)
		views = append(views, view)
		if len(views) == shownEvents {
			break
		}
	}
	return views
}
