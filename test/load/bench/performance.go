package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/crownsafe/api/internal/loadtest"
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
		r.sayf("NOT COMPARED: there is no %s", base)
		base = ""
	case err != nil:
		return fmt.Errorf("looking for the base: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return fmt.Errorf("making a folder for the report: %w", err)
	}
	return r.runStack(ctx, "performance", func(st *stack) error {
		report, err := st.calmest(ctx, "--rate", fmt.Sprint(performanceRate), "--duration", r.load.String())
		if err != nil {
			return err
		}
		if err := r.judgePerformance(report); err != nil {
			return err
		}
		if err := errors.Join(writeFile(output, report.WriteJSON), writeFile(output+".html", report.WriteHTML)); err != nil {
			return err
		}
		return r.compareWith(ctx, base, output)
	})
}

// performanceRounds is how often the load is run: whatever else a machine does only
// makes answers slower, so that the calmest round tells most of the program.
const performanceRounds = 3

// calmest runs the load test some times and returns the report with the lowest 99th
// percentile, or one with failures if there is any.
func (st *stack) calmest(ctx context.Context, args ...string) (best *loaded, err error) {
	for range performanceRounds {
		report, err := st.load(ctx, args...)
		if err != nil {
			return nil, err
		}
		if report.Total.Failures > 0 {
			return report, nil
		}
		if best == nil || report.Total.P99 < best.Total.P99 {
			best = report
		}
	}
	return best, nil
}

// judgePerformance makes a row of each threshold.
func (r *run) judgePerformance(report *loaded) error {
	wanted := []string{"failures<0.1%"}
	for _, g := range guide {
		wanted = append(wanted, fmt.Sprintf("%s:avg<%gms", g.endpoint, float64(g.avg)), fmt.Sprintf("%s:p95<%gms", g.endpoint, float64(g.p95)), fmt.Sprintf("%s:p99<%gms", g.endpoint, float64(g.p99)))
	}
	var thresholds []loadtest.Threshold
	for _, text := range wanted {
		t, err := loadtest.ParseThreshold(text)
		if err != nil {
			return fmt.Errorf("making the thresholds: %w", err)
		}
		thresholds = append(thresholds, t)
	}
	report.Judge(thresholds)
	for _, o := range report.Thresholds {
		outcome := missedGoal
		if o.Met {
			outcome = met
		}
		r.row(fmt.Sprintf("crownsafe loadtest --rate %d", performanceRate), o.Measured, o.Threshold, outcome)
	}
	return nil
}

// compareWith compares a report with a base by the real command, where there is one.
func (r *run) compareWith(ctx context.Context, base, now string) error {
	if base == "" {
		return nil
	}
	cmd := r.program.command(ctx, "loadtest", "compare", "--fail", "--allow", "50", "--slack", "3", base, now)
	cmd.Stdout, cmd.Stderr = r.progress, r.progress
	err := cmd.Run()
	if _, worse := errors.AsType[*exec.ExitError](err); worse {
		r.row("compared with "+base, "worse", "not worse", missedGoal)
		return nil
	}
	if err != nil {
		return fmt.Errorf("comparing with the base: %w", err)
	}
	r.row("compared with "+base, "not worse", "not worse", met)
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
