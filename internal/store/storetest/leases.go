package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/testenv"
)

func leased(t *testing.T, s store.Store, name, holder string, ttl time.Duration) bool {
	t.Helper()
	ok, err := s.Lease(t.Context(), name, holder, ttl)
	if err != nil {
		t.Fatalf("Lease(%s, %s): %v", name, holder, err)
	}
	return ok
}

func released(t *testing.T, s store.Store, name, holder string) {
	t.Helper()
	if err := s.Release(t.Context(), name, holder); err != nil {
		t.Fatalf("Release(%s, %s): %v", name, holder, err)
	}
}

func leases(t *testing.T, s store.Store) {
	for _, step := range []struct {
		name, holder string
		want         bool
	}{
		{"poll us-cpsc", "pod 1", true},
		{"poll us-cpsc", "pod 2", false},
		{"poll us-cpsc", "pod 1", true}, // renewed
		{"poll us-fda", "pod 2", true},  // names are independent
		{"poll us-fda", "pod 1", false},
		{"", "pod 1", true},
		{"", "", false},
	} {
		if got := leased(t, s, step.name, step.holder, time.Hour); got != step.want {
			t.Errorf("Lease(%q, %q) is %v, want %v", step.name, step.holder, got, step.want)
		}
	}
	released(t, s, "poll us-cpsc", "pod 2") // it is another's
	released(t, s, "nothing", "pod 2")
	if leased(t, s, "poll us-cpsc", "pod 2", time.Hour) {
		t.Error("a stranger gave a lease back")
	}
	released(t, s, "poll us-cpsc", "pod 1")
	released(t, s, "poll us-cpsc", "pod 1")
	if !leased(t, s, "poll us-cpsc", "pod 2", time.Hour) || leased(t, s, "poll us-cpsc", "pod 1", time.Hour) {
		t.Error("a lease that was given back isn't the next one's")
	}
	if leased(t, s, "poll us-fda", "pod 1", time.Hour) {
		t.Error("another lease ended with it")
	}
}

func leasesEnd(t *testing.T, s store.Store) {
	const short = 50 * time.Millisecond
	if !leased(t, s, "renewed", "pod 1", short) || !leased(t, s, "renewed", "pod 1", time.Hour) || !leased(t, s, "left alone", "pod 1", short) {
		t.Fatal("a free lease isn't given")
	}
	testenv.Eventually(t, testenv.Patience, "the end of a lease that nobody renews", func() bool { return leased(t, s, "left alone", "pod 2", time.Hour) })
	if leased(t, s, "left alone", "pod 1", time.Hour) {
		t.Error("who had a lease until its end has it still")
	}
	if leased(t, s, "renewed", "pod 2", time.Hour) {
		t.Error("a lease that was renewed has ended")
	}
	// Who comes late but before all others goes on.
	if !leased(t, s, "late", "pod 1", short) {
		t.Fatal("a free lease isn't given")
	}
	if !leased(t, s, "a clock", "pod 1", short) {
		t.Fatal("a free lease isn't given")
	}
	testenv.Eventually(t, testenv.Patience, "the end of both", func() bool { return leased(t, s, "a clock", "pod 2", time.Hour) })
	if !leased(t, s, "late", "pod 1", time.Hour) || leased(t, s, "late", "pod 2", time.Hour) {
		t.Error("a lease that has ended isn't its last holder's again")
	}
}

// processesLease lets many in several processes ask for the same leases.
func processesLease(t *testing.T, open func() store.Store) {
	const processes, each, rounds = 3, 3, 5
	var stores [processes]store.Store
	for p := range stores {
		stores[p] = open()
	}
	for round := range rounds {
		name := fmt.Sprintf("round %d", round)
		var winners atomic.Int64
		var group sync.WaitGroup
		for p, s := range stores {
			for i := range each {
				group.Go(func() {
					ok, err := s.Lease(t.Context(), name, fmt.Sprintf("pod %d, worker %d", p, i), time.Hour)
					if err != nil {
						t.Errorf("Lease: %v", err)
					}
					if ok {
						winners.Add(1)
					}
				})
			}
		}
		group.Wait()
		if winners.Load() != 1 {
			t.Errorf("%s: %d have the lease", name, winners.Load())
		}
	}
}
