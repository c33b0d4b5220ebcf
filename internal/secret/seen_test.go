package secret

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFirstSeen(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	look := func(after time.Duration, secrets map[string]string, want map[string]time.Duration) {
		t.Helper()
		since, err := FirstSeen(data, secrets, start.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		for name, age := range want {
			if !since[name].Equal(start.Add(age)) {
				t.Errorf("after %s %s is known since %s", after, name, since[name].Sub(start))
			}
		}
	}
	look(0, map[string]string{"A": canary, "B": "b"}, map[string]time.Duration{"A": 0, "B": 0})
	look(time.Hour, map[string]string{"A": canary, "B": "other", "C": "c"}, map[string]time.Duration{"A": 0, "B": time.Hour, "C": time.Hour})
	look(2*time.Hour, map[string]string{"A": canary}, map[string]time.Duration{"A": 0})
	look(3*time.Hour, map[string]string{"B": "other"}, map[string]time.Duration{"B": time.Hour})

	path := filepath.Join(data, seenFile)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte(canary)) {
		t.Errorf("the file holds %s, %v", text, err)
	}
	if err := os.WriteFile(path, []byte("{damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	look(4*time.Hour, map[string]string{"A": canary}, map[string]time.Duration{"A": 4 * time.Hour})
}

// TestTheSameSecretLooksDifferentElsewhere: two data directories, and two
// variables, tell nobody that they hold the same secret.
func TestTheSameSecretLooksDifferentElsewhere(t *testing.T) {
	t.Parallel()
	marks := map[string]bool{}
	for range 2 {
		data := t.TempDir()
		if _, err := FirstSeen(data, map[string]string{"A": canary, "B": canary}, time.Now()); err != nil {
			t.Fatal(err)
		}
		known, err := readSeen(filepath.Join(data, seenFile))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range known.Secrets {
			marks[string(entry.Fingerprint)] = true
		}
	}
	if len(marks) != 4 {
		t.Errorf("four fingerprints are %d different ones", len(marks))
	}
}
