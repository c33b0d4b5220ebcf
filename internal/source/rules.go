package source

import (
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// facts is what is known of one agency's source.
type facts struct {
	record    store.SourceRecord
	objective time.Duration // age of the last success from which on it is stale
	offline   bool
	hasFiles  bool   // notices of the agency were loaded from files
	withheld  string // why the live feed cannot be asked as things are; empty: it can
}

// stateOf decides how far a source can be relied on, and why.
func stateOf(f facts, now time.Time) (State, string) {
	r := f.record
	switch {
	case !r.LastSuccess.IsZero():
	case r.LastPoll != nil && f.withheld == "":
		return Failing, f.loaded("; ") + "no poll has succeeded yet: " + r.LastPoll.Reason
	case r.ImportFault != "":
		return Partial, f.loaded(", ") + "never polled" + f.whyNotPolled() + "; of the last import: " + r.ImportFault
	case f.hasFiles:
		return Stale, f.loaded(", ") + "never polled" + f.whyNotPolled()
	case f.withheld != "":
		return Never, f.withheld
	default:
		return Never, "never polled" + f.whyNotPolled()
	}
	failed := r.LastPoll != nil && r.LastPoll.State == store.RunFailed && r.LastPoll.FinishedAt.After(r.LastSuccess)
	age := now.Sub(r.LastSuccess)
	switch {
	case age > f.objective && failed:
		return Failing, "the last poll failed: " + r.LastPoll.Reason
	case age > f.objective:
		return Stale, fmt.Sprintf("last fetched %s ago, the objective is %s%s", age.Round(time.Minute), f.objective, f.whyNotPolled())
	case r.LastPoll != nil && r.LastPoll.State == store.RunPartial && !r.LastPoll.FinishedAt.Before(r.LastSuccess):
		return Partial, r.LastPoll.Reason
	}
	return OK, ""
}

// loaded says that there are notices from files, with what goes on behind it.
func (f facts) loaded(behind string) string {
	if !f.hasFiles {
		return ""
	}
	return "loaded from files" + behind
}

// whyNotPolled says why no poll will come, where none will.
func (f facts) whyNotPolled() string {
	switch {
	case f.withheld != "":
		return " (" + f.withheld + ")"
	case f.offline:
		return " (polling is switched off)"
	}
	return ""
}
