package backup

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
)

// ParseRecipients reads public keys of age with commas between them. Empty: none.
func ParseRecipients(text string) ([]age.Recipient, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	recipients, err := age.ParseRecipients(strings.NewReader(strings.ReplaceAll(text, ",", "\n")))
	if err != nil { // which quotes what it can't read: it might be a private key
		return nil, errors.New("there is something that is no public key of age: one begins with age1 (age-keygen makes it)")
	}
	return recipients, nil
}

// ReadIdentities reads a file of private keys of age. An empty path: none.
func ReadIdentities(path string) ([]age.Identity, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the file of identities: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	identities, err := age.ParseIdentities(file)
	if err != nil {
		return nil, fmt.Errorf("%s holds something that is no private key of age", path)
	}
	return identities, nil
}
