package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// Me is what users see of themselves.
type Me struct {
	ID                string    `json:"id" format:"uuid"`
	Email             string    `json:"email"`
	EmailVerified     bool      `json:"email_verified"`
	Role              string    `json:"role" enum:"member,operator,admin"`
	CreatedAt         time.Time `json:"created_at"`
	PasswordChangedAt time.Time `json:"password_changed_at"`
}

func meOf(u account.User) Me {
	return Me{
		ID: u.ID, Email: u.Email, EmailVerified: !u.VerifiedAt.IsZero(), Role: string(u.Role),
		CreatedAt: u.CreatedAt.UTC(), PasswordChangedAt: u.PasswordAt.UTC(),
	}
}

// SignIn is one of a user's sessions.
type SignIn struct {
	ID         string    `json:"id" format:"uuid"`
	Kind       string    `json:"kind" enum:"api,browser"`
	Current    bool      `json:"current" doc:"the session that asks"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"when its tokens were refreshed last"`
	ExpiresAt  time.Time `json:"expires_at"`
	Agent      string    `json:"agent" doc:"what the client called itself"`
	Network    string    `json:"network" doc:"from where, without the last part of the address; empty when unknown"`
}

func signInOf(s account.Session, current string) SignIn {
	return SignIn{
		ID: s.ID, Kind: string(s.Kind), Current: s.ID == current, CreatedAt: s.CreatedAt.UTC(), LastUsedAt: s.LastUsedAt.UTC(),
		ExpiresAt: s.ExpiresAt.UTC(), Agent: s.Agent, Network: s.Network,
	}
}

// SignInList lists a user's sessions.
type SignInList struct {
	Items []SignIn `json:"items"`
}

// DeleteRequest asks for the end of an account.
type DeleteRequest struct {
	Password string `json:"password" doc:"once more, so that a stolen token is not enough"`
}

type sessionPath struct {
	ID string `path:"id" maxLength:"64" doc:"of the session"`
}

func (s *service) registerMe(api huma.API) {
	me := func(id, method, path, summary, description string, errors ...int) huma.Operation {
		return operation(id, method, path, tagAccounts, summary, description, append(errors, http.StatusServiceUnavailable)...)
	}
	handlePerson(s, api, me("get-me", http.MethodGet, "/api/v1/me", "Who am I?", "The user, or whose key it is."), http.StatusOK,
		func(ctx context.Context, p person, _ *struct{}) (*response[Me], error) {
			u, err := s.Accounts.Me(ctx, p.caller)
			return replied(meOf(u)), err
		})
	handlePerson(s, api, me("delete-me", http.MethodDelete, "/api/v1/me", "Delete my account",
		"The user with all sessions and keys is removed at once and for good. The audit log stays; it has ids and no names.",
		http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge), http.StatusNoContent,
		func(ctx context.Context, p person, in *struct{ Body DeleteRequest }) (*nothing, error) {
			err := s.Accounts.Delete(ctx, p.caller, in.Body.Password, p.origin)
			if errors.Is(err, auth.ErrCredentials) { // the token is good: nobody is to sign in anew
				err = fieldProblem(codeInvalid, "body.password", "is not the account's password", "")
			}
			return said, err
		})
	handlePerson(s, api, me("export-me", http.MethodGet, "/api/v1/me/export", "Everything that is kept about me",
		"Hashes of passwords, keys and tokens are left out."), http.StatusOK, s.exportMe)
	handlePerson(s, api, me("list-my-sessions", http.MethodGet, "/api/v1/me/sessions", "Where I am signed in", "Sessions that go on, newest first."), http.StatusOK,
		func(ctx context.Context, p person, _ *struct{}) (*response[SignInList], error) {
			list, err := s.Accounts.Sessions(ctx, p.caller)
			return replied(SignInList{signInsOf(list, p)}), err
		})
	handlePerson(s, api, me("end-my-session", http.MethodDelete, "/api/v1/me/sessions/{id}", "Sign out elsewhere",
		"Ends one of the user's sessions, also the one that asks.", http.StatusNotFound, http.StatusUnprocessableEntity), http.StatusNoContent,
		func(ctx context.Context, p person, in *sessionPath) (*nothing, error) {
			return said, s.Accounts.EndSession(ctx, p.caller, in.ID, p.origin)
		})
}

func signInsOf(list []account.Session, p person) []SignIn {
	items := make([]SignIn, len(list))
	for i, session := range list {
		items[i] = signInOf(session, p.caller.SessionID)
	}
	return items
}
