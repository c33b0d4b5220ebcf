package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/mail"
	"github.com/crownsafe/api/internal/secret"
)

// developmentSender stands in letters that are written to files.
const developmentSender = "Crown Safe <nobody@crownsafe.invalid>"

// openAccounts makes the service for people's accounts from the settings. Letters
// are sent by the mail server that they name; in development, without one, they are
// written to files in the data directory.
func (a *App) openAccounts() error {
	cfg := a.Config
	logger := a.seen.of("auth")
	options := auth.Options{
		Store: a.Store, PublicURL: publicURL(cfg), OperatorToken: a.opsToken, Logger: logger,
		Seeds: func() [][]byte { return a.Keys.All(secret.AccessTokens) }, Refresh: a.Keys.Refresh,
		PlainHTTP: cfg.Environment == config.Development && strings.HasPrefix(publicURL(cfg), "http://"),
		Verified:  cfg.Accounts.SMTPURL != "", SignIn: a.Metrics.Login,
	}
	if path := cfg.Accounts.BreachedPasswords; path != "" {
		list, err := auth.OpenBreached(path)
		if err != nil {
			return fmt.Errorf("CROWNSAFE_BREACHED_PASSWORDS cannot be used: %w", err)
		}
		a.breached, options.Breached = list, list
	}
	sender, err := a.sender()
	if err != nil {
		return err
	}
	if sender != nil {
		a.letters = mail.NewQueue(sender, mail.QueueOptions{Logger: a.seen.of("mail")})
		options.Post = a.letters
	}
	a.Accounts = auth.New(options)
	return nil
}

// sender sends letters; nil: nothing can.
func (a *App) sender() (mail.Sender, error) {
	settings := a.Config.Accounts
	switch {
	case settings.SMTPURL != "":
		server, err := mail.NewSMTP(mail.SMTPOptions{URL: string(settings.SMTPURL), From: settings.MailFrom})
		if err != nil {
			return nil, fmt.Errorf("CROWNSAFE_SMTP_URL cannot be used: %w", err)
		}
		return server, nil
	case a.Config.Environment == config.Development:
		from := settings.MailFrom
		if from == "" {
			from = developmentSender
		}
		return mail.NewFolder(filepath.Join(a.Config.Data, "mail"), from, a.seen.of("mail")), nil
	}
	return nil, nil //nolint:nilnil // nothing is an answer
}

// keepAccounts does what goes on beside requests, until ctx ends.
func (a *App) keepAccounts(ctx context.Context) {
	a.greetFirstAdmin(ctx)
	a.Accounts.Run(ctx)
}

// greetFirstAdmin says in the log how the first administrator is made, while there
// is none. There is no default password.
func (a *App) greetFirstAdmin(ctx context.Context) {
	has, err := a.Accounts.HasAdmin(ctx)
	if err != nil || has { // a store that doesn't answer is told of elsewhere
		return
	}
	a.Logger.Info("there is no administrator yet; make the first on this machine, with the same settings",
		"command", "crownsafe user create --role admin EMAIL --data "+a.Config.Data)
}

// sendLetters writes and sends what waits, until ctx ends.
func (a *App) sendLetters(ctx context.Context) {
	if a.letters != nil {
		if a.Accounts != nil {
			a.Accounts.Settle(ctx)
		}
		a.letters.Close(ctx)
	}
}

// closeAccounts lets go of what openAccounts opened.
func (a *App) closeAccounts() error {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	a.sendLetters(ended)
	if a.breached != nil {
		_ = a.breached.Close() // it was only read
	}
	return nil
}
