// Package program runs the real Path for tests from outside, built once the way
// it ships. Only tests import it; it knows nothing of the program's insides.
package program

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

	"github.com/crownsafe/api/internal/testenv"
)

// Path is where the binary is, once Main has built it.
var Path string

// coverageVariable names a folder in which the binary leaves what was covered of
// internal/. `make integration` sets it; without it the binary is as it ships.
const coverageVariable = "CROWNSAFE_TEST_COVERAGE"

// Main builds the binary, runs a package's tests, and returns the status to end
// with; for TestMain.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "crownsafe-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	Path = filepath.Join(dir, "crownsafe")
	args := []string{"build", "-trimpath", "-ldflags", "-X main.stamp=v0.0.0-e2e", "-o", Path}
	if os.Getenv(coverageVariable) != "" {
		// Without main itself among them, a program leaves nothing.
		args = append(args, "-cover", "-covermode=atomic", "-coverpkg=github.com/crownsafe/api/internal/...,github.com/crownsafe/api/cmd/crownsafe")
	}
	build := exec.Command("go", append(args, "github.com/crownsafe/api/cmd/crownsafe")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the binary: %v\n%s", err, out)
		return 1
	}
	if err := os.Chmod(dir, 0o755); err != nil { // another user may run it
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Patience bounds every wait; nothing here takes nearly as long.
const Patience = testenv.Patience

// Result is what a finished command left.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Command prepares the binary with no settings but those given, and two that tests
// from outside need unless they say otherwise: no agency is polled, and everybody may
// ask as often as they like, because all tests' requests come from one address.
func Command(ctx context.Context, settings []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, Path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "CROWNSAFE_OFFLINE=1", "CROWNSAFE_RATE_LIMIT=off"}, settings...)
	if folder := os.Getenv(coverageVariable); folder != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+folder)
	}
	return cmd
}

// Run runs the binary to its end.
func Run(t *testing.T, settings []string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	cmd := Command(ctx, settings, args...)
	return Finish(t, cmd)
}

// Finish runs a prepared command to its end.
func Finish(t *testing.T, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("running %v: %v", cmd.Args, err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// KilledAfter runs the binary, kills it after a time, and tells whether it died of
// that: it may have been done before.
func KilledAfter(t *testing.T, after time.Duration, settings []string, args ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	cmd := Command(ctx, settings, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended this very moment
	defer timer.Stop()
	return cmd.Wait() != nil
}

// Server is a running `crownsafe serve`.
type Server struct {
	t    *testing.T
	cmd  *exec.Cmd
	Base string
	Logs *Lines
	done chan error
}

// Serve starts a server on a free port and waits until it listens.
func Serve(t *testing.T, data string, settings ...string) *Server {
	t.Helper()
	s := &Server{t: t, Logs: &Lines{}, done: make(chan error, 1)}
	s.cmd = Command(context.Background(), settings, "serve", "--data", data, "--addr", "127.0.0.1:0")
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
			s.Logs.add(lines.Text())
			var entry struct{ Msg, Addr string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "listening" {
				listening <- entry.Addr
			}
		}
		s.done <- s.cmd.Wait()
	}()
	t.Cleanup(s.Kill)
	select {
	case addr := <-listening:
		s.Base = "http://" + addr
	case err := <-s.done:
		s.done <- err
		t.Fatalf("the server ended before it listened: %v\n%s", err, s.Logs)
	case <-time.After(Patience):
		t.Fatalf("the server does not listen:\n%s", s.Logs)
	}
	return s
}

func (s *Server) Signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signalling the server: %v", err)
	}
}

// Wait waits for the server's end.
func (s *Server) Wait() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		s.done <- err
		return err
	case <-time.After(Patience):
		s.t.Fatalf("the server does not end:\n%s", s.Logs)
		return nil
	}
}

// Kill ends a server that is still running.
func (s *Server) Kill() {
	select {
	case err := <-s.done:
		s.done <- err
	default:
		_ = s.cmd.Process.Kill() // it may have ended this very moment
		s.done <- <-s.done
	}
}

// Get asks and decodes a JSON answer.
func (s *Server) Get(path string, into any) *http.Response {
	s.t.Helper()
	return s.Do(http.MethodGet, path, "", into)
}

// Do asks, with headers in the form "Name: value", and decodes a JSON answer.
func (s *Server) Do(method, path, body string, into any, headers ...string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.Base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
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
