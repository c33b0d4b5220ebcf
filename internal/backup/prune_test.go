package backup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWhatIsPrunedIsNeverNeeded: whatever backups there are, what stays are whole
// chains, the newest good one and the newest verified one among them.
func TestWhatIsPrunedIsNeverNeeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		count := rapid.IntRange(0, 25).Draw(t, "count")
		var all []Entry
		at := now.Add(-time.Duration(rapid.IntRange(0, 60*24).Draw(t, "hours")) * time.Hour)
		for i := range count {
			e := Entry{Manifest: Manifest{Name: fmt.Sprintf("backup_%02d", i), Kind: Full, StartedAt: at}, hash: fmt.Sprint(i)}
			if i > 0 && rapid.IntRange(0, 3).Draw(t, "kind") > 0 {
				before := all[i-1]
				if rapid.IntRange(0, 9).Draw(t, "fork") == 0 {
					before = all[rapid.IntRange(0, i-1).Draw(t, "before")]
				}
				e.Kind, e.Predecessor = Incremental, &Predecessor{before.Name, before.hash}
			}
			switch rapid.IntRange(0, 9).Draw(t, "state") {
			case 0:
				e.Fault = "gone"
			case 1:
				e.Verified = &Verification{OK: false}
			case 2, 3, 4:
				e.Verified = &Verification{OK: true}
			}
			all = append(all, e)
			at = at.Add(time.Duration(rapid.IntRange(1, 72).Draw(t, "gap")) * time.Hour)
		}
		keep := Retention{
			For:         time.Duration(rapid.IntRange(1, 30*24).Draw(t, "for")) * time.Hour,
			Increments:  time.Duration(rapid.IntRange(1, 30*24).Draw(t, "increments")) * time.Hour,
			AtLeastFull: rapid.IntRange(0, 4).Draw(t, "full"),
		}
		gone := map[string]bool{}
		for _, e := range pastTime(all, keep, now) {
			gone[e.Name] = true
		}
		left := slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return gone[e.Name] })
		for _, e := range all {
			_, before := chainOf(all, e.Name)
			if _, after := chainOf(left, e.Name); !gone[e.Name] && before == nil && after != nil {
				t.Fatalf("%s stays, and can't be restored any more: %v", e.Name, after)
			}
			if e.Kind == Full && now.Sub(e.StartedAt) <= keep.For && gone[e.Name] {
				t.Fatalf("%s is gone before its time", e.Name)
			}
		}
		for what, is := range map[string]func(*Entry) bool{
			"good": (*Entry).Good, "verified": func(e *Entry) bool { return e.Good() && e.Verified != nil },
		} {
			if newest := newestWhich(all, is); newest != nil && gone[newest.Name] {
				t.Fatalf("the newest %s chain, that of %s, is gone", what, newest.Name)
			}
		}
		good := func(e Entry) bool { return e.Kind == Full && e.Good() }
		had := len(slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return !good(e) }))
		has := len(slices.DeleteFunc(slices.Clone(left), func(e Entry) bool { return !good(e) }))
		if has < min(had, keep.AtLeastFull) {
			t.Fatalf("%d full ones stay of %d, at least %d should", has, had, keep.AtLeastFull)
		}
	})
}

// TestPruning removes what is past its time with all that belongs to it, and what was
// never finished when it is old.
func TestPruning(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	keep := Retention{For: 30 * 24 * time.Hour, Increments: 7 * 24 * time.Hour, AtLeastFull: 1}
	b.now = time.Now().UTC()
	first := b.create(Full)
	b.join()
	next := b.create(Incremental)
	b.verify(next.Name)
	if err := os.WriteFile(filepath.Join(b.folder, nameOf(Full, b.now)+".sql.gz"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	prune := func(want ...string) {
		t.Helper()
		if removed, err := b.Prune(t.Context(), keep); err != nil || !slices.Equal(removed, want) {
			t.Errorf("Prune removed %q, %v; want %q", removed, err, want)
		}
	}
	prune()
	b.now = b.now.Add(40 * 24 * time.Hour)
	prune() // the last good chain
	if half, err := filepath.Glob(filepath.Join(b.folder, "*_full_*.sql.gz")); err != nil || len(half) != 1 {
		t.Errorf("there are %q, %v", half, err)
	}
	last := b.create(Full)
	b.verify(last.Name)
	prune(next.Name, first.Name)
	if left, err := filepath.Glob(filepath.Join(b.folder, prefix+"*")); err != nil || len(left) != 3 {
		t.Errorf("there are %q, %v", left, err)
	}
}
