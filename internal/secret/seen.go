package secret

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// seenFile is where the data directory holds since when each secret was seen.
const seenFile = "secrets-seen.json"

// The fingerprint is slow to compute, and so short that of 4,096 guesses at a secret
// one has the same: who reads the file can strike wrong guesses out, and be sure of
// none. One new secret in as many is taken for the one before, and its age with it. No
// key goes into it: with the key's rotation every other secret would look new.
const (
	fingerprintRounds = 10_000
	fingerprintBits   = 12
)

// seen is the content of the file.
type seen struct {
	Salt    []byte               `json:"salt"` // of this data directory
	Secrets map[string]seenSince `json:"secrets"`
}

type seenSince struct {
	Fingerprint []byte    `json:"fingerprint"`
	Since       time.Time `json:"since"`
}

// FirstSeen returns since when each variable has had the secret that it has now,
// as far as this data directory remembers, and remembers those that are new.
func FirstSeen(data string, secrets map[string]string, now time.Time) (map[string]time.Time, error) {
	path := filepath.Join(data, seenFile)
	known, err := readSeen(path)
	if err != nil {
		return nil, err
	}
	since, changed := map[string]time.Time{}, false
	for name, secret := range secrets {
		mark, err := fingerprint(known.Salt, name, secret)
		if err != nil {
			return nil, err
		}
		entry, ok := known.Secrets[name]
		if !ok || string(entry.Fingerprint) != string(mark) {
			entry = seenSince{Fingerprint: mark, Since: now.UTC()}
			known.Secrets[name], changed = entry, true
		}
		since[name] = entry.Since
	}
	if changed {
		err = writeSeen(path, known)
	}
	return since, err
}

func fingerprint(salt []byte, name, secret string) ([]byte, error) {
	mark, err := pbkdf2.Key(sha256.New, secret, append([]byte(name+"\n"), salt...), fingerprintRounds, (fingerprintBits+7)/8)
	if err != nil {
		return nil, fmt.Errorf("fingerprinting a secret: %w", err)
	}
	mark[len(mark)-1] &= 0xff << (8*len(mark) - fingerprintBits)
	return mark, nil
}

func readSeen(path string) (seen, error) {
	known := seen{Secrets: map[string]seenSince{}}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return seen{}, fmt.Errorf("reading since when secrets are known: %w", err)
	case json.Unmarshal(text, &known) != nil || known.Secrets == nil: // damaged: it is begun anew
		known = seen{Secrets: map[string]seenSince{}}
	}
	if len(known.Salt) == 0 {
		known.Salt = make([]byte, 16)
		_, _ = rand.Read(known.Salt) // it never fails
	}
	return known, nil
}

func writeSeen(path string, known seen) error {
	text, err := json.Marshal(known)
	if err != nil {
		return fmt.Errorf("writing since when secrets are known: %w", err)
	}
	made, err := os.CreateTemp(filepath.Dir(path), ".seen-*") // mode 0600
	if err != nil {
		return fmt.Errorf("writing since when secrets are known: %w", err)
	}
	defer os.Remove(made.Name()) //nolint:errcheck // it has another name by then
	_, err = made.Write(text)
	if err := errors.Join(err, made.Close()); err != nil {
		return fmt.Errorf("writing since when secrets are known: %w", err)
	}
	if err := os.Rename(made.Name(), path); err != nil {
		return fmt.Errorf("writing since when secrets are known: %w", err)
	}
	return nil
}
