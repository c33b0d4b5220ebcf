// Command servers runs a command with the real servers that tests need: it
// installs PostgreSQL, Redis and Azurite where they are missing, starts them on
// ports and in folders of their own, names them to the command by the variables
// of package testenv, and ends them with it. A server whose variable is set
// already is somebody else's: it is used as it is and not started. Promtool, which
// is no server, is brought and named too; SQLite's shell, with which tests restore
// backups by hand, is brought.
//
//	go run ./test/servers go test ./internal/store/...
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := realMain(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
	}
	os.Exit(code)
}

func realMain(ctx context.Context, command []string) (code int, err error) {
	if len(command) == 0 {
		return 2, errors.New("give the command to run with the servers")
	}
	var running servers
	defer func() { err = errors.Join(err, running.close()) }()
	if err := running.start(ctx); err != nil {
		return 1, err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), running.named...)
	err = cmd.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(failed.ExitCode(), 1), nil // it has said what was wrong
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// servers are those that were started here.
type servers struct {
	lock    sync.Mutex
	closers []io.Closer
	named   []string // NAME=value for the command
}

// start starts what no variable names.
func (s *servers) start(ctx context.Context) error {
	installer := &server.Installer{Log: os.Stderr}
	// apt takes one caller at a time, so Debian's come one after the other.
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := s.run(testenv.PostgresVariable, func() (io.Closer, string, error) {
			p, err := server.StartDebianPostgres(ctx, installer)
			return named(p, err, func() string { return p.URL("postgres") })
		})
		if err != nil {
			return err
		}
		if err := installer.Debian(ctx, "sqlite3", "sqlite3"); err != nil {
			return err
		}
		err = s.run(testenv.RedisVariable, func() (io.Closer, string, error) {
			r, err := server.StartRedis(ctx, installer)
			return named(r, err, func() string { return r.URL() })
		})
		if err != nil {
			return err
		}
		return s.run(testenv.PromtoolVariable, func() (io.Closer, string, error) {
			path, err := installer.Promtool(ctx)
			return io.NopCloser(nil), path, err
		})
	})
	group.Go(func() error {
		err := s.run(testenv.AzureVariable, func() (io.Closer, string, error) {
			a, err := server.StartAzurite(ctx, installer)
			return named(a, err, func() string { return a.ConnectionString() })
		})
		if err != nil {
			return err
		}
		return s.run(testenv.CurrentPostgresVariable, func() (io.Closer, string, error) {
			p, err := server.StartCurrentPostgres(ctx, installer)
			return named(p, err, func() string { return p.URL("postgres") })
		})
	})
	return group.Wait()
}

func named(c io.Closer, err error, name func() string) (io.Closer, string, error) {
	if err != nil {
		return nil, "", err
	}
	return c, name(), nil
}

func (s *servers) run(variable string, start func() (io.Closer, string, error)) error {
	if os.Getenv(variable) != "" {
		return nil
	}
	closer, value, err := start()
	if err != nil {
		return err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.closers = append(s.closers, closer)
	s.named = append(s.named, variable+"="+value)
	return nil
}

func (s *servers) close() error {
	var failed error
	for _, c := range s.closers {
		failed = errors.Join(failed, c.Close())
	}
	return failed
}
