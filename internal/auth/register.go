package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// Register makes an account for an address, and sends a letter by which the
// address is proved. Whether there is one already isn't told: its owner gets
// another letter then. Errors: ErrAddress, *WeakPassword, ErrNoMail, ErrLetters,
// ErrBusy.
//
// An account whose address was never proved is nobody's yet, and may be registered
// again. Each letter confirms the password that it was asked for with, so that nobody
// can lie in wait in somebody's name; no password is taken without its letter.
func (s *Service) Register(ctx context.Context, email, password string, o Origin) error {
	if s.post == nil {
		return ErrNoMail
	}
	a, err := ParseAddress(email)
	if err != nil {
		return err
	}
	if err := s.checkPassword(ctx, password, a); err != nil {
		return err
	}
	if err := s.mayTake(ctx); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, password) // also where it isn't needed: it takes the same time
	if err != nil {
		return err
	}
	err = s.sendRegistered(ctx, a, hash, o)
	if errors.Is(err, store.ErrNotFound) { // the account was abandoned, and removed this very moment: there is a new one
		err = s.sendRegistered(ctx, a, hash, o)
	}
	return err
}

// sendRegistered sends whoever has an address, who is made where there is none, the
// letter that goes with a registration.
func (s *Service) sendRegistered(ctx context.Context, a Address, hash []byte, o Origin) error {
	user, err := s.registered(ctx, a, hash, o)
	if err != nil {
		return err
	}
	a.Given = user.Email // as it was written first
	if !user.VerifiedAt.IsZero() {
		if !s.mayWrite(actRegister, a) {
			return nil
		}
		return s.sendExists(a)
	}
	return s.sendVerify(ctx, user.ID, a, hash)
}

// registered returns the user who has an address, who is made where there is none.
func (s *Service) registered(ctx context.Context, a Address, hash []byte, o Origin) (account.User, error) {
	user, err := s.store.UserByEmail(ctx, a.Key)
	if errors.Is(err, store.ErrNotFound) {
		now := s.now()
		user = account.User{
			ID: newID(), Email: a.Given, EmailKey: a.Key, PasswordHash: hash, Role: account.Member, CreatedAt: now, PasswordAt: now,
		}
		err = s.recorded(ctx, actRegister, string(Anonymous), userName(user.ID), o, func() error { return s.store.CreateUser(ctx, user) })
		if !errors.Is(err, account.ErrTaken) {
			return user, wrapped(err, "storing a new user")
		}
		user, err = s.store.UserByEmail(ctx, a.Key) // who came this very moment
	} else if err == nil && user.VerifiedAt.IsZero() {
		err = s.record(ctx, actRegister, string(Anonymous), userName(user.ID), o)
	}
	return user, wrapped(err, "looking for a user")
}

