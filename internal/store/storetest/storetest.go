// Package storetest is the conformance suite of the store port: every adapter
// passes the same tests, and behaviour that is not in here does not exist. It
// knows the port only, never an adapter.
package storetest

import (
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// Place makes a place for a store: new, empty and the test's alone. It returns
// what opens the store that is kept there; each call is as another process would
// do it, while others have it open too. Whatever was opened needn't be closed by
// the test. Place is called by several tests at the same time.
type Place func(t testing.TB) (open func() store.Store)

// Exercise holds an adapter to the contract.
func Exercise(t *testing.T, place Place) {
	ExerciseContent(t, place)
	ExerciseOperation(t, place)
}

// ExerciseOperation is the part of Exercise that concerns the schema itself, and
// changes it.
func ExerciseOperation(t *testing.T, place Place) {
	for name, run := range map[string]func(t *testing.T, s store.Store){
		"migrations: down and up again":  migrating,
		"condition: asked once a second": conditions,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, place(t)())
		})
	}
	t.Run("migrations: of several processes one applies each", func(t *testing.T) {
		t.Parallel()
		processesMigrate(t, place(t))
	})
}

// ExerciseContent is the part of Exercise that leaves the schema alone, which may
// be that of another release. A test has two places at most at a time.
func ExerciseContent(t *testing.T, place Place) {
	tests := []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"an empty store knows nothing", empty},
		{"close ends everything and may come twice", closing},

		{"apply: effects stand in the order of the batch", effectsInOrder},
		{"apply: an id twice in a batch", sameIDTwice},
		{"apply: nothing of a bad batch is stored", badBatch},
		{"apply: a copy that confirms the content lends its rank", confirmation},
		{"apply: leaves the caller's notice alone", callersNotice},
		{"apply: from many goroutines doubles nothing", concurrentApply},
		{"apply: a cancelled one is whole or nothing", cancelled},
		{"apply: big documents and every script", bigAndUnicode},

		{"notice: comes back as it went in", roundTrip},
		{"revisions: every one is kept", revisions},
		{"as of: at the boundaries", asOf},
		{"withdraw", withdraw},
		{"withdraw: only the agency brings a notice back", withdrawnStays},

		{"former ids: the stored notice is superseded", superseded},
		{"former ids: resolve through several steps", supersededTwice},
		{"former ids: claimed before anything came under them", claimedEarly},
		{"former ids: whatever became of the copy", claimedByOlderCopy},
		{"former ids: the first claim stands, and no circles", claimsCollide},

		{"dumps: a notice that is missing twice in a row is withdrawn", missingTwice},
		{"dumps: what is seen again is counted from the beginning", seenBetweenMisses},
		{"dumps: what is back becomes active, unless its agency withdrew it", restored},
		{"dumps: ids that stand for nothing are passed over", missesOfNobody},
		{"dumps: a cancelled one is whole or nothing", cancelledDump},
		{"dumps: the active notices of an agency", activeNotices},
		{"arrivals: measured from the first sight to the first serving", arrivals},

		{"changes: order, since and limit", changesOrder},
		{"changes: the current state of each id once", changesCurrent},
		{"changes: the error of yield comes back", changesStopped},
		{"changes: one consistent view", changesConsistent},
		{"changes: end with their context", changesCancelled},

		{"runs: from start to finish", runs},
		{"runs: what is known of each source", sources},
		{"rejections: kept once, newest first", rejections},
		{"rejections: settled by the notice of the record", settledRejections},
		{"payloads: kept once, oldest first", payloads},

		{"leases: one holder at a time", leases},
		{"leases: end by themselves", leasesEnd},
		{"watch: ends with the store", watchEnds},

		{"apply: rules", rules},
		{"apply: ids that are no text", idsThatAreNoText},
		{"apply: any batches twice leave the state of once", appliedTwice},
		{"apply: a mirror of changes is identical", mirror},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, place(t)())
		})
	}
	for name, run := range map[string]func(t *testing.T, open func() store.Store){
		"processes: what one has stored is there for the next":    reopened,
		"processes: the same batches from several double nothing": processesApply,
		"processes: a reader skips no serial of several writers":  processesWrite,
		"processes: one rejection of a record":                    processesReject,
		"processes: one of many gets a lease":                     processesLease,
		"processes: a change is told to those who watch":          processesWatch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, place(t))
		})
	}
	t.Run("identity: its own, and lasting", func(t *testing.T) {
		t.Parallel()
		identity(t, func(t *testing.T) store.Store { return place(t)() })
	})
}
