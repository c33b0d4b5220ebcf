package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/ratelimit"
)

// Limiter decides whether somebody may go on; see package ratelimit.
type Limiter interface {
	Take(ctx context.Context, limit ratelimit.Limit, who string, cost int64) ratelimit.Decision
}

// Limits say how often who may ask for what. A nil Limiter: as often as they like.
type Limits struct {
	Limiter Limiter
	// Addresses is for those who show nothing, each address (IPv6: each /64) by itself.
	Addresses ratelimit.Limit
	// Keys is for each key, Users for each user, over all that shows who they are.
	Keys, Users ratelimit.Limit
	// SignIns is for each address: signing in, registering and resetting; and for each
	// account, what is tried with its email address. It should be strict.
	SignIns ratelimit.Limit
	// Operating is for operators, each caller or address by itself.
	Operating ratelimit.Limit
	// AccountExports is for each user taking out what is kept about them, KeyChanges for
	// each user making and revoking keys: the audit log grows by each.
	AccountExports, KeyChanges ratelimit.Limit
	// Refused is for each address that shows what isn't good.
	Refused ratelimit.Limit
}

// budget is what an operation counts against.
type budget int

const (
	unlimited budget = iota
	lookups          // of the address, or of the key and its user
	signIns          // of the address; the account's is taken by limitAccount
	operating
	accountExports // of the user, beside the budget of the call
	keyChanges     // likewise
)

// What is more than one call of a budget.
const (
	pictureCost = 10 // two processors, for seconds
	exportCost  = 10 // the whole catalogue
	batchShare  = 10 // so many units of a batch cost as much as one call
)

// Header names, in their canonical form.
const (
	policyHeader = "Ratelimit-Policy"
	limitHeader  = "Ratelimit"
)

// charge takes a cost from the caller's budget. It returns nil when it was there,
// else the problem, and sets the headers that tell of it either way.
func (s *service) charge(ctx context.Context, h http.Header, x *exchange, b budget, cost int64) *Problem {
	if s.Limits.Limiter == nil || b == unlimited {
		return nil
	}
	if x.caller.Kind == auth.AsKey && b == lookups && x.caller.May(x.caller.Role, auth.ScopeLookup) {
		// All keys of a user together may do what the user may.
		if p := s.take(ctx, h, s.Limits.Keys, x.caller.KeyID, cost); p != nil {
			return p
		}
	}
	limit, who := s.budgetOf(x, b)
	return s.take(ctx, h, limit, who, cost)
}

// budgetOf returns the limit on a caller, and what it is kept under.
func (s *service) budgetOf(x *exchange, b budget) (ratelimit.Limit, string) {
	known := x.caller.UserID
	if x.caller.Kind == auth.OperatorToken {
		known = string(auth.OperatorToken)
	}
	switch {
	case b == signIns:
		return s.Limits.SignIns, place(x.address)
	case b == operating && known != "":
		return s.Limits.Operating, known
	case b == operating:
		return s.Limits.Operating, place(x.address)
	case x.caller.Kind == auth.AsUser, x.caller.Kind == auth.AsKey && x.caller.May(x.caller.Role, auth.ScopeLookup):
		return s.Limits.Users, known
	case x.caller.Kind == auth.OperatorToken:
		return s.Limits.Operating, known
	}
	return s.Limits.Addresses, place(x.address)
}

// chargeOwn takes one from a user's own budget for what an operation does.
func (s *service) chargeOwn(ctx context.Context, h http.Header, x *exchange, own budget) *Problem {
	if s.Limits.Limiter == nil {
		return nil
	}
	switch own {
	case accountExports:
		return s.take(ctx, h, s.Limits.AccountExports, x.caller.UserID, 1)
	case keyChanges:
		return s.take(ctx, h, s.Limits.KeyChanges, x.caller.UserID, 1)
	}
	return nil
}

// chargeMore takes what a call turned out to cost beyond what it cost at first.
func (s *service) chargeMore(ctx context.Context, b budget, cost int64) error {
	x := exchangeOf(ctx)
	if cost <= 0 || x == nil {
		return nil
	}
	if p := s.charge(ctx, x.header, x, b, cost); p != nil {
		return p
	}
	return nil
}

// takeRefused takes one from what an address may show that isn't good.
func (s *service) takeRefused(ctx context.Context, h http.Header, x *exchange) *Problem {
	if s.Limits.Limiter == nil {
		return nil
	}
	return s.take(ctx, h, s.Limits.Refused, place(x.address), 1)
}

