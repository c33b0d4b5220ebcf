// Package auth says who calls and what they may do: passwords, sessions with their
// tokens, and API keys, over the port of package account.
//
// It knows nothing of HTTP but the values of two headers and a cookie, and nothing
// of which operation needs what: that is one table in package api.
package auth

import (
	"slices"

	"github.com/crownsafe/api/internal/account"
)

// Kind says how a caller showed who they are.
type Kind string

// The kinds of callers.
const (
	Anonymous     Kind = "anonymous"      // showed nothing
	AsUser        Kind = "user"           // an access token or a browser's cookie
	AsKey         Kind = "key"            // an API key
	OperatorToken Kind = "operator-token" // CROWNSAFE_OPS_TOKEN
	SameMachine   Kind = "same-machine"   // a loopback peer, in development
)

// Scope is what an API key may be used for.
type Scope string

// The scopes. A key without scopes may do what a reader may.
const (
	ScopeLookup  Scope = "lookup"  // Product safety, at the rate of a known caller
	ScopeAccount Scope = "account" // its owner's account, but for password, sessions and keys
	ScopeMonitor Scope = "monitor" // what operators see; the owner must be one
)

// Caller is who sent a request.
type Caller struct {
	Kind      Kind
	Role      account.Role
	UserID    string // of a user, or of a key's owner; else empty
	SessionID string // of a user
	KeyID     string // of a key
	Scopes    []Scope
	Cookie    bool // a browser sent it by itself: changes need proof that a page of ours asked
}

// Nobody is a caller who showed nothing.
var Nobody = Caller{Kind: Anonymous, Role: account.Reader}

var ranks = []account.Role{account.Reader, account.Member, account.Operator, account.Admin}

// Reaches reports whether a role includes another. An unknown role includes nothing.
func Reaches(has, needs account.Role) bool {
	h, n := slices.Index(ranks, has), slices.Index(ranks, needs)
	return h >= 0 && n >= 0 && h >= n
}

// May reports whether the caller has a role and, where they call with a key, its
// scope.
func (c Caller) May(role account.Role, scope Scope) bool {
	return Reaches(c.Role, role) && (c.Kind != AsKey || slices.Contains(c.Scopes, scope))
}

// Name is how the audit log and the log of requests name the caller.
func (c Caller) Name() string {
	switch c.Kind {
	case AsUser:
		return "user:" + c.UserID
	case AsKey:
		return "key:" + c.KeyID
	}
	return string(c.Kind)
}
