// Package store is the port to the truth: notices with their revisions under a
// growing serial number, the runs that brought them, and what was rejected.
// The adapters (store/sqlite, store/postgres) share what is the same in all of
// them (store/ledger) and pass the one conformance suite in store/storetest;
// behaviour that is not in the suite does not exist.
//
// It knows nothing of agencies' formats, of the catalogue or of HTTP.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// Errors that adapters translate their driver's errors into; tested with errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrNewerVersion = errors.New("written by a newer version of crownsafe")
	ErrReadOnly     = errors.New("the store cannot be written to")
	ErrFull         = errors.New("no space left for the store")
	ErrCorrupt      = errors.New("the store's file is damaged")
	ErrBusy         = errors.New("the store is locked by another process")
	ErrUnavailable  = errors.New("the store doesn't answer")
)

// Incoming is one notice on its way in.
type Incoming struct {
	Notice       recall.Notice // complete but for FirstSeenAt and Revision
	SourceHash   string        // of the record's own content; see agency.Record
	Version      int64
	Completeness int
	FormerIDs    []string
	// Live says that the copy came from the agency just now: it is the present
	// truth and replaces what is stored, whatever its version. A copy from a file
	// is never taken for newer than what is stored without a reason.
	Live bool
	// Replayed says that the copy was read before and is read anew from the
	// archive: it changes only what a better reading changes.
	Replayed bool
	// Timed says that the notice's way into the catalogue is to be measured if
	// this is the first that is seen of it.
	Timed bool
}

// Effect is what became of an incoming notice.
type Effect int

// The effects.
const (
	Added     Effect = iota // the first revision of a new notice
	Revised                 // a further revision
	Unchanged               // the content is what is stored already
	Older                   // an older or poorer copy of what is stored; nothing was changed
	Unheard                 // a replayed copy that was never offered before, of a notice that is stored; nothing was changed
)

// Stored is the current revision of a notice with its serial.
type Stored struct {
	Serial int64
	Notice recall.Notice
	// Tombstone says that the id has left the catalogue: the notice is withdrawn
	// or lives on under another id.
	Tombstone bool
}

// Revision is one revision of a notice.
type Revision struct {
	Serial int64
	SeenAt time.Time
	Notice recall.Notice
}

// Notices keeps notices. Every change of what an id stands for takes a new
// serial; serials grow without gaps, a reader never sees serial n before all
// below n are visible, and a notice's Stored.Serial is that of its latest
// revision or of its becoming a tombstone. Times are kept to the microsecond,
// in UTC. An id that nobody stored, or an empty one, is ErrNotFound.
type Notices interface {
	// Apply stores a batch in one transaction and returns what became of each,
	// in order; an id that stands in the batch twice is applied twice. An error,
	// a cancelled context among them, leaves nothing of the batch behind. Rules,
	// in this order, against the stored current revision:
	//   1. nothing stored: Added, revision 1.
	//   2. equal ContentHash: Unchanged. (Provenance, revision and first_seen_at
	//      are no content.)
	//   3. stored is a starter entry (completeness 0) and the incoming is not: Revised.
	//      An incoming starter entry over an agency's own notice: Older.
	//   4. Live: Revised; but of the Version that is stored (above 0) and a lower
	//      Completeness: Older, for an agency's list says less than its page.
	//   5. lower Version (when both are above 0): Older. Higher Version: Revised.
	//   6. lower Completeness: Older.
	//   7. the SourceHash was offered before, other than for the present revision:
	//      Older (an old file imported again). Else Revised; an equal SourceHash
	//      with another content is a better reading of the same record.
	// An Unchanged copy lends its higher Version and Completeness to what is
	// stored; but a starter entry stays one, and content without a Version takes
	// none from a poorer copy. A Version of 0 leaves the stored one as it is: it
	// is no word on age.
	//
	// A Replayed copy goes by rules 1 to 3 and then by what became of it before: a
	// SourceHash that the present revision stands on is Revised, unless a richer
	// or newer copy stands for it too: then it is Older, as is one offered for
	// another revision. One never offered is Unheard, or Older where rules 5 and 6
	// say so of a copy that wasn't Live.
	//
	// A Live copy that isn't Replayed ends the count of its notice's misses; see Dumps. A notice that is
	// Added, Revised or Unchanged settles the rejections of its record that were
	// seen no later than its Provenance.FetchedAt; see Runs.
	//
	// FirstSeenAt is kept from the first revision; now is that of the first and
	// the SeenAt of each revision. A notice stored under one of FormerIDs is
	// superseded, whatever became of the incoming copy: its id becomes a
	// tombstone with a new serial and resolves to the new id from then on, through
	// any number of steps. A copy that comes under an id that was superseded, now
	// or later, is Older. The first notice to claim a former id keeps it.
	Apply(ctx context.Context, batch []Incoming, now time.Time) ([]Effect, error)
	// Withdraw marks a notice withdrawn: a further revision with status
	// withdrawn. ErrNotFound when there is none; no effect when it is already, nor
	// on a superseded id: what it resolves to is another notice's business.
	Withdraw(ctx context.Context, id string, now time.Time) error
	// Notice returns the current revision, resolving former ids. ErrNotFound.
	Notice(ctx context.Context, id string) (Stored, error)
	// NoticeAsOf returns the revision that was current at a time, by SeenAt, a
	// revision seen at that very time included. A superseded id gives its own
	// revisions until then and the new id's from then on. ErrNotFound when the
	// notice was not yet known then.
	NoticeAsOf(ctx context.Context, id string, at time.Time) (Revision, error)
	// Revisions returns every revision, oldest first, resolving former ids.
	// ErrNotFound.
	Revisions(ctx context.Context, id string) ([]Revision, error)
	// Changes calls yield with the current state of every id whose serial is
	// above since, in order of serial, tombstones included, from one consistent
	// view, at most limit (0: all). A superseded id comes with the last notice
	// that it stood for. An error from yield stops it and is returned.
	Changes(ctx context.Context, since int64, limit int, yield func(Stored) error) error
	// Serial returns the highest serial, 0 for an empty store. It is cheap: it is
	// called several times a second to notice other processes' changes.
	Serial(ctx context.Context) (int64, error)
}

