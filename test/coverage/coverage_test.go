package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	t.Parallel()
	packages, err := read(strings.NewReader(`mode: atomic
example.org/a/one.go:1.1,2.2 3 0
example.org/a/one.go:3.1,4.2 1 7
example.org/b/two.go:1.1,2.2 2 0
example.org/a/one.go:1.1,2.2 3 1
`))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	total := report(&out, packages)
	want := `  0.0 %      0 of     2  example.org/b
100.0 %      4 of     4  example.org/a
 66.7 %      4 of     6  all
`
	if diff := cmp.Diff(want, out.String()); diff != "" || total < 66.6 || total > 66.7 {
		t.Errorf("%f (-want +got):\n%s", total, diff)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"", "mode: set\n", "mode: set\na.go:1.1,2.2 1\n", "mode: set\na.go:1.1,2.2 one 1\n"} {
		if _, err := read(strings.NewReader(profile)); err == nil {
			t.Errorf("%q is taken for a profile", profile)
		}
	}
}

// TestTwoRuns measures two real runs of one program: what either reached counts.
func TestTwoRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	for path, content := range map[string]string{
		"go.mod": "module example.org/program\n\ngo 1.26\n",
		"main.go": `package main

import "os"

func main() {
	switch os.Args[1] {
	case "a":
		print("a")
	case "b":
		print("b")
	case "c":
		print("c")
	}
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, env string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, said)
		}
	}
	run("go", "CGO_ENABLED=0", "build", "-cover", "-covermode=atomic", "-o", program, ".")
	var folders []string
	for _, which := range []string{"a", "b"} {
		folder := filepath.Join(dir, which)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		run(program, "GOCOVERDIR="+folder, which)
		folders = append(folders, folder)
	}
	for bound, want := range map[string]int{"75": 0, "76": 1} {
		var said bytes.Buffer
		if code := realMain(append([]string{"-at-least", bound}, folders...), &said, &said); code != want || !strings.Contains(said.String(), "75.0 %      3 of     4  all") {
			t.Errorf("at least %s: status %d\n%s", bound, code, &said)
		}
	}
	var said bytes.Buffer
	if code := realMain([]string{"-within", "example.org/other/", "-at-least", "1", folders[0]}, &said, &said); code != 1 {
		t.Errorf("nothing of what counts is there: status %d\n%s", code, &said)
	}
	if code := realMain([]string{"-at-least", "1", filepath.Join(dir, "nowhere")}, &said, &said); code != 1 {
		t.Errorf("a folder that isn't there: status %d\n%s", code, &said)
	}
	if code := realMain(nil, &said, &said); code != 2 {
		t.Errorf("no folder: status %d", code)
	}
}
