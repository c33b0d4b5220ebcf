package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds the sending of one letter.
const sendTimeout = 30 * time.Second

// SMTPOptions says how a mail server is reached.
type SMTPOptions struct {
	// URL is smtp://USER:PASSWORD@HOST:587, which insists on STARTTLS, or
	// smtps://USER:PASSWORD@HOST:465. smtp://HOST:25?tls=off sends in the clear, to a
	// relay on the same machine. USER and PASSWORD may be missing.
	URL string
	// From is the sender: an address, with or without a name.
	From  string
	Roots *x509.CertPool // that the server's certificate may be from; nil: the system's
}

// SMTP sends letters by a mail server. Each is a connection of its own: they are few.
type SMTP struct {
	host    string
	from    string
	options []gomail.Option
}

// NewSMTP reads how the server is reached; it isn't asked yet. Errors don't hold
// the password.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	if _, err := mail.ParseAddress(o.From); err != nil {
		return nil, errors.New("the sender is no email address")
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("it is no address like smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465")
	}
	clear := u.Query().Get("tls") == "off" && u.Scheme == "smtp"
	for name := range u.Query() {
		if name != "tls" || !clear {
			return nil, errors.New("it takes no options but tls=off, for smtp://")
		}
	}
	port := map[string]int{"smtp": 587, "smtps": 465}[u.Scheme]
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return nil, errors.New("its port is none")
		}
	}
	s := &SMTP{host: u.Hostname(), from: o.From, options: []gomail.Option{gomail.WithPort(port), gomail.WithTimeout(sendTimeout)}}
	switch {
	case u.Scheme == "smtps":
		s.options = append(s.options, gomail.WithSSL())
	case clear:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if !clear {
		s.options = append(s.options, gomail.WithTLSConfig(&tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: o.Roots}))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return s, nil
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := letter(s.from, m)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("preparing to send a letter by %s: %w", s.host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, msg)
	if sent, ok := errors.AsType[*gomail.SendError](err); ok {
		// The rest of it names the recipient.
		if !sent.IsTemp() {
			return fmt.Errorf("sending a letter by %s: %s: %w", s.host, sent.Reason, ErrRefused)
		}
		return fmt.Errorf("sending a letter by %s: %s", s.host, sent.Reason)
	}
	if err != nil {
		return fmt.Errorf("sending a letter by %s: %w", s.host, err)
	}
	return nil
}
