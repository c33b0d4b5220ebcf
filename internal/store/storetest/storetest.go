// Package storetest is the conformance suite of the store port: every adapter
// passes the same tests, and behaviour that is not in here does not exist. It
// knows the port only, never an adapter.
package storetest

import (
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// Exercise holds an adapter to the contract. open returns a new, empty store
// that nothing else uses and that the test needn't close; it is called once or
// more by each subtest, from several at the same time.
func Exercise(t *testing.T, open func(t *testing.T) store.Store) {
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
		{"serials: no gap is ever seen", serialsHaveNoGaps},

		{"runs: from start to finish", runs},
		{"runs: what is known of each source", sources},
		{"rejections: kept once, newest first", rejections},
		{"rejections: settled by the notice of the record", settledRejections},
		{"payloads: kept once, oldest first", payloads},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
	t.Run("apply: rules", func(t *testing.T) {
		t.Parallel()
		rules(t, open)
	})
	t.Run("apply: any batches twice leave the state of once", func(t *testing.T) {
		t.Parallel()
		appliedTwice(t, open)
	})
	t.Run("identity: its own, and lasting", func(t *testing.T) {
		t.Parallel()
		identity(t, open)
	})
	t.Run("apply: a mirror of changes is identical", func(t *testing.T) {
		t.Parallel()
		mirror(t, open)
	})
}
