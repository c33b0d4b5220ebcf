package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	real "github.com/crownsafe/api/internal/testenv/server"
)

// wrkUsers is how many ask at once, of wrk and of the load test.
const wrkUsers = 64

// wrkResult is what wrk says of a run.
type wrkResult struct {
	rate        float64 // requests a second
	median, p99 time.Duration
	failed      bool
}

// besideWrk asks the same server by the load test and by wrk, in turn, and puts their
// figures side by side. They share the processors with the server, so that the one
// which needs more of them is answered less often.
func (r *run) besideWrk(ctx context.Context, st *stack) error {
	if err := (&real.Installer{Log: r.progress}).Debian(ctx, "wrk", "wrk"); err != nil {
		r.row("crownsafe loadtest beside wrk", "not measured: there is no wrk", "it is measured", missedGoal)
		r.sayf("NOT MEASURED: wrk: %v", err)
		return nil
	}
	for _, c := range []struct {
		endpoint, what string
		paths          []string
	}{
		{"health", "GET /health", []string{"/health"}},
		{"barcode", "GET /api/barcode, of different ones", r.hitPaths()},
	} {
		report, err := st.load(ctx, "--only", c.endpoint, "--users", strconv.Itoa(wrkUsers), "--duration", r.load.String())
		if err != nil {
			return err
		}
		theirs, err := r.wrk(ctx, st, c.paths)
		if err != nil {
			return err
		}
		ours := report.Total
		good := met
		if ours.Failures > 0 || theirs.failed {
			good = missedGoal
		}
		r.row(fmt.Sprintf("%s, %d users, by crownsafe loadtest and by wrk", c.what, wrkUsers),
			fmt.Sprintf("%s/s and %s/s; median %s ms and %s, 99 of 100 within %s ms and %s", count(ours.RPS), count(theirs.rate), ours.P50, milli(theirs.median), ours.P99, milli(theirs.p99)),
			"none failed", good)
	}
	return st.clearLog()
}

// hitPaths are the addresses of barcodes as the load test writes them.
func (r *run) hitPaths() []string {
	paths := make([]string, len(r.hits))
	for i, hit := range r.hits {
		paths[i] = "/api/barcode?code=" + filepath.Base(hit)
	}
	return paths
}

// wrk asks for the paths in turn.
func (r *run) wrk(ctx context.Context, st *stack, paths []string) (w wrkResult, err error) {
	var script strings.Builder
	script.WriteString("local paths = {\n")
	for _, path := range paths {
		fmt.Fprintf(&script, "%q,\n", path)
	}
	script.WriteString("}\nlocal n = 0\nfunction request()\n  n = n % #paths + 1\n  return wrk.format(\"GET\", paths[n])\nend\n")
	file := filepath.Join(r.folder, "paths.lua")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		return w, fmt.Errorf("writing wrk's script: %w", err)
	}
	cmd := exec.CommandContext(ctx, "wrk", "-t", "2", "-c", strconv.Itoa(wrkUsers), "-d", fmt.Sprintf("%.0fs", r.load.Seconds()), "--latency", "-s", file, "http://"+st.address)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return w, fmt.Errorf("running wrk: %w\n%s", err, out)
	}
	return readWrk(string(out))
}

var (
	wrkRate  = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkTimes = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([0-9.]+(?:us|ms|s))$`)
	wrkFault = regexp.MustCompile(`Non-2xx|Socket errors`)
)

// readWrk reads what wrk 4.1 prints with --latency.
func readWrk(text string) (w wrkResult, err error) {
	rate := wrkRate.FindStringSubmatch(text)
	if rate == nil {
		return w, fmt.Errorf("wrk says no rate:\n%s", text)
	}
	if w.rate, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return w, fmt.Errorf("reading wrk's rate: %w", err)
	}
	for _, line := range wrkTimes.FindAllStringSubmatch(text, -1) {
		took, err := time.ParseDuration(line[2])
		if err != nil {
			return w, fmt.Errorf("reading wrk's times: %w", err)
		}
		if line[1] == "50" {
			w.median = took
		} else {
			w.p99 = took
		}
	}
	if w.median == 0 || w.p99 == 0 {
		return w, errors.New("wrk says no times:\n" + text)
	}
	w.failed = wrkFault.MatchString(text)
	return w, nil
}
