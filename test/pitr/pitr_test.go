//go:build pitr

package pitr

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const (
	lateAddress = "joe@example.org" // who comes too late
	password    = "velvet-otter-climbs-37"
)

// service is the program with a database and a data directory.
type service struct {
	t        *testing.T
	data     string
	settings []string
}

// must runs a command, and returns what it prints.
func (s *service) must(args ...string) (stdout string) {
	s.t.Helper()
	got := program.Run(s.t, s.settings, append(args, "--data", s.data)...)
	if got.Code != 0 {
		s.t.Fatalf("crownsafe %v: exit %d\n%s", args, got.Code, got.Stderr)
	}
	return got.Stdout
}

func (s *service) join(address string) {
	s.t.Helper()
	cmd := program.Command(s.t.Context(), s.settings, "user", "create", address, "--data", s.data)
	cmd.Stdin = strings.NewReader(password + "\n")
	if got := program.Finish(s.t, cmd); got.Code != 0 {
		s.t.Fatalf("crownsafe user create %s: exit %d\n%s", address, got.Code, got.Stderr)
	}
}

// content is what a backup says of the store: its hash, and how many rows each
// table has.
type content struct {
	Hash   string `json:"content_sha256"`
	Serial int64  `json:"serial"`
	Tables []struct {
		Table string `json:"table"`
		Rows  int64  `json:"rows"`
	} `json:"tables"`
}

func (s *service) backUp(kind string) (c content) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.must("backup", "create", kind, "--json")), &c); err != nil {
		s.t.Fatal(err)
	}
	if len(c.Hash) != 64 || len(c.Tables) < 15 {
		s.t.Fatalf("a backup says %+v", c)
	}
	return c
}

// disaster is a way to lose what was there.
type disaster struct {
	kind    string       // of the pgBackRest backup before it, beside the full one
	lose    func() error // after everything was spoilt
	joins   string       // the last who came in time
	notices int          // that are there then
}

// TestToAPointInTime: somebody deletes what he shouldn't, and others go on to write; the
// second time the machine is lost with it. What comes back each time is what was there
// at the moment before.
func TestToAPointInTime(t *testing.T) {
	c := startCluster(t)
	tooEarly := c.now()
	database, err := server.NewDatabase(t.Context(), c.server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, data: t.TempDir(), settings: []string{"DATABASE_URL=" + database}}
	s.must("migrate", "up")
	s.must("import", program.CPSCFile(t, 100))
	for _, d := range []disaster{
		{kind: "incr", lose: c.server.Stop, joins: "ada@example.org", notices: 200},
		{kind: "diff", lose: c.server.Lose, joins: "bob@example.org", notices: 300},
	} {
		letter := strings.ToUpper(d.kind[:1]) // at the end of the backup's name
		c.must("--type=full", "backup")
		s.must("import", program.CPSCFile(t, d.notices))
		c.must("--type="+d.kind, "backup")
		s.backUp("--full")
		s.join(d.joins)
		want, before := s.backUp("--incremental"), s.copyOfBackups()
		target := c.now()
		s.spoil(c, database)
		if err := d.lose(); err != nil {
			t.Fatal(err)
		}
		looksKept(t, c.kept(), letter)

		said, err := c.restore(tooEarly)
		if err == nil || !strings.Contains(said, "unable to find backup set with stop time less than") {
			t.Fatalf("restoring what was never backed up: %v", err)
		}
		if said, err = c.restore(target); err != nil || !strings.Contains(said, letter+", recovery will start at") {
			t.Fatalf("the newest backup isn't restored: %v", err)
		}
		c.recover()
		s.refusesIncrements(before)
		if diff := cmp.Diff(want, s.backUp("--full")); diff != "" {
			t.Errorf("what was restored isn't what was there (-then +now):\n%s", diff)
		}
		s.goesOn(&d)
		c.must("check")
	}
}

// spoil loses notices and people, and goes on to write.
func (s *service) spoil(c *cluster, database string) {
	s.t.Helper()
	c.execute(database, `DELETE FROM account`, `TRUNCATE notice, revision CASCADE`)
	s.join(lateAddress)
	s.backUp("--full")
	c.execute(database, `DROP TABLE notice CASCADE`)
	c.archived()
}

// looksKept says whether there is a full backup, one that follows it and the log, all
// compressed as they were to be.
func looksKept(t *testing.T, names []string, letter string) {
	t.Helper()
	has := func(within, end string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, within) && strings.HasSuffix(name, end) })
	}
	if !has("F/pg_data/", ".zst") || !has(letter+"/pg_data/", ".zst") || !has("archive/"+stanza+"/15-1/", ".zst") {
		t.Errorf("pgBackRest keeps\n%s", strings.Join(names, "\n"))
	}
}

// refusesIncrements: the newest backup is one of the history that never was, and in the
// folder it is one from before the moment, which the store knows. What followed either
// would have changes in it that the other doesn't, or lack some.
func (s *service) refusesIncrements(folder string) {
	s.t.Helper()
	for _, settings := range [][]string{s.settings, append(slices.Clone(s.settings), "CROWNSAFE_BACKUP_FOLDER="+folder)} {
		got := program.Run(s.t, settings, "backup", "create", "--incremental", "--data", s.data)
		if got.Code != 1 || !strings.Contains(got.Stderr, "make a full one") {
			s.t.Errorf("an incremental backup after a recovery: exit %d\n%s", got.Code, got.Stderr)
		}
	}
}

// copyOfBackups returns a folder with the backups that there are.
func (s *service) copyOfBackups() string {
	s.t.Helper()
	folder := filepath.Join(s.t.TempDir(), "backups")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(s.data, "backups"))); err != nil {
		s.t.Fatal(err)
	}
	return folder
}

// goesOn is what the recipe has after a recovery.
func (s *service) goesOn(d *disaster) {
	s.t.Helper()
	s.must("backup", "verify")
	s.must("auditlog", "verify")
	if people := s.must("user", "list"); !strings.Contains(people, d.joins) || strings.Contains(people, lateAddress) {
		s.t.Errorf("there are\n%s", people)
	}
	s.answers(d)
	s.backUp("--incremental")
	s.must("backup", "verify")
}

// answers starts the service, asks, and ends it.
func (s *service) answers(d *disaster) {
	s.t.Helper()
	running := program.Serve(s.t, s.data, s.settings...)
	defer running.Kill()
	if answer := running.Get("/api/readyz", nil); answer.StatusCode != http.StatusOK {
		s.t.Errorf("ready: %d", answer.StatusCode)
	}
	if answer := running.Get("/api/v1/recalls/"+program.CPSCID(d.notices-1), nil); answer.StatusCode != http.StatusOK {
		s.t.Errorf("the last notice: %d", answer.StatusCode)
	}
	for address, status := range map[string]int{d.joins: http.StatusOK, lateAddress: http.StatusUnauthorized} {
		answer := running.Do(http.MethodPost, "/api/v1/auth/login", `{"email":"`+address+`","password":"`+password+`"}`, nil)
		if answer.StatusCode != status {
			s.t.Errorf("%s signs in: %d, want %d", address, answer.StatusCode, status)
		}
	}
}
