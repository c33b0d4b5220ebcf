package postgres

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
)

// Options say which database, and how to use it. URL is required; the zero
// value of everything else is good.
//
// A process has at most MaxConns + Overflow connections for its calls, one more
// that listens while Watch runs, and one more while it migrates. The server's
// max_connections must hold those of every process, and ten for everything else.
type Options struct {
	// URL names the server and the database, as a URL (postgres://…) or as
	// keyword=value pairs; see docs/operations.md for what may stand in it. What
	// it leaves out comes from libpq's variables (PGPASSWORD, PGSSLMODE, …) and
	// the password file.
	URL string
	// Database is used in place of the one that URL names; empty: that one.
	Database string
	// Programs is the folder of pg_dump and psql, which backups need; empty: they are
	// looked for in PATH and where Debian has those of each version.
	Programs string

	// Handshake, unless nil, is told of each TLS connection that was made.
	Handshake func(tls.ConnectionState)

	// MaxConns is the size of the pool, 1 to 50. 0: 8. Connections are made when
	// they are wanted.
	MaxConns int
	// Overflow is how many connections may come on top of the pool under
	// pressure, 0 to 50. With it, the pool's own MaxConns are made at once and
	// kept open, and those on top are closed when they were idle for
	// MaxConnIdleTime (in pgxpool: MinConns is MaxConns, MaxConns is MaxConns +
	// Overflow). Without it, idle connections are closed down to none.
	Overflow int
	// MaxConnLifetime is the age at which a connection is replaced, up to a fifth
	// later by chance, so that not all are replaced together. 0: 1 hour.
	MaxConnLifetime time.Duration
	// MaxConnIdleTime is how long a connection may be idle. 0: 10 minutes.
	MaxConnIdleTime time.Duration
	// AcquireTimeout is how long a call waits for a connection: for another call
	// to give one back, or for the server to take a new one. 0: 1.5 seconds.
	AcquireTimeout time.Duration
	// ConnectTimeout is how long one attempt to connect may take, of each address
	// of the server. 0: 1.5 seconds.
	ConnectTimeout time.Duration
	// AnswerTimeout is how long the server may be silent while a call waits for
	// it; a long answer may take longer, as long as it keeps coming. A connection
	// on which nothing comes is given up. 0: 1.5 seconds.
	AnswerTimeout time.Duration
	// StatementTimeout is how long the server works on one statement. It is a
	// last resort, against statements whose caller is long gone. 0: 5 minutes.
	StatementTimeout time.Duration
	// LockTimeout is how long one statement waits for another transaction's lock.
	// It must be below AnswerTimeout: the server is silent meanwhile. 0: 1 second.
	LockTimeout time.Duration
	// BusyTimeout is how long a change waits for others to finish theirs before it
	// fails with store.ErrBusy, in attempts of LockTimeout. 0: 10 seconds.
	BusyTimeout time.Duration
	// StatementCache is how many prepared statements each connection keeps. 0:
	// 512. Below 0 nothing is prepared and no setting of the session is changed:
	// the way that works behind a pooler that gives each transaction another
	// session, as PgBouncer in transaction mode does. Such a pooler carries
	// neither Watch nor migrations; the first then only ever waits, and the
	// second need a URL of the server itself.
	StatementCache int
	// Spans takes a span of each statement; nil: nobody does.
	Spans trace.TracerProvider

	migrations fs.FS // other than those of the program, in tests
}

// The bounds of a pool: with more connections a server of the usual size does
// less, not more.
const (
	defaultConns = 8
	maxConns     = 50
)

