package agency

import (
	"errors"
	"net/http"

	"github.com/crownsafe/api/internal/recall"
)

// WeeklyDumpDue tells whether no poll has succeeded yet in this ISO week, for
// agencies whose edits don't show in a question for what is new: those are
// asked for everything once a week. A failed dump is tried again by every poll
// until one succeeds.
func WeeklyDumpDue(since Since) bool {
	if since.LastSuccess.IsZero() {
		return true
	}
	lastYear, lastWeek := since.LastSuccess.UTC().ISOWeek()
	year, week := since.Now.UTC().ISOWeek()
	return lastYear != year || lastWeek != week
}

// NarrowerMayWork tells whether a failed question may succeed in smaller parts:
// the agency answered, but with an error page, an error of its server or half
// of what was asked for. Without a connection a smaller question fails as well,
// and one that was refused stays refused.
func NarrowerMayWork(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status >= http.StatusInternalServerError
	}
	_, failed := errors.AsType[*AnswerError](err)
	return failed || errors.Is(err, ErrTruncated)
}

// Series hands over the payloads of one dump, always one behind, because only
// its end tells that the dump is complete, and the last payload has to say so.
type Series struct {
	deliver func(Payload) error
	held    *Payload
}

// NewSeries returns a series that hands over to deliver.
func NewSeries(deliver func(Payload) error) *Series { return &Series{deliver: deliver} }

// Add takes the next payload and hands over the one before.
func (s *Series) Add(p Payload) error {
	if s.held != nil {
		if err := s.deliver(*s.held); err != nil {
			return err
		}
	}
	s.held = &p
	return nil
}

// Empty reports that there was no payload.
func (s *Series) Empty() bool { return s.held == nil }

// End hands over the last payload, which ends a complete dump or a series that
// broke off.
func (s *Series) End(complete bool) error {
	if s.held == nil {
		return nil
	}
	s.held.Complete = complete
	return s.deliver(*s.held)
}

// Divided is an Agency whose notices come from several places, so that a
// complete dump need not hold them all: it holds every notice of some parts and
// none of the others.
type Divided interface {
	Agency
	// PartOf names the part that a stored notice belongs to. A complete dump is
	// taken to be one of the parts of which it holds any notice.
	PartOf(n *recall.Notice) string
}
