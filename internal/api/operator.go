package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/crownsafe/api/internal/auth"
)

// The ways in which callers show who they are, as the document names them.
const (
	bearerScheme = "bearer"
	keyScheme    = "key"
	cookieScheme = "cookie"
)

// Operators says who may read what is meant for operators.
type Operators struct {
	// Token returns what admits whoever shows it as a bearer token (RFC 6750), as it
	// is now; nil, or empty: there is none.
	Token func() string
	// Loopback admits callers on the same machine while there is no token: for
	// development. A request that a proxy passed on comes from elsewhere, and so
	// does one for another host's name: a page in a browser on this machine can
	// have such a name lead here.
	Loopback bool
}

// shown reports whether the operator's token is shown.
func (o Operators) shown(authorization []string) bool {
	if len(authorization) != 1 {
		return false
	}
	scheme, shown, _ := strings.Cut(authorization[0], " ")
	return strings.EqualFold(scheme, "Bearer") && auth.SameToken(strings.TrimLeft(shown, " "), o.token())
}

// admitsHere reports whether a request is an operator's because of where it comes
// from.
func (o Operators) admitsHere(r *http.Request) bool {
	return o.token() == "" && o.Loopback && local(r)
}

// token is the operator's token as it is now; empty: there is none.
func (o Operators) token() string {
	if o.Token == nil {
		return ""
	}
	return o.Token()
}

func unauthorized(detail, challenge string) *Problem {
	p := newProblem(codeUnauthorized, detail)
	p.header = http.Header{"Www-Authenticate": {challenge}}
	return p
}

// local reports that a request came from this machine, for this machine's own
// name, and not through a proxy.
func local(r *http.Request) bool {
	for _, passed := range []string{"X-Forwarded-For", "Forwarded"} {
		if _, is := r.Header[passed]; is {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && loopbackHost(r.Host)
}

// loopbackHost reports that a Host header names this machine and nothing else.
func loopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil { // there is no port
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	address, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && address.Unmap().IsLoopback()
}
