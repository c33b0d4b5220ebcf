package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crownsafe/api/internal/store"
)

func effectsInOrder(t *testing.T, s store.Store) {
	one, two, three := Copy(Notice(1)), Copy(Notice(2)), Copy(Notice(3))
	apply(t, s, day(0), one, two)
	old := titled(one, "old")
	old.Version, old.Completeness = 1, 1
	got := apply(t, s, day(1), old, titled(two, "new"), three, one)
	same(t, "effects", got, []store.Effect{store.Older, store.Revised, store.Added, store.Unchanged})
	if got := apply(t, s, day(2)); len(got) != 0 {
		t.Errorf("an empty batch had effects %v", got)
	}
}

func sameIDTwice(t *testing.T, s store.Store) {
	first := Copy(Notice(1))
	second := titled(first, "second")
	got := apply(t, s, day(0), first, second, second, first)
	same(t, "effects", got, []store.Effect{store.Added, store.Revised, store.Unchanged, store.Older})
	current := changes(t, s, 0, 0)
	if len(current) != 1 || current[0].Notice.Title != "second" || current[0].Notice.Revision != 2 || current[0].Serial != 2 {
		t.Errorf("current state %+v, want the second copy as revision 2, serial 2", current)
	}
}

func badBatch(t *testing.T, s store.Store) {
	apply(t, s, day(0), Copy(Notice(1)))
	before := stateOf(t, s)
	nameless := Copy(Notice(3))
	nameless.Notice.ID = ""
	beyond := Copy(Notice(3))
	beyond.Notice.PublishedAt = day(0).AddDate(9000, 0, 0)
	for name, bad := range map[string]store.Incoming{"no id": nameless, "the year 11026": beyond} {
		if _, err := s.Apply(t.Context(), []store.Incoming{Copy(Notice(2)), bad}, day(1)); err == nil {
			t.Errorf("%s: no error", name)
		}
		same(t, name, stateOf(t, s), before)
	}
}

func confirmation(t *testing.T, s store.Store) {
	stored := Copy(Notice(1))
	confirming := stored
	confirming.Version, confirming.Completeness, confirming.SourceHash = 7, 5, "another record"
	expect(t, s, day(0), stored, store.Added)
	expect(t, s, day(1), confirming, store.Unchanged)
	between := titled(stored, "older than what confirmed the content")
	between.Version = 6
	expect(t, s, day(2), between, store.Older)
	poorer := titled(stored, "poorer than what confirmed the content")
	poorer.Version, poorer.Completeness = 7, 4
	expect(t, s, day(3), poorer, store.Older)

	// A starter entry that says the same as the agency stays one.
	starter := Copy(Notice(2))
	starter.Completeness = 0
	agency := Copy(Notice(2))
	agency.Version = 9
	expect(t, s, day(0), starter, store.Added)
	expect(t, s, day(1), agency, store.Unchanged)
	expect(t, s, day(2), titled(Copy(Notice(2)), "the agency's"), store.Revised)
}

func callersNotice(t *testing.T, s store.Store) {
	in := Copy(Notice(1))
	in.Notice.Products[0].Name = " blanks around "
	in.Notice.Products[0].Units[0].Models = nil
	in.Notice.Images = nil
	apply(t, s, day(0), in)
	if in.Notice.Products[0].Name != " blanks around " || in.Notice.Products[0].Units[0].Models != nil {
		t.Error("Apply changed the notice that it was given")
	}
	got, err := s.Notice(t.Context(), in.Notice.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Notice.Products[0].Name != "blanks around" || got.Notice.Images == nil {
		t.Error("the stored notice is not normalised")
	}
}

func concurrentApply(t *testing.T, s store.Store) {
	const goroutines, notices = 4, 60
	batch := make([]store.Incoming, notices)
	for i := range batch {
		batch[i] = Copy(Notice(i))
	}
	var added atomic.Int64
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for part := range slices.Chunk(batch, 20) {
				effects, err := s.Apply(context.WithoutCancel(t.Context()), part, day(0))
				if err != nil {
					t.Errorf("Apply: %v", err)
				}
				for _, effect := range effects {
					switch effect {
					case store.Added:
						added.Add(1)
					case store.Unchanged:
					default:
						t.Errorf("effect %v", effect)
					}
				}
			}
		})
	}
	group.Wait()
	if added.Load() != notices {
		t.Errorf("%d notices added, want %d", added.Load(), notices)
	}
	seen := stateOf(t, s)
	if seen.Serial != notices || len(seen.Current) != notices {
		t.Errorf("serial %d and %d notices, want %d of both", seen.Serial, len(seen.Current), notices)
	}
	for id, revisions := range seen.Revisions {
		if len(revisions) != 1 {
			t.Errorf("%s has %d revisions", id, len(revisions))
		}
	}
}

