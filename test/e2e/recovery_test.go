package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

// runbook returns the commands of docs/disaster-recovery.md, by the headings that they
// stand under.
func runbook(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/disaster-recovery.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := map[string]string{}
	heading, within := "", false
	for line := range strings.Lines(string(page)) {
		switch text, isHeading := strings.CutPrefix(line, "## "); {
		case isHeading && !within:
			heading = strings.TrimSpace(text)
		case !within && line == "```sh\n":
			within = true
		case within && line == "```\n":
			within = false
		case within:
			scripts[heading] += line
		}
	}
	return scripts
}

// follow executes commands as somebody would at a shell, and returns what was said.
func follow(t *testing.T, dir, script string, settings ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*program.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euxo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + filepath.Dir(program.Path) + ":" + os.Getenv("PATH"), "HOME=" + dir, "CROWNSAFE_OFFLINE=1"}, settings...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("following the runbook: %v\n%s", err, said)
	}
	return string(said)
}

func mustRun(t *testing.T, settings []string, args ...string) program.Result {
	t.Helper()
	got := program.Run(t, settings, args...)
	if got.Code != 0 {
		t.Fatalf("crownsafe %v: exit %d\n%s", args, got.Code, got.Stderr)
	}
	return got
}

// backupsOf lists the names of the backups.
func backupsOf(t *testing.T, settings []string, data string) (names []string) {
	t.Helper()
	var list struct{ Items []struct{ Name string } }
	if err := json.Unmarshal([]byte(mustRun(t, settings, "backup", "list", "--data", data, "--json").Stdout), &list); err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		names = append(names, item.Name)
	}
	return names
}

func TestTheRunbookHasNothingThatNobodyExecutes(t *testing.T) {
	t.Parallel()
	executed := []string{"Embedded", "The database is lost", "The database is there and wrong", "Without the program"}
	if got := slices.Sorted(maps.Keys(runbook(t))); !slices.Equal(got, executed) {
		t.Errorf("there are commands under %q", got)
	}
}

// TestTheDatabaseIsLostUnderLoad and comes back from its backups by the runbook, while
// the service answers from memory.
func TestTheDatabaseIsLostUnderLoad(t *testing.T) {
	t.Parallel()
	account, container := testenv.Azure(t)
	admin, data, elsewhere := os.Getenv(testenv.PostgresVariable), t.TempDir(), testenv.Postgres(t)
	lost, err := server.NewDatabase(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	shared := []string{"AZURE_STORAGE_CONNECTION_STRING=" + account, "CROWNSAFE_AZURE_CONTAINER=" + container, "CROWNSAFE_BACKUP_CONTAINER=" + container + "-backups"}
	settings := append([]string{"DATABASE_URL=" + lost}, shared...)
	mustRun(t, settings, "import", program.CPSCFile(t, 300), "--data", data)
	s := program.Serve(t, data, settings...)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if answer := s.Get("/api/v1/barcode/"+starterBarcode, nil); answer.StatusCode != http.StatusOK {
					t.Errorf("while the database is lost: %d", answer.StatusCode)
					return
				}
			}
		})
	}
	mustRun(t, settings, "backup", "create", "--full", "--data", data)
	join := program.Command(t.Context(), settings, "user", "create", "somebody@example.org", "--data", data)
	join.Stdin = strings.NewReader("a long enough passphrase 17\n")
	if got := program.Finish(t, join); got.Code != 0 {
		t.Fatal(got.Stderr)
	}
	mustRun(t, settings, "backup", "create", "--incremental", "--data", data)
	if err := server.DropDatabase(t.Context(), admin, lost); err != nil {
		t.Fatal(err)
	}

	// The service that is pointed at the new database.
	work := t.TempDir()
	script, startAnew, _ := strings.Cut(runbook(t)["The database is lost"], "curl ")
	said := follow(t, work, script, append(shared, "NEW_DATABASE_URL="+elsewhere)...)
	again := program.Serve(t, t.TempDir(), append([]string{"DATABASE_URL=" + elsewhere}, shared...)...)
	follow(t, work, "curl "+startAnew, "SERVICE_URL="+again.Base)
	close(stop)
	load.Wait()
	if !strings.Contains(said, "somebody@example.org") || !strings.Contains(said, "the audit log is intact: 1 entry") {
		t.Errorf("the runbook says\n%s", said)
	}
	var page struct{ Items []any }
	if again.Get("/api/v1/recalls?agency=us-cpsc&limit=100", &page); len(page.Items) != 100 {
		t.Errorf("the new service has %d notices", len(page.Items))
	}

	follow(t, work, runbook(t)["The database is there and wrong"], append(shared, "DATABASE_URL="+elsewhere)...)
	if names := backupsOf(t, append(shared, "DATABASE_URL="+elsewhere), work); len(names) != 4 {
		t.Errorf("there are %q", names)
	}
}

