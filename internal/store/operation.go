package store

import (
	"context"
	"errors"
	"time"
)

// ErrNotMigrated says that the schema is missing, or too old for this program.
var ErrNotMigrated = errors.New("the store's schema is missing or too old (crownsafe migrate up makes it)")

// Leases let one process at a time do what several could, such as polling an
// agency. Processes are told apart by what they call themselves; a lease that
// isn't renewed ends by itself, by the clock of the store and not of the process.
type Leases interface {
	// Lease takes the lease of a name for a time, or renews it for its holder, and
	// reports whether holder has it now. Of several that ask at once one gets it.
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	// Release gives a lease back before its end; one that somebody else has, or
	// nobody, is left alone.
	Release(ctx context.Context, name, holder string) error
}

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero: it isn't applied
}

// Migrator changes the schema. Several processes may call it at the same time:
// one works, the others wait for it. ErrNewerVersion when a newer program's
// schema is there that this one can't work with.
type Migrator interface {
	// MigrateUp applies every migration that isn't applied and returns those that
	// it applied itself.
	MigrateUp(ctx context.Context) ([]Migration, error)
	// MigrateDown takes the last applied migration back, and what is kept by it
	// only. ErrNotFound when there is none.
	MigrateDown(ctx context.Context) (Migration, error)
	// Migrations returns every migration that the program knows, and such as are
	// applied that it doesn't know, in order of version.
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
	LagBytes int64  // of what was written that it hasn't replayed
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
	// is given again, an error too. It answers within two seconds.
	Condition(ctx context.Context) (Condition, error)
	// PoolStats looks at the pool without asking the store.
	PoolStats() Pool
}

// Watcher notices other processes' changes.
type Watcher interface {
	// Watch calls changed soon after another process, or this one, has committed a
	// new serial, until ctx ends, whose error it returns. It may call it without
	// need, and whoever watches looks at Serial from time to time all the same. A
	// connection that is lost is made anew, and changed is called then.
	Watch(ctx context.Context, changed func()) error
}
