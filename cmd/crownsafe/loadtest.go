package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/crownsafe/api/internal/loadtest"
)

type loadtestCommand struct {
	Run     loadtestRun     `cmd:"" default:"withargs" help:"Ask a running service for what its users and monitors ask for, and measure the answers."`
	Compare loadtestCompare `cmd:"" help:"Compare two reports."`
}

type loadtestRun struct {
	URL       string        `arg:"" help:"Address of the service, such as http://127.0.0.1:8001." name:"url"`
	Duration  time.Duration `help:"How long to measure." default:"30s"`
	WarmUp    time.Duration `help:"How long to ask before anything is measured." default:"3s"`
	Users     *int          `help:"Users who each wait for an answer before they ask again; 10 where no rate is given." xor:"loop"`
	Rate      *float64      `help:"Requests a second instead, whether earlier ones are answered or not." xor:"loop"`
	Timeout   time.Duration `help:"Longest to wait for an answer." default:"30s"`
	Only      []string      `help:"Endpoints to ask; all when none is named."`
	Without   []string      `help:"Endpoints to leave out."`
	Threshold []string      `help:"What must be so, such as 'p99<25ms', 'barcode:p95<65ms' or 'failures<0.1%'; else the exit status is 1." sep:"none"`
	Output    string        `help:"Write the report as JSON to this file too." placeholder:"FILE"`
	HTML      string        `help:"Write the report as a page with plots to this file." name:"html" placeholder:"FILE"`
	Seed      uint64        `help:"Chooses what is asked for, and in which order." default:"1"`
}

// usualUsers ask where the command line says neither how many nor how often.
const usualUsers = 10

// Run loads the service, prints what was measured, and ends with 1 when a threshold
// was missed. CROWNSAFE_OPS_TOKEN and CROWNSAFE_API_KEY are what it shows.
func (c *loadtestRun) Run(s *session) error {
	var thresholds []loadtest.Threshold
	for _, text := range c.Threshold {
		t, err := loadtest.ParseThreshold(text)
		if err != nil {
			return usage("%w", err)
		}
		thresholds = append(thresholds, t)
	}
	plan := loadtest.Plan{
		Target: c.URL, Users: usualUsers, Duration: c.Duration, WarmUp: c.WarmUp, Timeout: c.Timeout,
		Only: c.Only, Without: c.Without, Seed: c.Seed, OpsToken: s.setting("CROWNSAFE_OPS_TOKEN"), APIKey: s.setting("CROWNSAFE_API_KEY"),
	}
	switch {
	case c.Users != nil:
		plan.Users = *c.Users
	case c.Rate != nil:
		plan.Users, plan.Rate = 0, *c.Rate
	}
	test, err := loadtest.Prepare(s.ctx, plan)
	switch {
	case errors.Is(err, loadtest.ErrPlan):
		return usage("%w", err)
	case err != nil:
		return err
	}
	for _, l := range test.LeftOut() {
		fmt.Fprintf(s.env.stderr, "left out: %s: %s\n", l.Name, l.Reason)
	}
	for _, note := range test.Notes() {
		fmt.Fprintln(s.env.stderr, "note: "+note)
	}
	fmt.Fprintln(s.env.stderr, plan.String())
	bar := newProgressLine(s.env.stderr, "s")
	report := test.Run(s.ctx, func(p loadtest.Progress) { bar.show(int(p.Elapsed.Seconds()), int(p.Of.Seconds()), wordsOf(p)) })
	bar.done()
	met := report.Judge(thresholds)
	if err := c.write(s, report); err != nil {
		return err
	}
	switch {
	case report.Interrupted:
		return errors.New("interrupted; the figures are of what was measured until then")
	case !met:
		return &exitStatus{code: exitFailed}
	}
	return nil
}

// setting is a variable of the environment, or "".
func (s *session) setting(name string) string {
	value, _ := s.env.lookup(name)
	return value
}

// wordsOf is the live line.
func wordsOf(p loadtest.Progress) string {
	if p.WarmingUp {
		return fmt.Sprintf("warming up: %.0f/s", p.Rate)
	}
	text := fmt.Sprintf("%.0f/s  p50 %s  p95 %s  p99 %s ms  %d failed", p.Rate, p.P50, p.P95, p.P99, p.Failures)
	if p.Limited > 0 {
		text += fmt.Sprintf(", %d of them limited", p.Limited)
	}
	return text
}

