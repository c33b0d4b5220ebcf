package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crownsafe/api/internal/store"
)

// newPool makes the pool without a connection.
func newPool(ctx context.Context, opts Options, known int64) (*pgxpool.Pool, *limits, error) {
	config, err := opts.poolConfig()
	if err != nil {
		return nil, nil, err
	}
	l := &limits{acquire: opts.AcquireTimeout, answer: opts.AnswerTimeout}
	config.ConnConfig.Tracer = l.tracer(opts.Spans)
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if !opts.pooled() {
			if err := setUp(ctx, conn, opts); err != nil {
				return err
			}
		}
		return compatible(ctx, conn, known)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, fmt.Errorf("making a pool of connections: %w", err)
	}
	return pool, l, nil
}

// setUp gives a session its limits. They are the server's part: it ends what a
// process began that has vanished. They aren't sent with the start of the
// connection because poolers refuse what they don't know.
//
// Statements are planned whenever they are executed, not once for all: what was
// planned while tables were empty reads them from end to end ever after, which
// made an import slower with each batch, and planning costs far less than most
// statements do.
func setUp(ctx context.Context, conn *pgx.Conn, opts Options) error {
	// The interval in which it looks whether the client is still there exists
	// where the server's system can tell.
	const settings = `SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
		set_config('idle_in_transaction_session_timeout', $3, false), set_config('plan_cache_mode', 'force_custom_plan', false),
		CASE WHEN version() LIKE '%linux%' THEN set_config('client_connection_check_interval', '2s', false) END`
	_, err := conn.Exec(ctx, settings, pgx.QueryExecModeExec,
		milliseconds(opts.StatementTimeout), milliseconds(opts.LockTimeout), milliseconds(idleInTransaction))
	if err != nil {
		return fmt.Errorf("setting the limits of a session: %w", err)
	}
	return nil
}

// idleInTransaction is how long a transaction may stand still before the server
// takes it back with all its locks.
const idleInTransaction = 20 * time.Second

func milliseconds(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }

// compatible refuses a schema that a newer program made and that this one can't
// work with. See migrations/00002_schema_compatibility.sql.
func compatible(ctx context.Context, conn *pgx.Conn, known int64) error {
	var oldest int64
	err := conn.QueryRow(ctx, `SELECT oldest_program FROM schema_compatibility`, pgx.QueryExecModeExec).Scan(&oldest)
	if isUndefinedTable(err) {
		return nil // a schema from before there was a rule, or none yet
	}
	if err != nil {
		return fmt.Errorf("asking which programs the schema is for: %w", err)
	}
	if oldest >= beingRestored {
		return fmt.Errorf("the database is being restored (crownsafe backup restore goes on with it): %w", store.ErrUnavailable)
	}
	if known < oldest {
		return fmt.Errorf("its schema is for programs that know version %d, this one knows %d: %w", oldest, known, store.ErrNewerVersion)
	}
	return nil
}

// limits bounds how long calls wait for a connection and for the server. It is
// told of each call as a tracer of the driver's, whose contexts the driver uses.
type limits struct {
	acquire, answer time.Duration
	exhaustions     atomic.Int64
}

type releaseKey struct{}

// TraceAcquireStart gives whoever wants a connection a deadline.
func (l *limits) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	ctx, cancel := context.WithTimeout(ctx, l.acquire)
	return context.WithValue(ctx, releaseKey{}, cancel)
}

// TraceAcquireEnd counts those who got none because others had them all.
func (l *limits) TraceAcquireEnd(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	if errors.Is(data.Err, context.DeadlineExceeded) {
		if stat := pool.Stat(); stat.AcquiredConns() == stat.MaxConns() {
			l.exhaustions.Add(1)
		}
	}
	if cancel, ok := ctx.Value(releaseKey{}).(context.CancelFunc); ok {
		cancel()
	}
}

// TraceQueryStart sets how long the server may be silent.
func (l *limits) TraceQueryStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	allow(ctx, conn, l.answer)
	return ctx
}

// TraceQueryEnd belongs to the driver's interface.
func (l *limits) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart sets how long the server may be silent.
func (l *limits) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	allow(ctx, conn, l.answer)
	return ctx
}

// TraceBatchQuery belongs to the driver's interface.
func (l *limits) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd belongs to the driver's interface.
func (l *limits) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceCopyFromStart sets how long the server may be silent.
func (l *limits) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	allow(ctx, conn, l.answer)
	return ctx
}

// TraceCopyFromEnd belongs to the driver's interface.
func (l *limits) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

// PoolStats implements store.Conditions.
func (s *Store) PoolStats() store.Pool {
	stat := s.pool.Stat()
	return store.Pool{
		Max:         int(stat.MaxConns()),
		Active:      int(stat.AcquiredConns()),
		Idle:        int(stat.IdleConns()),
		Opened:      stat.NewConnsCount(),
		Acquired:    stat.AcquireCount(),
		Waits:       stat.EmptyAcquireCount(),
		WaitTime:    stat.EmptyAcquireWaitTime(),
		Exhaustions: s.limits.exhaustions.Load(),
	}
}
