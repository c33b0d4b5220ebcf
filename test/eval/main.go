// Command eval measures how often the answers are right: it imports a folder of
// agencies' real files, asks every labelled question of cases/ and prints the
// share of right answers per kind, for verdicts, for searches and for the
// audience that notices are sorted to. docs/quality.md explains the figures.
//
// The labels were made by reading the notices, not by asking the program: where
// the program disagrees, the notice is read again, and the rule or the label is
// mended, whichever was wrong. No rule may know a case.
//
// It exits 1 when anything is worse than baseline.json, and 2 when there is
// nothing to measure on. It must not know how verdicts are made.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit statuses.
const (
	exitDone  = 0
	exitWorse = 1 // than the baseline, or the measurement itself failed
	exitUsage = 2
)

func realMain(ctx context.Context, args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("eval", flag.ContinueOnError)
	flags.SetOutput(progress)
	folder := flags.String("data", os.Getenv("DATA"), "`folder` of agencies' files to measure on (default $DATA)")
	faults := flags.Bool("faults", false, "print every question that was answered otherwise than expected")
	update := flags.String("update", "", "write the figures to this `file` as the new baseline")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil || flags.NArg() > 0:
		fmt.Fprintln(progress, "eval takes flags only; see eval -help")
		return exitUsage
	}
	if info, err := os.Stat(*folder); *folder == "" || err != nil || !info.IsDir() {
		fmt.Fprintf(progress, "eval: there is no folder of agencies' files at %q; name one: make eval DATA=FOLDER\n", *folder)
		return exitUsage
	}
	if err := measure(ctx, *folder, *faults, *update, out, progress); err != nil {
		fmt.Fprintln(progress, "eval:", err)
		return exitWorse
	}
	return exitDone
}

func measure(ctx context.Context, folder string, faults bool, update string, out, progress io.Writer) error {
	set, err := readCases()
	if err != nil {
		return err
	}
	subject, err := open(ctx, folder, progress)
	if err != nil {
		return err
	}
	defer subject.close()
	report, err := subject.ask(set)
	if err != nil {
		return err
	}
	if report.Audience, err = subject.audience(folder); err != nil {
		return err
	}
	report.print(out)
	if faults {
		report.printFaults(out)
	}
	if update != "" {
		return writeBaseline(update, report.figures())
	}
	return compare(report.figures())
}
