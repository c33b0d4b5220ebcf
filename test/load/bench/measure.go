package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/crownsafe/api/test/load/corpus"
)

// The goals.
const (
	goalImport   = 3000            // notices a second
	goalStart    = time.Second     // from the start of the process to the first answer
	goalMemory   = 200 << 20       // bytes resident
	goalLimits   = 0.75            // of the rate without limits
	goalBarcode  = 0.75            // of the bare handler's rate, with all that stands around an operation
	goalSearch   = 0.35            // of the bare handler's rate
	goalVisible  = time.Second     // from the end of an import to its last notice being served
	megabyte     = 1 << 20         // as the goal counts
	settling     = time.Second / 2 // load before the import begins
	watchedAfter = 3 * time.Second // and after it has ended
)

// run is one run of the benchmark.
type run struct {
	settings
	progress io.Writer
	folder   string
	program  *program
	corpus   string // file of the stored notices
	data     string // data directory with the stored notices
	taken    []file // that data has
	hits     []string
	searches []string
	rows     []row
}

// file is a file of notices.
type file struct {
	path    string
	notices int
}

// measure builds the program and makes the rows that are wanted. On an error those
// that were made before stand.
func measure(ctx context.Context, s settings, what func(*run, context.Context) error, progress io.Writer) (rows []row, err error) {
	folder, err := os.MkdirTemp("", "crownsafe-bench-*")
	if err != nil {
		return nil, fmt.Errorf("making a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	r := &run{settings: s, progress: progress, folder: folder}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		average, _, _ := strings.Cut(string(load), " ")
		r.sayf("%d processors, load %s before the measurement; what else runs lowers every rate that is no ratio", runtime.NumCPU(), average)
	}
	r.sayf("building the program")
	if r.program, err = buildProgram(ctx, folder); err != nil {
		return nil, err
	}
	err = what(r, ctx)
	return r.rows, err
}

// all measures one thing after the other.
func (r *run) all(ctx context.Context) error {
	if err := r.importing(ctx); err != nil {
		return err
	}
	r.prepareQuestions()
	if !r.only {
		if err := r.serving(ctx); err != nil {
			return err
		}
	}
	if !r.remote {
		r.sayf("LEFT OUT: what needs PostgreSQL, Redis and Azurite; ask for it with -servers")
	} else if err := r.production(ctx); err != nil {
		return err
	}
	if !r.scale {
		return nil
	}
	return r.scaling(ctx)
}

func (r *run) sayf(format string, args ...any) { fmt.Fprintf(r.progress, format+"\n", args...) }

func (r *run) row(what, measured, goal string, o outcome) {
	r.rows = append(r.rows, row{what, measured, goal, o})
	r.sayf("%s: %s %s", what, measured, o)
}

// write writes notices to a file and returns its path.
func (r *run) write(name string, first, end int) (string, error) {
	path := filepath.Join(r.folder, name)
	f, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("making the corpus: %w", err)
	}
	if err := errors.Join(corpus.Write(f, corpus.Between(r.seed, first, end)), f.Close()); err != nil {
		return "", fmt.Errorf("writing %s: %w", path, err)
	}
	return path, nil
}

// importing measures imports into empty data directories and leaves the last.
func (r *run) importing(ctx context.Context) error {
	r.sayf("writing %d notices", r.stored)
	path, err := r.write("recalls.json", 0, r.stored)
	if err != nil {
		return err
	}
	r.corpus, r.taken = path, []file{{path, r.stored}}
	var rates []float64
	var cpu []time.Duration
	for i := range r.imports {
		r.data = filepath.Join(r.folder, fmt.Sprintf("data-%d", i))
		got, err := r.program.importNew(ctx, r.data, path, r.stored)
		if err != nil {
			return err
		}
		rates = append(rates, float64(got.Read)/got.took.Seconds())
		cpu = append(cpu, got.cpu)
	}
	r.row(fmt.Sprintf("import of %s notices with extraction, the whole command", humanize.Comma(int64(r.stored))),
		fmt.Sprintf("%s notices/s (processor time %.1f s)", count(median(rates)), median(cpu).Seconds()), fmt.Sprintf("≥ %s/s", humanize.Comma(goalImport)), atLeast(median(rates), goalImport))
	if r.real == "" {
		return nil
	}
	got, err := r.program.importFiles(ctx, filepath.Join(r.folder, "data-real"), r.real)
	if err != nil {
		return err
	}
	r.row("import of agencies' own files", fmt.Sprintf("%s notices/s (%s notices, processor time %.1f s)", count(float64(got.Read)/got.took.Seconds()), humanize.Comma(int64(got.Read)), got.cpu.Seconds()), "", information)
	return nil
}

