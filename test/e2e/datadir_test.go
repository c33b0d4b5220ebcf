package e2e

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/crownsafe/api/test/program"
)

// nobody is the unprivileged user that the read-only test runs as: permissions
// don't bind root.
const nobody = 65534

func TestDataDirectoryThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "crownsafe.db"), []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, data, says string }{
		{"a file", file, "not a directory"},
		{"a damaged database", damaged, "damaged"},
		{"written by a newer version", newerData(t), "newer version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, args := range [][]string{{"serve", "--addr", "127.0.0.1:0"}, {"check", starterBarcode}, {"import", file}} {
				got := program.Run(t, nil, append(args, "--data", c.data)...)
				if got.Code != 1 || !strings.Contains(got.Stderr, c.says) || strings.Count(strings.TrimSpace(got.Stderr), "\n") > 0 {
					t.Errorf("%v: exit %d, %q", args, got.Code, got.Stderr)
				}
			}
		})
	}
}

// newerData makes a data directory whose schema is of a version that this
// program doesn't know yet.
func newerData(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	program.Run(t, nil, "check", starterBarcode, "--data", data)
	db, err := sql.Open("sqlite", filepath.Join(data, "crownsafe.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadOnlyDataDirectory(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	program.Run(t, nil, "check", starterBarcode, "--data", data)
	if err := filepath.WalkDir(data, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o555) //nolint:gosec // the test's own folder
		}
		return os.Chmod(path, 0o444) //nolint:gosec // the test's own file
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chmod(data, 0o700); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	cmd := program.Command(ctx, nil, "import", program.Path, "--data", data)
	if os.Getuid() == 0 {
		openPath(t, data)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	got := program.Finish(t, cmd)
	if got.Code != 1 || !strings.Contains(got.Stderr, "cannot be written to") || !strings.Contains(got.Stderr, data) {
		t.Errorf("exit %d, %q", got.Code, got.Stderr)
	}
}

// openPath lets another user reach a test's folder.
func openPath(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the test's own folder
			t.Fatal(err)
		}
	}
}

// TestFullDisk runs an import on a disk of a few hundred kilobytes, in a mount
// namespace of its own: it must end with one clear line, and what was stored
// before must be there.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	mount, file := t.TempDir(), program.CPSCFile(t, 5000)
	script := `mount -t tmpfs -o size=4m,mode=0700 tmpfs "$1" && "$2" check "$4" --data "$1/data" >/dev/null
"$2" import "$3" --data "$1/data" >/dev/null; code=$?
"$2" check "$4" --data "$1/data" | head -1
exit $code`
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", mount, program.Path, file, starterBarcode)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "CROWNSAFE_OFFLINE=1", "CROWNSAFE_RATE_LIMIT=off"}
	got := program.Finish(t, cmd)
	if got.Code != 1 || !strings.Contains(got.Stderr, "no space left") || !strings.HasPrefix(got.Stdout, "AFFECTED") {
		t.Errorf("exit %d\n%s%s(the test needs unshare with user and mount namespaces)", got.Code, got.Stdout, got.Stderr)
	}
}
