package config

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Database says how PostgreSQL is used; a SQLite file needs none of it.
type Database struct {
	// PoolSize is how many connections are kept for use at the same time.
	PoolSize int `env:"POOL_SIZE,default=8"`
	// PoolOverflow is how many more there may be under pressure; they are closed
	// when nobody needs them.
	PoolOverflow int `env:"POOL_OVERFLOW,default=0"`
	// ConnLifetime is how long a connection is used before it is made anew.
	ConnLifetime time.Duration `env:"CONN_LIFETIME,default=1h"`
	// ConnIdle is how long a connection that nobody uses is kept.
	ConnIdle time.Duration `env:"CONN_IDLE,default=10m"`
	// AcquireTimeout is how long a call waits for a connection before it is refused. A
	// longer time delays the 503 of requests that need the database: it comes within 2 s
	// only up to 1.5 s here.
	AcquireTimeout time.Duration `env:"ACQUIRE_TIMEOUT,default=1500ms"`
	// StatementCache is how many prepared statements a connection keeps; 0 for
	// poolers that give each transaction another connection.
	StatementCache int `env:"STATEMENT_CACHE,default=512"`
}

// Storage says how objects are stored.
type Storage struct {
	// AccountURL names an account of Azure Blob Storage whose credential is the
	// workload's or the machine's identity; AZURE_STORAGE_CONNECTION_STRING beats it.
	AccountURL string `env:"AZURE_ACCOUNT_URL"`
	// Container is the one that objects are kept in; made where it is missing.
	Container string `env:"AZURE_CONTAINER,default=crownsafe"`
	// Operations is how many may be under way at the same time; a fifth, and 2 at least, is
	// kept for what people and polls wait for.
	Operations int `env:"BLOB_OPERATIONS,default=10"`
	// AcquireTimeout is how long an operation waits for its turn.
	AcquireTimeout time.Duration `env:"BLOB_ACQUIRE_TIMEOUT,default=30s"`
	// UploadWorkers is how many queued uploads go on at the same time, within four
	// fifths of Operations: the rest is for others.
	UploadWorkers int `env:"UPLOAD_WORKERS,default=10"`
	// UploadQueue is how many uploads may wait; a further one is refused.
	UploadQueue int `env:"UPLOAD_QUEUE,default=1000"`
	// CountEvery is how often it is counted how much all objects take, for metrics.
	CountEvery time.Duration `env:"BLOB_COUNT_EVERY,default=1h"`
}

// Cache says how what is costly to find is remembered.
type Cache struct {
	// Bytes bounds what is kept in the process.
	Bytes int64 `env:"CACHE_BYTES,default=67108864"`
	// Worth is what it has to take to work an answer out for processes to share it: most
	// are there before Redis could have answered. 0: every one is shared.
	Worth time.Duration `env:"CACHE_WORTH,default=2ms"`
	// RedisTimeout is what a slow or dead Redis may cost a request, once.
	RedisTimeout time.Duration `env:"REDIS_TIMEOUT,default=50ms"`
	// RedisCAFile holds the authorities that a rediss:// server's certificate may be
	// from, as PEM; empty: the system's.
	RedisCAFile string `env:"REDIS_CA_FILE"`
	// RedisPrefix begins every key, for a Redis that others use too.
	RedisPrefix string `env:"REDIS_PREFIX,default=crownsafe:"`
}

// span is a setting that must lie within bounds.
type span struct {
	variable         string
	value, low, high any
	within           bool
}

func between[T int | int64 | time.Duration](variable string, value, low, high T) span {
	return span{variable, value, low, high, value >= low && value <= high}
}

// serverSpans are the bounds within which servers can be used at all.
func (c *Config) serverSpans() []span {
	return []span{
		between("CROWNSAFE_DATABASE_POOL_SIZE", c.Database.PoolSize, 1, 50),
		between("CROWNSAFE_DATABASE_POOL_OVERFLOW", c.Database.PoolOverflow, 0, 50),
		between("CROWNSAFE_DATABASE_CONN_LIFETIME", c.Database.ConnLifetime, time.Second, 24*time.Hour),
		between("CROWNSAFE_DATABASE_CONN_IDLE", c.Database.ConnIdle, time.Second, 24*time.Hour),
		between("CROWNSAFE_DATABASE_ACQUIRE_TIMEOUT", c.Database.AcquireTimeout, 10*time.Millisecond, time.Minute),
		between("CROWNSAFE_DATABASE_STATEMENT_CACHE", c.Database.StatementCache, 0, 10_000),
		between("CROWNSAFE_BLOB_OPERATIONS", c.Storage.Operations, 1, 1000),
		between("CROWNSAFE_BLOB_ACQUIRE_TIMEOUT", c.Storage.AcquireTimeout, 10*time.Millisecond, 10*time.Minute),
		between("CROWNSAFE_UPLOAD_WORKERS", c.Storage.UploadWorkers, 1, 1000),
		between("CROWNSAFE_UPLOAD_QUEUE", c.Storage.UploadQueue, 1, 1_000_000),
		between("CROWNSAFE_BLOB_COUNT_EVERY", c.Storage.CountEvery, time.Second, 7*24*time.Hour),
		between("CROWNSAFE_CACHE_BYTES", c.Cache.Bytes, 1<<20, 64<<30),
		between("CROWNSAFE_CACHE_WORTH", c.Cache.Worth, 0, time.Minute),
		between("CROWNSAFE_REDIS_TIMEOUT", c.Cache.RedisTimeout, time.Millisecond, 10*time.Second),
		between("CROWNSAFE_SNAPSHOT_EVERY", c.SnapshotEvery, time.Second, 24*time.Hour),
	}
}

// spans are all settings that must lie within bounds.
func (c *Config) spans() []span {
	return slices.Concat(c.serverSpans(), c.Edge.spans(), c.Secrets.spans(), c.Backups.spans())
}

// checkSpans names the first setting that lies outside its bounds.
func (c *Config) checkSpans() error {
	for _, s := range c.spans() {
		if !s.within {
			return fmt.Errorf("%s is %v; give %v to %v", s.variable, s.value, s.low, s.high)
		}
	}
	return nil
}

// checkAddresses refuses what cannot be the address of a server.
func (c *Config) checkAddresses() error {
	for _, address := range []struct{ variable, value string }{
		{"CROWNSAFE_AZURE_ACCOUNT_URL", c.Storage.AccountURL}, {"CROWNSAFE_PUBLIC_URL", c.PublicURL},
	} {
		u, err := url.Parse(address.value)
		if address.value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "") {
			return fmt.Errorf("%s is no plain http or https address", address.variable)
		}
	}
	return nil
}
