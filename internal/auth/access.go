package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/crownsafe/api/internal/account"
)

// Who signs access tokens, and for whom.
const (
	issuer   = "crownsafe"
	audience = "crownsafe-api"
	// operatorAudience is of the tokens in the cookies of browsers that showed the
	// operator's token.
	operatorAudience = "crownsafe-operator"
)

// keyring has the keys that access tokens are signed with, EdDSA with Ed25519
// (RFC 8037). A key's id is the beginning of the SHA-256 of its public half.
type keyring struct {
	seeds   func() [][]byte
	refresh func(ctx context.Context) error
	ring    atomic.Pointer[ring]
}

type ring struct {
	seeds [][]byte
	id    string // of the key that signs
	signs ed25519.PrivateKey
	all   map[string]ed25519.PublicKey
}

var (
	errNoSigningKey = errors.New("there is no key to sign access tokens with; set SECRET_KEY")
	errUnknownKey   = errors.New("signed with a key that isn't known")
)

// current returns the keys as they are now.
func (k *keyring) current() (*ring, error) {
	seeds := k.seeds()
	if r := k.ring.Load(); r != nil && same(r.seeds, seeds) {
		return r, nil
	}
	if len(seeds) == 0 {
		return nil, errNoSigningKey
	}
	r := &ring{all: map[string]ed25519.PublicKey{}}
	for i, seed := range seeds {
		if len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("a signing key's seed has %d bytes, not %d", len(seed), ed25519.SeedSize)
		}
		private := ed25519.NewKeyFromSeed(seed)
		public := private.Public().(ed25519.PublicKey) //nolint:forcetypeassert // by its documentation
		sum := sha256.Sum256(public)
		id := base64.RawURLEncoding.EncodeToString(sum[:12])
		r.seeds, r.all[id] = append(r.seeds, bytes.Clone(seed)), public
		if i == 0 {
			r.id, r.signs = id, private
		}
	}
	k.ring.Store(r)
	return r, nil
}

func same(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// claims is what an access token says.
type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid,omitempty"`
	// Shown is a fingerprint of the operator's token that was shown; in operators'
	// cookies only.
	Shown string `json:"shown,omitempty"`

	key string // that signed it
}

// sign makes a token.
func (k *keyring) sign(c claims) (string, error) {
	r, err := k.current()
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	token.Header["kid"] = r.id
	text, err := token.SignedString(r.signs)
	if err != nil {
		return "", fmt.Errorf("signing an access token: %w", err)
	}
	return text, nil
}

// check returns what a token says, if one of the keys signed it for an audience
// and its time isn't over. ErrInvalid for any other. Another process may have begun
// to sign with a new key: for one that isn't known the keys are asked for anew.
func (k *keyring) check(ctx context.Context, text, forWhom string, now func() time.Time) (claims, error) {
	c, err := k.parse(text, forWhom, now)
	if errors.Is(err, errUnknownKey) && k.refresh != nil {
		if err := k.refresh(ctx); err != nil {
			return claims{}, fmt.Errorf("asking for the signing keys: %w", err)
		}
		c, err = k.parse(text, forWhom, now)
	}
	if errors.Is(err, errUnknownKey) {
		err = ErrInvalid
	}
	return c, err
}

func (k *keyring) parse(text, forWhom string, now func() time.Time) (claims, error) {
	r, err := k.current()
	if err != nil {
		return claims{}, err
	}
	var c claims
	_, err = jwt.ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) {
		c.key, _ = t.Header["kid"].(string)
		public, ok := r.all[c.key]
		if !ok {
			return nil, errUnknownKey
		}
		return public, nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(forWhom),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(now), jwt.WithStrictDecoding())
	switch {
	case errors.Is(err, errUnknownKey):
		return claims{}, errUnknownKey
	case err != nil:
		return claims{}, ErrInvalid
	}
	return c, nil
}

// accessToken makes the access token of a session.
func (s *Service) accessToken(session account.Session) (string, time.Time, error) {
	now := s.now()
	expires := now.Add(AccessLasts)
	if session.ExpiresAt.Before(expires) {
		expires = session.ExpiresAt
	}
	text, err := s.keyring.sign(claims{Session: session.ID, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: session.UserID,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
	}})
	return text, expires, err
}

// maxTokenBytes is more than any token of ours has.
const maxTokenBytes = 1024

// checkAccess is check for access tokens. A signature that was found good is not
// checked again while its key is accepted.
func (s *Service) checkAccess(ctx context.Context, text string) (claims, error) {
	if len(text) > maxTokenBytes {
		return claims{}, ErrInvalid
	}
	known := string(hashOf(text))
	if c, ok := s.tokens.get(known); ok {
		r, err := s.keyring.current()
		if err != nil {
			return claims{}, err
		}
		if _, accepted := r.all[c.key]; accepted && s.now().Before(c.ExpiresAt.Time) {
			return c, nil
		}
		return claims{}, ErrInvalid
	}
	c, err := s.keyring.check(ctx, text, audience, s.now)
	if err != nil {
		return claims{}, err
	}
	if c.Session == "" || c.Subject == "" {
		return claims{}, ErrInvalid
	}
	s.tokens.set(known, c)
	return c, nil
}