// prepareQuestions chooses what to ask for.
func (r *run) prepareQuestions() {
	r.hits = barcodes(r.seed, 0, r.stored, r.barcodes)
	for _, words := range corpus.Queries(r.seed, r.queries) {
		r.searches = append(r.searches, "/api/v1/recalls?q="+url.QueryEscape(words))
	}
}

// serving measures everything that a running server does.
func (r *run) serving(ctx context.Context) (err error) {
	ours, err := r.starting(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.stop()) }()
	if err := r.answering(ctx, ours); err != nil {
		return err
	}
	if err := r.swapping(ctx, ours); err != nil {
		return err
	}
	now, highest, err := ours.resident()
	if err != nil {
		return err
	}
	r.row("resident memory after all of this", megabytes(now)+", never above "+megabytes(highest), "≤ "+megabytes(goalMemory), atMost(float64(now), goalMemory))
	return nil
}

// barcodes returns addresses of so many barcodes, spread over the notices.
func barcodes(seed uint64, first, end, most int) []string {
	var all []string
	for recall := range corpus.Between(seed, first, end) {
		for _, u := range recall.ProductUPCs {
			all = append(all, "/api/v1/barcode/"+u.UPC)
		}
	}
	step := max(1, len(all)/most)
	var some []string
	for i := 0; i < len(all) && len(some) < most; i += step {
		some = append(some, all[i])
	}
	return some
}

// starting measures starts and leaves the last server running.
func (r *run) starting(ctx context.Context) (ours *server, err error) {
	var times, cpus []time.Duration
	for i := range r.starts {
		if ours != nil {
			if err := ours.stop(); err != nil {
				return nil, err
			}
		}
		var took time.Duration
		if ours, took, err = r.program.serveHit(ctx, r.data, r.hits[i%len(r.hits)]); err != nil {
			return nil, err
		}
		cpu, err := ours.cpu()
		if err != nil {
			return nil, errors.Join(err, ours.stop())
		}
		times, cpus = append(times, took), append(cpus, cpu)
	}
	r.row("start with the stored notices, to the first answer on a barcode", fmt.Sprintf("%.2f s (processor time %.1f s)", median(times).Seconds(), median(cpus).Seconds()),
		fmt.Sprintf("≤ %.0f s", goalStart.Seconds()), atMost(median(times).Seconds(), goalStart.Seconds()))
	now, highest, err := ours.resident()
	if err != nil {
		return nil, errors.Join(err, ours.stop())
	}
	r.row("resident memory at the first answer", megabytes(now)+", never above "+megabytes(highest), "≤ "+megabytes(goalMemory), atMost(float64(now), goalMemory))
	return ours, nil
}