// TestTheRunbookEmbedded: the store in a file, and its backups by SQLite's own shell.
func TestTheRunbookEmbedded(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	mustRun(t, nil, "import", program.CPSCFile(t, 200), "--data", filepath.Join(work, "data"))
	before := dump(t, filepath.Join(work, "data"))
	follow(t, work, runbook(t)["Embedded"])
	if diff := cmp.Diff(before, dump(t, filepath.Join(work, "data"))); diff != "" {
		t.Errorf("the notices are not those of before:\n%s", diff)
	}
	said := follow(t, work, runbook(t)["Without the program"], "BACKUPS="+filepath.Join(work, "data", "backups"))
	if !strings.Contains(said, "crownsafe_backup_incremental_") || !strings.HasSuffix(said, "\nok\n") {
		t.Errorf("SQLite's shell says\n%s", said)
	}
}

// TestKilledBackups: the process is killed at any point of a backup and of a
// restoration. No half is ever listed, nothing that was there is lost, and what is
// restored in the end is what was backed up.
func TestKilledBackups(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	mustRun(t, nil, "import", program.CPSCFile(t, 4000), "--data", data)
	started := time.Now()
	mustRun(t, nil, "backup", "create", "--full", "--data", data)
	took := time.Since(started)
	good := backupsOf(t, nil, data)
	killed := 0
	for range 6 {
		if program.KilledAfter(t, time.Duration(rand.Int64N(int64(took))), nil, "backup", "create", "--full", "--data", data) {
			killed++
		}
		names := backupsOf(t, nil, data)
		if !slices.Equal(names[:1], good) {
			t.Fatalf("there are %q", names)
		}
		// The lease of who was killed ends by itself; here nobody waits for that.
		mustRelease(t, data)
	}
	if killed == 0 {
		t.Fatal("no backup was killed: the test showed nothing")
	}
	for _, name := range backupsOf(t, nil, data) {
		mustRun(t, nil, "backup", "verify", name, "--data", data)
	}
	before, elsewhere := dump(t, data), t.TempDir()
	folder := []string{"CROWNSAFE_BACKUP_FOLDER=" + filepath.Join(data, "backups")}
	for range 4 {
		program.KilledAfter(t, time.Duration(rand.Int64N(int64(took))), folder, "backup", "restore", good[0], "--data", elsewhere)
	}
	got := program.Run(t, folder, "backup", "restore", good[0], "--data", elsewhere)
	if got.Code != 0 && !strings.Contains(got.Stderr, "holds something") { // the last one that was killed may have been done
		t.Fatal(got.Stderr)
	}
	if diff := cmp.Diff(before, dump(t, elsewhere)); diff != "" {
		t.Errorf("what was restored isn't what was backed up:\n%s", diff)
	}
}

// mustRelease gives up the lease of a process that is gone.
func mustRelease(t *testing.T, data string) {
	t.Helper()
	if said, err := exec.CommandContext(t.Context(), "sqlite3", filepath.Join(data, "crownsafe.db"), "PRAGMA busy_timeout=5000; DELETE FROM lease").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

// TestTheStoreOfObjectsDiesWithinABackup, and comes back.
func TestTheStoreOfObjectsDiesWithinABackup(t *testing.T) {
	t.Parallel()
	account, container := testenv.Azure(t)
	_, endpoint, _ := strings.Cut(account, "BlobEndpoint=http://")
	addr, _, _ := strings.Cut(endpoint, "/")
	way := testenv.NewWay(t, addr)
	data := t.TempDir()
	mustRun(t, nil, "import", program.CPSCFile(t, 2000), "--data", data)
	settings := []string{"AZURE_STORAGE_CONNECTION_STRING=" + server.AzuriteConnectionString(way.Addr()), "CROWNSAFE_BACKUP_CONTAINER=" + container}
	mustRun(t, settings, "backup", "create", "--full", "--data", data)
	good := backupsOf(t, settings, data)
	way.Limit(60_000)
	if got := program.Run(t, settings, "backup", "create", "--full", "--data", data); got.Code != 1 || !strings.Contains(got.Stderr, "doesn't answer") {
		t.Errorf("exit %d: %s", got.Code, got.Stderr)
	}
	way.Heal()
	if names := backupsOf(t, settings, data); !slices.Equal(names, good) {
		t.Errorf("there are %q", names)
	}
	mustRun(t, settings, "backup", "verify", "--data", data)
	mustRun(t, settings, "backup", "create", "--incremental", "--data", data)
	mustRun(t, settings, "backup", "verify", "--data", data)
}

// TestTheDiskOfBackupsIsFull: the backup fails in words, and nothing is lost.
func TestTheDiskOfBackupsIsFull(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	mustRun(t, nil, "import", program.CPSCFile(t, 4000), "--data", data)
	script := `mount -t tmpfs -o size=400k,mode=0700 tmpfs "$1" && export CROWNSAFE_BACKUP_FOLDER="$1"
		"$2" backup create --full --data "$3"; echo "exit $?"; "$2" backup list --data "$3"; du -k "$1"`
	cmd := exec.CommandContext(t.Context(), "unshare", "--map-root-user", "--mount", "bash", "-c", script, "bash", t.TempDir(), program.Path, data)
	cmd.Env = append(os.Environ(), "CROWNSAFE_OFFLINE=1")
	got := program.Finish(t, cmd)
	if !strings.Contains(got.Stdout, "exit 1\nthere are no backups") || !strings.Contains(got.Stderr, "no space left") {
		t.Errorf("%s\n%s", got.Stdout, got.Stderr)
	}
	mustRun(t, nil, "backup", "create", "--full", "--data", data)
}
