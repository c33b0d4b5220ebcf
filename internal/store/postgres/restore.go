package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
)

// processEnd is how long a program of PostgreSQL's may take to end when it is told to.
const processEnd = 5 * time.Second

// beingRestored is added to schema_compatibility.oldest_program while a database is
// being restored: no program is new enough for it then, so that none takes the state
// of last night for the present one.
const beingRestored = 1_000_000_000

// Restoration makes a database of backups, by psql. The full one takes the place of
// everything in the schema, in one transaction. It implements store.Restoration.
type Restoration struct {
	opts Options
	conn *pgx.Conn
}

var _ store.Restoration = (*Restoration)(nil)

// OpenRestoration begins to restore the database that opts name, or goes on.
func OpenRestoration(ctx context.Context, opts Options) (*Restoration, error) {
	opts, err := opts.defaulted()
	if err != nil {
		return nil, fmt.Errorf("opening the database to restore: %w", err)
	}
	config, err := opts.directConfig()
	if err != nil {
		return nil, fmt.Errorf("opening the database to restore: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, failf(ctx, err, "connecting to the database to restore")
	}
	r := &Restoration{opts: opts, conn: conn}
	if _, err := conn.Exec(ctx, unlimitedSession, pgx.QueryExecModeExec); err != nil {
		conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the error is told
		return nil, failf(ctx, err, "setting up a session")
	}
	return r, nil
}

// Close implements store.Restoration.
func (r *Restoration) Close() error {
	if err := r.conn.Close(context.Background()); err != nil {
		return fmt.Errorf("closing the connection to the restored database: %w", err)
	}
	return nil
}

// State implements store.Restoration.
func (r *Restoration) State(ctx context.Context) (store.RestoreState, error) {
	state, err := r.state(ctx)
	if err != nil {
		return store.RestoreState{}, failf(ctx, err, "looking at what is there")
	}
	return state, nil
}

func (r *Restoration) state(ctx context.Context) (store.RestoreState, error) {
	var state store.RestoreState
	there := func(table string) (there bool, err error) {
		err = r.conn.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&there)
		return there, err
	}
	for _, t := range store.Tables() {
		made, err := there(t.Name)
		if err != nil {
			return state, err
		}
		if !made || state.Occupied {
			continue
		}
		if err := r.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+t.Name+")").Scan(&state.Occupied); err != nil {
			return state, err
		}
	}
	for _, table := range []string{"schema_compatibility", "backup_mark"} {
		if made, err := there(table); err != nil || !made {
			return state, err
		}
	}
	const begun = `SELECT coalesce((SELECT name FROM backup_mark WHERE (SELECT oldest_program >= $1 FROM schema_compatibility)), '')`
	err := r.conn.QueryRow(ctx, begun, beingRestored).Scan(&state.Applied)
	state.Occupied = state.Occupied && state.Applied == ""
	return state, err
}

// dropAll empties a schema of what belongs to no extension.
const dropAll = `DO $$
DECLARE thing text;
BEGIN
    FOR thing IN
        SELECT format('%%s %%s', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, c.oid::regclass)
        FROM pg_class c WHERE c.relnamespace = %[1]s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.relkind NOT IN ('v', 'm')
    LOOP EXECUTE 'DROP ' || thing || ' CASCADE'; END LOOP;
    FOR thing IN
        SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = %[1]s::regnamespace AND p.prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP FUNCTION ' || thing || ' CASCADE'; END LOOP;
END
$$;
`

// Apply implements store.Restoration. Whoever else uses the database is disconnected,
// before a full one is applied and afterwards: what they have open would see a state
// that isn't whole.
func (r *Restoration) Apply(ctx context.Context, name string, full bool, text io.Reader) error {
	if full {
		var schema string
		if err := r.conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
			return failf(ctx, err, "applying %s", name)
		}
		text = io.MultiReader(
			strings.NewReader("BEGIN;\nSET LOCAL lock_timeout = '30s';\n"+fmt.Sprintf(dropAll, quoted(schema))),
			text,
			strings.NewReader(fmt.Sprintf("UPDATE %s SET oldest_program = oldest_program + %d;\nCOMMIT;\n",
				pgx.Identifier{schema, "schema_compatibility"}.Sanitize(), beingRestored)),
		)
		if err := r.disconnectOthers(ctx); err != nil {
			return failf(ctx, err, "applying %s", name)
		}
	}
	if err := r.psql(ctx, text); err != nil {
		return fmt.Errorf("applying %s: %w", name, err)
	}
	if !full {
		return nil
	}
	if err := r.disconnectOthers(ctx); err != nil {
		return failf(ctx, err, "applying %s", name)
	}
	return nil
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// disconnectOthers ends the sessions of whoever else uses the database, as far as the
// role may.
func (r *Restoration) disconnectOthers(ctx context.Context) error {
	const end = `SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
		JOIN pg_roles them ON them.oid = a.usesysid JOIN pg_roles me ON me.rolname = current_user
		WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND pg_has_role(a.usesysid, 'MEMBER') AND (me.rolsuper OR NOT them.rolsuper)`
	_, err := r.conn.Exec(ctx, end)
	return err
}