// answering compares answers with a bare handler's.
func (r *run) answering(ctx context.Context, ours *server) (err error) {
	r.sayf("asking every question once")
	codes, err := record(ours, r.hits, `{"verdict":"`, noMatch)
	if err != nil {
		return err
	}
	found, err := record(ours, r.searches, `{"items":[{`, `{"items":[]`)
	if err != nil {
		return err
	}
	bare, err := r.startBare(ctx, append(codes, found...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()

	for _, c := range []struct {
		what    string
		answers []answer
		goal    float64
		anew    func(a answer, n uint64) string
		begins  string
	}{
		{"GET /api/v1/barcode/{code}, hits", codes, goalBarcode, withLot, `{"verdict":"`},
		{"GET /api/v1/recalls?q=", found, goalSearch, withFarEnd, `{"items":[{`},
	} {
		list := expected(c.answers)
		ratio, b, o, err := compare(ctx, r.settings, bare, ours, inTurn(list))
		if err != nil {
			return err
		}
		r.row(fmt.Sprintf("%s, %d connections, by a bare handler's rate", c.what, connections),
			fmt.Sprintf("%.2f (%s/s by %s/s; processor time %s by %s)", ratio, count(median(o.rates)), count(median(b.rates)), micro(o.cpuPerRequest()), micro(b.cpuPerRequest())),
			fmt.Sprintf("≥ %.2f", c.goal), atLeast(ratio, c.goal))
		anew := &contender{server: ours}
		next := numbered(func(n uint64) question {
			return question{get(c.anew(c.answers[n%uint64(len(c.answers))], n)), expectation{begins: []byte(c.begins)}}
		})
		for range r.rounds {
			if err := anew.round(ctx, r.round/2, next); err != nil {
				return err
			}
		}
		r.row("the same, no answer asked for twice", fmt.Sprintf("%.2f (%s/s; processor time %s; median %s, 99 of 100 within %s)",
			median(anew.rates)/median(b.rates), count(median(anew.rates)), micro(anew.cpuPerRequest()),
			milli(median(anew.total.latencies)), milli(percentile(anew.total.latencies, 0.99))), "", information)
	}
	return errors.Join(r.limiting(ctx, ours, expected(codes)), r.signingIn(ctx, expected(codes)))
}

// limiting compares answers from memory, which cost the least by themselves, with
// those of a server that lets everybody ask as often as they like.
func (r *run) limiting(ctx context.Context, ours *server, list []question) (err error) {
	open, _, err := r.program.with("open", "CROWNSAFE_RATE_LIMIT=off").serveHit(ctx, r.data, r.hits[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, open.stop()) }()
	ratio, without, with, err := compare(ctx, r.settings, open, ours, inTurn(list))
	if err != nil {
		return err
	}
	r.row("the same with limits, by the rate without",
		fmt.Sprintf("%.2f (%s/s by %s/s; processor time %s by %s)", ratio, count(median(with.rates)), count(median(without.rates)), micro(with.cpuPerRequest()), micro(without.cpuPerRequest())),
		fmt.Sprintf("≥ %.2f", goalLimits), atLeast(ratio, goalLimits))
	return nil
}

// withLot and withFarEnd ask what was never asked before: for another lot, and
// up to another day that lies after every notice.
func withLot(a answer, n uint64) string { return fmt.Sprintf("%s?lot=U%d", a.URI, n) }

func withFarEnd(a answer, n uint64) string {
	farEnd := time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	return a.URI + "&published_to=" + farEnd.Format(time.RFC3339)
}

// record asks each address once; every answer must begin so, and none so.
func record(s *server, uris []string, begins, never string) ([]answer, error) {
	var answers []answer
	for _, uri := range uris {
		a, err := fetch(s.address, uri)
		if err != nil {
			return nil, err
		}
		if body := string(a.Body); !strings.HasPrefix(body, begins) || strings.HasPrefix(body, never) {
			return nil, fmt.Errorf("%s is answered with %.200s", uri, body)
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// expected makes questions of what was answered once.
func expected(answers []answer) []question {
	const telling = 40 // bytes at the beginning that no catalogue change touches
	list := make([]question, len(answers))
	for i, a := range answers {
		list[i] = question{get(a.URI), expectation{begins: a.Body[:min(telling, len(a.Body))], length: len(a.Body)}}
	}
	return list
}

// startBare starts this command again as the bare handler.
func (r *run) startBare(ctx context.Context, answers []answer) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this command: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-bare")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("connecting to the bare handler: %w", err)
	}
	fed := make(chan error, 1)
	go func() { fed <- json.NewEncoder(in).Encode(answers) }()
	s, err := startServer(cmd, filepath.Join(r.folder, "bare.log"))
	if err != nil {
		return nil, err
	}
	return s, <-fed
}

func count(n float64) string { return humanize.Comma(int64(n + 0.5)) }

func megabytes(n int64) string { return fmt.Sprintf("%d MiB", (n+megabyte/2)/megabyte) }

func micro(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1e3) }

func milli(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3) }
