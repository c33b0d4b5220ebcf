package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/auth"
)

// Credentials are an address with its password.
type Credentials struct {
	Email    string `json:"email" doc:"the address that the account has" example:"ada@example.org"`
	Password string `json:"password" doc:"at least 12 characters and at most 72 bytes"`
}

// RefreshRequest is the body of a refresh.
type RefreshRequest struct {
	RefreshToken string `json:"refresh_token"`
}

// LogoutRequest is the body of a logout; it may be missing where an access token is shown.
type LogoutRequest struct {
	RefreshToken string `json:"refresh_token,omitempty" doc:"ends the session that it belongs to; without it the access token's ends"`
}

// VerifyRequest proves an address, or asks for another letter.
type VerifyRequest struct {
	Token string `json:"token,omitempty" doc:"from the letter"`
	Email string `json:"email,omitempty" doc:"instead of a token: sends another letter to this address"`
}

// ResetRequest sets a new password, or asks for the letter that is needed for it.
type ResetRequest struct {
	Email    string `json:"email,omitempty" doc:"sends a letter to this address, if it has an account"`
	Token    string `json:"token,omitempty" doc:"from the letter; instead of an address"`
	Password string `json:"password,omitempty" doc:"the new one, with the token"`
}

// Accepted says what happens next; it is the same whether there is an account or not.
type Accepted struct {
	Message string `json:"message"`
}

// SignedIn are the tokens of a session.
type SignedIn struct {
	AccessToken      string    `json:"access_token" doc:"a JWT for Authorization: Bearer"`
	TokenType        string    `json:"token_type" enum:"Bearer"`
	ExpiresIn        int       `json:"expires_in" doc:"seconds until the access token expires"`
	RefreshToken     string    `json:"refresh_token" doc:"good for one refresh, which gives another"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at"`
	SessionID        string    `json:"session_id"`
	User             Me        `json:"user"`
}

const (
	registered = "If the address can have an account, a letter is on its way to it. Open the link in it within 24 hours."
	requested  = "If the address has an account that this is for, a letter is on its way to it."
)

func (s *service) registerAuth(api huma.API) {
	op := s.authOperation("register", "Make an account", "Answers the same whether the address has an account or not; its owner gets a letter in either case.",
		http.StatusServiceUnavailable)
	handlePerson(s, api, op, http.StatusAccepted, func(ctx context.Context, p person, in *struct{ Body Credentials }) (*response[Accepted], error) {
		if err := s.limitAccount(ctx, letters, in.Body.Email); err != nil {
			return nil, err
		}
		return replied(Accepted{registered}), s.Accounts.Register(ctx, in.Body.Email, in.Body.Password, p.origin)
	})

	op = s.authOperation("login", "Sign in", "A wrong address and a wrong password are answered alike. After five wrong passwords none is tried for a second, "+
		"and twice as long after each further one, up to 15 minutes; from a network in which the user is signed in already they are tried all the same.",
		http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)
	handlePerson(s, api, op, http.StatusOK, func(ctx context.Context, p person, in *struct{ Body Credentials }) (*response[SignedIn], error) {
		if err := s.limitGuess(ctx, in.Body.Email, p.origin); err != nil {
			return nil, err
		}
		return s.signedIn(s.Accounts.Login(ctx, in.Body.Email, in.Body.Password, p.origin))
	})

	op = s.authOperation("refresh", "Get new tokens", "A refresh token is good once. One that comes a second time ends the session: somebody has a copy.",
		http.StatusUnauthorized, http.StatusServiceUnavailable)
	handlePerson(s, api, op, http.StatusOK, func(ctx context.Context, p person, in *struct{ Body RefreshRequest }) (*response[SignedIn], error) {
		return s.signedIn(s.Accounts.Refresh(ctx, in.Body.RefreshToken, p.origin))
	})

	op = s.authOperation("logout", "Sign out", "Ends the session of the access token, or of the refresh token in the body. Its access tokens are refused from now on.",
		http.StatusUnauthorized, http.StatusServiceUnavailable)
	handlePerson(s, api, op, http.StatusNoContent, s.logout)

	op = s.authOperation("verify", "Prove an address", "With the token from the letter: 200. With an address: another letter is sent to it, and the answer is 202 whether it has an account or not.",
		http.StatusServiceUnavailable)
	handlePerson(s, api, op, http.StatusOK, s.verify)

	op = s.authOperation("reset", "Set a new password", "With an address: a letter is sent to it, and the answer is 202 whether it has an account or not. "+
		"With the token from the letter and a new password: 200; all sessions of the account end.",
		http.StatusServiceUnavailable)
	handlePerson(s, api, op, http.StatusOK, s.reset)
}

