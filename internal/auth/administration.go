package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crownsafe/api/internal/account"
)

// ErrRole says that a text is no role that a user can have.
var ErrRole = errors.New("is no role; give member, operator or admin")

// ParseRole reads the role of a user.
func ParseRole(text string) (account.Role, error) {
	switch r := account.Role(text); r {
	case account.Member, account.Operator, account.Admin:
		return r, nil
	}
	return "", ErrRole
}

// What administrators do on the machine itself. The audit log names them
// "command-line"; what it can't be told isn't done. An address that is nobody's is
// store.ErrNotFound.

// CreateUser makes a user whose address counts as proved.
func (s *Service) CreateUser(ctx context.Context, email, password string, role account.Role) (account.User, error) {
	a, err := ParseAddress(email)
	if err != nil {
		return account.User{}, err
	}
	if err := s.checkPassword(ctx, password, a); err != nil {
		return account.User{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return account.User{}, err
	}
	now := s.now()
	user := account.User{
		ID: newID(), Email: a.Given, EmailKey: a.Key, PasswordHash: hash, Role: role, CreatedAt: now, VerifiedAt: now, PasswordAt: now,
	}
	err = s.recorded(ctx, actCreateUser, CommandLine, userName(user.ID), Origin{}, func() error { return s.store.CreateUser(ctx, user) })
	if err != nil {
		return account.User{}, fmt.Errorf("storing a new user: %w", err)
	}
	return user, nil
}

// UserByEmail returns who has an address.
func (s *Service) UserByEmail(ctx context.Context, email string) (account.User, error) {
	a, err := ParseAddress(email)
	if err != nil {
		return account.User{}, err
	}
	user, err := s.store.UserByEmail(ctx, a.Key)
	if err != nil {
		return account.User{}, fmt.Errorf("looking for %s: %w", a.Given, err)
	}
	return user, nil
}

// Users calls yield with every user, in the order in which they came.
func (s *Service) Users(ctx context.Context, yield func(account.User) error) error {
	const page = 500
	after := ""
	for {
		users, err := s.store.Users(ctx, after, page)
		if err != nil {
			return fmt.Errorf("listing users: %w", err)
		}
		for _, user := range users {
			if err := yield(user); err != nil {
				return err
			}
		}
		if len(users) < page {
			return nil
		}
		after = users[len(users)-1].ID
	}
}

var errFound = errors.New("found")

// HasAdmin reports whether some user who may sign in is an administrator.
func (s *Service) HasAdmin(ctx context.Context) (bool, error) {
	err := s.Users(ctx, func(u account.User) error {
		if u.Role == account.Admin && u.DisabledAt.IsZero() {
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// administer does something to the user who has an address, and tells of it.
func (s *Service) administer(ctx context.Context, email, action string, do func(u account.User) error) error {
	user, err := s.UserByEmail(ctx, email)
	if err != nil {
		return err
	}
	return s.recorded(ctx, action, CommandLine, userName(user.ID), Origin{}, func() error { return do(user) })
}

// SetRole gives a user a role.
func (s *Service) SetRole(ctx context.Context, email string, role account.Role) error {
	return s.administer(ctx, email, actRole, func(u account.User) error { return s.store.SetRole(ctx, u.ID, role) })
}

// Disable shuts a user's account and ends their sessions; their keys are refused
// until Enable.
func (s *Service) Disable(ctx context.Context, email string) error {
	return s.administer(ctx, email, actDisable, func(u account.User) error {
		return errors.Join(s.store.SetDisabled(ctx, u.ID, s.now()), s.endSessions(ctx, u.ID))
	})
}

// Enable opens a user's account again, and forgets wrong passwords.
func (s *Service) Enable(ctx context.Context, email string) error {
	return s.administer(ctx, email, actEnable, func(u account.User) error {
		return errors.Join(s.store.SetDisabled(ctx, u.ID, time.Time{}), s.store.ClearFailures(ctx, u.ID))
	})
}

// MarkVerified counts a user's address as proved.
func (s *Service) MarkVerified(ctx context.Context, email string) error {
	return s.administer(ctx, email, actVerify, func(u account.User) error { return s.store.SetVerified(ctx, u.ID, s.now()) })
}

// SetPassword sets a user's password and ends their sessions.
func (s *Service) SetPassword(ctx context.Context, email, password string) error {
	a, err := ParseAddress(email)
	if err != nil {
		return err
	}
	if err := s.checkPassword(ctx, password, a); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.administer(ctx, email, actPassword, func(u account.User) error { return s.replacePassword(ctx, u.ID, hash) })
}

// DeleteUser removes a user and everything of theirs.
func (s *Service) DeleteUser(ctx context.Context, email string) error {
	user, err := s.UserByEmail(ctx, email)
	if err != nil {
		return err
	}
	return s.deleteUser(ctx, user.ID, CommandLine, Origin{})
}

// CreateKeyFor makes a key for a user; see CreateKey.
func (s *Service) CreateKeyFor(ctx context.Context, email string, k NewKey) (account.Key, string, error) {
	user, err := s.UserByEmail(ctx, email)
	if err != nil {
		return account.Key{}, "", err
	}
	if !(Caller{Role: user.Role}).mayGive(k.Scopes) {
		return account.Key{}, "", ErrForbidden
	}
	return s.createKey(ctx, user.ID, CommandLine, k, Origin{})
}

// KeysOf lists a user's keys; see Keys.
func (s *Service) KeysOf(ctx context.Context, email string) ([]account.Key, error) {
	user, err := s.UserByEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	return s.keysOf(ctx, user.ID)
}

// RevokeKeyOf ends one of a user's keys; see RevokeKey.
func (s *Service) RevokeKeyOf(ctx context.Context, email, id string) error {
	user, err := s.UserByEmail(ctx, email)
	if err != nil {
		return err
	}
	return s.revokeKey(ctx, user.ID, id, CommandLine, Origin{})
}
