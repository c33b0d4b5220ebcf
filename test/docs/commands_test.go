package docs

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// block is a fenced block of a manual.
type block struct {
	page string
	line int
	info string // what stands behind the fence
	text string
}

func (b *block) at() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// Marks of blocks, behind the fence.
const (
	runs      = "sh"           // the test runs it
	elsewhere = "sh elsewhere" // it needs more than loopback: its syntax and its flags are checked
	sampled   = "sh sample"    // TestSamplesRun runs it
)

// runbook is the manual whose blocks test/e2e runs, for it needs a database to lose.
const runbook = "disaster-recovery.md"

// pages are the manuals whose commands are held here.
func pages(t *testing.T) []string {
	t.Helper()
	list := []string{"../../README.md", "../../SECURITY.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/playbooks/*.md", "../../deploy/*.md", "../../deploy/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found...)
	}
	return list
}

func blocks(t *testing.T, page string) []block {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var list []block
	var open *block
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		switch info, fence := strings.CutPrefix(lines.Text(), "```"); {
		case fence && open == nil:
			open = &block{page: page, line: n, info: info}
		case fence:
			list, open = append(list, *open), nil
		case open != nil:
			open.text += lines.Text() + "\n"
		}
	}
	if open != nil {
		t.Errorf("%s is never closed", open.at())
	}
	return list
}

// TestCommandsOfManuals runs what the README and the manuals say to type, each page in a
// folder of its own from top to bottom, and checks what can't be run here.
func TestCommandsOfManuals(t *testing.T) {
	t.Parallel()
	ran, checked := 0, 0
	for _, page := range pages(t) {
		var toRun []block
		for _, b := range blocks(t, page) {
			switch {
			case b.info == runs && filepath.Base(page) == runbook:
			case b.info == runs:
				toRun = append(toRun, b)
				ran++
			case b.info == elsewhere:
				for _, fault := range checkBlock(t, &b) {
					t.Errorf("%s: %s", b.at(), fault)
				}
				checked++
			case slices.Contains([]string{"", "bash", "shell", "console"}, b.info):
				t.Errorf("%s: say whether the block is run (%s), or needs more than loopback (%s), or what else it is", b.at(), runs, elsewhere)
			}
		}
		if len(toRun) > 0 {
			t.Run(filepath.Base(page), func(t *testing.T) {
				t.Parallel()
				runPage(t, toRun)
			})
		}
	}
	if ran < 8 || checked < 5 {
		t.Errorf("only %d blocks were run and %d checked", ran, checked)
	}
}

// allowed are the programs that blocks may use: those of a bare Debian, and ours.
var allowed = []string{"bash", "sh", "curl", "zcat", "gzip", "gunzip", "head", "tail", "sha256sum", "grep", "cut", "cat", "ls", "mkdir", "cp", "sed", "sleep"}

// goShim stands for go: what the README builds and runs is the binary under test.
const goShim = `#!/bin/sh
[ "$1 $2" = "run ./cmd/crownsafe" ] || { echo "go $*: not here" >&2; exit 2; }
shift 2
exec crownsafe "$@"
`

// programShim runs the binary. check and audit tell what they found by their status, which
// isn't a failure.
const programShim = `#!/bin/sh
case "$1" in check | audit) ;; *) exec %[1]q "$@" ;; esac
%[1]q "$@"
status=$?
case "$1 $status" in "check "[345] | "audit 1") exit 0 ;; esac
exit $status
`

var (
	listens = regexp.MustCompile(`localhost:8001`)
	serves  = regexp.MustCompile(`(?m)^(go run \./cmd/crownsafe|crownsafe) serve\b.*$`)
)

// runPage runs a page's blocks against one server: the one that a block starts, or one
// that runs already.
func runPage(t *testing.T, list []block) {
	dir, bin := t.TempDir(), t.TempDir()
	for _, name := range allowed {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("the manuals' commands need %s: %v", name, err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(bin, "go"), goShim)
	write(t, filepath.Join(bin, "crownsafe"), fmt.Sprintf(programShim, program.Path))
	write(t, filepath.Join(dir, "stock.csv"), "brand,name,model\nFUNTOK,24V two-seater ride-on truck,DLS-K03\nExample,stacking rings,\n")
	photograph(t, filepath.Join(dir, "photo.jpg"))
	port := freePort(t)
	env := []string{"PATH=" + bin, "HOME=" + dir, "PORT=" + port, "CROWNSAFE_OFFLINE=1", "CROWNSAFE_RATE_LIMIT=off", "CROWNSAFE_LOG_FORMAT=json"}
	shell := func(ctx context.Context, text string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", listens.ReplaceAllString(text, "localhost:"+port))
		cmd.Dir, cmd.Env = dir, env
		cmd.Stdin = strings.NewReader("velvet-otter-climbs-37\n") // whatever asks for a password
		return cmd
	}
	serving := false
	serve := func(command string) {
		if serving {
			t.Fatalf("%s: a second server", list[0].page)
		}
		serving = true
		background(t, shell(context.Background(), "exec "+command), "http://localhost:"+port+"/api/readyz")
	}
	if text := list[0].text; !serves.MatchString(text) {
		serve("crownsafe serve")
	}
	for _, b := range list {
		if command := serves.FindString(b.text); command != "" {
			serve(command)
			b.text = strings.Replace(b.text, command, "", 1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
		result := program.Finish(t, shell(ctx, b.text))
		cancel()
		if result.Code != 0 {
			t.Fatalf("%s: status %d\n%s%s%s", b.at(), result.Code, b.text, result.Stdout, result.Stderr)
		}
	}
}

// background starts a server and ends it with the test.
func background(t *testing.T, cmd *exec.Cmd, ready string) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
	})
	testenv.Eventually(t, program.Patience, "the manual's server is ready", func() bool {
		resp, err := http.Get(ready)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// photograph makes a JPEG of the barcode.
func photograph(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(filepath.Join(manuals, "barcode.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	write(t, path, out.String())
}

// freePort is one that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
