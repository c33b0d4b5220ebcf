package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
)

const tagAccounts = "Accounts"

// The ways in which people and programs show who they are.
const (
	bearerScheme = "bearer"
	keyScheme    = "key"
)

// maxAccountBytes bounds the body of a request about accounts.
const maxAccountBytes = 16 << 10

// person is who sends a request about accounts, and from where.
type person struct {
	caller auth.Caller
	origin auth.Origin
	shown  auth.Credentials // where nobody has looked at them yet
}

type personKey struct{}

func personOf(ctx context.Context) person {
	p, _ := ctx.Value(personKey{}).(person)
	return p
}

// originOf tells where a request comes from.
func originOf(r *http.Request) auth.Origin {
	o := auth.Origin{Agent: r.UserAgent()}
	if x := exchangeOf(r.Context()); x != nil {
		o.TraceID = x.traceID
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		o.Address = peer.Addr()
	}
	return o
}

// credentialsOf are what a request shows.
func (s *service) credentialsOf(r *http.Request) auth.Credentials {
	shown := auth.Credentials{Authorization: r.Header.Values("Authorization"), APIKey: r.Header.Values("X-Api-Key")}
	if cookie, err := r.Cookie(s.Accounts.CookieName()); err == nil {
		shown.Cookie = cookie.Value
	}
	return shown
}

// forAnybody makes an operation one that looks at no credentials: a client whose
// access token has expired shows it here too.
func (s *service) forAnybody(op huma.Operation) huma.Operation {
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humago.Unwrap(ctx)
		next(huma.WithValue(ctx, personKey{}, person{caller: auth.Nobody, origin: originOf(r), shown: s.credentialsOf(r)}))
	})
	return op
}

// forMembers makes an operation one for users, and for their keys of a scope; ""
// for users only.
func (s *service) forMembers(op huma.Operation, scope auth.Scope) huma.Operation {
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)
	op.Security = []map[string][]string{{bearerScheme: {}}}
	if scope != "" {
		op.Security = append(op.Security, map[string][]string{keyScheme: {}})
	}
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		caller, p := s.member(r, scope)
		if p != nil {
			p.send(w, r)
			return
		}
		next(huma.WithValue(ctx, personKey{}, person{caller: caller, origin: originOf(r)}))
	})
	return op
}

func (s *service) member(r *http.Request, scope auth.Scope) (auth.Caller, *Problem) {
	caller, err := s.Accounts.Authenticate(r.Context(), s.credentialsOf(r))
	switch {
	case err != nil:
		return caller, s.accountProblem(r.Context(), "authenticate", err)
	case caller.Kind == auth.Anonymous:
		return caller, unauthorized("Sign in first: show an access token as Authorization: Bearer, or a key as X-API-Key.", "Bearer")
	case caller.UserID == "":
		return caller, newProblem(codeForbidden, "This is for users, and the operator's token is nobody's.")
	case caller.Kind == auth.AsKey && scope == "":
		return caller, newProblem(codeForbidden, "This needs a sign-in: no key may do it.")
	case !caller.May(account.Member, scope):
		return caller, newProblem(codeForbidden, fmt.Sprintf("The key has not the scope %q.", scope))
	}
	return caller, nil
}

// response is the answer to a request about accounts: nobody may keep it.
type response[T any] struct {
	Caching string `header:"Cache-Control"`
	Body    T
}

func replied[T any](v T) *response[T] { return &response[T]{Caching: "no-store", Body: v} }

// nothing is the answer that there is nothing to say, of status 204.
type nothing struct {
	Caching string `header:"Cache-Control"`
}

var said = &nothing{Caching: "no-store"}

// handlePerson registers an operation about accounts, whose errors are package auth's.
func handlePerson[I, O any](s *service, api huma.API, op huma.Operation, status int, handler func(ctx context.Context, p person, in *I) (*O, error)) {
	op.DefaultStatus, op.MaxBodyBytes = status, maxAccountBytes
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, personOf(ctx), in)
		if err != nil {
			return nil, s.accountProblem(ctx, op.OperationID, err)
		}
		return out, nil
	})
}

// accountProblem turns an error of package auth into a problem.
func (s *service) accountProblem(ctx context.Context, operation string, err error) *Problem {
	p := wordedProblem(err)
	if p == nil {
		return s.problem(ctx, operation, err)
	}
	p.locate(ctx)
	return p
}

func wordedProblem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if weak, ok := errors.AsType[*auth.WeakPassword](err); ok {
		return fieldProblem(codeWeakPassword, "body.password", weak.Reason, "")
	}
	if wait, ok := errors.AsType[*auth.WaitError](err); ok {
		return withRetry(newProblem(codeTooMany, "Too many attempts came from your address; try again later."), wait.For)
	}
	switch {
	case errors.Is(err, auth.ErrCredentials):
		return unauthorizedAs(codeCredentials, "The address or the password is wrong. After several wrong passwords none is tried for a while; a reset helps at once.", "Bearer")
	case errors.Is(err, auth.ErrInvalid):
		return unauthorized("The credential is not valid, or not any more.", `Bearer error="invalid_token"`)
	case errors.Is(err, auth.ErrSeveral):
		return newProblem(codeSeveral, "Show one credential: either Authorization or X-API-Key, once.")
	case errors.Is(err, auth.ErrUnverified):
		return newProblem(codeUnverified, "The password is right, but the address was not confirmed yet: open the link in the letter, or ask for another at /api/v1/auth/verify.")
	case errors.Is(err, auth.ErrNoMail):
		return newProblem(codeNoMail, "This needs a letter to be sent, and no mail server is set up here.")
	case errors.Is(err, auth.ErrForbidden):
		return newProblem(codeForbidden, "You may not do this.")
	case errors.Is(err, auth.ErrTooManyKeys):
		return newProblem(codeTooManyKeys, fmt.Sprintf("There are %d keys already; revoke one first.", auth.MaxKeys))
	case errors.Is(err, auth.ErrAddress):
		return fieldProblem(codeInvalid, "body.email", "is no email address", "")
	case errors.Is(err, auth.ErrBusy):
		return withRetry(newProblem(codeUnavailable, "Too many are signing in at this moment."), 5*time.Second)
	case errors.Is(err, store.ErrNotFound):
		return newProblem(codeNotFound, "You have nothing of this id.")
	}
	return nil
}

func unauthorizedAs(code, detail, challenge string) *Problem {
	p := newProblem(code, detail)
	p.header = http.Header{"Www-Authenticate": {challenge}}
	return p
}

func withRetry(p *Problem, after time.Duration) *Problem {
	p.header = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(after.Seconds())))}}
	return p
}
