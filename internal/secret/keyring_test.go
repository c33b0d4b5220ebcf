package secret

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
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
	k.Replace("", "zero")
	if !bytes.Equal(k.Current(use), derive("one", use)) || len(k.All(use)) != 2 {
		t.Error("a change of the previous keys alone took the current one away")
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
	k.RefreshWith(func() error { asked++; return fault })
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

// TestASourceThatHangsHoldsNobodyForLong: who shows a key that nobody knows waits
// for three seconds, together with all others, and who hangs up ends nothing.
func TestASourceThatHangsHoldsNobodyForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, asked := NewKeyring("one"), 0
		k.RefreshWith(func() error { asked++; time.Sleep(20 * time.Second); k.Replace("two"); return nil })
		gone, hangUp := context.WithCancel(t.Context())
		begin := time.Now()
		var asking sync.WaitGroup
		for i := range 20 {
			asking.Go(func() {
				ctx, want := t.Context(), context.DeadlineExceeded
				if i%2 == 0 {
					ctx, want = gone, context.Canceled
				}
				if err := k.Refresh(ctx); !errors.Is(err, want) || time.Since(begin) > missPatience {
					t.Errorf("after %s: %v", time.Since(begin), err)
				}
			})
		}
		synctest.Wait()
		hangUp()
		asking.Wait()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if asked != 1 || !bytes.Equal(k.Current(use), derive("two", use)) {
			t.Errorf("asked %d times, and the new key is not in use", asked)
		}
	})
}
