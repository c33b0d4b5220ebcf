package store

import (
	"context"
	"errors"
	"time"
)

// ErrNotMigrated says that the schema is missing, or isn't the one that this
// program works with.
var ErrNotMigrated = errors.New("the store's schema is missing or another one (crownsafe migrate status tells, migrate up brings it up to date)")

// Leases let one process at a time do what several could, such as polling an
// agency. Processes are told apart by what they call themselves; a lease that
// isn't renewed ends by itself, by the clock of the store and not of the process.
// Names are independent of one another.
//
// A lease keeps others from beginning and can't stop who has lost his: whoever
// works under one renews it in time, and makes only changes that may be made
// twice.
type Leases interface {
	// Lease takes the lease of a name for a time from now on, or renews it for its
	// holder, and reports whether holder has it now. Of several that ask at once
	// one gets it. A holder who comes after the end and before all others goes on.
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	// Release gives a lease back before its end; one that somebody else has, or
	// nobody, is left alone.
	Release(ctx context.Context, name, holder string) error
}

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string    // of its file; empty: this program doesn't know it
	AppliedAt time.Time // zero: it isn't applied
}

// Migrator changes the schema. Several processes may call it at the same time:
// one works, the others wait for it. A migration that fails, or whose process or
// connection is lost, has done nothing.
//
// A schema is newer than a program when it has migrations that the program
// doesn't know. An adapter for several processes lets the program work there
// until a migration says that it can't any more (migrations add first, and take
// away in a later release); one for a single process may refuse at once. Then
// every call gives ErrNewerVersion.
type Migrator interface {
	// MigrateUp applies every migration that isn't applied and returns those that
	// it applied itself, with an error too.
	MigrateUp(ctx context.Context) ([]Migration, error)
	// MigrateDown takes the last applied migration back, and what is kept by it
	// only. ErrNotFound when there is none, ErrNewerVersion when this program
	// doesn't know it.
	MigrateDown(ctx context.Context) (Migration, error)
	// Migrations returns every migration that the program knows, and such as are
	// applied that it doesn't know, in order of version. It answers for newer
	// schemas too.
	Migrations(ctx context.Context) ([]Migration, error)
}

// Condition is how a store does.
type Condition struct {
	Backend  string        // sqlite or postgres
	Latency  time.Duration // of the simplest question
	ReadOnly bool          // it can be read and not written, as a replica
	Schema   int64         // the version of the schema that is there
	Known    int64         // the newest that this program knows
	Replicas []Replica     // those that follow this server; empty for others
	Pool     Pool
	AskedAt  time.Time
}

// Replica is a server that follows the one that was asked.
type Replica struct {
	Name     string
	State    string // as pg_stat_replication has it
	LagBytes int64  // of what was written that it hasn't replayed yet
}

// Pool is how a pool of connections does. Counts run from the opening on.
type Pool struct {
	Max         int // connections that there may be
	Active      int // that are in use
	Idle        int
	Opened      int64         // connections that were made; 0 when nobody counts them
	Acquired    int64         // times that one was asked for and given
	Waits       int64         // times that somebody had to wait for one
	WaitTime    time.Duration // of all of them together
	Exhaustions int64         // times that nobody gave one back in time
}

// Conditions tells how a store does.
type Conditions interface {
	// Condition asks the store, at most once a second: within it the last answer
	// is given again, an error too, and those who ask at the same time share one
	// question. It answers within two seconds. A store whose schema is missing or
	// old answers too: Schema is below Known then.
	Condition(ctx context.Context) (Condition, error)
	// PoolStats looks at the pool without asking the store.
	PoolStats() Pool
}

// Watcher notices other processes' changes.
type Watcher interface {
	// Watch calls changed when it has begun to watch, and soon after another
	// process, or this one, has committed a new serial, one call at a time, until
	// ctx ends, whose error it returns; the store's closing is another error. It
	// may call it without need, and for several serials once; whoever watches looks
	// at Serial from time to time all the same. A connection that is lost is made
	// anew, and changed is called then: it may lead to another server, which lacks
	// what the one before had.
	Watch(ctx context.Context, changed func()) error
}
