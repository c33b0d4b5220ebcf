package secret

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// shortest is the fewest characters of a secret that was made here.
const shortest = 32

// Kept reads the secret from a file that only its owner may read, or makes one.
// Of several processes that start together all end up with the same.
func Kept(path string) (string, error) {
	secret, err := readKept(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeKept(path); err != nil {
		return "", fmt.Errorf("making the secret key: %w", err)
	}
	return readKept(path)
}

func readKept(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the secret key: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < shortest {
		return "", fmt.Errorf("the secret key in %s is shorter than %d characters; remove the file, and another is made", path, shortest)
	}
	return secret, nil
}

// makeKept makes a file with a new secret, unless there is one by now.
func makeKept(path string) error {
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

// readFull fills a buffer as far as there is something to read.
func readFull(from io.Reader, buffer []byte) (int, error) {
	n, err := io.ReadFull(from, buffer)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}
