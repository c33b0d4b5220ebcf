package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/source"
)

// statusView tells people whether the service works and how fresh its notices are.
// It never calls a source fine that is not, and tells nothing of the inside.
type statusView struct {
	Tone        string // good, caution or bad
	Title, Text string
	Offline     bool
	Sources     []statusSource // those in trouble first
	Notices     int
	At          time.Time
}

// statusSource is one agency in plain words.
type statusSource struct {
	Name, Text string
	State      source.State
	StateWords string
	At         *time.Time // when it was last fetched
}

// followedWithin is how long ago the catalogue may have been held against the
// database, as it is several times a second, to count as up to date.
const followedWithin = 30 * time.Second

// showStatus serves /status. Without a catalogue it is a 503, for whoever looks
// at nothing but the status.
func (s *Site) showStatus(w http.ResponseWriter, r *http.Request) {
	snap, now := s.Catalogue.Current(), s.Now()
	view := statusView{Offline: s.Offline, Notices: snap.Len(), At: now}
	sources := s.Sources.List(snap)
	fresh := 0
	for i := range sources {
		if sources[i].State == source.OK {
			fresh++
		}
		view.Sources = append(view.Sources, statusSourceOf(&sources[i]))
	}
	slices.SortStableFunc(view.Sources, func(a, b statusSource) int { return cmp.Compare(urgency(a.State), urgency(b.State)) })
	status := http.StatusOK
	switch outdated := snap.Restored() || now.Sub(snap.FreshAt()) > followedWithin; {
	case !snap.Loaded():
		status = http.StatusServiceUnavailable
		view.Tone, view.Title = "bad", "Not working: no product can be checked"
		view.Text = "The recall notices are not loaded, so every question is answered with “can’t tell”. Please try again in a few minutes, or look at the agencies’ own pages."
	case outdated:
		view.Tone, view.Title = "caution", "Working, but not with the latest notices"
		view.Text = "Products are checked against the notices that were known on " + instant(snap.FreshAt()) + ". Newer ones can’t be taken in at the moment and may be missing."
	case fresh == len(sources):
		view.Tone, view.Title = "good", "Working, and up to date"
		view.Text = fmt.Sprintf("The notices of all %d agencies are as fresh as they should be.", fresh)
	default:
		view.Tone, view.Title = "caution", fmt.Sprintf("Working, but only %d of %d agencies’ notices are up to date", fresh, len(sources))
		if fresh == 0 {
			view.Title = "Working, but no agency’s notices are up to date"
		}
		view.Text = "Products can be checked. Newer notices of the agencies that are not up to date may be missing; every answer names the agencies that it could not rest on."
	}
	s.render(w, r, "status", status, view)
}

// urgency orders states: what people must know comes first.
func urgency(state source.State) int {
	return slices.Index([]source.State{source.Never, source.Failing, source.Stale, source.Partial, source.OK}, state)
}

func statusSourceOf(src *source.Source) statusSource {
	v := statusSource{Name: src.Name, State: src.State, StateWords: stateWords[src.State], At: src.LastSuccessAt}
	last := "Nothing has been fetched from the agency yet."
	if src.AgeSeconds != nil {
		last = "Last fetched " + ago(time.Duration(*src.AgeSeconds)*time.Second) + "."
	} else if src.Notices > 0 {
		last = "Its notices were loaded from files, and nothing has been fetched from the agency itself."
	}
	aim := "We aim for " + span(src.Objective) + " at most."
	switch src.State {
	case source.OK:
		v.Text = last + " " + aim
	case source.Stale:
		v.Text = last + " " + aim + " Newer notices may be missing."
	case source.Partial:
		v.Text = last + " Not all of it could be read; some notices may be missing."
	case source.Failing:
		v.Text = last + " The agency can’t be reached, or its answer can’t be read. Newer notices may be missing."
	default:
		v.Text = "None of its notices are loaded, so no answer takes them into account."
		if src.Withheld {
			v.Text += " The agency gives them only to those who have registered with it."
		}
		if src.Starter > 0 {
			v.Text = "Only " + plural(src.Starter, "short entry of our own stands", "short entries of our own stand") + " in for its notices, so an answer can miss nearly all of them."
		}
	}
	return v
}

// ago words how long ago something was.
func ago(d time.Duration) string {
	if d < 2*time.Minute {
		return "just now"
	}
	return span(d) + " ago"
}

// span words a duration, rounded down.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return plural(int(d.Seconds()), "second", "seconds")
	case d < 2*time.Hour:
		return plural(int(d.Minutes()), "minute", "minutes")
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour", "hours")
	}
	return plural(int(d.Hours()/24), "day", "days")
}
