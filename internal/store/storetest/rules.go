package storetest

import (
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// rules goes through the rules of Apply: what is stored, what comes in, what
// becomes of it. Each has a notice of its own in one store, for opening one takes
// longer than the test.
func rules(t *testing.T, s store.Store) {
	base := Copy(Notice(0))
	ranked := func(title string, version int64, completeness int) store.Incoming {
		in := titled(base, title)
		in.Version, in.Completeness = version, completeness
		return in
	}
	live := func(in store.Incoming) store.Incoming { in.Live = true; return in }
	sourced := func(in store.Incoming, source string) store.Incoming { in.SourceHash = source; return in }
	replayed := func(in store.Incoming) store.Incoming { in.Replayed = true; return in }
	a, b := ranked("a", 1, 2), ranked("b", 1, 2)
	starter := ranked("starter", 0, 0)

	otherProvenance := a
	otherProvenance.Notice.Provenance.SourceURL = "https://mirror.example/all.json"
	otherProvenance.Notice.Provenance.FetchedAt = day(-9)
	otherRevision := a
	otherRevision.Notice.Revision, otherRevision.Notice.FirstSeenAt = 9, day(-9)

	tests := []struct {
		name   string
		stored []store.Incoming
		in     store.Incoming
		want   store.Effect
	}{
		{"1: nothing stored", nil, a, store.Added},
		{"1: nothing stored, starter entry", nil, starter, store.Added},
		{"1: nothing stored, live", nil, live(a), store.Added},

		{"2: the same copy", []store.Incoming{a}, a, store.Unchanged},
		{"2: the same copy, live", []store.Incoming{a}, live(a), store.Unchanged},
		{"2: the same content in a lower version", []store.Incoming{ranked("a", 5, 2)}, a, store.Unchanged},
		{"2: the same content in a poorer format", []store.Incoming{a}, ranked("a", 1, 1), store.Unchanged},
		{"2: the same content, another record", []store.Incoming{a}, sourced(a, "other"), store.Unchanged},
		{"2: provenance is no content", []store.Incoming{a}, otherProvenance, store.Unchanged},
		{"2: revision and first sight are no content", []store.Incoming{a}, otherRevision, store.Unchanged},
		{"2: the same starter entry", []store.Incoming{starter}, starter, store.Unchanged},

		{"3: an agency's copy over a starter entry", []store.Incoming{starter}, a, store.Revised},
		{"3: whatever the starter entry's version", []store.Incoming{ranked("starter", 9, 0)}, a, store.Revised},
		{"3: a starter entry over an agency's copy", []store.Incoming{a}, starter, store.Older},
		{"3: whatever its version, and live", []store.Incoming{a}, live(ranked("starter", 9, 0)), store.Older},
		{"3: a starter entry over another", []store.Incoming{starter}, ranked("better starter", 0, 0), store.Revised},
		{"3: the old starter entry again", []store.Incoming{starter, ranked("better starter", 0, 0)}, starter, store.Older},

		{"4: live over anything", []store.Incoming{a}, live(b), store.Revised},
		{"4: live in a lower version", []store.Incoming{ranked("a", 5, 2)}, live(ranked("b", 3, 2)), store.Revised},
		{"4: live in a poorer format", []store.Incoming{ranked("a", 0, 2)}, live(ranked("b", 0, 1)), store.Revised},
		{"4: live in a poorer format and a higher version", []store.Incoming{a}, live(ranked("b", 2, 1)), store.Revised},
		{"4: live in a poorer format of the version that is stored", []store.Incoming{a}, live(ranked("b", 1, 1)), store.Older},
		{"4: live with a record that was there before", []store.Incoming{a, b}, live(a), store.Revised},

		{"5: lower version", []store.Incoming{ranked("a", 5, 2)}, ranked("b", 4, 2), store.Older},
		{"5: lower version in a richer format", []store.Incoming{ranked("a", 5, 2)}, ranked("b", 4, 9), store.Older},
		{"5: higher version", []store.Incoming{a}, ranked("b", 2, 2), store.Revised},
		{"5: higher version in a poorer format", []store.Incoming{a}, ranked("b", 2, 1), store.Revised},
		{"5: higher version of a record that was there before", []store.Incoming{a, b}, ranked("a", 2, 2), store.Revised},
		{"5: a version of 0 is no word on age", []store.Incoming{ranked("a", 5, 2)}, ranked("b", 0, 2), store.Revised},
		{"5: any version over none", []store.Incoming{ranked("a", 0, 2)}, ranked("b", 1, 2), store.Revised},
		{"5: a version of 0 leaves the stored one", []store.Incoming{ranked("a", 5, 2), ranked("b", 0, 2)}, ranked("c", 4, 2), store.Older},
		{"5: lower version after a live one", []store.Incoming{a, live(ranked("b", 5, 2))}, ranked("c", 4, 2), store.Older},

		{"6: poorer format", []store.Incoming{a}, ranked("b", 1, 1), store.Older},
		{"6: richer format", []store.Incoming{a}, ranked("b", 1, 3), store.Revised},
		{"6: poorer format without versions", []store.Incoming{ranked("a", 0, 2)}, ranked("b", 0, 1), store.Older},
		{"6: richer format without versions", []store.Incoming{ranked("a", 0, 2)}, ranked("b", 0, 3), store.Revised},

		{"7: a record never seen", []store.Incoming{a}, b, store.Revised},
		{"7: an old record again", []store.Incoming{a, b}, a, store.Older},
		{"7: an old record again, read better", []store.Incoming{a, b}, sourced(ranked("a read better", 1, 2), a.SourceHash), store.Older},
		{"7: the present record, read better", []store.Incoming{a}, sourced(ranked("a read better", 1, 2), a.SourceHash), store.Revised},
		{"7: a record that confirmed an older revision", []store.Incoming{a, sourced(a, "twin"), b}, sourced(ranked("c", 1, 2), "twin"), store.Older},
		{"7: a record that was older when it first came", []store.Incoming{ranked("a", 0, 2), ranked("b", 0, 1), live(ranked("c", 0, 1))}, ranked("b", 0, 1), store.Older},
		{"7: an old record in a richer format after a live one", []store.Incoming{ranked("a", 0, 2), live(ranked("b", 0, 1))}, ranked("a", 0, 2), store.Older},

		{"replayed: nothing stored", nil, replayed(a), store.Added},
		{"replayed: the same content", []store.Incoming{a, b}, replayed(b), store.Unchanged},
		{"replayed: over a starter entry", []store.Incoming{starter}, replayed(a), store.Revised},
		{"replayed: the present record, read better", []store.Incoming{a}, replayed(sourced(ranked("a read better", 1, 2), a.SourceHash)), store.Revised},
		{"replayed: an old record", []store.Incoming{a, b}, replayed(a), store.Older},
		{"replayed: an old record that was live", []store.Incoming{live(a), live(b)}, replayed(live(a)), store.Older},
		{"replayed: an old record in a higher version than the live one", []store.Incoming{ranked("a", 5, 2), live(b)}, replayed(ranked("a", 5, 2)), store.Older},
		{"replayed: a poorer copy that confirmed the present one", []store.Incoming{a, sourced(ranked("a", 1, 1), "poorer")}, replayed(sourced(ranked("c", 1, 1), "poorer")), store.Older},
		{"replayed: a record that was never read before", []store.Incoming{a}, replayed(b), store.Unheard},
		{"replayed: a live one that was never read before, whatever its rank", []store.Incoming{ranked("a", 5, 2)}, replayed(live(ranked("b", 1, 1))), store.Unheard},
		{"replayed: a poorer file that was never read before", []store.Incoming{a}, replayed(ranked("b", 1, 1)), store.Older},
	}
	for i, test := range tests {
		id := Notice(1 + i).ID
		own := func(in store.Incoming) store.Incoming { in.Notice.ID = id; return in }
		t.Run(test.name, func(t *testing.T) {
			since := serialOf(t, s)
			for i, in := range test.stored {
				apply(t, s, day(i), own(in))
			}
			before := stateSince(t, s, since)
			now := day(len(test.stored))
			expect(t, s, now, own(test.in), test.want)
			after := stateSince(t, s, since)
			if test.want != store.Added && test.want != store.Revised {
				same(t, "a copy without effect changes nothing", after, before)
				return
			}
			if after.Serial != before.Serial+1 {
				t.Errorf("serial %d after %d, want the next", after.Serial, before.Serial)
			}
			got := after.Current[0]
			want := store.Stored{Serial: after.Serial, Notice: own(test.in).Notice}
			want.Notice.Revision = len(before.Revisions[id]) + 1
			want.Notice.FirstSeenAt = day(0)
			same(t, "current revision", got, want)
			latest := after.Revisions[id][want.Notice.Revision-1]
			same(t, "its revision", latest, store.Revision{Serial: got.Serial, SeenAt: now, Notice: got.Notice})
		})
	}
}