// RunKind says what a run was.
type RunKind string

// The kinds of runs.
const (
	RunPoll    RunKind = "poll"
	RunImport  RunKind = "import"
	RunStarter RunKind = "starter"
	RunReplay  RunKind = "replay"
)

// RunState says how a run ended.
type RunState string

// The states of runs.
const (
	RunRunning RunState = "running"
	RunDone    RunState = "done"
	RunPartial RunState = "partial" // some of it could not be read
	RunFailed  RunState = "failed"
)

// Run is one ingest run of one agency.
type Run struct {
	ID                                               int64
	Agency                                           string
	Kind                                             RunKind
	State                                            RunState
	Reason                                           string
	StartedAt                                        time.Time
	FinishedAt                                       time.Time // zero while running
	Read, Added, Revised, Unchanged, Older, Rejected int
	Withdrawn                                        int // of the notices that the run's dump lacked
}

// Rejection is a rejected record, kept with its reason.
type Rejection struct {
	ID       int64 // given by the store
	Agency   string
	NativeID string
	Reason   string
	Excerpt  string
	Raw      string // archive key of the payload
	Position int
	SeenAt   time.Time
}

// SourceRecord is what the store knows of one agency.
type SourceRecord struct {
	Agency      string
	LastPoll    *Run      // the last finished poll, whatever its state
	LastSuccess time.Time // when the last poll that was RunDone finished; zero: never
	// FirstSuccess is when the first such poll finished; zero: never.
	FirstSuccess time.Time
	LastImport   time.Time // when the last import that read records of this agency finished; zero: never
	ImportFault  string    // the reason of the last import when that was RunPartial
	Rejected     int       // rejections on record
}

// Runs keeps what was done and what was refused.
type Runs interface {
	// StartRun records that a run has begun and returns its ID.
	StartRun(ctx context.Context, agency string, kind RunKind, at time.Time) (int64, error)
	// FinishRun records the end of the run with that ID: state, reason, finish
	// and counts. ErrNotFound when it was never started.
	FinishRun(ctx context.Context, run Run) error
	// Reject records rejections; the same record of the same payload (agency, raw,
	// position) is kept once, and of the same record (RecordKey of a NativeID that
	// isn't empty) in several payloads only what was seen last.
	Reject(ctx context.Context, rejections []Rejection) error
	// Rejections returns an agency's, newest first, at most limit (0: all), those
	// of one time in order of falling ID. after is the last one of the page
	// before, of which SeenAt and ID count; nil: from the newest.
	Rejections(ctx context.Context, agency string, after *Rejection, limit int) ([]Rejection, error)
	// ForgetRejections takes the rejections of one payload back, before it is read
	// anew.
	ForgetRejections(ctx context.Context, agency, raw string) error
	// Sources returns one record per agency that had a run, in order of code.
	Sources(ctx context.Context) ([]SourceRecord, error)
	// RecordPayload remembers that bytes are in the archive, where they came from
	// and when. The same key and source is kept once, with the times at which it
	// first and last came; LastFetchedAt needn't be given.
	RecordPayload(ctx context.Context, p ArchivedPayload) error
	// Payloads returns an agency's archived payloads, in order of FetchedAt.
	Payloads(ctx context.Context, agency string) ([]ArchivedPayload, error)
}

// ArchivedPayload is one payload in the raw archive.
type ArchivedPayload struct {
	Agency, Key, SourceURL, Format string
	Live                           bool  // the agency answered with it; else it was a file
	Size                           int64 // of the raw bytes, uncompressed
	FetchedAt, LastFetchedAt       time.Time
}

// Store is everything together, with its life cycle.
type Store interface {
	Notices
	Dumps
	Arrivals
	Runs
	Transfer
	Leases
	Migrator
	Conditions
	Watcher
	// Ping answers whether the store can be read now.
	Ping(ctx context.Context) error
	// Close ends the use of the store; every call after it fails, but for a
	// second Close.
	Close() error
}
