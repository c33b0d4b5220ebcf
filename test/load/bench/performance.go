package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// performanceRate is what any machine that builds the program can answer, so that two
// of its versions can be compared under the same load.
const performanceRate = 300

// performing runs the load test with the guide's table as thresholds and writes its
// report as JSON; with a base, an earlier report of the same kind of machine, it also
// fails when something got worse by more than is allowed. A base that isn't there is
// the first of its branch, and said to be missing.
func (r *run) performing(ctx context.Context, output, base string) error {
	switch _, err := os.Stat(base); {
	case base == "":
	case errors.Is(err, fs.ErrNotExist): // the first of its branch
		r.say("NOT COMPARED: there is no %s", base)
		base = ""
	case err != nil:
		return fmt.Errorf("looking for the base: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return fmt.Errorf("making a folder for the report: %w", err)
	}
	return r.runStack(ctx, "performance", func(st *stack) error {
		args := []string{"--rate", fmt.Sprint(performanceRate), "--duration", r.load.String(), "--output", output, "--html", output + ".html", "--threshold", "failures<0.1%"}
		for _, g := range guide {
			args = append(args, "--threshold", fmt.Sprintf("%s:avg<%gms", g.endpoint, float64(g.avg)),
				"--threshold", fmt.Sprintf("%s:p95<%gms", g.endpoint, float64(g.p95)), "--threshold", fmt.Sprintf("%s:p99<%gms", g.endpoint, float64(g.p99)))
		}
		report, err := st.load(ctx, args...)
		if err != nil {
			return err
		}
		for _, o := range report.Thresholds {
			outcome := missedGoal
			if o.Met {
				outcome = met
			}
			r.row("crownsafe loadtest --rate "+fmt.Sprint(performanceRate), o.Measured, o.Threshold, outcome)
		}
		if base == "" {
			return nil
		}
		err = r.compareCommand(ctx, base, output).Run()
		if _, worse := errors.AsType[*exec.ExitError](err); worse {
			r.row("compared with "+base, "worse", "not worse", missedGoal)
			return nil
		}
		if err != nil {
			return fmt.Errorf("comparing with the base: %w", err)
		}
		r.row("compared with "+base, "not worse", "not worse", met)
		return nil
	})
}
