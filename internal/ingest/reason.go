package ingest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// unreadable marks an error of a payload that its agency's parser gave up.
type unreadable struct{ error }

// Unwrap implements errors.Unwrap.
func (e unreadable) Unwrap() error { return e.error }

// notTheirs marks a payload that is in none of its agency's formats.
type notTheirs struct{ error }

// Unwrap implements errors.Unwrap.
func (e notTheirs) Unwrap() error { return e.error }

// publicReason says what kind of failure ended a poll, for sources, which
// everybody may read. An error's own words name addresses, queries, keys and
// places on this machine, or quote whatever answered: so they are for the log
// alone, and what is not known here is not repeated.
func publicReason(err error) string {
	if errors.Is(err, ErrGuarded) {
		return err.Error() // all of our own words
	}
	for _, look := range []func(error) string{ownFault, answerFault, connectionFault} {
		if reason := look(err); reason != "" {
			return reason
		}
	}
	return "the poll could not be finished; the log says why"
}

// Refused reports that the reason of a run, or of a source for it, is that the agency
// refuses access.
func Refused(reason string) bool { return strings.Contains(reason, agency.ErrRefused.Error()) }

// ownFault names what is wrong on this side.
func ownFault(err error) string {
	if errors.Is(err, ErrLeaseLost) {
		return ErrLeaseLost.Error()
	}
	for _, sentinel := range []error{
		store.ErrFull, store.ErrReadOnly, store.ErrCorrupt, store.ErrBusy, store.ErrNewerVersion, store.ErrUnavailable, blob.ErrFull, blob.ErrReadOnly, blob.ErrDamaged,
	} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return "a file could not be written or read"
	}
	if errors.Is(err, context.Canceled) {
		return "the poll was stopped"
	}
	return ""
}

// answerFault names what is wrong with what the agency answered.
func answerFault(err error) string {
	if e, ok := errors.AsType[*agency.StatusError](err); ok {
		if errors.Is(e, agency.ErrRefused) {
			return fmt.Sprintf("%v (HTTP status %d %s)", agency.ErrRefused, e.Status, http.StatusText(e.Status))
		}
		return fmt.Sprintf("the agency answered with HTTP status %d %s", e.Status, http.StatusText(e.Status))
	}
	switch {
	case errors.Is(err, agency.ErrTooLarge):
		return agency.ErrTooLarge.Error()
	case errors.Is(err, agency.ErrTruncated):
		return "the answer ended in the middle"
	}
	switch {
	case isAny[notTheirs](err):
		return "the answer is not in the expected format"
	case isAny[*agency.AnswerError](err):
		return "the agency answered with an error or without notices"
	}
	if isAny[unreadable](err) || isAny[*json.SyntaxError](err) || isAny[*json.UnmarshalTypeError](err) || isAny[*xml.SyntaxError](err) {
		return "the answer is not in the expected format"
	}
	return ""
}

// connectionFault names what went wrong on the way. Timeouts come last: a
// question that was asked again until its time was up failed for another reason.
func connectionFault(err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return "the feed's name was not found"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was cut"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the feed's host cannot be reached"
	case isTLS(err):
		return "no secure connection could be made (TLS)"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time (timeout)"
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		if e.Timeout() {
			return "no answer in time (timeout)"
		}
		return "the connection failed"
	}
	return ""
}

func isTLS(err error) bool {
	return isAny[*tls.CertificateVerificationError](err) || isAny[tls.RecordHeaderError](err) || isAny[tls.AlertError](err) ||
		isAny[x509.UnknownAuthorityError](err) || isAny[x509.HostnameError](err) || isAny[x509.CertificateInvalidError](err)
}

func isAny[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
