package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
)

const tagAccounts = "Accounts"

// maxAccountBytes bounds the body of a request about accounts.
const maxAccountBytes = 16 << 10

// person is who sends a request about accounts, and from where.
type person struct {
	caller auth.Caller
	origin auth.Origin
}

func personOf(ctx context.Context) person {
	x := exchangeOf(ctx)
	return person{caller: x.caller, origin: auth.Origin{Address: x.address, Agent: x.agent, TraceID: x.traceID}}
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
		if s.Accounts == nil {
			return nil, s.accountProblem(ctx, op.OperationID, newProblem(codeUnavailable, "There are no accounts here."))
		}
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
		return s.problem(ctx, operation, downed(err))
	}
	p.locate(ctx)
	return p
}

// downed marks an error of a store that can't do its part at the moment as an outage.
func downed(err error) error {
	for _, down := range []error{
		store.ErrUnavailable, store.ErrBusy, store.ErrReadOnly, store.ErrFull, store.ErrNotMigrated, context.DeadlineExceeded,
	} {
		if errors.Is(err, down) {
			return &outage{err}
		}
	}
	return err
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
	case errors.Is(err, auth.ErrUnverified):
		return newProblem(codeUnverified, "The password is right, but the address was not confirmed yet: open the link in the letter, or ask for another at /api/v1/auth/verify.")
	case errors.Is(err, auth.ErrNoMail):
		return newProblem(codeNoMail, "This needs a letter to be sent, and no mail server is set up here.")
	case errors.Is(err, auth.ErrForbidden):
		return newProblem(codeForbidden, "You may not do this.")
	case errors.Is(err, auth.ErrTooManyKeys):
		return newProblem(codeTooManyKeys, fmt.Sprintf("There are %d keys already; revoke one first.", auth.MaxKeys))
	case errors.Is(err, auth.ErrKeyName):
		return fieldProblem(codeInvalid, "body.name", "holds control or invisible characters", "")
	case errors.Is(err, auth.ErrAddress):
		return fieldProblem(codeInvalid, "body.email", "is no email address", "")
	case errors.Is(err, auth.ErrBusy):
		return withRetry(newProblem(codeUnavailable, "Too many are signing in at this moment."), 5*time.Second)
	case errors.Is(err, auth.ErrLetters):
		return withRetry(newProblem(codeUnavailable, "Too many letters are waiting to be sent at this moment."), 10*time.Second)
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
