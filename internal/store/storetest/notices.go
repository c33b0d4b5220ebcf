package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

func empty(t *testing.T, s store.Store) {
	ctx := t.Context()
	if err := s.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if serial, err := s.Serial(ctx); serial != 0 || err != nil {
		t.Errorf("Serial is %d, %v", serial, err)
	}
	if got := changes(t, s, 0, 0); len(got) != 0 {
		t.Errorf("%d changes", len(got))
	}
	for _, id := range []string{"us-example:1", ""} {
		if _, err := s.Notice(ctx, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Notice(%q): %v, want ErrNotFound", id, err)
		}
		if _, err := s.NoticeAsOf(ctx, id, day(0)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("NoticeAsOf(%q): %v, want ErrNotFound", id, err)
		}
		if _, err := s.Revisions(ctx, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Revisions(%q): %v, want ErrNotFound", id, err)
		}
		if err := s.Withdraw(ctx, id, day(0)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Withdraw(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func closing(t *testing.T, s store.Store) {
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping after Close gave no error")
	}
	if _, err := s.Apply(t.Context(), []store.Incoming{Copy(Notice(1))}, day(0)); err == nil {
		t.Error("Apply after Close gave no error")
	}
}

func roundTrip(t *testing.T, s store.Store) {
	in := Copy(Notice(1))
	// A time in another zone and finer than a microsecond.
	now := day(0).Add(1234567 * time.Nanosecond).In(time.FixedZone("", 3600))
	apply(t, s, now, in)
	got, err := s.Notice(t.Context(), in.Notice.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := in.Notice
	want.Revision, want.FirstSeenAt = 1, now.UTC().Truncate(time.Microsecond)
	same(t, "stored", got, store.Stored{Serial: 1, Notice: want})
	if got.Notice.FirstSeenAt.Location() != time.UTC {
		t.Errorf("first_seen_at is not in UTC: %v", got.Notice.FirstSeenAt)
	}
}

func revisions(t *testing.T, s store.Store) {
	in := Copy(Notice(1))
	var want []store.Revision
	for i := range 5 {
		in = titled(in, fmt.Sprintf("revision %d", i+1))
		apply(t, s, day(i), in)
		apply(t, s, day(i), Copy(Notice(100+i))) // serials of other notices between
		n := in.Notice
		n.Revision, n.FirstSeenAt = i+1, day(0)
		want = append(want, store.Revision{Serial: int64(2*i + 1), SeenAt: day(i), Notice: n})
	}
	got, err := s.Revisions(t.Context(), in.Notice.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "revisions", got, want)
}

func asOf(t *testing.T, s store.Store) {
	in := Copy(Notice(1))
	apply(t, s, day(1), titled(in, "first"))
	apply(t, s, day(3), titled(in, "second"), titled(in, "third")) // two at one time: the later one counts
	apply(t, s, day(5), titled(in, "fourth"))
	for _, test := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{day(1).Add(-time.Microsecond), ""},
		{day(1), "first"},
		{day(1).In(time.FixedZone("", -7200)), "first"},
		{day(3).Add(-time.Microsecond), "first"},
		{day(3), "third"},
		{day(5).Add(-time.Nanosecond), "third"},
		{day(5), "fourth"},
		{day(500), "fourth"},
	} {
		got, err := s.NoticeAsOf(t.Context(), in.Notice.ID, test.at)
		if test.want == "" {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("as of %v: %q, %v, want ErrNotFound", test.at, got.Notice.Title, err)
			}
			continue
		}
		if err != nil || got.Notice.Title != test.want {
			t.Errorf("as of %v: %q, %v, want %q", test.at, got.Notice.Title, err, test.want)
		}
		if err == nil && got.SeenAt.After(test.at) {
			t.Errorf("as of %v: a revision of %v", test.at, got.SeenAt)
		}
	}
}

func withdraw(t *testing.T, s store.Store) {
	in := Copy(Notice(1))
	apply(t, s, day(0), in, Copy(Notice(2)))
	if err := s.Withdraw(t.Context(), in.Notice.ID, day(4)); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
	want := in.Notice
	want.Status, want.Revision, want.FirstSeenAt = recall.Withdrawn, 2, day(0)
	got, err := s.Notice(t.Context(), in.Notice.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "withdrawn", got, store.Stored{Serial: 3, Notice: want, Tombstone: true})
	same(t, "changes", changes(t, s, 2, 0), []store.Stored{got})
	all, err := s.Revisions(t.Context(), in.Notice.ID)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d revisions, %v, want 2", len(all), err)
	}
	same(t, "revision", all[1], store.Revision{Serial: 3, SeenAt: day(4), Notice: want})
	if before, err := s.NoticeAsOf(t.Context(), in.Notice.ID, day(3)); err != nil || before.Notice.Status != recall.Active {
		t.Errorf("the day before it was %q, %v", before.Notice.Status, err)
	}

	seen := stateOf(t, s)
	if err := s.Withdraw(t.Context(), in.Notice.ID, day(5)); err != nil {
		t.Errorf("second Withdraw: %v", err)
	}
	same(t, "a second Withdraw changes nothing", stateOf(t, s), seen)
	if err := s.Withdraw(t.Context(), "us-example:nobody", day(5)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Withdraw of an unknown id: %v, want ErrNotFound", err)
	}

	// An agency may say by itself that a notice is withdrawn.
	byAgency := titled(Copy(Notice(2)), "withdrawn by the agency")
	byAgency.Notice.Status = recall.Withdrawn
	apply(t, s, day(6), byAgency)
	if got, err := s.Notice(t.Context(), byAgency.Notice.ID); err != nil || !got.Tombstone {
		t.Errorf("tombstone %v, %v, want true", got.Tombstone, err)
	}
}

func withdrawnStays(t *testing.T, s store.Store) {
	in := Copy(Notice(1))
	apply(t, s, day(0), in)
	if err := s.Withdraw(t.Context(), in.Notice.ID, day(1)); err != nil {
		t.Fatal(err)
	}
	expect(t, s, day(2), in, store.Older) // its old file
	live := in
	live.Live = true
	expect(t, s, day(3), live, store.Revised)
	if got, err := s.Notice(t.Context(), in.Notice.ID); err != nil || got.Tombstone || got.Notice.Status != recall.Active {
		t.Errorf("after the agency showed it again: %q, tombstone %v, %v", got.Notice.Status, got.Tombstone, err)
	}
}