// psql executes a text. A text that breaks off ends the session, and takes what it has
// begun back.
func (r *Restoration) psql(ctx context.Context, text io.Reader) error {
	major, err := strconv.Atoi(strings.SplitN(r.conn.PgConn().ParameterStatus("server_version"), ".", 2)[0])
	if err != nil {
		return fmt.Errorf("reading the version of the server: %w", err)
	}
	tools, err := findTools(ctx, r.opts.Programs, major)
	if err != nil {
		return err
	}
	watched := &watchedReader{Reader: text}
	cmd := tools.command(ctx, "psql", serverOf(r.opts, r.conn), "--no-psqlrc", "--quiet", "--no-password",
		"--set=ON_ERROR_STOP=1", "--set=VERBOSITY=verbose", "--output=/dev/null", "--file=-")
	cmd.Stdin = watched
	err = runTool(ctx, cmd)
	if watched.failed != nil { // of which psql only saw the end
		return watched.failed
	}
	return err
}

// watchedReader keeps the error that its reader ended with.
type watchedReader struct {
	io.Reader
	failed error
}

// Read implements io.Reader.
func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // the very one that readers return
		r.failed = err
	}
	return n, err
}

// Snapshot implements store.Restoration.
func (r *Restoration) Snapshot(ctx context.Context, use func(store.Snapshot) error) error {
	tx, err := r.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return failf(ctx, err, "taking a snapshot")
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was changed
	return use(&everything{tx})
}

// Check implements store.Restoration: what the server didn't hold the rows against.
func (r *Restoration) Check(ctx context.Context) error {
	var bad int
	const invalid = `SELECT (SELECT count(*) FROM pg_constraint WHERE NOT convalidated) + (SELECT count(*) FROM pg_index WHERE NOT indisvalid)`
	if err := r.conn.QueryRow(ctx, invalid).Scan(&bad); err != nil {
		return failf(ctx, err, "looking for damage")
	}
	if bad > 0 {
		return fmt.Errorf("looking for damage: %d constraints and indexes are not valid: %w", bad, store.ErrCorrupt)
	}
	return nil
}

// Finish implements store.Restoration.
func (r *Restoration) Finish(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		for _, statement := range []string{
			endTrackers,
			fmt.Sprintf(`UPDATE schema_compatibility SET oldest_program = oldest_program - %[1]d WHERE oldest_program >= %[1]d`, beingRestored),
			"ANALYZE",
			fmt.Sprintf(`SELECT pg_notify('%s', (SELECT value::text FROM last_serial))`, serialChannel),
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return failf(ctx, err, "finishing what was restored")
	}
	return nil
}

// scratchPrefix begins the names of databases for a while; the second in which they
// were made follows.
const (
	scratchPrefix = "crownsafe_verify_"
	scratchStamp  = "20060102150405"
)

// abandonedAfter is the age at which a database for a while that nobody is connected
// to is what a process that was killed has left.
const abandonedAfter = time.Hour

// Scratch makes an empty database on the server that opts name, for a while, and
// returns what names it. The role must be allowed to make databases. Those that were
// left by processes that were killed are removed.
func Scratch(ctx context.Context, opts Options) (there Options, drop func(context.Context) error, err error) {
	now := time.Now().UTC()
	name := scratchPrefix + now.Format(scratchStamp) + "_" + strings.ToLower(rand.Text()[:12])
	err = onServer(ctx, opts, func(conn *pgx.Conn) error {
		if err := dropAbandoned(ctx, conn, now.Add(-abandonedAfter)); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0", pgx.QueryExecModeExec)
		return err
	})
	if err != nil {
		return Options{}, nil, failf(ctx, err, "making a database for a while")
	}
	there = opts
	there.Database = name
	return there, func(ctx context.Context) error {
		err := onServer(ctx, opts, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)", pgx.QueryExecModeExec)
			return err
		})
		if err != nil {
			return failf(ctx, err, "removing database %s", name)
		}
		return nil
	}, nil
}

// dropAbandoned removes the databases for a while that were made before a time and
// that nobody uses.
func dropAbandoned(ctx context.Context, conn *pgx.Conn, before time.Time) error {
	const abandoned = `SELECT datname FROM pg_database d WHERE starts_with(datname, $1) AND datname < $1 || $2
		AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`
	rows, err := conn.Query(ctx, abandoned, pgx.QueryExecModeExec, scratchPrefix, before.Format(scratchStamp))
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		// Another role's can't be dropped, and one that somebody has begun to use shouldn't.
		_, _ = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize(), pgx.QueryExecModeExec)
	}
	return nil
}

func onServer(ctx context.Context, opts Options, do func(*pgx.Conn) error) error {
	opts, err := opts.defaulted()
	if err != nil {
		return err
	}
	config, err := opts.directConfig()
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was to be done is done
	return do(conn)
}
