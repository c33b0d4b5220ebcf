// Package e2e tests the real binary from outside: what a person runs, what a
// client asks, what a broken disk does to it. It knows nothing of the program's
// insides beyond what the README and the API's contract say.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built once the way it ships.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "crownsafe-e2e-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "crownsafe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.stamp=v0.0.0-e2e", "-o", binary, "../../cmd/crownsafe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	code := 1
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the binary: %v\n%s", err, out)
	} else if err := os.Chmod(dir, 0o755); err != nil { // another user runs it in one test
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds every wait; nothing here takes nearly as long.
const patience = 60 * time.Second

// result is what a finished command left.
type result struct {
	stdout, stderr string
	code           int
}

// command prepares the binary with no settings but those given.
func command(ctx context.Context, settings []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "CROWNSAFE_OFFLINE=1"}, settings...)
	return cmd
}

// run runs the binary to its end.
func run(t *testing.T, settings []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, settings, args...)
	return finish(t, cmd)
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("running %v: %v", cmd.Args, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// server is a running `crownsafe serve`.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	logs *lockedBuffer
	done chan error
}

// serve starts a server on a free port and waits until it listens.
func serve(t *testing.T, data string, settings ...string) *server {
	t.Helper()
	s := &server{t: t, logs: &lockedBuffer{}, done: make(chan error, 1)}
	s.cmd = command(context.Background(), settings, "serve", "--data", data, "--addr", "127.0.0.1:0")
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			s.logs.add(lines.Text())
			var entry struct{ Msg, Addr string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "listening" {
				listening <- entry.Addr
			}
		}
		s.done <- s.cmd.Wait()
	}()
	t.Cleanup(s.kill)
	select {
	case addr := <-listening:
		s.base = "http://" + addr
	case err := <-s.done:
		s.done <- err
		t.Fatalf("the server ended before it listened: %v\n%s", err, s.logs)
	case <-time.After(patience):
		t.Fatalf("the server does not listen:\n%s", s.logs)
	}
	return s
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signalling the server: %v", err)
	}
}

// wait waits for the server's end.
func (s *server) wait() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		s.done <- err
		return err
	case <-time.After(patience):
		s.t.Fatalf("the server does not end:\n%s", s.logs)
		return nil
	}
}

// kill ends a server that is still running.
func (s *server) kill() {
	select {
	case err := <-s.done:
		s.done <- err
	default:
		_ = s.cmd.Process.Kill() // it may have ended this very moment
		s.done <- <-s.done
	}
}

// get asks and decodes a JSON answer.
func (s *server) get(path string, into any) *http.Response {
	s.t.Helper()
	return s.do(http.MethodGet, path, "", into)
}

func (s *server) do(method, path, body string, into any) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			s.t.Fatalf("%s %s answered %d with no JSON: %v\n%.500s", method, path, resp.StatusCode, err, raw)
		}
	}
	return resp
}

// eventually waits until a condition holds, looking again as often as it can
// without keeping the machine busy.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}
