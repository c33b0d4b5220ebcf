package secret

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const use Purpose = "a test"

// ringAt is a keyring with a clock of the test's.
func ringAt(now *time.Time, current string, previous ...string) *Keyring {
	k := NewKeyring(current, previous...)
	k.now = func() time.Time { return *now }
	return k
}

func TestKeysOutliveARotation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	k := ringAt(&now, "one", "zero")
	changed := k.Changed()
	first, zeroth := k.Current(use), derive("zero", use)
	k.Replace("one", "zero")
	select {
	case <-changed:
		t.Fatal("the same keys are told as a change")
	default:
	}
	k.Replace("two")
	select {
	case <-changed:
	default:
		t.Error("the change is not told")
	}
	holds := func(when string, want ...[]byte) {
		t.Helper()
		got := k.All(use)
		if len(got) != len(want) {
			t.Fatalf("%s: %d keys, want %d", when, len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("%s: key %d is another", when, i)
			}
		}
	}
	second := k.Current(use)
	holds("after a rotation that takes a listed key away", second, first)
	k.Replace("two", "zero", "one")
	holds("with listed keys, of which one was retired", second, zeroth, first)
	k.Replace("two")
	now = now.Add(Retention - time.Second)
	holds("just before the end", second, first)
	now = now.Add(time.Second)
	holds("at the end", second)
	k.Replace("one")
	holds("turned back", first, second)
}

func TestAnEmptyRingSignsNothing(t *testing.T) {
	t.Parallel()
	k := NewKeyring("")
	if k.Current(use) != nil || len(k.All(use)) != 0 {
		t.Error("there is a key of nothing")
	}
	k.Replace("one")
	if len(k.All(use)) != 1 {
		t.Error("the empty key was kept for what it signed")
	}
}

// TestKeysAreTheirPurposes: each secret and each purpose has a key of its own, and
// always the same.
func TestKeysAreTheirPurposes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 80, -1)
		a, b := text.Draw(t, "one secret"), text.Draw(t, "other secret")
		p, q := Purpose(text.Draw(t, "one purpose")), Purpose(text.Draw(t, "other purpose"))
		same := bytes.Equal(NewKeyring(a).Current(p), NewKeyring(b).Current(q))
		if same != (a == b && p == q) || len(NewKeyring(a).Current(p)) != KeyBytes {
			t.Fatalf("%q for %q and %q for %q: same %v", a, p, b, q, same)
		}
	})
}

// TestRefreshIsRareForWhoShowsUnknownKeys: anybody can show one.
func TestRefreshIsRareForWhoShowsUnknownKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	k := ringAt(&now, "one")
	if err := k.Refresh(t.Context()); err != nil {
		t.Errorf("with nothing to ask: %v", err)
	}
	asked, fault := 0, errors.New("down")
	k.RefreshWith(func(context.Context) error { asked++; return fault })
	for range 100 {
		now = now.Add(time.Second)
		if err := k.Refresh(t.Context()); err != nil && !errors.Is(err, fault) {
			t.Fatal(err)
		}
	}
	if asked != 10 {
		t.Errorf("asked %d times within 100 seconds", asked)
	}
}
