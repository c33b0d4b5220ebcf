// Command drill loses the store and gets it back, and prints how long that took and
// how much was lost: the recovery time and the recovery point of
// docs/disaster-recovery.md. It does so with the embedded store and, unless -embedded
// says otherwise, with PostgreSQL and Azurite, which it starts, durable as in
// production.
//
// It fills a store with notices and with people who have sessions and keys, makes a
// full backup and incremental ones by the real command while others write, then takes
// the store away, restores the newest backup into an empty place, starts the service
// on it, and waits until that is ready. What was restored is held against its hashes
// by the command itself.
//
// Everything happens on the loopback interface and in temporary folders, and the only
// processes that are ended are those that were started here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
}

// settings say how much there is to lose.
type settings struct {
	notices, people int
	seed            uint64
	rounds          int // incremental backups
	pause           time.Duration
	embedded        bool // only
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	flags.IntVar(&s.notices, "notices", 250_000, "how many notices there are")
	flags.IntVar(&s.people, "people", 100_000, "how many accounts there are, each with a session and a key")
	flags.Uint64Var(&s.seed, "seed", 1, "of what is invented")
	flags.IntVar(&s.rounds, "increments", 3, "how many incremental backups are made")
	flags.DurationVar(&s.pause, "pause", 20*time.Second, "how long others write between them")
	flags.BoolVar(&s.embedded, "embedded", false, "leave PostgreSQL and Azurite out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "crownsafe-drill-*")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // what stays is a temporary folder
	binary := filepath.Join(folder, "crownsafe")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "github.com/crownsafe/api/cmd/crownsafe")
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), log
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the command: %w", err)
	}
	began := time.Now()
	data := filepath.Join(folder, "data")
	if err := fill(ctx, data, s); err != nil {
		return err
	}
	fmt.Fprintf(log, "drill: %d notices and %d people in %s\n", s.notices, s.people, time.Since(began).Round(time.Second))
	fmt.Fprintf(out, "| store | full backup | incremental ones | restored | ready after (RTO) | lost at most, one every 4 min (RPO) |\n|---|---|---|---|---|---|\n")

	var copied []string // settings of the other stack, filled before the first is lost
	var end func() error
	if !s.embedded {
		if copied, end, err = startServers(ctx, folder, log); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		began := time.Now()
		c := command{binary: binary, data: data, settings: copied[:1]}
		if _, err := c.run(ctx, "migrate-data"); err != nil {
			return err
		}
		fmt.Fprintf(log, "drill: copied into PostgreSQL in %s\n", time.Since(began).Round(time.Second))
	}
	if err := lose(ctx, s, out, command{binary: binary, data: data}, "SQLite, a folder", filepath.Join(folder, "restored")); err != nil {
		return err
	}
	if s.embedded {
		return nil
	}
	return lose(ctx, s, out, command{binary: binary, data: filepath.Join(folder, "beside"), settings: copied}, "PostgreSQL, Azurite", filepath.Join(folder, "beside-restored"))
}
