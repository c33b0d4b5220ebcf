package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
)

func begin(t *testing.T, s store.Store, agency string, kind store.RunKind, at time.Time) int64 {
	t.Helper()
	id, err := s.StartRun(t.Context(), agency, kind, at)
	if err != nil {
		t.Fatalf("StartRun: %v", err)
	}
	return id
}

// ran records a whole run of one hour.
func ran(t *testing.T, s store.Store, run store.Run) store.Run {
	t.Helper()
	run.ID = begin(t, s, run.Agency, run.Kind, run.StartedAt)
	run.FinishedAt = run.StartedAt.Add(time.Hour)
	if err := s.FinishRun(t.Context(), run); err != nil {
		t.Fatalf("FinishRun: %v", err)
	}
	return run
}

func sourcesOf(t *testing.T, s store.Store) []store.SourceRecord {
	t.Helper()
	records, err := s.Sources(t.Context())
	if err != nil {
		t.Fatalf("Sources: %v", err)
	}
	return records
}

func runs(t *testing.T, s store.Store) {
	first := begin(t, s, "us-example", store.RunPoll, day(0))
	second := begin(t, s, "us-example", store.RunPoll, day(0))
	if first == second {
		t.Fatalf("two runs have the id %d", first)
	}
	same(t, "while it runs", sourcesOf(t, s), []store.SourceRecord{{Agency: "us-example"}})
	run := store.Run{
		ID: second, Agency: "us-example", Kind: store.RunPoll, State: store.RunPartial, Reason: "one page was cut off",
		StartedAt: day(0), FinishedAt: day(0).Add(90 * time.Second),
		Read: 21, Added: 6, Revised: 5, Unchanged: 4, Older: 3, Rejected: 2, Withdrawn: 1,
	}
	if err := s.FinishRun(t.Context(), run); err != nil {
		t.Fatalf("FinishRun: %v", err)
	}
	same(t, "when it has ended", sourcesOf(t, s), []store.SourceRecord{{Agency: "us-example", LastPoll: &run}})
	if err := s.FinishRun(t.Context(), store.Run{ID: second + 1000}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("FinishRun of an unknown run: %v, want ErrNotFound", err)
	}
}

func sources(t *testing.T, s store.Store) {
	poll := func(agency string, d int, state store.RunState) store.Run {
		return ran(t, s, store.Run{Agency: agency, Kind: store.RunPoll, State: state, StartedAt: day(d)})
	}
	load := func(agency string, d, read int, kind store.RunKind) store.Run {
		return ran(t, s, store.Run{Agency: agency, Kind: kind, State: store.RunDone, StartedAt: day(d), Read: read})
	}
	load("us-beta", 1, 0, store.RunStarter)
	success := poll("us-alpha", 1, store.RunDone)
	failure := poll("us-alpha", 2, store.RunFailed)
	begin(t, s, "us-alpha", store.RunPoll, day(3)) // still running
	imported := load("us-alpha", 1, 12, store.RunImport)
	load("us-alpha", 4, 0, store.RunImport) // had nothing of this agency
	ran(t, s, store.Run{Agency: "us-delta", Kind: store.RunImport, State: store.RunPartial, Reason: "cut off", StartedAt: day(5), Read: 3})
	ran(t, s, store.Run{Agency: "us-epsilon", Kind: store.RunImport, State: store.RunPartial, Reason: "cut off", StartedAt: day(5), Read: 3})
	load("us-epsilon", 6, 3, store.RunImport)
	late := poll("fr-gamma", 9, store.RunDone)
	poll("fr-gamma", 2, store.RunDone) // recorded late, but not the last
	if err := s.Reject(t.Context(), []store.Rejection{{Agency: "fr-gamma", Raw: "raw/1", Position: 4}, {Agency: "xx-nobody", Raw: "raw/1"}}); err != nil {
		t.Fatal(err)
	}
	same(t, "sources", sourcesOf(t, s), []store.SourceRecord{
		{Agency: "fr-gamma", LastPoll: &late, LastSuccess: late.FinishedAt, FirstSuccess: day(2).Add(time.Hour), Rejected: 1},
		{Agency: "us-alpha", LastPoll: &failure, LastSuccess: success.FinishedAt, FirstSuccess: success.FinishedAt, LastImport: imported.FinishedAt},
		{Agency: "us-beta"},
		{Agency: "us-delta", LastImport: day(5).Add(time.Hour), ImportFault: "cut off"},
		{Agency: "us-epsilon", LastImport: day(6).Add(time.Hour)},
	})
}

func rejections(t *testing.T, s store.Store) {
	rejection := func(position, d int) store.Rejection {
		return store.Rejection{
			Agency: "us-example", NativeID: fmt.Sprint(position), Reason: "no title", Excerpt: "{\"id\": \x00é}",
			Raw: "raw/us-example/ab/ab.gz", Position: position, SeenAt: day(d),
		}
	}
	reject := func(all ...store.Rejection) {
		t.Helper()
		if err := s.Reject(t.Context(), all); err != nil {
			t.Fatalf("Reject: %v", err)
		}
	}
	want := []store.Rejection{rejection(3, 2), rejection(2, 1), rejection(1, 1)}
	other := rejection(1, 5)
	other.Agency = "us-other"
	reject()
	reject(rejection(1, 1), rejection(2, 1))
	reject(rejection(2, 7), rejection(3, 2), rejection(3, 2), other)
	got, err := s.Rejections(t.Context(), "us-example", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if i > 0 && got[i].SeenAt.Equal(got[i-1].SeenAt) && got[i].ID >= got[i-1].ID {
			t.Errorf("rejection %d follows %d of the same time", got[i].ID, got[i-1].ID)
		}
	}
	same(t, "all", unnumbered(got), want)
	got, err = s.Rejections(t.Context(), "us-example", nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "two", unnumbered(got), want[:2])
	got, err = s.Rejections(t.Context(), "us-example", &got[1], 2)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the page behind them", unnumbered(got), want[2:])
	got, err = s.Rejections(t.Context(), "us-nobody", nil, 2)
	if err != nil || len(got) != 0 {
		t.Errorf("an unknown agency has %d rejections, %v", len(got), err)
	}
}

// unnumbered checks that rejections have numbers and takes them away.
func unnumbered(all []store.Rejection) []store.Rejection {
	all = slices.Clone(all)
	for i := range all {
		if all[i].ID > 0 {
			all[i].ID = 0
		}
	}
	return all
}

func payloads(t *testing.T, s store.Store) {
	payload := func(key, source string, d int) store.ArchivedPayload {
		return store.ArchivedPayload{
			Agency: "us-example", Key: key, SourceURL: source, Format: "json", Live: source != "b.json",
			FetchedAt: day(d), LastFetchedAt: day(d), Size: 5 << 32,
		}
	}
	other := payload("raw/us-other/1", "file", 0)
	other.Agency = "us-other"
	for _, p := range []store.ArchivedPayload{
		payload("b", "https://recalls.example/1", 2), payload("a", "https://recalls.example/1", 3), other,
		payload("b", "b.json", 1), payload("b", "https://recalls.example/1", 9),
	} {
		if err := s.RecordPayload(t.Context(), p); err != nil {
			t.Fatalf("RecordPayload: %v", err)
		}
	}
	got, err := s.Payloads(t.Context(), "us-example")
	if err != nil {
		t.Fatal(err)
	}
	again := payload("b", "https://recalls.example/1", 2)
	again.LastFetchedAt = day(9)
	same(t, "payloads", got, []store.ArchivedPayload{
		payload("b", "b.json", 1), again, payload("a", "https://recalls.example/1", 3),
	})
}
