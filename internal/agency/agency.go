// Package agency is the port to the agencies that publish recall notices: what
// an agency is, how its payloads are recognised and parsed, and how it is
// asked. Each agency has one package below this one; the list is explicit, in
// package app.
//
// It knows nothing of storage, of the catalogue, or of who asks.
package agency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// Description is what there is to know about an agency apart from its notices.
type Description struct {
	Code        string // as in notice ids: us-cpsc
	Name        string // the agency's own name
	Country     string // ISO 3166-1 alpha-2, or EU
	Licence     string // of the data
	Attribution string // the words that the licence demands, or a courteous credit
	Republish   bool   // whether the licence lets the notices be passed on
	// Interval is the time between two polls; Objective is the age of the last
	// success from which on the source is stale.
	Interval, Objective time.Duration
	// Withheld says why the live feed cannot be asked as things are, such as for
	// want of a key, and what would change that; empty: it can. Files of the
	// agency are read all the same.
	Withheld string
}

// Agency reads one agency's notices, live and from files.
type Agency interface {
	Describe() Description
	// Recognise looks at the first bytes (up to RecogniseBytes, decompressed) of
	// a payload and says what it is to this agency. It never fails: what is not
	// this agency's is NotMine.
	Recognise(name string, head []byte) Recognition
	// Parse reads a whole payload of a format that Recognise named and emits
	// its records in the payload's order. One bad record is a Reject, never an
	// error; the error says that the payload could not be read whole (truncated,
	// corrupt) and what was emitted before it still counts. An error returned by
	// the sink stops the parse and is returned.
	Parse(ctx context.Context, format string, payload io.Reader, sink Sink) error
	// Fetch asks the live feed for what may have changed and hands every answer
	// that it got, as it came, to deliver, in an order in which they may be
	// parsed. An error from deliver stops the fetch and is returned.
	Fetch(ctx context.Context, client *Client, since Since, deliver func(Payload) error) error
}

// RecogniseBytes is how much of a payload Recognise gets to see at most.
const RecogniseBytes = 256 << 10

// Kind is what a payload is to an agency.
type Kind int

// The kinds of payload.
const (
	NotMine   Kind = iota // no format of this agency
	Notices               // notices in one of the agency's formats
	ErrorBody             // the agency's own way of saying that it failed, or an apology page
	Empty                 // a well-formed answer without records
)

// Recognition is an agency's word on a payload.
type Recognition struct {
	Kind   Kind
	Format string // the agency's name for the format, to be given to Parse
	Note   string // for people: what the error body says
}

// Record is one notice as a payload gave it.
type Record struct {
	// Notice is complete but for FirstSeenAt, Revision and Provenance, which the
	// ingest run fills in.
	Notice recall.Notice
	// SourceHash is HashOf the record's own content, normalised: it doesn't
	// change with our parser, nor with blanks and the order of fields.
	SourceHash string
	// Version orders copies of one notice by the agency's own word: its version
	// number or the day of its last publication (as YYYYMMDD). 0: no such word.
	Version int64
	// Completeness orders formats of one notice at the same Version: a copy from
	// a richer format replaces one from a poorer format, never the other way
	// round. Above 0; 0 is a starter entry.
	Completeness int
	// FormerIDs are ids under which this same notice may have been stored before
	// its agency gave it its number.
	FormerIDs []string
	// Doubts say what of the record could not be read although the notice can be
	// used all the same, such as a mistyped date that another stands in for.
	Doubts []string `json:",omitempty"`
}

// Reject is a record that could not become a notice.
type Reject struct {
	NativeID string // as far as it could be read, or ""
	Position int    // of the record in the payload, from 1
	Reason   string
	Excerpt  string // the beginning of the record, at most 2,000 characters
}

// Sink takes what Parse reads.
type Sink struct {
	Record func(Record) error
	Reject func(Reject) error
}

// Payload is one answer of a live feed, as it came.
type Payload struct {
	URL       string
	FetchedAt time.Time
	Body      []byte
	// Complete says that the payload, or the last of a series in one fetch, ends
	// a dump of everything that the agency has; of every part of its notices that
	// the series holds any of, where it is Divided.
	Complete bool
}

// Since tells Fetch what is already here.
type Since struct {
	LastSuccess time.Time // of the last poll; zero: never polled
	Now         time.Time
}

// AnswerError is an agency's answer that says that the agency failed, although
// it came with status 200, or a payload that is no answer of the agency's.
type AnswerError struct {
	Agency, URL, Said string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s answered with an error instead of notices (%s): %s", e.Agency, e.URL, e.Said)
}

// ErrTruncated is wrapped by Parse's error when a payload ends before its time.
var ErrTruncated = errors.New("the payload ends in the middle")
