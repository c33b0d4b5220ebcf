package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/test/load/inside"
	"github.com/crownsafe/api/test/load/multiply"
)

// The goals of scale.
const (
	goalByBarcode = 50 * time.Microsecond  // 99 of 100 questions
	goalByModel   = time.Millisecond       // 99 of 100 questions
	goalFound     = 5 * time.Millisecond   // 99 of 100 questions
	goalGrowth    = 3.0                    // from the smaller number of notices to the larger
	goalLarge     = 1228 << 20             // bytes resident with the larger number: 1.2 GiB
	goalBatch     = 30 * time.Millisecond  // with the smaller number
	goalUpdate    = 100 * time.Millisecond // with either
	batchUnits    = 1000
)

// sizes are the numbers of notices between which growth is measured.
var sizes = [2]int{20_000, 250_000}

// scaling measures how answers grow with the number of notices: multiplied from
// the folder of agencies' files, or from invented ones where there is none.
func (r *run) scaling(ctx context.Context) error {
	r.sayf("multiplying notices to %s and %s", humanize.Comma(int64(sizes[0])), humanize.Comma(int64(sizes[1])))
	originals, err := inside.Originals(ctx, r.seed, r.real, inside.Invented)
	if err != nil {
		return err
	}
	m := multiply.New(r.seed, originals)
	var results [2]inside.Result
	for i, size := range sizes {
		data := filepath.Join(r.folder, fmt.Sprintf("data-%d", size))
		if err := inside.Fill(ctx, data, m, size); err != nil {
			return err
		}
		if err := r.measuredApart(ctx, data, &results[i]); err != nil {
			return err
		}
		if err := r.servingMany(ctx, data, size, m); err != nil {
			return err
		}
	}
	for _, kind := range []struct {
		what  string
		goal  time.Duration
		times func(*inside.Result) []time.Duration
	}{
		{"verdict by barcode", goalByBarcode, func(r *inside.Result) []time.Duration { return r.Barcode }},
		{"verdict by brand, name and model", goalByModel, func(r *inside.Result) []time.Duration { return r.Model }},
		{"search", goalFound, func(r *inside.Result) []time.Duration { return r.Search }},
	} {
		r.growing(kind.what, kind.goal, kind.times(&results[0]), kind.times(&results[1]))
	}
	for i := range results {
		r.updating(&results[i])
	}
	return nil
}

// measuredApart measures the catalogue in a process of its own.
func (r *run) measuredApart(ctx context.Context, data string, result *inside.Result) error {
	copied := data + "-measured" // it updates what it measures
	if err := os.CopyFS(copied, os.DirFS(data)); err != nil {
		return fmt.Errorf("copying %s: %w", data, err)
	}
	if err := r.apart(ctx, partInside, copied, nil, result); err != nil {
		return err
	}
	return os.RemoveAll(copied)
}

// measureInside measures the catalogue in this process, which does nothing else.
func measureInside(ctx context.Context, s settings, data string) (inside.Result, error) {
	originals, err := inside.Originals(ctx, s.seed, s.real, inside.Invented)
	if err != nil {
		return inside.Result{}, err
	}
	return inside.Measure(ctx, data, multiply.New(s.seed, originals))
}

// growing makes the rows of one kind of question.
func (r *run) growing(what string, goal time.Duration, few, many []time.Duration) {
	p99 := [2]time.Duration{percentile(few, 0.99), percentile(many, 0.99)}
	for i, times := range [][]time.Duration{few, many} {
		r.row(fmt.Sprintf("%s, inside the process, %s notices", what, humanize.Comma(int64(sizes[i]))),
			fmt.Sprintf("median %s, 99 of 100 within %s", micro(median(times)), micro(p99[i])), "99 of 100 ≤ "+micro(goal), atMost(float64(p99[i]), float64(goal)))
	}
	middle, high := float64(median(many))/float64(median(few)), float64(p99[1])/float64(p99[0])
	r.row(what+": growth between the two", fmt.Sprintf("median ×%.1f, 99 of 100 ×%.1f", middle, high), fmt.Sprintf("both ≤ ×%.0f", goalGrowth), atMost(max(middle, high), goalGrowth))
}

// updating makes the row of updates.
func (r *run) updating(result *inside.Result) {
	r.row(fmt.Sprintf("update of 1,000 notices among %s while searches go on", humanize.Comma(int64(result.Notices))),
		fmt.Sprintf("median %s, all within %s (catalogue %s)", milli(median(result.Update)), milli(percentile(result.Update, 1)), megabytes(result.Heap)),
		"≤ "+milli(goalUpdate), atMost(float64(median(result.Update)), float64(goalUpdate)))
}

// servingMany starts the real server on so many notices: a batch is timed with
// the smaller number, its memory is read with the larger one.
func (r *run) servingMany(ctx context.Context, data string, size int, m *multiply.Multiplier) (err error) {
	var notices []recall.Notice
	for i := range 4 * batchUnits { // few print a barcode
		notices = append(notices, m.Notice(i*7919%size))
	}
	units := inside.Units(notices, batchUnits)
	hit := ""
	for _, u := range units {
		if hit == "" && u.GTIN != "" {
			hit = "/api/v1/barcode/" + u.GTIN
		}
	}
	s, took, err := r.program.serveHit(ctx, data, hit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	times, err := askBatches(s.address, units)
	if err != nil {
		return err
	}
	batch := fmt.Sprintf("median %s, all within %s", milli(median(times)), milli(percentile(times, 1)))
	what := fmt.Sprintf("POST /api/v1/verdict/batch, %s mixed units, %s notices", humanize.Comma(int64(len(units))), humanize.Comma(int64(size)))
	if size == sizes[0] {
		r.row(what, batch, "≤ "+milli(goalBatch), atMost(float64(median(times)), float64(goalBatch)))
		return nil
	}
	r.row(what, batch, "", information)
	now, highest, err := s.resident()
	if err != nil {
		return err
	}
	r.row(fmt.Sprintf("resident memory with %s notices (first answer after %.1f s)", humanize.Comma(int64(size)), took.Seconds()),
		megabytes(now)+", never above "+megabytes(highest), "≤ "+megabytes(goalLarge)+" ever", atMost(float64(highest), goalLarge))
	return nil
}

// askBatches asks for the verdicts on all units at once, again and again.
func askBatches(address string, units []recall.Unit) ([]time.Duration, error) {
	const batches = 15
	body, err := json.Marshal(map[string]any{"units": units})
	if err != nil {
		return nil, fmt.Errorf("writing a batch: %w", err)
	}
	var times []time.Duration
	for range batches {
		begin := time.Now()
		response, err := http.Post("http://"+address+"/api/v1/verdict/batch", "application/json", bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("asking for a batch: %w", err)
		}
		answer, err := io.ReadAll(response.Body)
		took := time.Since(begin)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return nil, fmt.Errorf("reading a batch's answer: %w", err)
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("a batch is answered with status %d: %.300s", response.StatusCode, answer)
		}
		times = append(times, took)
	}
	return times[1:], nil // the first one warmed up
}
