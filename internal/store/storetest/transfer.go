package storetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// ExerciseTransfer holds two adapters, or one and itself, to what store.Transfer
// promises on the way from one to the other. A test has two places at most of either
// at a time.
func ExerciseTransfer(t *testing.T, from, to Place) {
	for name, test := range map[string]func(t *testing.T, here, there Place){
		"everything arrives and goes on from there": everythingArrives,
		"an empty store is as good as any":          emptyArrives,
		"a store that isn't empty is refused":       fullRefused,
		"an interrupted copy leaves nothing":        interrupted,
		"what arrives otherwise is noticed":         altered,
		"one consistent view":                       snapshotConsistent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, from, to)
		})
	}
}

// furnish gives a store something of everything that it may keep.
func furnish(t *testing.T, s store.Store) {
	t.Helper()
	fill(t, s, 40)
	timed := Copy(Notice(50))
	timed.Live, timed.Timed = true, true
	waiting := Copy(Notice(51))
	waiting.Live, waiting.Timed = true, true
	scripts := Copy(Notice(52))
	scripts.Notice.ID = "us-example:n°1/é 𝟙"
	scripts.Notice.Title = "Lit d’appoint, ベビーベッド \x00"
	apply(t, s, day(1), titled(Copy(Notice(1)), "second"), claiming(Copy(Notice(2)), Notice(3).ID, "us-example:never"), timed, scripts)
	if err := s.Served(t.Context(), serialOf(t, s), day(2)); err != nil {
		t.Fatal(err)
	}
	poorer := titled(Copy(Notice(4)), "poorer")
	poorer.Completeness = 1
	apply(t, s, day(3), waiting, poorer)
	settle(t, s, day(4), []int{0}, []int{5, 6})
	settle(t, s, day(5), []int{0}, []int{5, 7})
	ran(t, s, store.Run{Agency: example, Kind: store.RunPoll, State: store.RunFailed, Reason: "answered \xff\x00", StartedAt: day(0), Read: 3})
	begin(t, s, example, store.RunReplay, day(6))
	err := s.Reject(t.Context(), []store.Rejection{
		{Agency: example, NativeID: "\x00é\xff", Reason: "no title \xff", Excerpt: "{\x00}", Raw: "raw/1", Position: 3, SeenAt: day(1)},
		{Agency: example, Raw: "raw/1", SeenAt: day(1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"https://recalls.example/1", "file \xff\x00"} {
		if err := s.RecordPayload(t.Context(), store.ArchivedPayload{Agency: example, Key: "raw/1", SourceURL: source, Format: "json", Live: true, Size: 1 << 40, FetchedAt: day(1)}); err != nil {
			t.Fatal(err)
		}
	}
	furnishAccounts(t, accountsOf(t, s))
}

func digestOf(t testing.TB, s store.Store) store.Digest {
	t.Helper()
	var d store.Digest
	err := s.Snapshot(t.Context(), func(snapshot store.Snapshot) (err error) {
		d, err = store.DigestOf(t.Context(), snapshot, nil)
		return err
	})
	if err != nil {
		t.Fatalf("DigestOf: %v", err)
	}
	return d
}

func copyAll(t *testing.T, from, to store.Store) store.Digest {
	t.Helper()
	d, err := store.CopyAll(t.Context(), from, to, nil)
	if err != nil {
		t.Fatalf("CopyAll: %v", err)
	}
	return d
}

func everythingArrives(t *testing.T, here, there Place) {
	from, to, back := here(t)(), there(t)(), here(t)()
	furnish(t, from)
	for _, table := range digestOf(t, from).Tables {
		if table.Rows == 0 {
			t.Errorf("table %s is empty: the test says nothing of it", table.Table)
		}
	}
	var words []store.Progress
	d, err := store.CopyAll(t.Context(), from, to, func(p store.Progress) { words = append(words, p) })
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the digest of the source", digestOf(t, from), d)
	same(t, "the digest of the target", digestOf(t, to), d)
	if len(words) != 2 || words[0].Verifying || !words[1].Verifying || words[0].Done != words[0].Of || words[1].Done != words[1].Of || words[0].Of == 0 {
		t.Errorf("progress %+v, want one word at the end of writing and one of verifying", words)
	}
	same(t, "the digest of what came back", copyAll(t, to, back), d)

	// All of them say the same, and go on in the same way.
	stores := []store.Store{from, to, back}
	before := stateOf(t, from)
	for i, s := range stores {
		same(t, "notices", stateOf(t, s), before)
		settle(t, s, day(10), nil, []int{6, 7}) // a second miss of one and a second in a row of the other
		apply(t, s, day(11), titled(Copy(Notice(1)), "third"), Copy(Notice(3)), Copy(Notice(60)))
		run := begin(t, s, "us-other", store.RunPoll, day(12))
		if run <= 2 {
			t.Errorf("store %d gives the number %d of a run once more", i, run)
		}
		if err := s.Reject(t.Context(), []store.Rejection{{Agency: "us-other", Raw: "raw/2", SeenAt: day(12)}}); err != nil {
			t.Errorf("store %d: Reject: %v", i, err)
		}
		if err := s.RecordPayload(t.Context(), store.ArchivedPayload{Agency: "us-other", Key: "raw/2", FetchedAt: day(12)}); err != nil {
			t.Errorf("store %d: RecordPayload: %v", i, err)
		}
		furnishMoreAccounts(t, accountsOf(t, s))
	}
	for _, s := range stores[1:] {
		same(t, "notices later", stateOf(t, s), stateOf(t, from))
		same(t, "sources", sourcesOf(t, s), sourcesOf(t, from))
		same(t, "digest later", digestOf(t, s), digestOf(t, from))
	}
}

func emptyArrives(t *testing.T, here, there Place) {
	from, to := here(t)(), there(t)()
	d := copyAll(t, from, to)
	same(t, "the digest", digestOf(t, to), d)
	if d.SHA256() == "" || d.SHA256() != digestOf(t, from).SHA256() {
		t.Errorf("hash %q", d.SHA256())
	}
	furnish(t, from)
	if copyAll(t, from, to).SHA256() == d.SHA256() {
		t.Error("a furnished store has the hash of an empty one")
	}
}

func fullRefused(t *testing.T, here, there Place) {
	from := here(t)()
	furnish(t, from)
	for name, occupy := range map[string]func(s store.Store) error{
		"a notice":     func(s store.Store) error { apply(t, s, day(0), Copy(Notice(0))); return nil },
		"a run":        func(s store.Store) error { begin(t, s, example, store.RunPoll, day(0)); return nil },
		"a user":       func(s store.Store) error { return accountsOf(t, s).CreateUser(t.Context(), person(1)) },
		"a rejection":  func(s store.Store) error { return s.Reject(t.Context(), []store.Rejection{{Agency: example}}) },
		"the same all": func(s store.Store) error { copyAll(t, from, s); return nil },
	} {
		t.Run(name, func(t *testing.T) { // which gives its place back
			to := there(t)()
			if err := occupy(to); err != nil {
				t.Fatal(err)
			}
			before := digestOf(t, to)
			if _, err := store.CopyAll(t.Context(), from, to, nil); !errors.Is(err, store.ErrNotEmpty) {
				t.Errorf("into a store with %s: %v, want ErrNotEmpty", name, err)
			}
			same(t, "what was there", digestOf(t, to), before)
		})
	}
}

// tampered is a snapshot of which a table's rows don't come as they are.
type tampered struct {
	store.Snapshot
	table  string
	tamper func(rows iter.Seq2[store.Row, error]) iter.Seq2[store.Row, error]
}

func (s tampered) Rows(ctx context.Context, t store.Table) iter.Seq2[store.Row, error] {
	rows := s.Snapshot.Rows(ctx, t)
	if t.Name == s.table {
		return s.tamper(rows)
	}
	return rows
}

// loadTampered loads a snapshot of one store into another with one table's rows
// changed on their way.
func loadTampered(ctx context.Context, from, to store.Store, table string, tamper func(iter.Seq2[store.Row, error]) iter.Seq2[store.Row, error]) error {
	return from.Snapshot(ctx, func(s store.Snapshot) error {
		_, err := to.Load(ctx, tampered{s, table, tamper}, nil)
		return err
	})
}

func interrupted(t *testing.T, here, there Place) {
	from, to := here(t)(), there(t)()
	furnish(t, from)
	cut := errors.New("cut off")
	for _, table := range store.Tables() {
		ctx, cancel := context.WithCancel(t.Context())
		err := loadTampered(ctx, from, to, table.Name, func(rows iter.Seq2[store.Row, error]) iter.Seq2[store.Row, error] {
			return func(yield func(store.Row, error) bool) {
				for row, err := range rows {
					if !yield(row, err) {
						return
					}
					break
				}
				yield(nil, cut)
			}
		})
		if !errors.Is(err, cut) {
			t.Errorf("cut off in table %s: %v", table.Name, err)
		}
		err = loadTampered(ctx, from, to, table.Name, func(rows iter.Seq2[store.Row, error]) iter.Seq2[store.Row, error] {
			cancel()
			return rows
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in table %s: %v", table.Name, err)
		}
	}
	for _, table := range digestOf(t, to).Tables {
		if table.Rows > 0 {
			t.Errorf("%d rows are left in table %s", table.Rows, table.Table)
		}
	}
	copyAll(t, from, to) // and it can be tried again
}

// altered: rows whose digest isn't that of what was written take everything back.
// Here they come in another order than that of their table.
func altered(t *testing.T, here, there Place) {
	from, to := here(t)(), there(t)()
	furnish(t, from)
	before := digestOf(t, to)
	err := loadTampered(t.Context(), from, to, "miss", func(rows iter.Seq2[store.Row, error]) iter.Seq2[store.Row, error] {
		return func(yield func(store.Row, error) bool) {
			var all []store.Row
			for row, err := range rows {
				if err != nil {
					yield(nil, err)
					return
				}
				all = append(all, slices.Clone(row))
			}
			slices.Reverse(all)
			for _, row := range all {
				if !yield(row, nil) {
					return
				}
			}
		}
	})
	if err == nil {
		t.Error("rows that came in another order were not noticed")
	}
	same(t, "what is there", digestOf(t, to), before)
}

func snapshotConsistent(t *testing.T, here, _ Place) {
	open := here(t)
	s, other := open(), open()
	furnish(t, s)
	before := digestOf(t, s)
	err := s.Snapshot(t.Context(), func(snapshot store.Snapshot) error {
		if _, err := snapshot.Serial(t.Context()); err != nil { // the view begins here at the latest
			return err
		}
		furnishMore(t, other)
		d, err := store.DigestOf(t.Context(), snapshot, nil)
		if err != nil {
			return err
		}
		same(t, "a snapshot while others write", d, before)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if digestOf(t, s).SHA256() == before.SHA256() {
		t.Error("what others wrote is not there")
	}
	enough := errors.New("enough")
	if err := s.Snapshot(t.Context(), func(store.Snapshot) error { return enough }); err != enough {
		t.Errorf("the error of use came back as %v", err)
	}
}

func furnishMore(t *testing.T, s store.Store) {
	t.Helper()
	apply(t, s, day(20), Copy(Notice(80)), titled(Copy(Notice(0)), "later"))
	begin(t, s, example, store.RunPoll, day(20))
	must(accountsOf(t, s).AppendEntry(t.Context(), entry(20)))(t)
}
