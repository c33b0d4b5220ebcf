package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crownsafe/api/internal/store"
)

// translate puts the port's error before the driver's. The end of ctx wins:
// whatever the driver says then is a consequence.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if sentinel := sentinelOf(err); sentinel != nil && !errors.Is(err, sentinel) {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}

// sentinelOf returns the port's error for a driver's, nil when it has none.
func sentinelOf(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return store.ErrNotFound
	}
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return sentinelOfState(failure.Code)
	}
	if unreachable(err) {
		return store.ErrUnavailable
	}
	return nil
}

// unreachable says that no server was there to answer, or that it didn't in
// time. A deadline that is not the caller's is one of this package's own.
func unreachable(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// states are the SQLSTATEs that mean something to the port. Source: PostgreSQL
// manual, appendix A.
var states = map[string]error{
	"25006": store.ErrReadOnly,    // read_only_sql_transaction: a standby, or default_transaction_read_only
	"53100": store.ErrFull,        // disk_full
	"57014": store.ErrUnavailable, // query_canceled: the caller's end is told apart before
	"3D000": store.ErrUnavailable, // invalid_catalog_name: there is no such database
	"55P03": store.ErrBusy,        // lock_not_available
	"40001": store.ErrBusy,        // serialization_failure
	"40P01": store.ErrBusy,        // deadlock_detected
	"XX001": store.ErrCorrupt,     // data_corrupted
	"XX002": store.ErrCorrupt,     // index_corrupted
	"42P01": store.ErrNotMigrated, // undefined_table
	"42703": store.ErrNotMigrated, // undefined_column
	"3F000": store.ErrNotMigrated, // invalid_schema_name
}

// classes are the first two characters of those of which every state means the
// same, unless states has it.
var classes = map[string]error{
	"08": store.ErrUnavailable, // connection exception, which poolers answer with too
	"28": store.ErrUnavailable, // invalid authorisation specification
	"53": store.ErrUnavailable, // insufficient resources, such as too_many_connections
	"57": store.ErrUnavailable, // operator intervention, such as admin_shutdown
	"58": store.ErrUnavailable, // system error, such as io_error
}

func sentinelOfState(state string) error {
	if sentinel := states[state]; sentinel != nil {
		return sentinel
	}
	return classes[state[:min(2, len(state))]]
}
