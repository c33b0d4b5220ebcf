package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// program is the real command, built the way it ships, and a folder to work in.
type program struct {
	path, folder string
	env          []string // settings beside the default ones
	log          string   // file in folder
}

func buildProgram(ctx context.Context, folder string) (*program, error) {
	p := &program{path: filepath.Join(folder, "crownsafe"), folder: folder, log: "serve.log"}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.stamp=v0.0.0-bench", "-o", p.path, "github.com/crownsafe/api/cmd/crownsafe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return p, nil
}

// with is the program with further settings and a log of its own.
func (p *program) with(name string, env ...string) *program {
	other := *p
	other.env, other.log = env, name+".log"
	return &other
}

// generous are limits that the load never meets, so that they are asked all the same.
const generous = "CROWNSAFE_RATE_ADDRESS=60000000"

// command prepares the program with its default settings, but offline and with
// generous limits: the whole load comes from one address.
func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.folder, "CROWNSAFE_OFFLINE=1", generous}
	cmd.Env = append(cmd.Env, p.env...)
	if n, ok := os.LookupEnv("GOMAXPROCS"); ok {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+n)
	}
	return cmd
}

// imported is what an import says that it did.
type imported struct {
	Read, Added, Rejected int
	took                  time.Duration // of the whole command
	cpu                   time.Duration // of the whole command, on all processors
}

// importFiles runs the import command to its end.
func (p *program) importFiles(ctx context.Context, data, path string) (imported, error) {
	cmd := p.command(ctx, "import", "--json", "--data", data, path)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return imported{}, fmt.Errorf("importing %s: %w\n%s", path, err, stderr.String())
	}
	var report struct{ Total imported }
	report.Total.took = time.Since(begin)
	report.Total.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		return imported{}, fmt.Errorf("reading the report on the import of %s: %w", path, err)
	}
	return report.Total, nil
}

// importNew imports a file of so many notices into a data directory that has
// none of them, and fails unless each was stored.
func (p *program) importNew(ctx context.Context, data, path string, notices int) (imported, error) {
	got, err := p.importFiles(ctx, data, path)
	if err == nil && (got.Added != notices || got.Rejected != 0) {
		err = fmt.Errorf("the import of %s added %d of %d notices and rejected %d", path, got.Added, notices, got.Rejected)
	}
	return got, err
}

func (p *program) serve(ctx context.Context, data string) (*server, error) {
	return startServer(p.command(ctx, "serve", "--data", data, "--addr", "127.0.0.1:0"), filepath.Join(p.folder, p.log))
}

// serveHit starts the server, asks it for a barcode that is in its catalogue,
// and returns the time from the start to the answer.
func (p *program) serveHit(ctx context.Context, data, uri string) (*server, time.Duration, error) {
	s, err := p.serve(ctx, data)
	if err != nil {
		return nil, 0, err
	}
	body, err := verdictOn(s.address, uri)
	took := time.Since(s.started)
	if err == nil && bytes.HasPrefix(body, []byte(noMatch)) {
		err = fmt.Errorf("%s is in the catalogue, but the first answer is %s", uri, body)
	}
	if err != nil {
		return nil, 0, errors.Join(err, s.stop())
	}
	return s, took, nil
}

// noMatch is how the answer on a barcode that no notice names begins.
const noMatch = `{"verdict":"no_match"`

func verdictOn(address, uri string) ([]byte, error) {
	a, err := fetch(address, uri)
	return a.Body, err
}
