// Package egress is the client for addresses that somebody else wrote down: a
// person, an agency, a page that an answer points to. Whatever a name resolves to
// and wherever an answer leads, no connection is made to this machine, to its
// network or to anything else that is not a public web server.
//
// It knows nothing of what is fetched and why. Who asks bounds the time and the
// size of what comes back.
package egress

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// MostRedirects is how many redirects are followed.
const MostRedirects = 3

// ErrAddress says that an address isn't one that is asked, wherever it leads.
var ErrAddress = errors.New("the address is not fetched")

const (
	dialTimeout       = 4 * time.Second
	connectionsToHost = 2
	maxAnswerHeader   = 64 << 10
	idleTimeout       = 30 * time.Second
)

// Options of a client. All have defaults.
type Options struct {
	// Allow decides on each address right before it is connected to, so that a name
	// that resolves differently the next time wins nothing. nil: PublicOnly.
	Allow func(netip.AddrPort) error
	// Resolver finds the addresses of names; nil: the system's.
	Resolver *net.Resolver
}

// NewClient returns a client.
func NewClient(o Options) *http.Client {
	if o.Allow == nil {
		o.Allow = PublicOnly
	}
	dialer := &net.Dialer{
		Timeout: dialTimeout, Resolver: o.Resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("connecting to %s: %w", address, err)
			}
			return o.Allow(to)
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			// No proxy: behind one nobody could tell what is connected to.
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout,
			MaxConnsPerHost: connectionsToHost, MaxResponseHeaderBytes: maxAnswerHeader, IdleConnTimeout: idleTimeout,
			DisableCompression: true, // whatever is unpacked is unpacked by who knows how large it may get
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > MostRedirects {
				return fmt.Errorf("stopped after %d redirects", MostRedirects)
			}
			next.Header.Del("Referer") // one site's addresses are none of another's business
			return CheckAddress(next.URL)
		},
	}
}

// CheckAddress refuses what isn't a plain web address: ErrAddress. Where it leads is
// seen when it is connected to.
func CheckAddress(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: its scheme is %q", ErrAddress, u.Scheme)
	case u.Hostname() == "" || u.User != nil:
		return fmt.Errorf("%w: it has no host, or a password", ErrAddress)
	}
	return nil
}
