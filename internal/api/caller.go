package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// SessionCookie is the name of the cookie that stands for a browser's sign-in,
// where nothing else is said.
const SessionCookie = "__Host-crownsafe"

// Authenticator tells who calls; see package auth. It is not asked for those who
// show nothing, and not for the operator's token. auth.ErrInvalid and
// auth.ErrSeveral say that what is shown is not good; any other error, that nobody
// can tell now.
type Authenticator interface {
	Authenticate(ctx context.Context, shown auth.Credentials) (auth.Caller, error)
}

// whoCalls finds out, once, who sent a request to what has a need. A problem that is
// to be answered whatever was asked for is kept in the exchange. Who shows nothing
// costs nothing.
func (s *service) whoCalls(h http.Header, r *http.Request, x *exchange, n need) {
	if x.asked {
		return
	}
	x.asked = true
	shown := s.credentials(r)
	switch {
	case shown.None():
		return
	case len(shown.APIKey) == 0 && s.Operators.shown(shown.Authorization):
		x.caller = auth.Caller{Kind: auth.OperatorToken, Role: account.Operator}
		return
	case s.Authenticator == nil && len(shown.Authorization) == 0 && len(shown.APIKey) == 0:
		return
	case s.Authenticator == nil:
		x.refused = s.refusal(nil)
		return
	}
	byCookie := len(shown.Authorization) == 0 && len(shown.APIKey) == 0
	shown.Ask = func() error {
		x.guessed = true
		if p := s.mayGuess(r.Context(), h, x, n, byCookie); p != nil {
			return p
		}
		return nil
	}
	caller, err := s.Authenticator.Authenticate(r.Context(), shown)
	late, isLate := errors.AsType[*Problem](err)
	switch {
	case err == nil:
		x.caller = caller
	case errors.Is(err, auth.ErrInvalid), errors.Is(err, auth.ErrSeveral):
		x.refused = s.refusal(err)
	case isLate && byCookie: // as if there were none, where anybody may ask
		x.doubt = late
	case isLate:
		x.refused = late
	default:
		// What anybody may ask is answered all the same.
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "nobody can tell who calls", slog.String("error", err.Error()), slog.String("request_id", x.requestID))
		x.doubt = newProblem(codeUnavailable, "Who you are can't be checked now; ask again in a moment.")
		x.doubt.header = http.Header{"Retry-After": {retryAfter}}
	}
	if x.guessed && err == nil && caller.Kind == auth.Anonymous && n.budget == unlimited {
		x.refused = s.takeRefused(r.Context(), h, x) // a cookie of nobody's that counts against no other limit
	}
}

func (s *service) credentials(r *http.Request) auth.Credentials {
	shown := auth.Credentials{Authorization: r.Header["Authorization"], APIKey: r.Header["X-Api-Key"]}
	if r.Header["Cookie"] != nil {
		if c, err := r.Cookie(cmp.Or(s.CookieName, SessionCookie)); err == nil {
			shown.Cookie = c.Value
		}
	}
	return shown
}

// refusal says that what was shown is not good, and no more than that: more would
// help those who guess.
func (s *service) refusal(err error) *Problem {
	detail := "This is no token or key that is good now."
	switch {
	case errors.Is(err, auth.ErrSeveral):
		detail = "More than one token or key is shown; show one."
	case s.Authenticator == nil && s.Operators.token() == "": // whoever shows something must not believe that it was checked
		detail = "There is no operator's token to compare yours with; set CROWNSAFE_OPS_TOKEN."
	case s.Authenticator == nil:
		detail = "This is not the operator's token."
	}
	return unauthorized(detail, `Bearer error="invalid_token"`)
}

// callerOf returns who sent the request that a context is of.
func callerOf(ctx context.Context) auth.Caller { return exchangeOf(ctx).caller }
