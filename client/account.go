package client

import (
	"context"
	"crypto/rand"
	"net/http"
)

// Credentials are an address with its password.
type Credentials struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// anonymously prepares a call for which nothing is shown, and which is never repeated:
// a second attempt at a token that is good once could end the session.
func anonymously(path string, body any) (*call, error) {
	k, err := post(path, body)
	if err != nil {
		return nil, err
	}
	k.anonymous = true
	return k, nil
}

// Register asks for an account. The server answers the same whether the address has one
// already; its owner gets a letter in either case.
func (c *Client) Register(ctx context.Context, who Credentials) error {
	k, err := anonymously("/api/v1/auth/register", who)
	if err != nil {
		return err
	}
	k.once, k.repeatable = rand.Text(), true
	_, err = c.send(ctx, k)
	return err
}

// Verify proves an address with the token of the letter.
func (c *Client) Verify(ctx context.Context, token string) error {
	return c.tell(ctx, "/api/v1/auth/verify", map[string]string{"token": token})
}

// RequestVerification has another letter sent to an address, if an account waits for it.
func (c *Client) RequestVerification(ctx context.Context, email string) error {
	return c.tell(ctx, "/api/v1/auth/verify", map[string]string{"email": email})
}

// Reset sets a new password with the token of the letter; all sessions end.
func (c *Client) Reset(ctx context.Context, token, password string) error {
	return c.tell(ctx, "/api/v1/auth/reset", map[string]string{"token": token, "password": password})
}

// RequestReset has a letter sent to an address, if it has an account.
func (c *Client) RequestReset(ctx context.Context, email string) error {
	return c.tell(ctx, "/api/v1/auth/reset", map[string]string{"email": email})
}

// Logout ends the session that a refresh token belongs to.
func (c *Client) Logout(ctx context.Context, refreshToken string) error {
	return c.tell(ctx, "/api/v1/auth/logout", map[string]string{"refresh_token": refreshToken})
}

func (c *Client) tell(ctx context.Context, path string, body any) error {
	k, err := anonymously(path, body)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, k)
	return err
}

// Login signs in. Give the access token to the next client by [Options.Token].
func (c *Client) Login(ctx context.Context, who Credentials) (*SignedIn, error) {
	k, err := anonymously("/api/v1/auth/login", who)
	if err != nil {
		return nil, err
	}
	return ask[SignedIn](ctx, c, k)
}

// Refresh trades a refresh token, which is good once, for new tokens.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (*SignedIn, error) {
	k, err := anonymously("/api/v1/auth/refresh", map[string]string{"refresh_token": refreshToken})
	if err != nil {
		return nil, err
	}
	return ask[SignedIn](ctx, c, k)
}

// Me returns who is signed in, or whose key it is.
func (c *Client) Me(ctx context.Context) (*User, error) {
	return ask[User](ctx, c, get("/api/v1/me", nil))
}

// AccountExport returns everything that is kept about the user. The audit log notes it,
// so it is asked for once.
func (c *Client) AccountExport(ctx context.Context) (*AccountExport, error) {
	return ask[AccountExport](ctx, c, &call{method: http.MethodGet, path: "/api/v1/me/export"})
}

// DeleteAccount ends the account and everything of it; the password is asked once more.
func (c *Client) DeleteAccount(ctx context.Context, password string) error {
	k, err := sending(http.MethodDelete, "/api/v1/me", map[string]string{"password": password})
	if err != nil {
		return err
	}
	_, err = c.send(ctx, k)
	return err
}

// Sessions lists where the user is signed in.
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	return list[Session](ctx, c, get("/api/v1/me/sessions", nil))
}

// EndSession ends one of the user's sessions.
func (c *Client) EndSession(ctx context.Context, id string) error {
	return c.remove(ctx, "/api/v1/me/sessions/", id)
}

// Keys lists the user's API keys, the newest first.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	return list[Key](ctx, c, get("/api/v1/keys", nil))
}

// CreateKey makes a key, and one only however often the call has to be sent. The key
// itself is in the answer and nowhere else afterwards.
func (c *Client) CreateKey(ctx context.Context, wanted KeyRequest) (*NewKey, error) {
	k, err := post("/api/v1/keys", wanted)
	if err != nil {
		return nil, err
	}
	k.once, k.repeatable = rand.Text(), true
	return ask[NewKey](ctx, c, k)
}

// RevokeKey ends a key.
func (c *Client) RevokeKey(ctx context.Context, id string) error {
	return c.remove(ctx, "/api/v1/keys/", id)
}

// remove deletes something by its id. A repetition whose first attempt got through, and
// whose answer was lost, finds nothing any more; the problem not_found says so.
func (c *Client) remove(ctx context.Context, under, id string) error {
	id, err := segment(id)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, &call{method: http.MethodDelete, path: under + id, repeatable: true})
	return err
}
