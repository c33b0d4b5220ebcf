package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/crownsafe/api/internal/store"
)

func reopened(t *testing.T, open func() store.Store) {
	s := open()
	apply(t, s, day(0), Copy(Notice(0)), claiming(Copy(Notice(1)), Notice(0).ID))
	run := begin(t, s, example, store.RunPoll, day(0))
	before := stateOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = open()
		same(t, "opened again", stateOf(t, s), before)
	}
	expect(t, s, day(1), Copy(Notice(0)), store.Older)
	if err := s.FinishRun(t.Context(), store.Run{ID: run, State: store.RunFailed, FinishedAt: day(1)}); err != nil {
		t.Errorf("finishing the run that another process began: %v", err)
	}
}

// processesApply lets several processes import the same at the same time, in
// batches of another size each: first notices, some with former ids, then their
// second revisions, live.
func processesApply(t *testing.T, open func() store.Store) {
	const processes, notices = 3, 90
	rounds := make([][]store.Incoming, 2)
	for i := range notices {
		first := Copy(Notice(i))
		if i%10 == 9 {
			first.FormerIDs = []string{Notice(i - 1).ID}
		}
		second := titled(Copy(Notice(i)), "second")
		second.Live = true
		rounds[0], rounds[1] = append(rounds[0], first), append(rounds[1], second)
	}
	stores := make([]store.Store, processes)
	for p := range stores {
		stores[p] = open()
	}
	var seen [5]int // by effect
	var lock sync.Mutex
	for n, round := range rounds {
		var group sync.WaitGroup
		for p, s := range stores {
			group.Go(func() {
				for part := range slices.Chunk(round, 20+7*p) {
					effects, err := s.Apply(context.WithoutCancel(t.Context()), part, day(n))
					if err != nil {
						t.Errorf("Apply: %v", err)
					}
					lock.Lock()
					for _, effect := range effects {
						seen[effect]++
					}
					lock.Unlock()
				}
			})
		}
		group.Wait()
	}
	const superseded = notices / 10
	if seen[store.Added] != notices || seen[store.Revised] != notices-superseded {
		t.Errorf("%d notices added and %d revised, want %d and %d", seen[store.Added], seen[store.Revised], notices, notices-superseded)
	}
	state := stateOf(t, stores[0])
	if want := int64(seen[store.Added] + seen[store.Revised] + superseded); state.Serial != want {
		t.Errorf("serial %d, want %d", state.Serial, want)
	}
	tombstones, revisions := 0, 0
	for _, c := range state.Current {
		if c.Tombstone {
			tombstones++
			continue
		}
		revisions += len(state.Revisions[c.Notice.ID])
	}
	if tombstones != superseded || revisions != 2*(notices-superseded) {
		t.Errorf("%d tombstones and %d revisions, want %d and %d", tombstones, revisions, superseded, 2*(notices-superseded))
	}
	for _, s := range stores[1:] {
		same(t, "what another process sees", stateOf(t, s), state)
	}
}

// processesWrite follows the changes while others write: whoever has seen serial
// n never gets to see a lower one for the first time, however late it is
// committed.
func processesWrite(t *testing.T, open func() store.Store) {
	const processes, writers, batches = 2, 2, 10 // writers in each process
	sizes := []int{1, 17, 4}
	ctx := context.WithoutCancel(t.Context())
	all := int64(0)
	var writing, reading sync.WaitGroup
	for p := range processes {
		s := open()
		for w := range writers {
			first := (p*writers + w) * 1000
			for b := range batches {
				all += int64(sizes[b%len(sizes)])
			}
			writing.Go(func() {
				next := first
				for b := range batches {
					batch := make([]store.Incoming, sizes[b%len(sizes)])
					for i := range batch {
						batch[i] = Copy(Notice(next))
						next++
					}
					if _, err := s.Apply(ctx, batch, day(0)); err != nil {
						t.Errorf("Apply: %v", err)
					}
				}
			})
		}
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()
	for range processes {
		s := open()
		reading.Go(func() {
			if err := follow(ctx, s, written, all); err != nil {
				t.Error(err)
			}
		})
	}
	reading.Wait()
	<-written
}

// follow reads changes up to a serial, each of which must be the first of its
// notice, and complains of any that it doesn't get in order.
func follow(ctx context.Context, s store.Store, written <-chan struct{}, last int64) error {
	since, done := int64(0), false
	for since < last {
		// Serial first: whatever it tells must be there for Changes.
		told, err := s.Serial(ctx)
		if err != nil {
			return fmt.Errorf("reading the last serial: %w", err)
		}
		err = s.Changes(ctx, since, 0, func(c store.Stored) error {
			if c.Serial != since+1 {
				return fmt.Errorf("serial %d right after %d", c.Serial, since)
			}
			since = c.Serial
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the changes: %w", err)
		}
		if since < told {
			return fmt.Errorf("the last serial was %d, the changes ended at %d", told, since)
		}
		if done && since < last {
			return fmt.Errorf("%d of %d changes when all was written", since, last)
		}
		select {
		case <-written:
			done = true
		default:
		}
	}
	return nil
}

func processesReject(t *testing.T, open func() store.Store) {
	const processes, payloads = 3, 12
	var group sync.WaitGroup
	for p := range processes {
		s := open()
		group.Go(func() {
			for n := p; n < payloads; n += processes {
				err := s.Reject(context.WithoutCancel(t.Context()), []store.Rejection{{
					Agency: example, NativeID: "00001", Reason: "no title", Raw: fmt.Sprintf("raw/%d", n), SeenAt: day(n),
				}})
				if err != nil {
					t.Errorf("Reject: %v", err)
				}
			}
		})
	}
	group.Wait()
	got, err := open().Rejections(t.Context(), example, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rejections", unnumbered(got), []store.Rejection{{
		Agency: example, NativeID: "00001", Reason: "no title", Raw: fmt.Sprintf("raw/%d", payloads-1), SeenAt: day(payloads - 1),
	}})
}