// mayGuess returns nil when the store may be asked about what an address shows: it has
// something left of the limit that it counts against if it isn't good. That is the
// one on what isn't good, but for a cookie, which then is as none. Nothing is taken.
func (s *service) mayGuess(ctx context.Context, h http.Header, x *exchange, n need, cookie bool) *Problem {
	if s.Limits.Limiter == nil {
		return nil
	}
	limit, who := s.Limits.Refused, place(x.address)
	if cookie && n.budget != unlimited {
		limit, who = s.budgetOf(x, n.budget) // as nobody's
	}
	if d := s.Limits.Limiter.Take(ctx, limit, who, 0); d.Bypassed || d.Remaining > 0 {
		return nil
	}
	return s.take(ctx, h, limit, who, 1)
}

// What is tried at an account, each with a budget of its own: who guesses at its
// password doesn't keep its owner from a letter.
const (
	guesses = "account"
	letters = "letters"
)

// limitAccount takes one attempt at the account of an email address from its budget,
// whoever makes it and whether there is such an account or not. Of the address only
// the hash of its key is kept. What is no address is for the operation to refuse.
func (s *service) limitAccount(ctx context.Context, attempt, email string) error {
	address, err := auth.ParseAddress(email)
	if s.Limits.Limiter == nil || err != nil {
		return nil //nolint:nilerr // see above
	}
	sum := sha256.Sum256([]byte(address.Key))
	if p := s.take(ctx, exchangeOf(ctx).header, s.Limits.SignIns, attempt+" "+hex.EncodeToString(sum[:16]), 1); p != nil {
		return p
	}
	return nil
}

// limitGuess takes one guess at an account's password from its budget. Where that is
// spent, a network in which the user is signed in already has one of its own:
// otherwise anybody could keep somebody out by guessing.
func (s *service) limitGuess(ctx context.Context, email string, o auth.Origin) error {
	limited := s.limitAccount(ctx, guesses, email)
	if limited == nil {
		return nil
	}
	network, err := s.Accounts.FamiliarNetwork(ctx, email, o)
	switch {
	case err != nil:
		return fmt.Errorf("finding out whether somebody is signed in already: %w", err)
	case network != "":
		return s.limitAccount(ctx, guesses+" "+network, email)
	}
	return limited
}

// take asks the limiter, and words its answer.
func (s *service) take(ctx context.Context, h http.Header, limit ratelimit.Limit, who string, cost int64) *Problem {
	d := s.Limits.Limiter.Take(ctx, limit, who, cost)
	h[policyHeader] = s.policyOf(limit)
	h[limitHeader] = []string{member(limit.Name, 'r', d.Remaining, 't', d.Reset)}
	switch {
	case d.Allowed:
		return nil
	case d.Never:
		return newProblem(codeTooLarge, fmt.Sprintf("This costs as much as %d calls; at most %d fit at once. Ask for less.", cost, limit.Burst))
	}
	wait := seconds(d.RetryAfter)
	p := newProblem(codeRateLimited, fmt.Sprintf("Too many requests: %d may come at once, and then %d in %s. Ask again in %s s.", limit.Burst, limit.Count, limit.Per, wait))
	p.header = http.Header{"Retry-After": {wait}}
	return p
}

// policyOf returns a limit's header, which is the same in every answer.
func (s *service) policyOf(limit ratelimit.Limit) []string {
	if made, ok := s.policies.Load(limit); ok {
		return made.([]string)
	}
	made, _ := s.policies.LoadOrStore(limit, []string{member(limit.Name, 'q', limit.Burst, 'w', limit.Window())})
	return made.([]string)
}

// member writes one member of a structured field (RFC 9651), a string with two
// whole numbers as parameters.
func member(name string, first byte, n int64, second byte, d time.Duration) string {
	b := make([]byte, 0, 48)
	b = append(append(append(b, '"'), name...), '"', ';', first, '=')
	b = strconv.AppendInt(b, n, 10)
	b = append(b, ';', second, '=')
	return string(strconv.AppendInt(b, wholeSeconds(d), 10))
}

// seconds rounds up, so that nobody comes too early.
func seconds(d time.Duration) string { return strconv.FormatInt(wholeSeconds(d), 10) }

func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
