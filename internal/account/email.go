package account

import (
	"errors"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// ErrAddress says that a text is no address that mail can be sent to. It doesn't
// hold the text.
var ErrAddress = errors.New("not a plain email address")

// maxAddress is how long an address may be, in bytes (RFC 5321, 4.5.3.1.3, less
// the angle brackets).
const maxAddress = 254

// domains are written as the DNS has them (RFC 5891).
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// EmailKey returns what two spellings of one address have in common: lower case,
// one form for characters that look the same (Unicode NFKC), the domain in ASCII.
// Dots and plus signs count: whether they matter is for the mail server to say.
// ErrAddress for what is no plain address (RFC 5322 addr-spec without quotes and
// comments), or is longer than 254 bytes.
func EmailKey(address string) (string, error) {
	if len(address) > maxAddress || !utf8.ValidString(address) {
		return "", ErrAddress
	}
	folded := norm.NFKC.String(strings.ToLower(norm.NFKC.String(address)))
	parsed, err := mail.ParseAddress(folded)
	if err != nil || parsed.Name != "" || parsed.Address != folded {
		return "", ErrAddress
	}
	local, domain, _ := strings.Cut(folded, "@") // one alone, where nothing is quoted
	if domain, err = domains.ToASCII(domain); err != nil {
		return "", ErrAddress
	}
	key := local + "@" + domain
	if len(key) > maxAddress {
		return "", ErrAddress
	}
	return key, nil
}
