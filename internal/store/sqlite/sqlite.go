// Package sqlite is the store in one SQLite file: the embedded default that
// needs nothing installed. It knows the port's nouns and SQL; it knows nothing
// of agencies, of the catalogue or of HTTP.
//
// # Durability
//
// The file is in WAL mode with synchronous=NORMAL: what a call has returned from
// survives the kill of the process at any point, and a loss of power never
// damages the file, but may take the last moments' batches back as a whole.
// The record of a run goes with the notices that it brought, so that the next
// poll or import brings them again; a sync for each batch would cost more than
// reading and extracting it.
//
// # Processes and goroutines
//
// Several processes may use one file at the same time. Each has one writing
// connection, whose transactions take the lock when they begin, so that a
// transaction never fails half-way for being overtaken, and a pool of reading
// connections, which neither wait for the writer nor hold it up. All methods
// are safe for concurrent use.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver, under the name "sqlite"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

// Options are the few things that a user may want otherwise. The zero value is
// good.
type Options struct {
	// BusyTimeout is how long a call waits for another process to finish its
	// writing before it fails with store.ErrBusy. 0: 10 seconds.
	BusyTimeout time.Duration
	// Readers is the size of the pool of reading connections. 0: twice the
	// processors, at least 4.
	Readers int
}

// Store is a store in one file. It implements store.Store.
type Store struct {
	path             string
	writer, readers  *sql.DB
	writing, reading *queries.Queries
	changes, between *sql.Stmt
	condition        *store.SharedCondition
	lifetime         *store.Lifetime // of those who watch
	known            int64           // the newest migration of the program
	close            func() error
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the file at path and brings its schema up to date;
// file and folder are created where they are missing. A store that is read-only,
// full, damaged, written by a newer version or locked for too long gives the
// port's error and is left as it was.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if opts.BusyTimeout <= 0 {
		opts.BusyTimeout = 10 * time.Second
	}
	if opts.Readers <= 0 {
		opts.Readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", path, err)
	}
	// Turning a new file into one with a log needs it for oneself, and SQLite
	// says so at once instead of waiting: who comes second tries again.
	for deadline, pause := time.Now().Add(opts.BusyTimeout), firstPause; ; pause *= 2 {
		s, err := openOnce(ctx, path, opts)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, store.ErrBusy) || time.Now().Add(pause).After(deadline) {
			return nil, fmt.Errorf("opening store %s: %w", path, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("opening store %s: %w", path, ctx.Err())
		}
	}
}

// firstPause is how long Open waits before it tries a locked file again.
const firstPause = 5 * time.Millisecond

func openOnce(ctx context.Context, path string, opts Options) (*Store, error) {
	s := &Store{path: path, lifetime: store.NewLifetime()}
	s.close = sync.OnceValue(s.release)
	s.condition = store.ShareCondition(s.ask)
	if err := s.open(ctx, opts); err != nil {
		s.close()
		return nil, translate(ctx, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, opts Options) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o750); err != nil {
		return err
	}
	if err := createFile(s.path); err != nil {
		return err
	}
	wait := "busy_timeout(" + strconv.FormatInt(opts.BusyTimeout.Milliseconds(), 10) + ")"
	var err error
	// The driver runs the pragmas in this order on each new connection.
	s.writer, err = connect(s.path, 1, url.Values{
		"_pragma": {wait, "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)", "journal_size_limit(67108864)"},
		"_txlock": {"immediate"},
	})
	if err != nil {
		return err
	}
	// What cannot be read or opened at all fails here, at the first look; the
	// migrations would try again for a while.
	if err := s.writer.PingContext(ctx); err != nil {
		return err
	}
	if _, err := migrate(ctx, s.writer); err != nil {
		return err
	}
	if s.known, err = newest(s.writer); err != nil {
		return err
	}
	if err := probe(ctx, s.writer); err != nil {
		return err
	}
	s.readers, err = connect(s.path, opts.Readers, url.Values{"_pragma": {wait, "query_only(1)"}})
	if err != nil {
		return err
	}
	if s.writing, err = queries.Prepare(ctx, s.writer); err != nil {
		return err
	}
	if s.reading, err = queries.Prepare(ctx, s.readers); err != nil {
		return err
	}
	if s.changes, err = s.readers.PrepareContext(ctx, changesSince); err != nil {
		return err
	}
	s.between, err = s.readers.PrepareContext(ctx, noticesBetween)
	return err
}

// createFile makes the file for its owner alone, where there is none: it holds
// password hashes, and SQLite would make it for everybody to read. Its log gets the
// same mode from SQLite. A file that is there isn't even opened, for to close it
// would take away the locks that this process has on it (fcntl(2)).
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// connect opens a pool of connections to the file. The path goes into a URI, so
// that a folder may have any name.
func connect(path string, connections int, params url.Values) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: params.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// probe makes a change and takes it back: SQLite opens a file that it may not
// write to without a word, and says so only at the first change.
func probe(ctx context.Context, writer *sql.DB) error {
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // in WAL mode nothing has reached the disk yet
	_, err = tx.ExecContext(ctx, `UPDATE last_serial SET value = value`)
	return err
}

// Close closes the file; SQLite folds its log into it when no other process has
// it open.
func (s *Store) Close() error { return s.close() }

func (s *Store) release() error {
	s.condition.Close()
	s.lifetime.End()
	var failed error
	for _, db := range []*sql.DB{s.readers, s.writer} {
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && failed == nil {
			failed = fmt.Errorf("closing store %s: %w", s.path, err)
		}
	}
	return failed
}

// Ping reads a row.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Serial(ctx)
	return err
}

// write runs a change in one transaction. What it calls isn't interrupted when
// ctx ends, only never committed; a long change looks at ctx by itself.
func (s *Store) write(ctx context.Context, change func(ctx context.Context, q *queries.Queries) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // of no effect after a commit, and of no interest after a failure
	// Without a context that can end, the driver needs no watchman per statement.
	if err := change(context.WithoutCancel(ctx), s.writing.WithTx(tx)); err != nil {
		return err
	}
	return tx.Commit()
}

// read runs several queries on one consistent view.
func (s *Store) read(ctx context.Context, look func(q *queries.Queries) error) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was changed
	return look(s.reading.WithTx(tx))
}

// failf says what was being done when err came, in the port's errors.
func (s *Store) failf(ctx context.Context, err error, doing string, args ...any) error {
	return fmt.Errorf("%s in store %s: %w", fmt.Sprintf(doing, args...), s.path, translate(ctx, err))
}
