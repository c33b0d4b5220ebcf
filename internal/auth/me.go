package auth

import (
	"context"
	"fmt"
	"strings"

	"github.com/crownsafe/api/internal/account"
)

// Me returns the user that the caller is, or whose key it is.
func (s *Service) Me(ctx context.Context, c Caller) (account.User, error) { return s.user(ctx, c) }

// Holdings is everything that is kept about a user. Hashes of secrets and of
// passwords are for nobody to see.
type Holdings struct {
	User     account.User
	Sessions []account.Session     // those that are over included
	Keys     []account.Key         // likewise
	Tokens   []account.Token       // of letters that were sent
	Attempts []account.KeptAttempt // requests whose answers are kept
	// Entries are those of the audit log that name the user, or a session or key that
	// was ever theirs as far as the log tells.
	Entries []account.Entry
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
	if h.Sessions, err = s.store.SessionsOf(ctx, user.ID); err != nil {
		return Holdings{}, fmt.Errorf("listing sessions: %w", err)
	}
	if h.Keys, err = s.keysOf(ctx, user.ID); err != nil {
		return Holdings{}, err
	}
	if h.Tokens, err = s.store.TokensOf(ctx, user.ID); err != nil {
		return Holdings{}, fmt.Errorf("listing single-use tokens: %w", err)
	}
	if h.Attempts, err = s.store.AttemptsOf(ctx, user.ID); err != nil {
		return Holdings{}, fmt.Errorf("listing kept answers: %w", err)
	}
	if h.Entries, err = s.entriesAbout(ctx, h); err != nil {
		return Holdings{}, fmt.Errorf("reading the audit log: %w", err)
	}
	return h, nil
}

// entriesAbout reads the entries of the audit log that name a user or something of
// theirs. What is gone from the store is known by who began it: the entry of that
// stands before all others that name it.
func (s *Service) entriesAbout(ctx context.Context, h Holdings) ([]account.Entry, error) {
	who := userName(h.User.ID)
	names := map[string]bool{who: true}
	for _, key := range h.Keys {
		names[keyName(key.ID)] = true
	}
	for _, session := range h.Sessions {
		names[sessionName(session.ID)] = true
	}
	var about []account.Entry
	err := s.store.Entries(ctx, 0, 0, func(e account.Entry) error {
		if e.Actor == who && (strings.HasPrefix(e.Subject, sessionName("")) || strings.HasPrefix(e.Subject, keyName(""))) {
			names[e.Subject] = true
		}
		if names[e.Actor] || names[e.Subject] {
			about = append(about, e)
		}
		return nil
	})
	return about, err
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
