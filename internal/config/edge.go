package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Edge says who may ask how often, and from where.
type Edge struct {
	// RateLimit is on or off. Off lets everybody ask as often as they like.
	RateLimit string `env:"RATE_LIMIT,default=on"`
	// RateAddress is how many calls a minute an address may make that shows neither
	// token nor key. A burst of as many, and of 100 at least, may come at once.
	RateAddress int `env:"RATE_ADDRESS,default=120"`
	// RateKey is how many calls a minute each key with the scope lookup may make.
	RateKey int `env:"RATE_KEY,default=1200"`
	// RateUser is how many calls a minute each user may make, with all their keys together.
	RateUser int `env:"RATE_USER,default=1200"`
	// RateSignIn is how many times a minute an address may sign in, register, refresh
	// or reset, and how many times that may be tried for one account.
	RateSignIn int `env:"RATE_SIGN_IN,default=10"`
	// RateOperator is how many calls a minute an operator may make.
	RateOperator int `env:"RATE_OPERATOR,default=600"`
	// TrustedProxies are the networks whose word about where a request comes from
	// counts, with commas; empty: nobody's.
	TrustedProxies string `env:"TRUSTED_PROXIES"`
	// ForwardedHeader is what those proxies write: x-forwarded-for, with
	// X-Forwarded-Proto, or forwarded (RFC 7239). The other doesn't count.
	ForwardedHeader string `env:"FORWARDED_HEADER,default=x-forwarded-for"`
	// CORSOrigins are the origins of other sites whose scripts may read the API's
	// answers, with commas; "*" for all, empty for none.
	CORSOrigins string `env:"CORS_ORIGINS"`
	// MaxConnections is how many connections may be open; a further one waits.
	MaxConnections int `env:"MAX_CONNECTIONS,default=4096"`
	// MaxConnectionsPerAddress is how many of them an address may have, but for trusted
	// proxies; a further one is closed.
	MaxConnectionsPerAddress int `env:"MAX_CONNECTIONS_PER_ADDRESS,default=256"`
}

// What ForwardedHeader may be.
const (
	olderHeader = "x-forwarded-for"
	newerHeader = "forwarded"
)

// mostPerMinute keeps a limit's times above a microsecond.
const mostPerMinute = 60_000_000

// spans are the bounds of the limits.
func (e Edge) spans() []span {
	return []span{
		between("CROWNSAFE_RATE_ADDRESS", e.RateAddress, 1, mostPerMinute),
		between("CROWNSAFE_RATE_KEY", e.RateKey, 1, mostPerMinute),
		between("CROWNSAFE_RATE_USER", e.RateUser, 1, mostPerMinute),
		between("CROWNSAFE_RATE_SIGN_IN", e.RateSignIn, 1, mostPerMinute),
		between("CROWNSAFE_RATE_OPERATOR", e.RateOperator, 1, mostPerMinute),
		between("CROWNSAFE_MAX_CONNECTIONS", e.MaxConnections, 16, 1_000_000),
		between("CROWNSAFE_MAX_CONNECTIONS_PER_ADDRESS", e.MaxConnectionsPerAddress, 1, 1_000_000),
	}
}

func (e Edge) check() error {
	if e.RateLimit != "on" && e.RateLimit != "off" {
		return fmt.Errorf("CROWNSAFE_RATE_LIMIT is %q; give on or off", e.RateLimit)
	}
	if e.ForwardedHeader != olderHeader && e.ForwardedHeader != newerHeader {
		return fmt.Errorf("CROWNSAFE_FORWARDED_HEADER is %q; give %s or %s", e.ForwardedHeader, olderHeader, newerHeader)
	}
	if _, err := networks(e.TrustedProxies); err != nil {
		return fmt.Errorf("CROWNSAFE_TRUSTED_PROXIES: %w", err)
	}
	return nil
}

// Proxies returns TrustedProxies.
func (e Edge) Proxies() []netip.Prefix {
	list, _ := networks(e.TrustedProxies) // which check has read before
	return list
}

// Forwarded says that proxies write Forwarded, and not X-Forwarded-For.
func (e Edge) Forwarded() bool { return e.ForwardedHeader == newerHeader }

// Origins returns CORSOrigins.
func (e Edge) Origins() []string { return items(e.CORSOrigins) }

// networks reads addresses and networks.
func networks(text string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, item := range items(text) {
		network, err := netip.ParsePrefix(item)
		if err != nil {
			address, addressErr := netip.ParseAddr(item)
			if addressErr != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", item)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		list = append(list, network.Masked())
	}
	return list, nil
}

// items splits a list at its commas.
func items(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
