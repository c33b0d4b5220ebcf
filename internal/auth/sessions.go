package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// Logout ends the caller's own session, which may be an operator's cookie with every
// copy of it; of a caller without one it ends nothing.
func (s *Service) Logout(ctx context.Context, c Caller, o Origin) error {
	switch {
	case c.Kind == OperatorToken && c.Cookie:
		return s.endOperatorCookie(ctx, c.SessionID, o)
	case c.Kind != AsUser:
		return nil
	}
	err := s.endSession(ctx, c.UserID, c.SessionID, c.Name(), o)
	if errors.Is(err, store.ErrNotFound) { // it has ended meanwhile
		return nil
	}
	return err
}

// LogoutRefresh ends the session that a refresh token belongs to. ErrInvalid for a
// token that is good no more.
func (s *Service) LogoutRefresh(ctx context.Context, token string, o Origin) error {
	if !wellFormed(token, refreshPrefix) {
		return ErrInvalid
	}
	session, err := s.store.SessionBySecret(ctx, hashOf(token))
	if err == nil {
		err = s.endSession(ctx, session.UserID, session.ID, userName(session.UserID), o)
	}
	if errors.Is(err, store.ErrNotFound) {
		return ErrInvalid
	}
	return err
}

// Sessions lists the caller's live sessions, newest first.
func (s *Service) Sessions(ctx context.Context, c Caller) ([]account.Session, error) {
	if c.UserID == "" {
		return nil, ErrForbidden
	}
	list, err := s.store.Sessions(ctx, c.UserID, s.now())
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	return list, nil
}

// EndSession ends one of the caller's sessions. store.ErrNotFound for another's.
func (s *Service) EndSession(ctx context.Context, c Caller, id string, o Origin) error {
	if c.Kind != AsUser {
		return ErrForbidden
	}
	return s.endSession(ctx, c.UserID, id, c.Name(), o)
}

func (s *Service) endSession(ctx context.Context, userID, id, actor string, o Origin) error {
	id = strings.ToLower(id)
	// Not recorded before: that somebody tried another's id is nothing that was done,
	// and an end that can't be written down is better than a session that goes on.
	if err := s.store.EndSession(ctx, userID, id, s.now()); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	s.end(id)
	if err := s.record(ctx, actSignOut, actor, sessionName(id), o); err != nil {
		s.logger.WarnContext(ctx, "the end of a session could not be written into the audit log", "error", err)
	}
	return nil
}

// endSessions ends all of a user's sessions.
func (s *Service) endSessions(ctx context.Context, userID string) error {
	ended, err := s.store.EndSessions(ctx, userID, "", s.now())
	if err != nil {
		return fmt.Errorf("ending a user's sessions: %w", err)
	}
	s.end(ended...)
	return nil
}

// user returns the user that the caller is, or whose key it is.
func (s *Service) user(ctx context.Context, c Caller) (account.User, error) {
	if c.UserID == "" {
		return account.User{}, ErrForbidden
	}
	u, err := s.store.User(ctx, c.UserID)
	if err != nil {
		return account.User{}, fmt.Errorf("looking for a user: %w", err)
	}
	return u, nil
}
