package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// claiming returns a copy with former ids.
func claiming(in store.Incoming, ids ...string) store.Incoming {
	in.FormerIDs = ids
	return in
}

// resolves fails unless an id gives the notice of another id, everywhere.
func resolves(t *testing.T, s store.Store, id, want string) {
	t.Helper()
	got, err := s.Notice(t.Context(), id)
	if err != nil || got.Notice.ID != want {
		t.Errorf("Notice(%s) is %s, %v, want %s", id, got.Notice.ID, err, want)
	}
	all, err := s.Revisions(t.Context(), id)
	if err != nil || all[0].Notice.ID != want {
		t.Errorf("Revisions(%s): %v, want those of %s", id, err, want)
	}
	late, err := s.NoticeAsOf(t.Context(), id, day(1000))
	if err != nil || late.Notice.ID != want {
		t.Errorf("NoticeAsOf(%s) is %s, %v, want %s", id, late.Notice.ID, err, want)
	}
}

func superseded(t *testing.T, s store.Store) {
	former, heir := Copy(Notice(1)), Copy(Notice(2))
	oldID, newID := former.Notice.ID, heir.Notice.ID
	apply(t, s, day(0), former)
	expect(t, s, day(2), claiming(heir, oldID, newID), store.Added) // its own id among them does no harm
	resolves(t, s, oldID, newID)

	current := changes(t, s, 0, 0)
	if len(current) != 2 {
		t.Fatalf("%d changes, want the heir and the tombstone", len(current))
	}
	tombstone := former.Notice
	tombstone.Revision, tombstone.FirstSeenAt = 1, day(0)
	living := heir.Notice
	living.Revision, living.FirstSeenAt = 1, day(2)
	same(t, "changes", current, []store.Stored{{Serial: 2, Notice: living}, {Serial: 3, Notice: tombstone, Tombstone: true}})

	// Until it was superseded, the old id stood for its own notice.
	before, err := s.NoticeAsOf(t.Context(), oldID, day(2).Add(-time.Microsecond))
	if err != nil || before.Notice.ID != oldID {
		t.Errorf("before it was superseded: %s, %v, want %s", before.Notice.ID, err, oldID)
	}
	then, err := s.NoticeAsOf(t.Context(), oldID, day(2))
	if err != nil || then.Notice.ID != newID {
		t.Errorf("when it was superseded: %s, %v, want %s", then.Notice.ID, err, newID)
	}

	seen := stateOf(t, s)
	expect(t, s, day(3), claiming(heir, oldID), store.Unchanged)
	expect(t, s, day(3), former, store.Older)
	live := titled(former, "shown live under the old id")
	live.Live = true
	expect(t, s, day(3), live, store.Older)
	if err := s.Withdraw(t.Context(), oldID, day(3)); err != nil {
		t.Errorf("Withdraw of a superseded id: %v", err)
	}
	same(t, "what comes under the old id changes nothing", stateOf(t, s), seen)
}

func supersededTwice(t *testing.T, s store.Store) {
	a, b, c := Copy(Notice(1)), Copy(Notice(2)), Copy(Notice(3))
	apply(t, s, day(0), a)
	apply(t, s, day(1), claiming(b, a.Notice.ID))
	apply(t, s, day(2), claiming(c, b.Notice.ID))
	resolves(t, s, a.Notice.ID, c.Notice.ID)
	resolves(t, s, b.Notice.ID, c.Notice.ID)
	got, err := s.NoticeAsOf(t.Context(), a.Notice.ID, day(1))
	if err != nil || got.Notice.ID != b.Notice.ID {
		t.Errorf("between the two it was %s, %v, want %s", got.Notice.ID, err, b.Notice.ID)
	}
	var tombstones []int64
	for _, change := range changes(t, s, 0, 0) {
		if change.Tombstone {
			tombstones = append(tombstones, change.Serial)
		}
	}
	same(t, "serials of the tombstones", tombstones, []int64{3, 5})
}

func claimedEarly(t *testing.T, s store.Store) {
	former, heir := Copy(Notice(1)), Copy(Notice(2))
	apply(t, s, day(0), claiming(heir, former.Notice.ID))
	if serial, err := s.Serial(t.Context()); err != nil || serial != 1 {
		t.Errorf("serial %d, %v: an id under which nothing was stored leaves no tombstone", serial, err)
	}
	expect(t, s, day(1), former, store.Older)
	resolves(t, s, former.Notice.ID, heir.Notice.ID)
	if _, err := s.NoticeAsOf(t.Context(), former.Notice.ID, day(0).Add(-time.Hour)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before it was claimed: %v, want ErrNotFound", err)
	}
}

func claimedByOlderCopy(t *testing.T, s store.Store) {
	former, heir := Copy(Notice(1)), Copy(Notice(2))
	apply(t, s, day(0), former, heir)
	old := titled(heir, "poorer")
	old.Completeness = 1
	expect(t, s, day(1), claiming(old, former.Notice.ID), store.Older)
	resolves(t, s, former.Notice.ID, heir.Notice.ID)
	if serial, err := s.Serial(t.Context()); err != nil || serial != 3 {
		t.Errorf("serial %d, %v, want 3", serial, err)
	}
}

func claimsCollide(t *testing.T, s store.Store) {
	a, b, c := Copy(Notice(1)), Copy(Notice(2)), Copy(Notice(3))
	apply(t, s, day(0), a, claiming(b, a.Notice.ID))
	seen := stateOf(t, s)
	expect(t, s, day(1), claiming(a, b.Notice.ID), store.Older)
	same(t, "a superseded id claims nothing", stateOf(t, s), seen)
	apply(t, s, day(2), claiming(c, a.Notice.ID))
	resolves(t, s, a.Notice.ID, b.Notice.ID)
	resolves(t, s, c.Notice.ID, c.Notice.ID)
}