// write puts the report wherever it is wanted.
func (c *loadtestRun) write(s *session, report *loadtest.Report) error {
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{{c.Output, report.WriteJSON}, {c.HTML, report.WriteHTML}} {
		if file.path == "" {
			continue
		}
		f, err := os.Create(file.path)
		if err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
		if err := errors.Join(file.write(f), f.Close()); err != nil {
			return err
		}
	}
	if s.json {
		return report.WriteJSON(s.env.stdout)
	}
	return printLoad(s.env.stdout, report)
}

func printLoad(out io.Writer, report *loadtest.Report) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "endpoint\trequests\tfailed\tper second\tavg\tp50\tp95\tp99\tp99.9\tmax ms\t")
	for _, e := range append(report.Endpoints, report.Total) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\t\n", e.Name, e.Requests, e.Failures, e.RPS, e.Avg, e.P50, e.P95, e.P99, e.P999, e.Max)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	for _, e := range report.Endpoints {
		for _, f := range e.Causes {
			fmt.Fprintf(out, "failed: %s: %d × %s\n", e.Name, f.Count, causeWords(f.Cause))
		}
	}
	for _, note := range report.Notes {
		fmt.Fprintln(out, "note: "+note)
	}
	if c := report.Cache; c != nil && c.HitRate != nil {
		fmt.Fprintf(out, "cache: %.1f%% hits (%d hits, %d misses)\n", *c.HitRate, c.Hits, c.Misses)
	}
	if report.Loop == "open" && report.SentLate.P99.Known() {
		fmt.Fprintf(out, "requests were sent %s ms after they were due (median), 99 of 100 within %s ms\n", report.SentLate.P50, report.SentLate.P99)
	}
	for _, o := range report.Thresholds {
		outcome := "missed"
		if o.Met {
			outcome = "met"
		}
		fmt.Fprintf(out, "%s: %s: %s\n", outcome, o.Threshold, o.Measured)
	}
	return nil
}

func causeWords(c loadtest.Cause) string {
	if c.Status == 0 {
		return c.Cause
	}
	return fmt.Sprintf("%d %s", c.Status, c.Cause)
}

type loadtestCompare struct {
	Base  string  `arg:"" help:"The earlier report."`
	Now   string  `arg:"" help:"The later report."`
	Fail  bool    `help:"End with 1 when something got worse by more than is allowed."`
	Allow float64 `help:"Percent by which a time may grow and a rate may shrink." default:"25"`
	Slack float64 `help:"Milliseconds by which a time may grow whatever share that is." default:"2"`
}

// Run prints what differs between two reports.
func (c *loadtestCompare) Run(s *session) error {
	base, err := readLoad(c.Base)
	if err != nil {
		return err
	}
	now, err := readLoad(c.Now)
	if err != nil {
		return err
	}
	comparison := loadtest.Compare(base, now, loadtest.Allowance{Percent: c.Allow, Slack: loadtest.Figure(c.Slack)})
	if s.json {
		err = json.NewEncoder(s.env.stdout).Encode(comparison)
	} else {
		err = printComparison(s.env.stdout, comparison)
	}
	if err != nil {
		return fmt.Errorf("printing the comparison: %w", err)
	}
	if c.Fail && comparison.Worse() {
		return &exitStatus{code: exitFailed}
	}
	return nil
}

func readLoad(path string) (*loadtest.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	defer f.Close()
	report, err := loadtest.ReadReport(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return report, nil
}

func printComparison(out io.Writer, c loadtest.Comparison) error {
	for _, what := range c.Unlike {
		fmt.Fprintln(out, "note: the runs differ in "+what)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "endpoint\tmetric\tbase\tnow\tchange\t\t")
	for _, d := range c.Rows {
		change, worse := "", ""
		if d.Change.Known() {
			change = fmt.Sprintf("%+.1f%%", float64(d.Change))
		}
		if d.Worse {
			worse = "worse"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\n", d.Endpoint, d.Metric, d.Base, d.Now, change, cmp.Or(worse, " "))
	}
	return table.Flush()
}
