// Package server installs and runs the real servers that tests need: PostgreSQL,
// Redis and Azurite, on ports and in folders of their own, bound to loopback.
// Only tests and the programs in test import it; it knows nothing of
// Crown Safe but the names of the servers that it stores in.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// startWithin is how long a server may take until it answers: the slowest
// machines that run tests start several at once.
const startWithin = time.Minute

// process is a server that was started here, and its folder.
type process struct {
	name   string
	folder string // everything that it writes
	port   int
	owner  *syscall.Credential // nil: as whoever runs the tests
	make   func() *exec.Cmd
	answer func(ctx context.Context) error // whether the server answers now
	signal syscall.Signal                  // that ends it in order

	lock    sync.Mutex
	running *exec.Cmd
	said    *tail
	ended   chan struct{}
}

// newProcess makes the folder of a server and picks its port. PostgreSQL runs as
// nobody special, and the others with it: no test server needs rights.
func newProcess(name string) (*process, error) {
	folder, err := os.MkdirTemp("", "crownsafe-"+name+"-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for %s: %w", name, err)
	}
	p := &process{name: name, folder: folder, signal: syscall.SIGTERM}
	if p.port, err = freePort(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if os.Geteuid() == 0 {
		if p.owner, err = unprivileged(); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
		if err := os.Chown(folder, int(p.owner.Uid), int(p.owner.Gid)); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
	}
	return p, nil
}

// unprivileged is the user that servers run as when root runs the tests.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("there is neither a user postgres nor a user nobody to run servers as; PostgreSQL refuses root")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (p *process) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// command prepares a program to run as the server's user, in its folder.
func (p *process) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.folder
	cmd.Env = append(os.Environ(), "HOME="+p.folder, "LC_ALL=C.UTF-8", "TZ=UTC")
	// The server dies with whoever started it, by whatever signal that dies.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Start runs the server, at first or again, and waits until it answers.
func (p *process) Start(ctx context.Context) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.running != nil {
		return fmt.Errorf("%s runs already", p.name)
	}
	cmd, said, ended := p.make(), &tail{}, make(chan struct{})
	cmd.Stdout, cmd.Stderr = said, said
	if err := startPinned(cmd, ended); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.running, p.said, p.ended = cmd, said, ended
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		err := p.answer(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			p.running = nil
			return fmt.Errorf("%s ended at its start; it said: %s", p.name, said)
		case <-ctx.Done():
			return fmt.Errorf("%s doesn't answer (%w); it said: %s", p.name, err, said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startPinned starts a command from a thread that lives as long as the command:
// Linux sends Pdeathsig when the thread that forked ends, not the process.
func startPinned(cmd *exec.Cmd, ended chan<- struct{}) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in what it said
		}
		close(ended)
	}()
	return <-started
}

// Stop ends the server in order; it can be started again.
func (p *process) Stop() error { return p.end(p.signal) }

// Kill ends the server as a crash would; it can be started again.
func (p *process) Kill() error { return p.end(syscall.SIGKILL) }

func (p *process) end(signal syscall.Signal) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.running == nil {
		return nil
	}
	if err := p.running.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
	case <-time.After(startWithin):
		_ = syscall.Kill(-p.running.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
	p.running = nil
	return nil
}

// Close ends the server and removes its folder.
func (p *process) Close() error {
	return errors.Join(p.end(p.signal), os.RemoveAll(p.folder))
}

// Addr is HOST:PORT, on loopback.
func (p *process) Addr() string { return p.addr() }

// dial is the least that a server must do.
func (p *process) dial(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", p.addr())
	if err != nil {
		return err
	}
	return conn.Close()
}

// run runs a program to its end and returns what it said when it failed.
func run(cmd *exec.Cmd) error {
	said := &tail{}
	if cmd.Stdout == nil {
		cmd.Stdout = said
	}
	cmd.Stderr = said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, said)
	}
	return nil
}

// tail keeps the end of what a program said.
type tail struct {
	lock sync.Mutex
	text []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailBytes):]
	return len(p), nil
}

func (t *tail) String() string {
	t.lock.Lock()
	defer t.lock.Unlock()
	return string(bytes.TrimSpace(t.text))
}

var _ io.Writer = (*tail)(nil)