func (s *service) authOperation(name, summary, description string, errors ...int) huma.Operation {
	return operation("auth-"+name, http.MethodPost, "/api/v1/auth/"+name, tagAccounts, summary, description,
		append(errors, http.StatusBadRequest, http.StatusUnprocessableEntity)...)
}

// signedIn words the tokens of a session.
func (s *service) signedIn(in auth.SignedIn, err error) (*response[SignedIn], error) {
	if err != nil {
		return nil, err
	}
	return replied(SignedIn{
		AccessToken: in.AccessToken, TokenType: "Bearer", ExpiresIn: int(math.Round(in.AccessExpires.Sub(s.Now()).Seconds())),
		RefreshToken: in.RefreshToken, RefreshExpiresAt: in.Session.ExpiresAt.UTC(), SessionID: in.Session.ID, User: meOf(in.User),
	}), nil
}

func (s *service) logout(ctx context.Context, p person, in *struct{ Body *LogoutRequest }) (*nothing, error) {
	if in.Body != nil && in.Body.RefreshToken != "" {
		return said, s.Accounts.LogoutRefresh(ctx, in.Body.RefreshToken, p.origin)
	}
	switch doubt := exchangeOf(ctx).doubt; {
	case doubt != nil:
		return nil, doubt
	case p.caller.Kind != auth.AsUser:
		return nil, auth.ErrInvalid
	}
	return said, s.Accounts.Logout(ctx, p.caller, p.origin)
}

// maybe is an answer whose status depends on what was asked for.
type maybe struct {
	Status  int
	Caching string `header:"Cache-Control"`
	Body    Accepted
}

func (s *service) verify(ctx context.Context, p person, in *struct{ Body VerifyRequest }) (*maybe, error) {
	switch b := in.Body; {
	case (b.Token == "") == (b.Email == ""):
		return nil, fieldProblem(codeInvalid, "body", "needs either token or email", "")
	case b.Email != "":
		if err := s.limitAccount(ctx, letters, b.Email); err != nil {
			return nil, err
		}
		return accepted(requested), s.Accounts.RequestVerification(ctx, b.Email, p.origin)
	default:
		return did("The address is confirmed; sign in."), badToken(s.Accounts.Verify(ctx, b.Token, p.origin))
	}
}

func (s *service) reset(ctx context.Context, p person, in *struct{ Body ResetRequest }) (*maybe, error) {
	switch b := in.Body; {
	case (b.Token == "") == (b.Email == ""):
		return nil, fieldProblem(codeInvalid, "body", "needs either email, or token and password", "")
	case b.Email != "" && b.Password != "":
		return nil, fieldProblem(codeInvalid, "body.password", "goes with a token, and not with an address", "")
	case b.Email != "":
		if err := s.limitAccount(ctx, letters, b.Email); err != nil {
			return nil, err
		}
		return accepted(requested), s.Accounts.RequestReset(ctx, b.Email, p.origin)
	default:
		return did("The new password is set; sign in with it."), badToken(s.Accounts.Reset(ctx, b.Token, b.Password, p.origin))
	}
}

func accepted(message string) *maybe {
	return &maybe{Status: http.StatusAccepted, Caching: "no-store", Body: Accepted{message}}
}

func did(message string) *maybe {
	return &maybe{Status: http.StatusOK, Caching: "no-store", Body: Accepted{message}}
}

// badToken words that a single-use token isn't good.
func badToken(err error) error {
	if errors.Is(err, auth.ErrInvalid) {
		return fieldProblem(codeBadToken, "body.token", "is not one that is waited for: it was used, or its time is over, or another letter was sent after it", "")
	}
	return err
}
