package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

const example = "us-example" // the agency of every Notice

// settle settles a dump of the example agency, given as notices that it held and that it lacked.
func settle(t *testing.T, s store.Store, now time.Time, present, missing []int) store.DumpOutcome {
	t.Helper()
	ids := func(numbers []int) (list []string) {
		for _, n := range numbers {
			list = append(list, Notice(n).ID)
		}
		return list
	}
	outcome, err := s.SettleDump(t.Context(), store.Dump{Agency: example, Present: ids(present), Missing: ids(missing)}, now)
	if err != nil {
		t.Fatalf("SettleDump: %v", err)
	}
	return outcome
}

func statusOf(t *testing.T, s store.Store, n int) recall.Status {
	t.Helper()
	stored, err := s.Notice(t.Context(), Notice(n).ID)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Tombstone != (stored.Notice.Status == recall.Withdrawn) {
		t.Errorf("notice %d is %s, tombstone %v", n, stored.Notice.Status, stored.Tombstone)
	}
	return stored.Notice.Status
}

func missingTwice(t *testing.T, s store.Store) {
	fill(t, s, 3)
	before := stateOf(t, s)
	same(t, "the first miss", settle(t, s, day(1), []int{0, 1}, []int{2}), store.DumpOutcome{})
	same(t, "what the first miss changes", stateOf(t, s), before)
	same(t, "the second miss", settle(t, s, day(2), []int{0, 1}, []int{2}), store.DumpOutcome{Withdrawn: 1})
	if got := statusOf(t, s, 2); got != recall.Withdrawn {
		t.Errorf("after two misses it is %s", got)
	}
	all, err := s.Revisions(t.Context(), Notice(2).ID)
	if err != nil || len(all) != 2 || !all[1].SeenAt.Equal(day(2)) {
		t.Errorf("revisions %+v, %v, want a second one of the second dump", all, err)
	}
	if got := changes(t, s, before.Serial, 0); len(got) != 1 || !got[0].Tombstone {
		t.Errorf("changes %+v, want one tombstone", got)
	}
	after := stateOf(t, s)
	same(t, "further misses", settle(t, s, day(3), nil, []int{2}), store.DumpOutcome{})
	same(t, "what further misses change", stateOf(t, s), after)
}

func seenBetweenMisses(t *testing.T, s store.Store) {
	fill(t, s, 3)
	for round := range 3 {
		settle(t, s, day(3*round), []int{0}, []int{1, 2})
		settle(t, s, day(3*round+1), []int{0, 1}, nil) // the dump has it again
		live := Copy(Notice(2))
		live.Live = true
		expect(t, s, day(3*round+2), live, store.Unchanged) // so does a poll
	}
	settle(t, s, day(10), nil, []int{1, 2})
	expect(t, s, day(11), Copy(Notice(1)), store.Unchanged) // a file proves nothing
	replayed := Copy(Notice(1))
	replayed.Live, replayed.Replayed = true, true
	expect(t, s, day(11), replayed, store.Unchanged) // nor does what was live once
	same(t, "the second miss in a row", settle(t, s, day(12), nil, []int{1}), store.DumpOutcome{Withdrawn: 1})
	if got := statusOf(t, s, 2); got != recall.Active {
		t.Errorf("with one miss in a row it is %s", got)
	}
	if got := statusOf(t, s, 1); got != recall.Withdrawn {
		t.Errorf("with two misses in a row it is %s", got)
	}
}

func restored(t *testing.T, s store.Store) {
	fill(t, s, 2)
	byAgency := titled(Copy(Notice(1)), "withdrawn by the agency")
	byAgency.Notice.Status = recall.Withdrawn
	apply(t, s, day(1), byAgency)
	settle(t, s, day(1), nil, []int{0})
	settle(t, s, day(2), nil, []int{0})
	same(t, "the dump that has both", settle(t, s, day(3), []int{0, 1, 77}, nil), store.DumpOutcome{Restored: 1})
	if got := statusOf(t, s, 0); got != recall.Active {
		t.Errorf("back in a dump it is %s", got)
	}
	if got := statusOf(t, s, 1); got != recall.Withdrawn {
		t.Errorf("what the agency withdrew is %s", got)
	}
	seen := stateOf(t, s)
	same(t, "the same dump again", settle(t, s, day(4), []int{0, 1}, nil), store.DumpOutcome{})
	same(t, "what it changes", stateOf(t, s), seen)
	expect(t, s, day(5), Copy(Notice(0)), store.Unchanged)
	settle(t, s, day(6), nil, []int{0})
	if got := statusOf(t, s, 0); got != recall.Active {
		t.Errorf("one miss after its return it is %s: it is counted from the beginning", got)
	}
}

func missesOfNobody(t *testing.T, s store.Store) {
	heir := Copy(Notice(1))
	heir.FormerIDs = []string{Notice(0).ID}
	apply(t, s, day(0), Copy(Notice(0)), heir)
	before := stateOf(t, s)
	for range 3 {
		same(t, "a dump without them", settle(t, s, day(1), nil, []int{0, 99}), store.DumpOutcome{})
	}
	same(t, "what it changes", stateOf(t, s), before)
	other, err := s.SettleDump(t.Context(), store.Dump{Agency: "us-other", Present: []string{Notice(1).ID}}, day(2))
	if err != nil || other != (store.DumpOutcome{}) {
		t.Errorf("a dump of another agency: %+v, %v", other, err)
	}
}

