package auth

import (
	"context"
	"fmt"
	"slices"

	"github.com/crownsafe/api/internal/account"
)

// Me returns the user that the caller is, or whose key it is.
func (s *Service) Me(ctx context.Context, c Caller) (account.User, error) { return s.user(ctx, c) }

// Holdings is everything that is kept about a user, but for hashes of secrets.
type Holdings struct {
	User     account.User
	Sessions []account.Session
	Keys     []account.Key
	Entries  []account.Entry // of the audit log, that name the user, their sessions or their keys
}

// Export returns everything that is kept about the caller, and records that it did.
func (s *Service) Export(ctx context.Context, c Caller, o Origin) (Holdings, error) {
	user, err := s.user(ctx, c)
	if err != nil {
		return Holdings{}, err
	}
	if err := s.record(ctx, actExport, c.Name(), userName(user.ID), o); err != nil {
		return Holdings{}, err
	}
	h := Holdings{User: user}
	if h.Sessions, err = s.store.Sessions(ctx, user.ID, s.now()); err != nil {
		return Holdings{}, fmt.Errorf("listing sessions: %w", err)
	}
	if h.Keys, err = s.keysOf(ctx, user.ID); err != nil {
		return Holdings{}, err
	}
	names := []string{userName(user.ID)}
	for _, key := range h.Keys {
		names = append(names, keyName(key.ID))
	}
	for _, session := range h.Sessions {
		names = append(names, sessionName(session.ID))
	}
	err = s.store.Entries(ctx, 0, 0, func(e account.Entry) error {
		if slices.Contains(names, e.Actor) || slices.Contains(names, e.Subject) {
			h.Entries = append(h.Entries, e)
		}
		return nil
	})
	if err != nil {
		return Holdings{}, fmt.Errorf("reading the audit log: %w", err)
	}
	return h, nil
}

// Delete removes the caller and everything of theirs, given the password once
// more. ErrCredentials for a wrong one, which counts as one at a sign-in.
func (s *Service) Delete(ctx context.Context, c Caller, password string, o Origin) error {
	if c.Kind != AsUser {
		return ErrForbidden
	}
	user, err := s.user(ctx, c)
	if err != nil {
		return err
	}
	proved, err := s.byPassword(ctx, user.Email, password, o)
	if err != nil {
		return err
	}
	if proved.ID != user.ID {
		return ErrCredentials
	}
	return s.deleteUser(ctx, user.ID, c.Name(), o)
}

func (s *Service) deleteUser(ctx context.Context, id, actor string, o Origin) error {
	err := s.recorded(ctx, actDelete, actor, userName(id), o, func() error { return s.store.DeleteUser(ctx, id) })
	if err != nil {
		return fmt.Errorf("removing a user: %w", err)
	}
	s.end(id)
	return nil
}
