package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite/queries"
)

// Restoration makes a file of backups. It works on a file beside the one that it is
// to become, which takes that one's place with Finish: until then what is there stays
// as it is. It implements store.Restoration.
type Restoration struct {
	path string      // what it is to become
	half *Store      // the file beside, while it is open; of a store it has the connection only
	file os.FileInfo // of the file beside, by which another one in its place is known
}

var _ store.Restoration = (*Restoration)(nil)

// The ends of the names of the files beside the store's.
const (
	halfway  = ".restoring" // what is being restored
	replaced = ".replaced"  // what was there before the last restoration
)

// OpenRestoration begins to restore the file at path, or goes on.
func OpenRestoration(path string) (*Restoration, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("restoring store %s: %w", path, err)
	}
	return &Restoration{path: path}, nil
}

// State implements store.Restoration.
func (r *Restoration) State(ctx context.Context) (store.RestoreState, error) {
	var state store.RestoreState
	stat, err := os.Stat(r.path)
	switch {
	case err == nil:
		state.Occupied = stat.Size() > 0
	case !errors.Is(err, fs.ErrNotExist):
		return state, fmt.Errorf("looking at what is there: %w", err)
	}
	if _, err := os.Stat(r.path + halfway); err != nil {
		return state, nil //nolint:nilerr // nothing was begun that could be gone on with
	}
	if err := r.open(ctx); err != nil {
		return state, err
	}
	err = r.half.writer.QueryRowContext(ctx, `SELECT name FROM backup_mark`).Scan(&state.Applied)
	if err != nil { // killed within the first backup
		state.Applied = ""
	}
	return state, nil
}

// open opens the file beside.
func (r *Restoration) open(ctx context.Context) error {
	if r.half != nil {
		return nil
	}
	half := r.path + halfway
	if err := os.MkdirAll(filepath.Dir(half), 0o750); err != nil {
		return fmt.Errorf("restoring store %s: %w", r.path, translate(ctx, err))
	}
	if err := createFile(half); err != nil {
		return fmt.Errorf("restoring store %s: %w", r.path, translate(ctx, err))
	}
	// A rollback journal: the file is whole by itself when it is closed.
	db, err := connect(half, 1, url.Values{"_pragma": {"busy_timeout(1000)", "journal_mode(DELETE)", "synchronous(NORMAL)"}})
	if err != nil {
		return fmt.Errorf("restoring store %s: %w", r.path, translate(ctx, err))
	}
	err = db.PingContext(ctx)
	if err == nil {
		r.file, err = os.Stat(half)
	}
	if err != nil {
		return fmt.Errorf("restoring store %s: %w", r.path, translate(ctx, errors.Join(err, db.Close())))
	}
	r.half = &Store{path: half, writer: db, readers: db}
	return nil
}

// Close implements store.Restoration.
func (r *Restoration) Close() error {
	if r.half == nil {
		return nil
	}
	err := r.half.writer.Close()
	r.half = nil
	if err != nil {
		return fmt.Errorf("restoring store %s: %w", r.path, err)
	}
	return nil
}

// Apply implements store.Restoration.
func (r *Restoration) Apply(ctx context.Context, name string, full bool, text io.Reader) error {
	if full {
		if err := errors.Join(r.Close(), removeFile(r.path+halfway)); err != nil {
			return fmt.Errorf("clearing away what was restored before: %w", err)
		}
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	if err := r.apply(ctx, text); err != nil {
		return r.half.failf(ctx, err, "applying %s", name)
	}
	return nil
}

// apply executes a text on one connection; an error takes back what it has begun.
func (r *Restoration) apply(ctx context.Context, text io.Reader) (err error) {
	conn, err := r.half.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	defer func() {
		if err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // there may be nothing to take back
		}
	}()
	for statement, err := range statementsOf(text) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), statement); err != nil {
			return fmt.Errorf("statement %q: %w", beginning(statement), err)
		}
	}
	return nil
}

// beginning is as much of a statement as says which one it is, without what it holds.
func beginning(statement string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	if i := strings.Index(line, "VALUES"); i >= 0 {
		line = line[:i]
	}
	return line[:min(len(line), 100)]
}

// Snapshot implements store.Restoration.
func (r *Restoration) Snapshot(ctx context.Context, use func(store.Snapshot) error) error {
	tx, err := r.half.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return r.half.failf(ctx, err, "beginning a snapshot")
	}
	defer tx.Rollback() //nolint:errcheck // nothing was changed
	return use(&everything{r.half, tx, queries.New(tx)})
}

// Check implements store.Restoration.
func (r *Restoration) Check(ctx context.Context) error {
	var said string
	if err := r.half.readers.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return r.half.failf(ctx, err, "looking for damage")
	}
	if said != "ok" {
		return r.half.failf(ctx, store.ErrCorrupt, "looking for damage (%s)", said)
	}
	var orphans int
	if err := r.half.readers.QueryRowContext(ctx, `SELECT count(*) FROM pragma_foreign_key_check`).Scan(&orphans); err != nil {
		return r.half.failf(ctx, err, "looking for damage")
	}
	if orphans > 0 {
		return r.half.failf(ctx, store.ErrCorrupt, "looking for damage (%d rows refer to others that aren't there)", orphans)
	}
	return nil
}

// Finish implements store.Restoration. What was there is kept beside until the next
// restoration. store.ErrBusy while a program has it open, and where another
// restoration was begun meanwhile.
func (r *Restoration) Finish(ctx context.Context) error {
	if err := r.finish(ctx); err != nil {
		return fmt.Errorf("putting what was restored in the place of store %s: %w", r.path, translate(ctx, err))
	}
	return nil
}

func (r *Restoration) finish(ctx context.Context) error {
	if err := r.open(ctx); err != nil {
		return err
	}
	if there, err := os.Stat(r.path + halfway); err != nil || !os.SameFile(there, r.file) {
		return fmt.Errorf("another restoration was begun meanwhile: %w", store.ErrBusy)
	}
	if err := r.Close(); err != nil {
		return err
	}
	file, err := os.OpenFile(r.path+halfway, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := setAside(ctx, r.path); err != nil {
		return err
	}
	return os.Rename(r.path+halfway, r.path)
}

// setAside gives what is there another name. Its log is folded into it before, which
// nobody can while somebody else has it open. Where that can't be done, for the file is
// damaged or gone, its log goes with it: SQLite would take one that stays for the log of
// whatever comes into the place.
func setAside(ctx context.Context, path string) error {
	_, err := os.Stat(path)
	there := err == nil
	if there {
		if err := foldLog(ctx, path); err != nil && !errors.Is(sentinelOf(err), store.ErrCorrupt) {
			return err
		}
	}
	for _, end := range fileEnds {
		err := os.Rename(path+end, path+replaced+end)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
			if there { // what is left there is of an earlier one
				err = os.Remove(path + replaced + end)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func foldLog(ctx context.Context, path string) error {
	db, err := connect(path, 1, url.Values{"_pragma": {"busy_timeout(2000)"}})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA journal_mode=DELETE`)
	return errors.Join(err, db.Close())
}

// fileEnds are the ends of the names of what SQLite makes a store of: the file, and
// what it has beside it.
var fileEnds = []string{"", "-journal", "-wal", "-shm"}

// removeFile removes a file of SQLite's with what is beside it.
func removeFile(path string) error {
	for _, end := range fileEnds {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
