package auth

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
)

// TestForgedTokensAreRefusedForTheirFaultAlone: the good one is taken, each other is
// refused, and would be taken were it not for its fault. The service itself takes
// none of them.
func TestForgedTokensAreRefusedForTheirFaultAlone(t *testing.T) {
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "accounts.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	seeds := [][]byte{bytes.Repeat([]byte("s"), 32)}
	s := New(Options{Store: st, Seeds: func() [][]byte { return seeds }, PublicURL: "https://crown.example"})
	probed, forge := s.Probed()
	show := func(s *Service, token string) (Caller, error) {
		return s.Authenticate(t.Context(), Credentials{Authorization: []string{"Bearer " + token}})
	}
	made := map[string]string{}
	for name, make := range map[string]func(context.Context) (string, error){
		"good": forge.Valid, "expired": forge.Expired, "for another": forge.OtherAudience, "by another": forge.OtherKey, "unsigned": forge.NoAlgorithm,
	} {
		token, err := make(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		made[name] = token
		if _, err := show(s, token); !errors.Is(err, ErrInvalid) {
			t.Errorf("the service itself is shown one that is %s: %v", name, err)
		}
		caller, err := show(probed, token)
		switch {
		case name == "good" && (err != nil || caller.Kind != AsUser || caller.Role != account.Member):
			t.Errorf("the good one: %+v, %v", caller, err)
		case name != "good" && !errors.Is(err, ErrInvalid):
			t.Errorf("one that is %s: %+v, %v", name, caller, err)
		}
	}
	before := func() time.Time { return time.Now().Add(-90 * time.Second) }
	if _, err := s.keyring.parse(made["expired"], audience, before); err != nil {
		t.Errorf("the expired one, while it was good: %v", err)
	}
	if _, err := s.keyring.parse(made["for another"], "another-service", time.Now); err != nil {
		t.Errorf("the one for another, shown to that one: %v", err)
	}
	if _, err := st.LastEntry(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the audit log tells of probes: %v", err)
	}
	seeds = nil
	for name, make := range map[string]func(context.Context) (string, error){"good": forge.Valid, "by another": forge.OtherKey, "unsigned": forge.NoAlgorithm} {
		if _, err := make(t.Context()); err == nil {
			t.Errorf("without a key, one that is %s was made", name)
		}
	}
}