// wrapped says what an error kept from being done; nil stays nil.
func wrapped(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// replacePassword sets a password and ends everything that the one before began.
func (s *Service) replacePassword(ctx context.Context, userID string, hash []byte) error {
	if err := s.store.SetPassword(ctx, userID, hash, s.now()); err != nil {
		return fmt.Errorf("setting a password: %w", err)
	}
	return s.endSessions(ctx, userID)
}

// RequestVerification sends another letter by which an address is proved, if it
// is somebody's whose address wasn't yet; whether it is isn't told. Who asks for it
// names no password, and whose the account's is isn't known: it is set anew by the
// letter, with Reset.
func (s *Service) RequestVerification(ctx context.Context, email string, _ Origin) error {
	return s.request(ctx, email, actVerify, func(ctx context.Context, user account.User, a Address) error {
		if !user.VerifiedAt.IsZero() {
			return nil
		}
		return s.sendReset(ctx, user.ID, a)
	})
}

// RequestReset sends a letter by which a new password is set, if the address is
// somebody's; whether it is isn't told.
func (s *Service) RequestReset(ctx context.Context, email string, o Origin) error {
	return s.request(ctx, email, actResetAsk, func(ctx context.Context, user account.User, a Address) error {
		if !s.open(user) {
			return nil
		}
		if err := s.record(ctx, actResetAsk, string(Anonymous), userName(user.ID), o); err != nil {
			return err
		}
		return s.sendReset(ctx, user.ID, a)
	})
}

// request does something for the user who has an address, at most once a minute,
// after the answer: it is the same, and takes the same time, for any address.
func (s *Service) request(ctx context.Context, email, action string, do func(context.Context, account.User, Address) error) error {
	a, err := ParseAddress(email)
	if err != nil && s.post != nil {
		return err
	}
	if err := s.mayTake(ctx); err != nil {
		return err
	}
	return s.afterwards(ctx, action, func(ctx context.Context) error {
		user, err := s.store.UserByEmail(ctx, a.Key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return fmt.Errorf("looking for a user: %w", err)
		case !s.mayWrite(action, a):
			return nil
		}
		a.Given = user.Email // as its owner wrote it
		return do(ctx, user, a)
	})
}

// Verify proves an address by a token from a letter, and makes the password the
// user's that the letter was asked for with: what was begun with another one ends.
// ErrInvalid for a token that is good no more: the address was proved, or another
// password set, since the letter was sent.
func (s *Service) Verify(ctx context.Context, token string, o Origin) error {
	used, err := s.use(ctx, token, verifyPrefix, account.PurposeVerify, o)
	if err != nil {
		return err
	}
	user, err := s.store.User(ctx, used.UserID)
	if err != nil {
		return fmt.Errorf("looking for a user: %w", gone(err))
	}
	if !user.VerifiedAt.IsZero() || used.CreatedAt.Before(user.PasswordAt) {
		return ErrInvalid
	}
	err = s.recorded(ctx, actVerify, userName(user.ID), "", o, func() error {
		if !bytes.Equal(used.Pending, user.PasswordHash) {
			if err := s.takeOver(ctx, user.ID, used.Pending, o); err != nil {
				return err
			}
		}
		return s.setVerified(ctx, user.ID)
	})
	return gone(err)
}

// takeOver sets the password of whoever proved the address first, and ends what
// others began with another one: sessions and keys.
func (s *Service) takeOver(ctx context.Context, userID string, hash []byte, o Origin) error {
	if err := s.replacePassword(ctx, userID, hash); err != nil {
		return err
	}
	keys, err := s.store.Keys(ctx, userID)
	if err != nil {
		return fmt.Errorf("listing a user's keys: %w", err)
	}
	for _, key := range keys {
		if !key.Good(s.now()) {
			continue
		}
		if err := s.revokeKey(ctx, userID, key.ID, userName(userID), o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) setVerified(ctx context.Context, userID string) error {
	return wrapped(s.store.SetVerified(ctx, userID, s.now()), "storing that an address was proved")
}

// Reset sets a new password by a token from a letter, which proves the address
// too, and ends all of the user's sessions. A *WeakPassword leaves the token good.
func (s *Service) Reset(ctx context.Context, token, password string, o Origin) error {
	if err := s.mayTry(o); err != nil {
		return err
	}
	// Whose it is isn't known yet; the password must not be anything that is refused
	// to everybody, and what is made of the address is found out with the token.
	if err := s.checkPassword(ctx, password, Address{}); err != nil {
		return err
	}
	if !wellFormed(token, resetPrefix) {
		s.networks.fail(o.place())
		return ErrInvalid
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	used, err := s.use(ctx, token, resetPrefix, account.PurposeReset, o)
	if err != nil {
		return err
	}
	if err := s.notTheAddress(ctx, used, password); err != nil {
		return err
	}
	err = s.recorded(ctx, actReset, userName(used.UserID), "", o, func() error {
		if err := s.replacePassword(ctx, used.UserID, hash); err != nil {
			return err
		}
		return s.setVerified(ctx, used.UserID)
	})
	return gone(err)
}

// notTheAddress returns a *WeakPassword for one that is made of the address of the
// token's user, and lets the token be used again then.
func (s *Service) notTheAddress(ctx context.Context, used account.Token, password string) error {
	user, err := s.store.User(ctx, used.UserID)
	if err != nil {
		return fmt.Errorf("looking for a user: %w", gone(err))
	}
	err = s.checkPassword(ctx, password, Address{Given: user.Email, Key: user.EmailKey})
	if _, weak := errors.AsType[*WeakPassword](err); weak {
		err = errors.Join(err, s.store.SaveToken(ctx, used))
	}
	return err
}

// use takes a single-use token away.
func (s *Service) use(ctx context.Context, token, prefix string, purpose account.Purpose, o Origin) (account.Token, error) {
	if !wellFormed(token, prefix) {
		s.networks.fail(o.place())
		return account.Token{}, ErrInvalid
	}
	used, err := s.store.UseToken(ctx, hashOf(token), purpose, s.now())
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.networks.fail(o.place())
		return account.Token{}, ErrInvalid
	case err != nil:
		return account.Token{}, fmt.Errorf("using a single-use token: %w", err)
	}
	return used, nil
}
