package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// operatorScheme names the way in which operators show who they are.
const operatorScheme = "operator"

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

// forOperators makes an operation one for operators only.
func (s *service) forOperators(op huma.Operation) huma.Operation {
	op.Errors = append(op.Errors, http.StatusUnauthorized)
	op.Security = []map[string][]string{{operatorScheme: {}}}
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if p := s.Operators.admit(r); p != nil {
			p.send(w, r)
			return
		}
		next(ctx)
	})
	return op
}

// admit returns nil for an operator's request, else the problem to answer with.
func (o Operators) admit(r *http.Request) *Problem {
	given, token := r.Header.Values("Authorization"), ""
	if o.Token != nil {
		token = o.Token()
	}
	switch {
	case token == "" && len(given) > 0: // whoever shows something must not believe that it was checked
		return unauthorized("There is no operator's token to compare yours with; set CROWNSAFE_OPS_TOKEN.", `Bearer error="invalid_token"`)
	case token == "" && o.Loopback && local(r):
		return nil
	case token == "":
		return unauthorized("This is for operators, and there is no operator's token; set CROWNSAFE_OPS_TOKEN.", "Bearer")
	case len(given) == 0:
		return unauthorized("This is for operators: show the operator's token as Authorization: Bearer.", "Bearer")
	case len(given) > 1 || !sameToken(given[0], token):
		return unauthorized("This is not the operator's token.", `Bearer error="invalid_token"`)
	}
	return nil
}

func unauthorized(detail, challenge string) *Problem {
	p := newProblem(codeUnauthorized, detail)
	p.header = http.Header{"Www-Authenticate": {challenge}}
	return p
}

// sameToken compares in a time that tells nothing of the token, its length included.
func sameToken(authorization, token string) bool {
	scheme, shown, _ := strings.Cut(authorization, " ")
	a, b := sha256.Sum256([]byte(strings.TrimLeft(shown, " "))), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && strings.EqualFold(scheme, "Bearer")
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
