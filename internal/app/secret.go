package app

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/crownsafe/api/internal/config"
)

// purpose is what a key derived from the secret key is for, so that none is used
// for two things.
type purpose string

const (
	signingObjects purpose = "crownsafe signed addresses of objects"
	signingTokens  purpose = "crownsafe access tokens"
)

// derivedKey makes the key for a purpose from the secret key: HKDF with SHA-256
// (RFC 5869). In development a secret key is made and kept in the data directory
// where none is set; elsewhere there is no key then, and nil is returned.
func derivedKey(cfg config.Config, use purpose) ([]byte, error) {
	secret := string(cfg.SecretKey)
	if secret == "" && cfg.Environment == config.Development {
		var err error
		if secret, err = keptSecret(filepath.Join(cfg.Data, "secret.key")); err != nil {
			return nil, err
		}
	}
	if secret == "" {
		return nil, nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, string(use), 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	return key, nil
}

// keptSecret reads the secret from a file that only its owner may read, or makes
// one. Of several processes that start together all end up with the same.
func keptSecret(path string) (string, error) {
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeSecret(path); err != nil {
		return "", fmt.Errorf("making the secret key: %w", err)
	}
	return readSecret(path)
}

func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the secret key: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < 32 {
		return "", fmt.Errorf("the secret key in %s is shorter than 32 characters; remove the file, and another is made", path)
	}
	return secret, nil
}

// makeSecret makes a file with a new secret, unless there is one by now.
func makeSecret(path string) error {
	made, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(made.Name()) //nolint:errcheck // its other name stays
	_, err = made.WriteString(rand.Text() + rand.Text() + "\n")
	if err := errors.Join(err, made.Sync(), made.Close()); err != nil {
		return err
	}
	// A link is made whole or not at all, and never over what is there.
	if err := os.Link(made.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