// fading is a context that ends by itself once it was looked at a number of
// times: it ends in the middle of whatever looks at it.
type fading struct {
	context.Context
	end   context.CancelFunc
	looks atomic.Int64
}

func (f *fading) look() {
	if f.looks.Add(-1) == 0 {
		f.end()
	}
}

func (f *fading) Err() error            { f.look(); return f.Context.Err() }
func (f *fading) Done() <-chan struct{} { f.look(); return f.Context.Done() }

func cancelled(t *testing.T, s store.Store) {
	apply(t, s, day(0), Copy(Notice(0)))
	failed := 0
	for looks := range 30 {
		batch := make([]store.Incoming, 8)
		for i := range batch {
			batch[i] = Copy(Notice(1 + looks*len(batch) + i))
		}
		before, err := s.Serial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		inner, end := context.WithCancel(t.Context())
		ctx := &fading{Context: inner, end: end}
		ctx.looks.Store(int64(looks))
		if looks == 0 {
			end()
		}
		_, err = s.Apply(ctx, batch, day(1))
		end()
		want := before
		switch {
		case err == nil:
			want += int64(len(batch))
		case errors.Is(err, context.Canceled):
			failed++
		default:
			t.Fatalf("Apply under a context that ends: %v, want context.Canceled", err)
		}
		if got := changes(t, s, before, 0); int64(len(got)) != want-before {
			t.Fatalf("context ended at look %d, Apply returned %v: %d of %d notices stored", looks, err, len(got), len(batch))
		}
		if got, _ := s.Serial(t.Context()); got != want {
			t.Fatalf("serial %d, want %d", got, want)
		}
	}
	if failed == 0 {
		t.Error("no Apply was ever cancelled")
	}
	expect(t, s, day(2), Copy(Notice(100_000)), store.Added) // and the store goes on
}

func bigAndUnicode(t *testing.T, s store.Store) {
	big := Copy(Notice(1))
	var summary strings.Builder
	for i := range 100_000 {
		summary.WriteString("lot ")
		summary.WriteRune(rune('一' + i%20_000))
		summary.WriteByte(byte('A' + i*i%23))
		summary.WriteByte(' ')
	}
	big.Notice.Summary = strings.TrimSpace(summary.String())
	scripts := Copy(Notice(2))
	scripts.Notice.ID = "fr-exemple:n°1/é 𝟙"
	scripts.Notice.Title = "Lit d’appoint — Кроватка, سرير, ベビーベッド, 👶🏽 \u2028 <b>&amp;\x00\"\\"
	apply(t, s, day(0), big, scripts)
	for _, in := range []store.Incoming{big, scripts} {
		got, err := s.Notice(t.Context(), in.Notice.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Notice.Summary != in.Notice.Summary || got.Notice.Title != in.Notice.Title || got.Notice.ID != in.Notice.ID {
			t.Errorf("notice %q came back otherwise", in.Notice.ID)
		}
		expect(t, s, day(1), in, store.Unchanged)
	}

	// What is no UTF-8 cannot come back as it was, but it comes back the same
	// each time.
	broken := Copy(Notice(3))
	broken.Notice.Summary = "cut \xe9\xff"
	expect(t, s, day(0), broken, store.Added)
	expect(t, s, day(1), broken, store.Unchanged)
}

// idsThatAreNoText: not every store can have them, so that none has.
func idsThatAreNoText(t *testing.T, s store.Store) {
	good := Copy(Notice(1))
	apply(t, s, day(0), good)
	before := stateOf(t, s)
	for _, id := range []string{"us-example:\x00", "us-example:\xff"} {
		named, sourced, heir := Copy(Notice(2)), Copy(Notice(2)), Copy(Notice(2))
		named.Notice.ID, sourced.SourceHash, heir.FormerIDs = id, id, []string{id}
		for what, bad := range map[string]store.Incoming{"an id": named, "a source hash": sourced, "a former id": heir} {
			if _, err := s.Apply(t.Context(), []store.Incoming{Copy(Notice(3)), bad}, day(1)); err == nil {
				t.Errorf("%q was taken as %s", id, what)
			}
		}
		if _, err := s.Notice(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Notice(%q): %v, want ErrNotFound", id, err)
		}
		if _, err := s.NoticeAsOf(t.Context(), id, day(1)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("NoticeAsOf(%q): %v, want ErrNotFound", id, err)
		}
		if _, err := s.Revisions(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Revisions(%q): %v, want ErrNotFound", id, err)
		}
		if err := s.Withdraw(t.Context(), id, day(1)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Withdraw(%q): %v, want ErrNotFound", id, err)
		}
		for range store.MissesToWithdraw {
			d := store.Dump{Agency: example, Present: []string{id}, Missing: []string{id}}
			if _, err := s.SettleDump(t.Context(), d, day(1)); err != nil {
				t.Errorf("SettleDump with %q: %v", id, err)
			}
		}
	}
	same(t, "what was refused changes nothing", stateOf(t, s), before)
}
