package auth

import (
	"errors"
	"strings"

	"github.com/crownsafe/api/internal/account"
)

// ErrAddress says that a text is no email address that letters can be sent to.
var ErrAddress = errors.New("is no email address")

// Address is an email address in the two forms that are kept.
type Address struct {
	Given string // for letters
	Key   string // what two spellings of one address have in common
}

// ParseAddress reads a bare address, without a name and without quotes, of a
// domain that can be reached from elsewhere.
func ParseAddress(text string) (Address, error) {
	given := strings.TrimSpace(text)
	key, err := account.EmailKey(given)
	if _, domain, _ := strings.Cut(key, "@"); err != nil || !strings.Contains(domain, ".") {
		return Address{}, ErrAddress
	}
	return Address{Given: given, Key: key}, nil
}

// local is the part before the @, as the key has it.
func (a Address) local() string {
	local, _, _ := strings.Cut(a.Key, "@")
	return local
}
