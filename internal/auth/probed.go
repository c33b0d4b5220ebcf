package auth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/crownsafe/api/internal/account"
)

// Forge makes access tokens as an attacker would, and good ones to compare with, for
// probes of a handler in the same process. All are of one session that only the
// service which came with the forge knows, of a user who is nobody: a token is
// refused for what is wrong with it, and for no other reason.
type Forge struct {
	service *Service
	session account.Session
}

// Probed returns a service that judges tokens with the same keys and in the same way,
// knows the session of the forge, and writes nothing into the audit log.
func (s *Service) Probed() (*Service, *Forge) {
	now := s.now()
	user := account.User{ID: uuid.Must(uuid.NewV7()).String(), Role: account.Member, CreatedAt: now, VerifiedAt: now, PasswordAt: now}
	session := account.Session{
		ID: uuid.Must(uuid.NewV7()).String(), UserID: user.ID, Kind: account.SessionAPI, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(100 * 365 * 24 * time.Hour),
	}
	probed := New(Options{
		Store: probeStore{s.store, user, session}, Seeds: s.keyring.seeds, PublicURL: s.publicURL, PlainHTTP: s.plainHTTP,
		OperatorToken: s.operatorToken, Breached: s.breached, Cost: s.hasher.cost, Now: s.now,
	})
	return probed, &Forge{probed, session}
}

// probeStore knows the session of a forge beside what is stored.
type probeStore struct {
	account.Store
	user    account.User
	session account.Session
}

// Session implements account.Sessions.
func (p probeStore) Session(ctx context.Context, id string) (account.Session, error) {
	if id == p.session.ID {
		return p.session, nil
	}
	return p.Store.Session(ctx, id)
}

// User implements account.Users.
func (p probeStore) User(ctx context.Context, id string) (account.User, error) {
	if id == p.user.ID {
		return p.user, nil
	}
	return p.Store.User(ctx, id)
}

// AppendEntry implements account.Audit: what a probe does is nobody's doing.
func (p probeStore) AppendEntry(_ context.Context, e account.Entry) (account.Entry, error) {
	return e, nil
}

// claims are those of a good token.
func (f *Forge) claims(expires time.Duration, forWhom string) claims {
	now := f.service.now()
	return claims{Session: f.session.ID, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{forWhom}, Subject: f.session.UserID,
		IssuedAt: jwt.NewNumericDate(now.Add(min(0, 2*expires))), ExpiresAt: jwt.NewNumericDate(now.Add(expires)),
	}}
}

// Valid makes a good token.
func (f *Forge) Valid(context.Context) (string, error) {
	return f.service.keyring.sign(f.claims(time.Minute, audience))
}

// Expired makes a token whose time is over.
func (f *Forge) Expired(context.Context) (string, error) {
	return f.service.keyring.sign(f.claims(-time.Minute, audience))
}

// OtherAudience makes a token that is good for another service.
func (f *Forge) OtherAudience(context.Context) (string, error) {
	return f.service.keyring.sign(f.claims(time.Minute, "another-service"))
}

// OtherKey makes a token that says it is signed with the service's key, and is
// signed with another.
func (f *Forge) OtherKey(context.Context) (string, error) {
	r, err := f.service.keyring.current()
	if err != nil {
		return "", err
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", fmt.Errorf("making a stranger's key: %w", err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, f.claims(time.Minute, audience))
	token.Header["kid"] = r.id
	text, err := token.SignedString(stranger)
	if err != nil {
		return "", fmt.Errorf("signing with a stranger's key: %w", err)
	}
	return text, nil
}

// NoAlgorithm makes a token that says it needs no signature (RFC 7519, section 6).
func (f *Forge) NoAlgorithm(context.Context) (string, error) {
	r, err := f.service.keyring.current()
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodNone, f.claims(time.Minute, audience))
	token.Header["kid"] = r.id
	text, err := token.SigningString()
	if err != nil {
		return "", fmt.Errorf("writing a token: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(nil), nil
}
