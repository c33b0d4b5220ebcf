package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/ingest"
)

type importCommand struct {
	Paths    []string `arg:"" help:"Files and folders of agencies' files; gzip and zip are unpacked." name:"path"`
	Complete bool     `help:"The files together are everything that their agencies have now: a notice that two such imports in a row lack is withdrawn."`
}

// Run imports, shows a table of the files, and fails when a named file is
// unknown, a recognised one could not be read whole or has only records that
// were rejected, or complete files cannot be believed to be so.
func (c *importCommand) Run(s *session) (err error) {
	app.PrepareBulk()
	a, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	bar := newProgressLine(s.env.stderr, "files")
	progress := func(p ingest.Progress) {
		bar.show(p.Files, p.Of, fmt.Sprintf("%d notices  %s", p.Tally.Read, p.Path))
	}
	var report []ingest.FileReport
	var dumps []ingest.DumpReport
	var importErr error
	if c.Complete {
		report, dumps, importErr = a.Runner.ImportComplete(s.ctx, c.Paths, progress)
	} else {
		report, importErr = a.Runner.Import(s.ctx, c.Paths, progress)
	}
	bar.done()
	if err := s.printReport(report, dumps); err != nil {
		return err
	}
	switch {
	case errors.Is(importErr, ingest.ErrGuarded):
		return errors.Join(outcome(report), importErr)
	case importErr != nil:
		return fmt.Errorf("the import stopped: %w", importErr)
	}
	return outcome(report)
}

// outcome is the error of an import that went to its end with failed files.
func outcome(report []ingest.FileReport) error {
	unknown, rejected, broken := 0, 0, 0
	for i := range report {
		switch {
		case !report[i].Failed():
		case report[i].Status == ingest.FileUnknown:
			unknown++
		case report[i].Status == ingest.FileRejected:
			rejected++
		default:
			broken++
		}
	}
	var faults []string
	if unknown > 0 {
		faults = append(faults, count(unknown, "named file is", "named files are")+" of no agency's format")
	}
	if rejected > 0 {
		faults = append(faults, "of "+count(rejected, "file", "files")+" every record was rejected")
	}
	if broken > 0 {
		faults = append(faults, count(broken, "file", "files")+" could not be read whole; what could be read is kept")
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(faults, "; "))
}

// count words a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (s *session) printReport(report []ingest.FileReport, dumps []ingest.DumpReport) error {
	sum := total(report)
	for _, d := range dumps {
		sum.Withdrawn += d.Withdrawn
	}
	if s.json {
		if report == nil {
			report = []ingest.FileReport{}
		}
		document := map[string]any{"items": report, "total": sum}
		if dumps != nil {
			document["dumps"] = dumps
		}
		return json.NewEncoder(s.env.stdout).Encode(document)
	}
	if err := printTable(s.env.stdout, report); err != nil {
		return err
	}
	for _, d := range dumps {
		line := fmt.Sprintf("%s: %s; %d missing, %d withdrawn, %d back", d.Agency, d.State, d.Missing, d.Withdrawn, d.Restored)
		if d.Reason != "" {
			line = fmt.Sprintf("%s: %s; %s", d.Agency, d.State, d.Reason)
		}
		if _, err := fmt.Fprintln(s.env.stdout, line); err != nil {
			return fmt.Errorf("printing what came of the dumps: %w", err)
		}
	}
	return nil
}

func total(report []ingest.FileReport) ingest.Tally {
	var t ingest.Tally
	for i := range report {
		t.Add(report[i].Tally)
	}
	return t
}

func printTable(out io.Writer, report []ingest.FileReport) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "read\tadded\trevised\tunchanged\tolder\trejected\t  file\t")
	for _, f := range report {
		line := "  " + f.Path
		switch {
		case f.Status == ingest.FileRead:
			line += fmt.Sprintf("  (%s, %s)", f.Agency, f.Format)
			if f.Note != "" {
				line += "  " + f.Note
			}
		case f.Note != "":
			line += fmt.Sprintf("  %s: %s", f.Status, f.Note)
		default:
			line += "  " + string(f.Status)
		}
		t := f.Tally
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%d\t%d\t\v%s\n", t.Read, t.Added, t.Revised, t.Unchanged, t.Older, t.Rejected, line)
	}
	t := total(report)
	fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%d\t%d\t\v  in all, %s\n", t.Read, t.Added, t.Revised, t.Unchanged, t.Older, t.Rejected, count(len(report), "file", "files"))
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	return nil
}
