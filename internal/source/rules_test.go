package source

import (
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
)

func TestStateOf(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	poll := func(state store.RunState, d time.Duration) *store.Run {
		return &store.Run{State: state, Reason: "the line was cut", FinishedAt: ago(d)}
	}
	const objective = 24 * time.Hour
	for _, c := range []struct {
		name  string
		facts facts
		want  State
		says  string
	}{
		{"nothing yet", facts{}, Never, "never polled"},
		{"nothing yet, polling off", facts{offline: true}, Never, "switched off"},
		{"files only", facts{hasFiles: true}, Stale, "loaded from files, never polled"},
		{"withheld", facts{withheld: "no key"}, Never, "no key"},
		{"withheld, whatever a poll of former times said", facts{withheld: "no key", record: store.SourceRecord{LastPoll: poll(store.RunFailed, time.Hour)}}, Never, "no key"},
		{"withheld, files", facts{withheld: "no key", hasFiles: true}, Stale, "loaded from files, never polled (no key)"},
		{"withheld since it was polled", facts{withheld: "no key", record: store.SourceRecord{LastPoll: poll(store.RunDone, 25*time.Hour), LastSuccess: ago(25 * time.Hour)}}, Stale, "(no key)"},
		{"files, of which the last were not believed", facts{hasFiles: true, record: store.SourceRecord{ImportFault: "it lacks 6 of 100"}}, Partial, "never polled; of the last import: it lacks 6 of 100"},
		{"first poll failed", facts{record: store.SourceRecord{LastPoll: poll(store.RunFailed, time.Hour)}}, Failing, "the line was cut"},
		{"files, first poll failed", facts{hasFiles: true, record: store.SourceRecord{LastPoll: poll(store.RunFailed, time.Hour)}}, Failing, "loaded from files; no poll has succeeded yet: the line was cut"},
		{"files, of which nothing could be read", facts{record: store.SourceRecord{ImportFault: "all 30 records were rejected"}}, Partial, "never polled; of the last import: all 30"},
		{"withheld, files of which nothing could be read", facts{withheld: "no key", record: store.SourceRecord{ImportFault: "all 30 records were rejected"}}, Partial, "never polled (no key); of the last import: all 30"},
		{"fresh", facts{record: store.SourceRecord{LastPoll: poll(store.RunDone, time.Hour), LastSuccess: ago(time.Hour)}}, OK, ""},
		{"fresh, then one failed poll", facts{record: store.SourceRecord{LastPoll: poll(store.RunFailed, time.Minute), LastSuccess: ago(time.Hour)}}, OK, ""},
		{"at the objective", facts{record: store.SourceRecord{LastPoll: poll(store.RunDone, objective), LastSuccess: ago(objective)}}, OK, ""},
		{"past the objective", facts{record: store.SourceRecord{LastPoll: poll(store.RunDone, 25*time.Hour), LastSuccess: ago(25 * time.Hour)}}, Stale, "last fetched 25h0m0s ago"},
		{"past the objective and failing", facts{record: store.SourceRecord{LastPoll: poll(store.RunFailed, time.Minute), LastSuccess: ago(25 * time.Hour)}}, Failing, "the line was cut"},
		{"partly read", facts{record: store.SourceRecord{LastPoll: poll(store.RunPartial, time.Minute), LastSuccess: ago(time.Hour)}}, Partial, "the line was cut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.facts.objective = objective
			got, reason := stateOf(c.facts, now)
			if got != c.want || !strings.Contains(reason, c.says) || (c.want == OK) != (reason == "") {
				t.Errorf("%s %q, want %s with %q", got, reason, c.want, c.says)
			}
		})
	}
}
