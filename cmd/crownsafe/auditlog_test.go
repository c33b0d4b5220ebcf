package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/testenv"
)

// place is where a program keeps what it stores, with a way in beside it.
type place struct {
	data     string
	settings map[string]string
	driver   string // of database/sql, which the program has registered
	address  string
	untie    []string // what takes away the database's own guard of the audit log
}

// places are an SQLite file and a PostgreSQL.
func places(t *testing.T) map[string]place {
	t.Helper()
	data, postgres := t.TempDir(), testenv.CurrentPostgres(t)
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(data, "crownsafe.db")}
	return map[string]place{
		"sqlite":     {data, nil, "sqlite", file.String(), []string{`DROP TRIGGER audit_entry_stays`, `DROP TRIGGER audit_entry_remains`}},
		"postgresql": {t.TempDir(), map[string]string{"DATABASE_URL": postgres}, "pgx", postgres, []string{`DROP TRIGGER audit_entry_stays ON audit_entry`}},
	}
}

func (p place) lookup(name string) (string, bool) { value, ok := p.settings[name]; return value, ok }

// run runs one command in this process.
func (p place) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	args = append(args, "--data", p.data)
	code = realMain(t.Context(), args, environment{lookup: p.lookup, stdin: strings.NewReader(""), stdout: &out, stderr: &errOut})
	return code, out.String(), errOut.String()
}

// write appends entries to the audit log, of which there may be none.
func (p place) write(t *testing.T, entries ...account.Entry) {
	t.Helper()
	p.with(t, func(st app.Store) {
		if _, err := st.MigrateUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if _, err := st.AppendEntry(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// tamper changes the database from beside the program.
func (p place) tamper(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open(p.driver, p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func entries() []account.Entry {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return []account.Entry{
		{At: at, Action: "user.create", Actor: "command-line", Subject: "user:1", Outcome: "done"},
		{At: at.Add(time.Minute), Action: "session.start", Actor: "anonymous", Subject: "user:1", Outcome: "refused", Reason: "password", Network: "192.0.2.0"},
		{At: at.Add(time.Hour), Action: "key.create", Actor: "user:1", Subject: "key:2", Outcome: "done", TraceID: "5a"},
	}
}

func TestAuditLogList(t *testing.T) {
	t.Parallel()
	for name, p := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.write(t, entries()...)
			code, out, stderr := p.run(t, "auditlog", "list")
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if code != exitDone || len(lines) != 3 {
				t.Fatalf("status %d, %q, %q", code, out, stderr)
			}
			if got, want := strings.Fields(lines[1]), "2 2026-03-01T12:01:00Z session.start anonymous user:1 refused (password) 192.0.2.0"; strings.Join(got, " ") != want {
				t.Errorf("the second line is %q, want %q", lines[1], want)
			}
			if code, out, _ := p.run(t, "auditlog", "list", "--after", "1", "--limit", "1"); code != exitDone || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "2 ") {
				t.Errorf("one after the first: status %d, %q", code, out)
			}
			code, out, _ = p.run(t, "auditlog", "list", "--json", "--after", "2")
			var line map[string]any
			if err := json.Unmarshal([]byte(out), &line); err != nil || code != exitDone {
				t.Fatalf("as JSON: status %d, %q, %v", code, out, err)
			}
			if line["seq"] != 3.0 || line["at"] != "2026-03-01T13:00:00Z" || line["action"] != "key.create" || line["trace_id"] != "5a" || len(line["hash"].(string)) != 64 {
				t.Errorf("as JSON: %s", out)
			}
			if code, _, _ := p.run(t, "auditlog", "list", "--limit", "-1"); code != exitUsage {
				t.Errorf("a limit below 0: status %d", code)
			}
		})
	}
}

// A log is intact until somebody tampers with the database itself, and with its end
// for who noted the head.
func TestAuditLogVerify(t *testing.T) {
	t.Parallel()
	for name, p := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.write(t)
			if code, out, _ := p.run(t, "auditlog", "verify"); code != exitDone || !strings.Contains(out, "empty") {
				t.Errorf("an empty log: status %d, %q", code, out)
			}
			p.write(t, entries()...)
			code, out, _ := p.run(t, "auditlog", "verify", "--json")
			var verdict struct {
				Intact  bool   `json:"intact"`
				Entries int    `json:"entries"`
				Head    string `json:"head"`
			}
			if err := json.Unmarshal([]byte(out), &verdict); err != nil || code != exitDone || !verdict.Intact || verdict.Entries != 3 {
				t.Fatalf("an intact log: status %d, %q, %v", code, out, err)
			}
			code, out, _ = p.run(t, "auditlog", "verify", "--head", verdict.Head)
			if code != exitDone || !strings.Contains(out, "3 entries") || !strings.Contains(out, verdict.Head) {
				t.Errorf("with its head: status %d, %q", code, out)
			}
			if code, _, _ := p.run(t, "auditlog", "verify", "--head", "3"); code != exitUsage {
				t.Errorf("a head that is none: status %d", code)
			}

			p.tamper(t, append(p.untie, `DELETE FROM audit_entry WHERE seq = 3`)...)
			if code, _, stderr := p.run(t, "auditlog", "verify"); code != exitDone {
				t.Errorf("a shorter log by itself: status %d, %q", code, stderr)
			}
			code, _, stderr := p.run(t, "auditlog", "verify", "--head", verdict.Head)
			if code != exitFailed || !strings.Contains(stderr, "entry 3") {
				t.Errorf("a log that was cut off: status %d, %q", code, stderr)
			}

			p.tamper(t, `UPDATE audit_entry SET outcome = 'done', reason = '' WHERE seq = 2`)
			code, out, stderr = p.run(t, "auditlog", "verify")
			if code != exitFailed || out != "" || !strings.Contains(stderr, "broken at entry 2") {
				t.Errorf("a changed entry: status %d, %q, %q", code, out, stderr)
			}
			code, out, _ = p.run(t, "auditlog", "verify", "--json")
			if want := fmt.Sprintln(`{"broken_at":2,"intact":false,"reason":"it was changed"}`); code != exitFailed || out != want {
				t.Errorf("a changed entry as JSON: status %d, %q, want %q", code, out, want)
			}
		})
	}
}

// Where there is no store, none is made only to find its log intact.
func TestAuditLogOfNothing(t *testing.T) {
	t.Parallel()
	p := place{data: filepath.Join(t.TempDir(), "mistyped")}
	if code, out, stderr := p.run(t, "auditlog", "verify"); code != exitUsage || out != "" || !strings.Contains(stderr, "mistyped") {
		t.Errorf("status %d, %q, %q", code, out, stderr)
	}
}

// TestAuditLogReadsSecretsFromFiles: it must not verify a file that lies there while
// the log is in the database that DATABASE_URL_FILE names.
func TestAuditLogReadsSecretsFromFiles(t *testing.T) {
	t.Parallel()
	p := place{data: t.TempDir()}
	p.write(t, account.Entry{At: time.Now(), Action: "test", Actor: "cli", Subject: "stale", Outcome: "ok"})
	p.settings = map[string]string{"DATABASE_URL_FILE": filepath.Join(p.data, "nowhere")}
	for _, command := range []string{"verify", "list"} {
		if code, stdout, stderr := p.run(t, "auditlog", command); code == 0 || stdout != "" || !strings.Contains(stderr, "DATABASE_URL_FILE") {
			t.Errorf("%s: status %d, %q, %q", command, code, stdout, stderr)
		}
	}
}
