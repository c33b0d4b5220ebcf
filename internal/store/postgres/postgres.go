// Package postgres is the store in PostgreSQL, 15 or later: the one for
// production. It knows the port's nouns and SQL; it knows nothing of agencies, of
// the catalogue or of HTTP.
//
// # Durability
//
// What a call has returned from is as durable as the server's synchronous_commit
// makes it: by default it survives the crash of the server and the loss of its
// power. A call that failed has left nothing, but for one case that no client can
// tell apart: when the connection was lost while the server committed, the change
// may be there. Every change of the port may be made again without doubling
// anything.
//
// # Processes and transactions
//
// Any number of processes may use one database. Whoever changes notices locks
// the row of the last serial first, so that serials are committed in their order
// and without gaps, and two processes never decide on one notice at once; readers
// wait for nobody. Waiting for a lock ends with store.ErrBusy. All methods are
// safe for concurrent use.
//
// # What failure looks like
//
// Open needs no server. Each call has a connection within Options.AcquireTimeout
// and an answer that doesn't pause for longer than Options.AnswerTimeout, or fails
// with store.ErrUnavailable: when the server is down, refuses, hangs or is cut
// off, or when every connection is in use. A connection that failed is never used
// again, and one that was idle is tried before it is used, so that calls succeed
// as soon as the server is back. A server that can only be read, such as a
// standby, gives store.ErrReadOnly for changes; one without room ErrFull; one
// whose schema is missing ErrNotMigrated; one whose schema is for newer programs
// only ErrNewerVersion, from the next connection on.
package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crownsafe/api/internal/store"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

// Store is a store in one database. It implements store.Store.
type Store struct {
	opts      Options
	pool      *pgxpool.Pool
	limits    *limits
	direct    *pgx.ConnConfig // for single connections beside the pool
	known     int64           // the newest migration of the program
	condition *store.SharedCondition
	lifetime  *store.Lifetime // of what is beside the pool
}

// Open makes a store without asking the server, which may come later. An error is
// one of the options: what they say wrongly, but never what they say.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts, err := opts.defaulted()
	if err != nil {
		return nil, fmt.Errorf("opening the PostgreSQL store: %w", err)
	}
	s := &Store{opts: opts, lifetime: store.NewLifetime()}
	if s.known, err = newest(opts.migrations); err != nil {
		return nil, err
	}
	if s.direct, err = opts.directConfig(); err != nil {
		return nil, fmt.Errorf("opening the PostgreSQL store: %w", err)
	}
	if s.pool, s.limits, err = newPool(ctx, opts, s.known); err != nil {
		return nil, fmt.Errorf("opening the PostgreSQL store: %w", err)
	}
	s.condition = store.ShareCondition(s.ask)
	return s, nil
}

// Close ends the use of the store: it ends Watch and migrations, waits for the
// calls that are under way and closes every connection.
func (s *Store) Close() error {
	s.condition.Close()
	s.lifetime.End()
	s.pool.Close()
	return nil
}
