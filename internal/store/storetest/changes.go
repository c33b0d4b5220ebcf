package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// fill applies one copy of each of count notices.
func fill(t *testing.T, s store.Store, count int) {
	t.Helper()
	batch := make([]store.Incoming, count)
	for i := range batch {
		batch[i] = Copy(Notice(i))
	}
	apply(t, s, day(0), batch...)
}

func changesOrder(t *testing.T, s store.Store) {
	const notices = 300
	fill(t, s, notices)
	for _, test := range []struct{ since, limit, first, count int }{
		{0, 0, 1, notices},
		{0, 1, 1, 1},
		{0, 129, 1, 129},
		{0, notices, 1, notices},
		{0, notices + 1, 1, notices},
		{100, 50, 101, 50},
		{notices - 1, 0, notices, 1},
		{notices - 1, 7, notices, 1},
		{notices, 0, 0, 0},
		{notices + 99, 0, 0, 0},
		{-5, 3, 1, 3},
	} {
		got := changes(t, s, int64(test.since), test.limit)
		if len(got) != test.count {
			t.Errorf("Changes(%d, %d) gave %d, want %d", test.since, test.limit, len(got), test.count)
			continue
		}
		for i, change := range got {
			if change.Serial != int64(test.first+i) || change.Notice.ID != Notice(test.first+i-1).ID {
				t.Errorf("Changes(%d, %d)[%d] is %s, serial %d", test.since, test.limit, i, change.Notice.ID, change.Serial)
			}
		}
	}
}

func changesCurrent(t *testing.T, s store.Store) {
	fill(t, s, 4)
	apply(t, s, day(1), titled(Copy(Notice(1)), "once"))
	apply(t, s, day(2), titled(Copy(Notice(1)), "twice"), titled(Copy(Notice(0)), "moved"))
	if err := s.Withdraw(t.Context(), Notice(2).ID, day(3)); err != nil {
		t.Fatal(err)
	}
	type seen struct {
		serial    int64
		title     string
		tombstone bool
	}
	var got []seen
	for _, c := range changes(t, s, 0, 0) {
		got = append(got, seen{c.Serial, c.Notice.Title, c.Tombstone})
	}
	want := []seen{{4, Notice(3).Title, false}, {6, "twice", false}, {7, "moved", false}, {8, Notice(2).Title, true}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("changes\n%v, want\n%v", got, want)
	}
}

func changesStopped(t *testing.T, s store.Store) {
	fill(t, s, 200)
	enough := errors.New("enough")
	read := 0
	err := s.Changes(t.Context(), 0, 0, func(store.Stored) error {
		if read++; read == 3 {
			return enough
		}
		return nil
	})
	if err != enough || read != 3 {
		t.Errorf("Changes returned %v after %d, want the error of yield after 3", err, read)
	}
	if got := changes(t, s, 0, 0); len(got) != 200 {
		t.Errorf("then %d changes, want all 200", len(got))
	}
}

func changesConsistent(t *testing.T, s store.Store) {
	const notices = 300
	fill(t, s, notices)
	last := int64(0)
	err := s.Changes(t.Context(), 0, 0, func(c store.Stored) error {
		if c.Serial == 1 {
			// The store changes while it is being read, and can be asked meanwhile.
			apply(t, s, day(1), titled(Copy(Notice(notices-1)), "later"), Copy(Notice(notices)))
			if now, err := s.Notice(t.Context(), Notice(notices-1).ID); err != nil || now.Notice.Title != "later" {
				t.Errorf("a notice read within Changes is %q, %v", now.Notice.Title, err)
			}
		}
		if c.Serial != last+1 || c.Notice.Title == "later" {
			t.Errorf("serial %d (%s) after %d", c.Serial, c.Notice.Title, last)
		}
		last = c.Serial
		return nil
	})
	if err != nil || last != notices {
		t.Errorf("Changes ended at serial %d, %v, want %d", last, err, notices)
	}
}

func changesCancelled(t *testing.T, s store.Store) {
	fill(t, s, 300)
	ctx, cancel := context.WithCancel(t.Context())
	read := 0
	err := s.Changes(ctx, 0, 0, func(store.Stored) error {
		read++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || read == 300 {
		t.Errorf("Changes gave %d notices and %v, want an early end and context.Canceled", read, err)
	}
	if err := s.Changes(ctx, 0, 0, func(store.Stored) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Changes under an ended context: %v", err)
	}
}
