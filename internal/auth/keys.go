package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// shownChars is how much of a key its owner sees afterwards.
const shownChars = len(keyPrefix) + 6

// MaxOverlap is how long a key that is replaced stays good, at most.
const MaxOverlap = 30 * 24 * time.Hour

// NewKey is what a key is to be.
type NewKey struct {
	Name    string
	Scopes  []Scope
	Expires time.Time // zero: never
	// Replaces is the id of the key that this one takes the place of; "": none. That
	// one stays good for Overlap.
	Replaces string
	Overlap  time.Duration
}

// Scopes lists every scope that a key can have.
func Scopes() []Scope { return []Scope{ScopeLookup, ScopeAccount, ScopeMonitor} }

// CreateKey makes a key for the caller, who is signed in, and returns it with its
// text, which is nowhere else. ErrForbidden for a scope that the caller's role
// doesn't reach; ErrTooManyKeys; store.ErrNotFound where there is no good key to
// replace.
func (s *Service) CreateKey(ctx context.Context, c Caller, k NewKey, o Origin) (account.Key, string, error) {
	if c.Kind != AsUser || !c.mayGive(k.Scopes) {
		return account.Key{}, "", ErrForbidden
	}
	return s.createKey(ctx, c.UserID, c.Name(), k, o)
}

// mayGive reports whether a key of the caller's may have scopes.
func (c Caller) mayGive(scopes []Scope) bool {
	return !slices.Contains(scopes, ScopeMonitor) || Reaches(c.Role, account.Operator)
}

// ErrKeyName says that a key's name holds what can't be shown: it would do in a
// terminal what its letters say.
var ErrKeyName = errors.New("the key's name holds control characters")

func unshowable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

func (s *Service) createKey(ctx context.Context, userID, actor string, k NewKey, o Origin) (account.Key, string, error) {
	if strings.ContainsFunc(k.Name, unshowable) {
		return account.Key{}, "", ErrKeyName
	}
	now := s.now()
	text := newSecret(keyPrefix)
	key := account.Key{
		ID: newID(), UserID: userID, Name: k.Name, Prefix: text[:shownChars], Hash: hashOf(text), CreatedAt: now, ExpiresAt: k.Expires,
	}
	for _, scope := range k.Scopes {
		key.Scopes = append(key.Scopes, string(scope))
	}
	var err error
	if k.Replaces != "" {
		err = s.replaceKey(ctx, actor, key, strings.ToLower(k.Replaces), k.Overlap, o)
	} else {
		err = s.storeKey(ctx, actor, key, o, func() error { return s.store.CreateKey(ctx, key) })
	}
	if err != nil {
		return account.Key{}, "", err
	}
	return key, text, nil
}

// storeKey stores a new key, which the audit log tells of.
func (s *Service) storeKey(ctx context.Context, actor string, key account.Key, o Origin, do func() error) error {
	return s.recorded(ctx, actCreateKey, actor, keyName(key.ID), o, func() error { return wrapped(do(), "storing a key") })
}

func (s *Service) replaceKey(ctx context.Context, actor string, key account.Key, replaces string, overlap time.Duration, o Origin) error {
	old, err := s.store.Key(ctx, key.UserID, replaces)
	if err == nil && !old.Good(key.CreatedAt) {
		err = store.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("looking for the key to replace: %w", err)
	}
	err = s.recorded(ctx, actReplaceKey, actor, keyName(old.ID), o, func() error {
		return s.storeKey(ctx, actor, key, o, func() error { return s.store.ReplaceKey(ctx, key, old.ID, key.CreatedAt.Add(overlap)) })
	})
	if err != nil {
		return fmt.Errorf("replacing a key: %w", err)
	}
	if overlap <= 0 {
		s.end(old.ID)
	}
	return nil
}

// Keys lists the caller's keys, newest first, those that are good no more included.
func (s *Service) Keys(ctx context.Context, c Caller) ([]account.Key, error) {
	if c.UserID == "" {
		return nil, ErrForbidden
	}
	return s.keysOf(ctx, c.UserID)
}

func (s *Service) keysOf(ctx context.Context, userID string) ([]account.Key, error) {
	keys, err := s.store.Keys(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	return keys, nil
}

// RevokeKey ends one of the caller's keys. store.ErrNotFound for another's.
func (s *Service) RevokeKey(ctx context.Context, c Caller, id string, o Origin) error {
	if c.Kind != AsUser {
		return ErrForbidden
	}
	return s.revokeKey(ctx, c.UserID, id, c.Name(), o)
}

func (s *Service) revokeKey(ctx context.Context, userID, id, actor string, o Origin) error {
	id = strings.ToLower(id)
	key, err := s.store.Key(ctx, userID, id)
	if err == nil && !key.RevokedAt.IsZero() {
		err = store.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("looking for a key: %w", err)
	}
	err = s.recorded(ctx, actRevokeKey, actor, keyName(id), o, func() error { return s.store.RevokeKey(ctx, userID, id, s.now()) })
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("revoking a key: %w", err)
	}
	s.end(id)
	return err
}
