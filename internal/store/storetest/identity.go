package storetest

import (
	"testing"

	"github.com/google/uuid"

	"github.com/crownsafe/api/internal/store"
)

// identity: a store has one of its own that changes of notices leave alone.
func identity(t *testing.T, open func(*testing.T) store.Store) {
	one, other := open(t), open(t)
	ask := func(s store.Store) string {
		t.Helper()
		identified, ok := s.(store.Identified)
		if !ok {
			t.Fatalf("%T has no identity", s)
		}
		identity, err := identified.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if id, err := uuid.Parse(identity); err != nil || id.Version() != 4 || id.Variant() != uuid.RFC4122 || id.String() != identity {
			t.Fatalf("the identity %q is no random UUID", identity)
		}
		return identity
	}
	before := ask(one)
	if before == ask(other) {
		t.Error("two stores have one identity")
	}
	if _, err := one.Apply(t.Context(), []store.Incoming{Copy(Notice(1))}, day(0)); err != nil {
		t.Fatal(err)
	}
	if after := ask(one); after != before {
		t.Errorf("the identity was %s and is %s", before, after)
	}
}