// defaulted fills in what isn't given, and refuses what makes no sense.
func (o Options) defaulted() (Options, error) {
	for setting, n := range map[string]int{"size of the pool": o.MaxConns, "overflow of the pool": o.Overflow} {
		if n < 0 || n > maxConns {
			return o, fmt.Errorf("the %s is %d, which is not between 0 and %d", setting, n, maxConns)
		}
	}
	for _, d := range []struct {
		setting string
		value   *time.Duration
		normal  time.Duration
	}{
		{"lifetime of connections", &o.MaxConnLifetime, time.Hour},
		{"idle time of connections", &o.MaxConnIdleTime, 10 * time.Minute},
		{"acquire timeout", &o.AcquireTimeout, 1500 * time.Millisecond},
		{"connect timeout", &o.ConnectTimeout, 1500 * time.Millisecond},
		{"answer timeout", &o.AnswerTimeout, 1500 * time.Millisecond},
		{"statement timeout", &o.StatementTimeout, 5 * time.Minute},
		{"lock timeout", &o.LockTimeout, time.Second},
		{"busy timeout", &o.BusyTimeout, 10 * time.Second},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("the %s is %s, which is below zero", d.setting, *d.value)
		}
		*d.value = cmp.Or(*d.value, d.normal)
	}
	if o.LockTimeout >= o.AnswerTimeout {
		return o, fmt.Errorf("the lock timeout is %s, which is not below the answer timeout of %s", o.LockTimeout, o.AnswerTimeout)
	}
	o.MaxConns = cmp.Or(o.MaxConns, defaultConns)
	o.StatementCache = cmp.Or(o.StatementCache, 512)
	if o.migrations == nil {
		files, err := fs.Sub(migrations, "migrations")
		if err != nil {
			return o, fmt.Errorf("looking for the program's migrations: %w", err)
		}
		o.migrations = files
	}
	return o, nil
}

// pooled says that a pooler may stand between this process and the server that
// gives each transaction another session.
func (o Options) pooled() bool { return o.StatementCache < 0 }

// directConfig is how single connections are made: for listening and for
// migrations, which set their own limits to the server's silence.
func (o Options) directConfig() (*pgx.ConnConfig, error) {
	config, err := o.poolConfig()
	if err != nil {
		return nil, err
	}
	direct := config.ConnConfig
	direct.DialFunc = o.dial
	direct.Tracer = nil
	return direct, nil
}

// poolConfig is how the pool makes its connections.
func (o Options) poolConfig() (*pgxpool.Config, error) {
	config, err := parse(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Database != "" {
		config.ConnConfig.Database = o.Database
	}
	config.MaxConns = int32(o.MaxConns + o.Overflow)
	if o.Overflow > 0 {
		config.MinConns = int32(o.MaxConns)
	}
	config.MaxConnLifetime = o.MaxConnLifetime
	config.MaxConnLifetimeJitter = o.MaxConnLifetime / 5
	config.MaxConnIdleTime = o.MaxConnIdleTime
	config.HealthCheckPeriod = min(time.Minute, max(time.Second, o.MaxConnIdleTime/2))
	config.PingTimeout = o.AcquireTimeout

	conn := config.ConnConfig
	o.watchHandshakes(conn)
	if conn.ConnectTimeout == 0 || conn.ConnectTimeout > o.ConnectTimeout {
		conn.ConnectTimeout = o.ConnectTimeout
	}
	conn.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		inner, err := o.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &impatientConn{Conn: inner, patience: o.AnswerTimeout}, nil
	}
	lookup := conn.LookupFunc
	conn.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
		defer cancel()
		return lookup(ctx, host)
	}
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = "crownsafe"
	}
	if o.pooled() {
		conn.DefaultQueryExecMode = pgx.QueryExecModeExec
		conn.StatementCacheCapacity, conn.DescriptionCacheCapacity = 0, 0
	} else {
		conn.StatementCacheCapacity = o.StatementCache
	}
	return config, nil
}

// watchHandshakes tells of the connections that are made by TLS, to the server and
// to those that stand in for it.
func (o Options) watchHandshakes(conn *pgx.ConnConfig) {
	if o.Handshake == nil {
		return
	}
	ways := []*tls.Config{conn.TLSConfig}
	for _, other := range conn.Fallbacks {
		ways = append(ways, other.TLSConfig)
	}
	for _, way := range ways {
		if way != nil {
			way.VerifyConnection = func(state tls.ConnectionState) error {
				o.Handshake(state)
				return nil
			}
		}
	}
}

func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{
		Timeout: o.ConnectTimeout,
		// A server that vanished without a word is noticed even by whoever only
		// waits, and may wait for long.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	return dialer.DialContext(ctx, network, address)
}
