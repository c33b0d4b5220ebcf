package auth

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/mail"
)

// mayWrite reports whether a letter of a kind may go to an address: one a minute,
// so that nobody can have somebody else flooded.
func (s *Service) mayWrite(kind string, a Address) bool {
	return s.sent.first(kind+"\n"+a.Key, struct{}{})
}

// token stores a new single-use token and returns it; pending is the hash of the
// password that becomes the user's with it, nil for none.
func (s *Service) token(ctx context.Context, userID string, purpose account.Purpose, pending []byte) (string, error) {
	prefix, lasts := verifyPrefix, VerifyLasts
	if purpose == account.PurposeReset {
		prefix, lasts = resetPrefix, ResetLasts
	}
	token, now := newSecret(prefix), s.now()
	err := s.store.SaveToken(ctx, account.Token{
		Hash: hashOf(token), UserID: userID, Purpose: purpose, CreatedAt: now, ExpiresAt: now.Add(lasts), Pending: pending,
	})
	if err != nil {
		return "", fmt.Errorf("storing a single-use token: %w", err)
	}
	return token, nil
}

func (s *Service) link(page, token string) string {
	return s.publicURL + page + "?token=" + url.QueryEscape(token)
}

// sendVerify sends a letter by which an address is proved, and a password with it.
func (s *Service) sendVerify(ctx context.Context, userID string, a Address, pending []byte) error {
	token, err := s.token(ctx, userID, account.PurposeVerify, pending)
	if err != nil {
		return err
	}
	return s.sendLetter(a, "Confirm your address for Crown Safe", fmt.Sprintf(`Somebody, presumably you, made an account at Crown Safe with this address and
a password of their choice, at %s.

If that was you, confirm that address and password are yours: open this page
within 24 hours:

%s

or send this to POST /api/v1/auth/verify as "token":

%s

If that was not you, or not at this time, do nothing: without the confirmation
their password is worth nothing.
`, s.now().Format("15:04 on 2 January 2006 (UTC)"), s.link("/verify", token), token))
}

// sendReset sends a letter by which a new password is set.
func (s *Service) sendReset(ctx context.Context, userID string, a Address) error {
	token, err := s.token(ctx, userID, account.PurposeReset, nil)
	if err != nil {
		return err
	}
	return s.sendLetter(a, "Set a new password for Crown Safe", fmt.Sprintf(`Somebody, presumably you, asked for a new password for the account at Crown Safe
that has this address.

To set one, open this page within an hour:

%s

or send this to POST /api/v1/auth/reset as "token", with the new "password":

%s

If that was not you, do nothing: the password stays as it is.
`, s.link("/reset", token), token))
}

// sendExists tells somebody who has an account already that it was asked for.
func (s *Service) sendExists(a Address) error {
	return s.sendLetter(a, "You have an account at Crown Safe already", fmt.Sprintf(`Somebody, presumably you, wanted to make an account at Crown Safe with this
address. There is one already, and it was not changed.

If you forgot its password, set a new one: %s

If that was not you, do nothing.
`, s.publicURL+"/reset"))
}

func (s *Service) sendLetter(a Address, subject, text string) error {
	err := s.post.Send(mail.Message{To: a.Given, Subject: subject, Text: text})
	if errors.Is(err, mail.ErrFull) {
		return ErrLetters
	}
	if err != nil {
		return fmt.Errorf("taking a letter: %w", err)
	}
	return nil
}