func cancelledDump(t *testing.T, s store.Store) {
	fill(t, s, 2)
	settle(t, s, day(1), nil, []int{0, 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.SettleDump(ctx, store.Dump{Agency: example, Missing: []string{Notice(0).ID, Notice(1).ID}}, day(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("SettleDump under an ended context: %v", err)
	}
	for n := range 2 {
		if got := statusOf(t, s, n); got != recall.Active {
			t.Errorf("notice %d is %s after a dump that was cancelled", n, got)
		}
	}
}

func activeNotices(t *testing.T, s store.Store) {
	fill(t, s, 6)
	starter, heir, other := Copy(Notice(10)), Copy(Notice(4)), Copy(Notice(11))
	starter.Completeness = 0
	heir.FormerIDs = []string{Notice(3).ID}
	other.Notice.ID, other.Notice.Agency = "us-example2:1", "us-example2"
	apply(t, s, day(1), starter, heir, other)
	if err := s.Withdraw(t.Context(), Notice(1).ID, day(1)); err != nil {
		t.Fatal(err)
	}
	var got []string
	list := func(c store.Stored) error {
		got = append(got, c.Notice.ID)
		if c.Serial == 0 || c.Notice.Title == "" || c.Tombstone {
			t.Errorf("%+v", c)
		}
		return nil
	}
	if err := s.ActiveNotices(t.Context(), example, list); err != nil {
		t.Fatal(err)
	}
	same(t, "active notices", got, []string{Notice(0).ID, Notice(2).ID, Notice(4).ID, Notice(5).ID})
	enough := errors.New("enough")
	if err := s.ActiveNotices(t.Context(), example, func(store.Stored) error { return enough }); err != enough {
		t.Errorf("the error of yield came back as %v", err)
	}
}

func arrivals(t *testing.T, s store.Store) {
	served := func(serial int64, d int) {
		t.Helper()
		if err := s.Served(t.Context(), serial, day(d)); err != nil {
			t.Fatalf("Served: %v", err)
		}
	}
	arrived := func(limit int) []store.Arrival {
		t.Helper()
		list, err := s.Arrivals(t.Context(), example, limit)
		if err != nil {
			t.Fatalf("Arrivals: %v", err)
		}
		return list
	}
	timed := func(n int) store.Incoming {
		in := Copy(Notice(n))
		in.Live, in.Timed = true, true
		return in
	}
	served(5, 0)
	apply(t, s, day(0), Copy(Notice(0)), timed(1)) // serials 1 and 2
	again := timed(0)
	again.Notice.Title = "edited"
	apply(t, s, day(1), again, timed(2)) // serials 3 and 4: an edit is no arrival
	same(t, "before anybody serves them", arrived(0), []store.Arrival{})
	served(3, 2)
	first := store.Arrival{PublishedAt: Notice(1).PublishedAt, SeenAt: day(0), SearchableAt: day(2)}
	same(t, "what is served", arrived(0), []store.Arrival{first})
	served(9, 3)
	served(9, 8) // another process, later
	second := store.Arrival{PublishedAt: Notice(2).PublishedAt, SeenAt: day(1), SearchableAt: day(3)}
	same(t, "newest first", arrived(0), []store.Arrival{second, first})
	same(t, "the newest", arrived(1), []store.Arrival{second})
}

// settledRejections: what has become a notice leaves the quarantine, unless what
// was refused is newer.
func settledRejections(t *testing.T, s store.Store) {
	const raw = "raw/us-example/1"
	refuse := func(native string, position, d int, raw string) {
		t.Helper()
		err := s.Reject(t.Context(), []store.Rejection{{Agency: example, NativeID: native, Reason: "no title", Raw: raw, Position: position, SeenAt: day(d)}})
		if err != nil {
			t.Fatalf("Reject: %v", err)
		}
	}
	refused := func() (list []string) {
		t.Helper()
		all, err := s.Rejections(t.Context(), example, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			list = append(list, r.NativeID+" in "+r.Raw)
		}
		return list
	}
	good := func(n, fetched int) store.Incoming {
		in := Copy(Notice(n))
		in.Notice.Provenance.FetchedAt = day(fetched)
		return in
	}
	refuse("00 0-01", 1, 0, raw) // as another format writes 00001
	refuse("us-example:00002", 2, 5, raw)
	refuse("", 3, 1, raw)
	refuse("", 4, 1, raw)
	apply(t, s, day(6), good(1, 0), good(2, 4), good(3, 9))
	same(t, "what is left", refused(), []string{"us-example:00002 in " + raw, " in " + raw, " in " + raw})

	stale := titled(good(2, 7), "stale")
	stale.Completeness = 1
	expect(t, s, day(7), stale, store.Older) // an older copy proves nothing
	refuse("00002", 1, 6, "raw/2")           // refused again, in a later payload
	refuse("00002", 9, 5, "raw/3")           // and in one that is read late
	same(t, "one rejection of a record", refused(), []string{"00002 in raw/2", " in " + raw, " in " + raw})
	expect(t, s, day(8), good(2, 6), store.Unchanged)
	same(t, "settled by the same content", refused(), []string{" in " + raw, " in " + raw})
	if err := s.ForgetRejections(t.Context(), "us-other", raw); err != nil || len(refused()) != 2 {
		t.Errorf("another agency's: %v, %q", err, refused())
	}
	if err := s.ForgetRejections(t.Context(), example, raw); err != nil || len(refused()) != 0 {
		t.Errorf("forgotten: %v, %q", err, refused())
	}
}
