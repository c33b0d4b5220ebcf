package store

import (
	"context"
	"errors"
	"io"
)

var (
	// ErrUntracked says that what has changed since a position is not known, so that
	// only everything can be written.
	ErrUntracked = errors.New("what has changed since then is not known")
	// ErrNoTool says that a program which the store's backups need is missing, or too
	// old for the server.
	ErrNoTool = errors.New("the tool for backups can't be used")
)

// Position is a point in the sequence of changes of one store. The zero value is
// that of a store which doesn't keep track of its changes.
type Position struct {
	// Epoch names the time through which changes were kept without a gap. Positions of
	// two epochs have nothing to do with one another.
	Epoch string `json:"epoch"`
	// Value is the adapter's own: it tells what was visible then.
	Value string `json:"value"`
}

// Backups writes a store as SQL text, everything or what changed, for its own kind
// of database. It is implemented beside Store, by every adapter.
//
// Changes are kept by triggers on every table from the first call of BackUp on: the
// key of each row that was added, changed or removed. What is a matter of the
// running store only is in no backup: its leases and the record of its changes.
type Backups interface {
	// BackUp calls use with everything as it is at one moment, while others go on to
	// write. name, of the backup that is being made, is noted in the store before that
	// moment, and stays there whatever becomes of it. What use returns is returned.
	BackUp(ctx context.Context, name string, use func(BackupView) error) error
	// ForgetChanges lets go of the record of changes up to a position that nothing is
	// to be written from any more.
	ForgetChanges(ctx context.Context, upTo Position) error
	// BoundChanges stops keeping track when the record of changes takes more than so
	// many bytes, as it does when no backup is made any more, and lets go of it. It
	// reports whether it did. It is cheap.
	BoundChanges(ctx context.Context, bytes int64) (ended bool, err error)
}

// BackupView is a store at one moment. It serves one caller at a time.
type BackupView interface {
	Snapshot
	// Engine names the kind of database and Server its version, such as sqlite and
	// "SQLite 3.50.4".
	Engine() string
	Server() string
	// Schema is the version of the schema.
	Schema() int64
	// Position is where this moment stands in the sequence of changes; zero: changes are
	// not tracked, for the reason that Untracked gives.
	Position() Position
	Untracked() error
	// WriteFull writes everything: what the database's own shell makes an equal store
	// of, in an empty database.
	WriteFull(ctx context.Context, w io.Writer) error
	// WriteIncrement writes, as one transaction, what makes the moment of a position,
	// which the backup after was of, this one, and returns how many rows of which tables
	// that are; tables of which nothing has changed are left out. The text refuses a
	// database where anything but after was applied last. ErrUntracked.
	WriteIncrement(ctx context.Context, w io.Writer, since Position, after string) (rows map[string]int64, err error)
}

// RestoreState says what is where a backup is to be restored. What a restoration has
// left half done is not a store; one beside which that stands is.
type RestoreState struct {
	Occupied bool   // a store that holds something, which the restoration would replace
	Applied  string // the backup that was applied last by a restoration that isn't finished; empty: there is none
}

// Restoration makes a store of backups: Apply of a full one and those after it, and
// then Finish. What was applied stays when the process is killed, and another goes on
// behind it. Until Finish no program takes it for a store.
type Restoration interface {
	// State looks at what is there.
	State(ctx context.Context) (RestoreState, error)
	// Apply executes the SQL text of a backup as one transaction: all of it or, after an
	// error, nothing. A full one takes the place of whatever is there, or will with
	// Finish.
	Apply(ctx context.Context, name string, full bool, text io.Reader) error
	// Snapshot gives what was applied to read, whatever its schema.
	Snapshot(ctx context.Context, use func(Snapshot) error) error
	// Check has the database look for damage.
	Check(ctx context.Context) error
	// Finish makes it a store that programs use.
	Finish(ctx context.Context) error
	// Close ends the use; what isn't finished stays.
	Close() error
}
