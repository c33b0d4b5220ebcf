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
	if err := writeSeen(filepath.Join(data, seenFile), seen{Salt: []byte("so that none of these are the same")}); err != nil {
		t.Fatal(err)
	}
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
	marks, salts := map[string]bool{}, map[string]bool{}
	for _, salt := range []string{"one", "other"} {
		for _, name := range []string{"A", "B"} {
			mark, err := fingerprint([]byte(salt), name, canary)
			if err != nil {
				t.Fatal(err)
			}
			marks[string(mark)] = true
		}
		data := t.TempDir()
		if _, err := FirstSeen(data, map[string]string{"A": canary}, time.Now()); err != nil {
			t.Fatal(err)
		}
		known, err := readSeen(filepath.Join(data, seenFile))
		if err != nil {
			t.Fatal(err)
		}
		salts[string(known.Salt)] = true
	}
	if len(marks) != 4 || len(salts) != 2 {
		t.Errorf("four fingerprints are %d different ones, two salts %d", len(marks), len(salts))
	}
}

// TestAFingerprintConfirmsNoGuess: so many secrets have the same that one which has
// it need not be the one.
func TestAFingerprintConfirmsNoGuess(t *testing.T) {
	t.Parallel()
	mark, err := fingerprint([]byte("salt of this folder"), "A", "Sommer2026!")
	if err != nil {
		t.Fatal(err)
	}
	if len(mark) != 2 || mark[1]&0x0f != 0 {
		t.Errorf("the fingerprint is %x, and not 12 bits", mark)
	}
}
