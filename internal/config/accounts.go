package config

import (
	"errors"
	"fmt"
	"net/mail"
)

// Accounts says how people's accounts are kept safe, and how letters reach them.
type Accounts struct {
	// SMTPURL names the mail server, with its credentials, see docs/accounts.md; empty: in
	// development letters are written to files, elsewhere none can be sent, and nobody can
	// register.
	SMTPURL Secret `env:"SMTP_URL"`
	// MailFrom is the sender of letters, such as `Crown Safe <no-reply@example.org>`; needed
	// with `CROWNSAFE_SMTP_URL`.
	MailFrom string `env:"MAIL_FROM"`
	// BreachedPasswords is a file of breached passwords' hashes, see docs/accounts.md;
	// empty: only the rules decide about passwords.
	BreachedPasswords string `env:"BREACHED_PASSWORDS"`
}

func (a Accounts) check() error {
	if err := a.SMTPURL.check(); err != nil {
		return fmt.Errorf("CROWNSAFE_SMTP_URL %w", err)
	}
	if a.SMTPURL != "" && a.MailFrom == "" {
		return errors.New("CROWNSAFE_MAIL_FROM is not set; with CROWNSAFE_SMTP_URL letters need a sender")
	}
	if _, err := mail.ParseAddress(a.MailFrom); a.MailFrom != "" && err != nil {
		return errors.New("CROWNSAFE_MAIL_FROM is no email address")
	}
	return nil
}
