package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/loadtest"
)

// The goals of the load test with real servers.
const (
	goalMixed  = 5000 // requests a second in the closed loop
	mixedUsers = 100
	mixedRate  = 1000 // requests a second in the open loop
	tenth      = 10   // by how much the open loop must beat the guide's table
	goalQuery  = 50 * time.Millisecond
)

// guide is the table of times that operators were promised, in milliseconds.
var guide = []struct {
	endpoint      string
	avg, p95, p99 loadtest.Figure
}{
	{"health", 5, 15, 25},
	{"healthz", 45, 120, 200},
	{"recalls", 150, 350, 500},
	{"barcode", 200, 450, 650},
	{"dashboard", 85, 180, 280},
}

// stack is a running server with PostgreSQL, Redis and Azurite behind it, and without
// limits.
type stack struct {
	*server
	program *program // whose settings have the operators' token
	token   string
}

// startStack imports the stored notices and starts a server.
func (r *run) startStack(ctx context.Context, s *servers, name string) (*stack, error) {
	env, err := s.environment(ctx, &s.postgres, &s.redis, &s.azure)
	if err != nil {
		return nil, err
	}
	st := &stack{token: rand.Text() + rand.Text()}
	st.program = r.program.with(name, append(env, "CROWNSAFE_RATE_LIMIT=off", "CROWNSAFE_OPS_TOKEN="+st.token)...)
	data := filepath.Join(r.folder, "data-"+name)
	for _, file := range r.taken {
		if _, err := st.program.importNew(ctx, data, file.path, file.notices); err != nil {
			return nil, err
		}
	}
	if st.server, err = st.program.serve(ctx, data); err != nil {
		return nil, err
	}
	pause(ctx, settlingIn)
	return st, nil
}

// loaded is what a load test reports, and the processor time that one request took in
// the server and in the load test, warming up and all.
type loaded struct {
	*loadtest.Report
	server, client time.Duration
}

// load runs the load test against the stack. Thresholds that are missed are in the
// report and no error.
func (st *stack) load(ctx context.Context, args ...string) (*loaded, error) {
	before, err := st.cpu()
	if err != nil {
		return nil, err
	}
	cmd := st.program.command(ctx, append([]string{"loadtest", "http://" + st.address, "--json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	failed := cmd.Run()
	report, err := loadtest.ReadReport(&stdout)
	if err != nil {
		return nil, fmt.Errorf("running the load test %v: %w\n%s", args, errors.Join(failed, err), stderr.String())
	}
	after, err := st.cpu()
	if err != nil {
		return nil, err
	}
	asked := report.Total.RPS * (report.Seconds + report.WarmUpSeconds)
	each := func(d time.Duration) time.Duration { return time.Duration(float64(d) / max(asked, 1)) }
	return &loaded{report, each(after - before), each(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())}, st.clearLog()
}

// loading makes the rows of the load test.
func (r *run) loading(ctx context.Context, s *servers) (err error) {
	st, err := r.startStack(ctx, s, "mixed")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.stop()) }()
	return r.loadRows(ctx, st)
}

// loadRows makes them of a stack that runs.
func (r *run) loadRows(ctx context.Context, st *stack) error {
	before, err := st.metrics(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(r.closedLoop(ctx, st), r.openLoop(ctx, st)); err != nil {
		return err
	}
	after, err := st.metrics(ctx)
	if err != nil {
		return err
	}
	p95, n := queryTimes(before, after, 0.95)
	r.row("queries of the database during both", fmt.Sprintf("95 of 100 within %s (%s queries)", milli(p95), count(n)), "≤ "+milli(goalQuery), atMost(p95.Seconds(), goalQuery.Seconds()))
	return r.besideWrk(ctx, st)
}

func (r *run) closedLoop(ctx context.Context, st *stack) error {
	report, err := st.load(ctx, "--users", fmt.Sprint(mixedUsers), "--without", "audit", "--duration", r.load.String())
	if err != nil {
		return err
	}
	measured := fmt.Sprintf("%s/s (median %s ms, 99 of 100 within %s ms; %s; processor time %s, and the client's %s)",
		count(report.Total.RPS), report.Total.P50, report.Total.P99, failuresOf(report), micro(report.server), micro(report.client))
	good := atLeast(report.Total.RPS, goalMixed)
	if report.Total.Failures > 0 {
		good = missedGoal
	}
	r.row(fmt.Sprintf("crownsafe loadtest, %d users, everything but the audit, with PostgreSQL, Redis and Blob", mixedUsers), measured, fmt.Sprintf("≥ %s/s, none failed", count(goalMixed)), good)
	return nil
}

func (r *run) openLoop(ctx context.Context, st *stack) error {
	report, err := st.load(ctx, "--rate", fmt.Sprint(mixedRate), "--without", "audit", "--duration", r.load.String())
	if err != nil {
		return err
	}
	what := fmt.Sprintf("the same, %s requests/s, each timed from when it was due", count(mixedRate))
	outcome := met
	if report.Total.Failures > 0 {
		outcome = missedGoal
	}
	r.row(what, fmt.Sprintf("avg %s, p95 %s, p99 %s ms (%s; sent late by %s ms, 99 of 100)", report.Total.Avg, report.Total.P95, report.Total.P99, failuresOf(report), report.SentLate.P99), "none failed", outcome)
	for _, g := range guide {
		for _, e := range report.Endpoints {
			if e.Name != g.endpoint {
				continue
			}
			outcome := missedGoal
			if e.Avg <= g.avg/tenth && e.P95 <= g.p95/tenth && e.P99 <= g.p99/tenth {
				outcome = met
			}
			r.row("the same, of it "+e.Request, fmt.Sprintf("avg %s, p95 %s, p99 %s ms", e.Avg, e.P95, e.P99),
				fmt.Sprintf("≤ %g, %g, %g ms", float64(g.avg/tenth), float64(g.p95/tenth), float64(g.p99/tenth)), outcome)
		}
	}
	if c := report.Cache; c != nil && c.HitRate != nil {
		r.row("the same: cache hits", fmt.Sprintf("%.1f %% (%s hits, %s misses)", *c.HitRate, count(float64(c.Hits)), count(float64(c.Misses))), "", information)
	}
	return nil
}

func failuresOf(report *loaded) string {
	if report.Total.Failures == 0 {
		return "none failed"
	}
	var causes []string
	for _, e := range report.Endpoints {
		for _, f := range e.Causes {
			causes = append(causes, fmt.Sprintf("%s %d %s ×%d", e.Name, f.Status, f.Cause.Cause, f.Count))
		}
	}
	return strings.Join(causes, ", ")
}

// runStack starts all servers and one of ours, for modes that measure nothing else.
func (r *run) runStack(ctx context.Context, name string, measure func(*stack) error) (err error) {
	path, err := r.write("recalls.json", 0, r.stored)
	if err != nil {
		return err
	}
	r.corpus, r.taken = path, []file{{path, r.stored}}
	r.prepareQuestions()
	r.sayf("starting PostgreSQL, Redis and Azurite")
	s := startServers(ctx, r.progress)
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	for _, p := range []*place{&s.postgres, &s.redis, &s.azure} {
		if p.failed != nil {
			return fmt.Errorf("there is no %s: %w", p.name, p.failed)
		}
	}
	st, err := r.startStack(ctx, s, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.stop()) }()
	return measure(st)
}
