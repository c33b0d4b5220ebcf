package chaos

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

// within is what a request may take that needs the database while that doesn't
// answer.
const within = 2 * time.Second

// TestDatabaseFails breaks PostgreSQL in every way that operators know, one after
// the other, under one process that is never restarted.
func TestDatabaseFails(t *testing.T) {
	t.Parallel()
	db := startDatabase(t)
	s := program.Serve(t, t.TempDir(), db.setting())
	tr := drive(t, s.Base)
	for _, fault := range []struct {
		name        string
		happen, end func()
		readable    bool // what needs the database is answered, as far as it needs no change
	}{
		{"cut", db.way.Cut, db.way.Heal, false},
		{"hanging", db.way.Hang, db.way.Heal, false},
		{"slow, by 5 s", func() { db.way.Slow(5 * time.Second) }, db.way.Heal, false},
		{"read-only", db.readOnly, db.writable, true},
		{"out of connections", db.exhaust, db.relieve, false},
		{"stopped, and started again", db.stop, db.start, false},
		{"killed, and started again", db.kill, db.start, false},
	} {
		t.Run(fault.name, func(t *testing.T) {
			db.t = t
			whole(t, s)
			fault.happen()
			testenv.Eventually(t, program.Patience, "healthz says that the database fails", func() bool { return status(t, s, "/api/healthz") == http.StatusServiceUnavailable })
			tr.more(300)
			if got := status(t, s, "/api/readyz"); got != http.StatusOK {
				t.Errorf("readyz is %d", got)
			}
			if !fault.readable {
				refusedInTime(t, s, "/api/v1/recalls/us-fda:H-0249-2026/revisions")
				refusedInTime(t, s, "/api/v1/recalls/us-fda:H-0249-2026?as_of=2099-01-01T00:00:00Z")
			}
			db.importFails()
			fault.end()
			testenv.Eventually(t, program.Patience, "the service is whole again", func() bool { return status(t, s, "/api/healthz") == http.StatusOK })
			whole(t, s)
			tr.more(100)
			tr.unharmed("while the database was " + fault.name)
			db.nothingHalfWritten(s)
		})
	}
}

// database is a PostgreSQL of its own behind a way that can fail.
type database struct {
	t       *testing.T
	server  *server.Postgres
	way     *testenv.Way
	notices int // that were imported
}

func startDatabase(t *testing.T) *database {
	t.Helper()
	p := testenv.Own(t, server.StartDebianPostgres)
	db := &database{t: t, server: p, way: testenv.NewWay(t, p.Addr())}
	// No superuser: no limit binds one.
	db.execute("CREATE ROLE service LOGIN PASSWORD '" + servicePassword + "'")
	db.execute("CREATE DATABASE crownsafe OWNER service")
	return db
}

// servicePassword is looked for in everything that the program says.
const servicePassword = "hunter2-of-the-database"

// setting names the database to the service, by the way that can fail.
func (db *database) setting() string {
	return "DATABASE_URL=postgres://service:" + servicePassword + "@" + db.way.Addr() + "/crownsafe"
}

// execute runs a statement past the way.
func (db *database) execute(statement string) {
	db.t.Helper()
	db.past("postgres", func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		return nil
	})
}

// past uses a database past the way.
func (db *database) past(name string, use func(ctx context.Context, conn *pgx.Conn) error) {
	db.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), program.Patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, db.server.URL(name))
	if err != nil {
		db.t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // what was wanted is done
	if err := use(ctx, conn); err != nil {
		db.t.Fatal(err)
	}
}

// hangUp ends every connection to the database, so that the next ones begin as
// the database is set now.
const hangUp = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'crownsafe'`

func (db *database) readOnly() {
	db.execute("ALTER DATABASE crownsafe SET default_transaction_read_only = on")
	db.execute(hangUp)
}

func (db *database) writable() {
	db.execute("ALTER DATABASE crownsafe RESET default_transaction_read_only")
	db.execute(hangUp)
}

// exhaust lets nobody connect any more, as a server does whose connections are
// all taken (SQLSTATE 53300).
func (db *database) exhaust() {
	db.execute("ALTER DATABASE crownsafe CONNECTION LIMIT 0")
	db.execute(hangUp)
}

func (db *database) relieve() { db.execute("ALTER DATABASE crownsafe CONNECTION LIMIT -1") }

func (db *database) stop() {
	if err := db.server.Stop(); err != nil {
		db.t.Fatal(err)
	}
}

func (db *database) kill() {
	if err := db.server.Kill(); err != nil {
		db.t.Fatal(err)
	}
}

func (db *database) start() {
	db.t.Helper()
	if err := db.server.Start(context.Background()); err != nil {
		db.t.Fatal(err)
	}
}

// importFails imports a new notice by a process of its own, which must fail with
// a line that says why and without a secret.
func (db *database) importFails() {
	db.t.Helper()
	db.notices++
	got := program.Run(db.t, []string{db.setting()}, "import", db.file(), "--data", db.t.TempDir())
	if got.Code != 1 {
		db.t.Errorf("an import ended with %d: %s%s", got.Code, got.Stdout, got.Stderr)
	}
	if strings.Contains(got.Stdout+got.Stderr, servicePassword) {
		db.t.Errorf("the password is printed: %s%s", got.Stdout, got.Stderr)
	}
}

// file is one with the newest notice.
func (db *database) file() string {
	return program.WriteJSON(db.t, "recall.json", []any{program.CPSCRecall(db.notices, program.CPSCDescription(db.notices))})
}

// nothingHalfWritten imports the notice that could not be imported before, which
// is new, and sees it served, as its first revision.
func (db *database) nothingHalfWritten(s *program.Server) {
	db.t.Helper()
	got := program.Run(db.t, []string{db.setting()}, "import", db.file(), "--data", db.t.TempDir(), "--json")
	if got.Code != 0 {
		db.t.Fatalf("the import after the fault ended with %d: %s%s", got.Code, got.Stdout, got.Stderr)
	}
	testenv.Eventually(db.t, program.Patience, "the notice is served", func() bool {
		return status(db.t, s, "/api/v1/recalls/"+program.CPSCID(db.notices)) == http.StatusOK
	})
	var notice struct{ Revision int }
	s.Get("/api/v1/recalls/"+program.CPSCID(db.notices), &notice)
	if notice.Revision != 1 {
		db.t.Errorf("the notice is at revision %d", notice.Revision)
	}
}

// whole holds a service to be well, and to answer what needs the database.
func whole(t *testing.T, s *program.Server) {
	t.Helper()
	for _, path := range []string{"/api/healthz", "/api/readyz"} {
		testenv.Eventually(t, program.Patience, path+" is 200", func() bool { return status(t, s, path) == http.StatusOK })
	}
	testenv.Eventually(t, program.Patience, "revisions are there", func() bool {
		return status(t, s, "/api/v1/recalls/us-fda:H-0249-2026/revisions") == http.StatusOK
	})
}

// refusedInTime asks what needs the database: 503, when to come again, and soon.
func refusedInTime(t *testing.T, s *program.Server, path string) {
	t.Helper()
	began := time.Now()
	var problem struct{ Code string }
	resp := s.Get(path, &problem)
	if took := time.Since(began); took > within {
		t.Errorf("%s took %s", path, took)
	}
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || problem.Code != "unavailable" {
		t.Errorf("%s: %d, Retry-After %q, code %q", path, resp.StatusCode, resp.Header.Get("Retry-After"), problem.Code)
	}
}

func status(t *testing.T, s *program.Server, path string) int {
	t.Helper()
	return s.Get(path, nil).StatusCode
}
