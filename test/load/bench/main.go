// Command bench measures how fast the program is, in one run on one machine,
// and prints a Markdown table: what was measured, the goal, and whether it is
// met. It exits 1 when a goal is missed. docs/performance.md explains the rows.
//
// Wherever a number depends on the machine, it is measured against something
// else on the same machine in the same minutes: the rate of requests is a ratio
// to a bare net/http handler that writes the same bytes. Everything happens on
// the loopback interface and in temporary folders, with invented notices or,
// for what depends on their number, multiplied ones, and ends within some
// minutes; the only processes that are ended are those that were started here.
// PostgreSQL, Redis and Azurite are installed where they are missing and started
// by package testenv/server, unless the variables of testenv name running ones.
// It reads /proc and so needs Linux.
//
// It must not know the program's insides: it builds the real command, runs it,
// and asks it over HTTP. What is measured inside a process is package inside's,
// and remote's where it speaks to real servers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit statuses.
const (
	exitDone   = 0
	exitMissed = 1 // a goal, or the measurement itself failed
	exitUsage  = 2
)

// settings says how long and on how much to measure.
type settings struct {
	seed     uint64
	stored   int           // notices in the catalogue
	fresh    int           // notices that arrive under load
	imports  int           // imports to take the median of
	starts   int           // starts to take the median of
	rounds   int           // rounds of load for each row
	round    time.Duration // one round
	barcodes int           // different barcodes to ask for
	queries  int           // different searches to ask for
	arrivals int           // notices that arrive one by one
	remote   bool          // also measure with real servers
	only     bool          // measure nothing else
	load     time.Duration // one run of the load test
	scale    bool          // also measure how answers grow with the number of notices
	real     string        // folder of agencies' files to import as well, or ""
}

var (
	thorough = settings{seed: 1, stored: 20_000, fresh: 1_000, imports: 3, starts: 5, rounds: 5, round: 2 * time.Second, barcodes: 500, queries: 100, arrivals: 100, load: 15 * time.Second, remote: true, scale: true}
	quick    = settings{seed: 1, stored: 20_000, fresh: 1_000, imports: 1, starts: 2, rounds: 3, round: 500 * time.Millisecond, barcodes: 500, queries: 100, arrivals: 20, load: 5 * time.Second}
)

func realMain(ctx context.Context, args []string, in io.Reader, out, progress io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	short := flags.Bool("quick", false, "fewer and shorter rounds: for a first look, not for the record")
	files := flags.String("real", os.Getenv("DATA"), "also time the import of this `folder` of agencies' files, and multiply their notices (default $DATA)")
	remote := flags.Bool("servers", false, "measure only what needs PostgreSQL, Redis and Azurite, also with -quick, which else leaves it out")
	load := flags.Bool("load", false, "measure only the rows of the load test")
	soak := flags.Duration("soak", 0, "only load the whole stack for this `time`, and see that nothing grows")
	report := flags.String("performance", "", "only run the load test with thresholds, and write its report to this `file`")
	base := flags.String("base", "", "with -performance: fail when this earlier report, a `file`, was better")
	part := flags.String("part", "", "measure this `part` in this process; the benchmark starts itself so")
	folder := flags.String("folder", "", "`folder` that the part works on")
	bare := flags.Bool("bare", false, "be the bare handler; the benchmark starts itself so")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil || flags.NArg() > 0:
		fmt.Fprintln(progress, "bench takes flags only; see bench -help")
		return exitUsage
	}
	if *bare {
		if err := serveBare(ctx, in, progress); err != nil {
			fmt.Fprintln(progress, "bench -bare:", err)
			return exitMissed
		}
		return exitDone
	}
	s := thorough
	if *short {
		s = quick
	}
	s.real = *files
	if *remote {
		s.remote, s.only, s.scale = true, true, false
	}
	if *part != "" {
		if err := measurePart(ctx, s, *part, *folder, out); err != nil {
			fmt.Fprintln(progress, "bench -part:", err)
			return exitMissed
		}
		return exitDone
	}
	what := (*run).all
	switch {
	case *load:
		what = func(r *run, ctx context.Context) error {
			return r.runStack(ctx, "load", func(st *stack) error { return r.loadRows(ctx, st) })
		}
	case *soak > 0:
		what = func(r *run, ctx context.Context) error { return r.soaking(ctx, *soak) }
	case *report != "":
		what = func(r *run, ctx context.Context) error { return r.performing(ctx, *report, *base) }
	}
	rows, err := measure(ctx, s, what, progress)
	fmt.Fprint(out, table(rows))
	if err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return exitMissed
	}
	if missed := missed(rows); missed > 0 {
		fmt.Fprintf(progress, "bench: %d of the goals are missed\n", missed)
		return exitMissed
	}
	return exitDone
}
