// Package mail sends letters to people: over SMTP, or into a folder where there is
// no server to send them (development). A queue sends them beside requests.
//
// It knows nothing of what the letters are about. go-mail is fenced in here.
package mail

import (
	"context"
	"errors"
	"fmt"

	gomail "github.com/wneessen/go-mail"
)

// Message is a letter of plain text to one address.
type Message struct {
	To      string // a bare address
	Subject string
	Text    string // lines end in "\n"
}

// ErrRefused says that the letter will not be taken however often it is sent.
// It doesn't hold the address, nor what the server said about it.
var ErrRefused = errors.New("the mail server refuses the letter for good")

// Sender sends a letter now.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// letter makes a message as it goes over the wire.
func letter(from string, m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := msg.From(from); err != nil {
		return nil, errors.New("the sender's address can't be used")
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("the recipient's address can't be used: %w", ErrRefused)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody is out of office to it
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}
