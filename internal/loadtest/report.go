package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// Figure is what was measured, a time in milliseconds where nothing else is said, or
// NaN where nothing was, which JSON has as null. No threshold holds for NaN.
type Figure float64

var none = Figure(math.NaN())

// Known reports whether something was measured.
func (m Figure) Known() bool { return !math.IsNaN(float64(m)) }

// String words a figure with as many digits as tell something.
func (m Figure) String() string {
	switch {
	case !m.Known():
		return "–"
	case m < 10:
		return fmt.Sprintf("%.2f", float64(m))
	case m < 100:
		return fmt.Sprintf("%.1f", float64(m))
	}
	return fmt.Sprintf("%.0f", float64(m))
}

// MarshalJSON makes Figure a json.Marshaler.
func (m Figure) MarshalJSON() ([]byte, error) {
	if !m.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(m)*1e3) / 1e3)
}

// UnmarshalJSON makes Figure a json.Unmarshaler.
func (m *Figure) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*m = none
		return nil
	}
	return json.Unmarshal(text, (*float64)(m))
}

// Report is what a run measured.
type Report struct {
	Target    string    `json:"target"`
	StartedAt time.Time `json:"started_at"`
	// Loop is "open" with a Rate, or "closed" with Users.
	Loop  string  `json:"loop"`
	Users int     `json:"users,omitempty"`
	Rate  float64 `json:"rate,omitempty"`
	// Seconds is how long was measured, after WarmUpSeconds that were not.
	Seconds       float64 `json:"duration_seconds"`
	WarmUpSeconds float64 `json:"warm_up_seconds"`
	Seed          uint64  `json:"seed"`
	Interrupted   bool    `json:"interrupted"`
	// Total is of all requests together, Endpoints of each.
	Total     Endpoint   `json:"total"`
	Endpoints []Endpoint `json:"endpoints"`
	LeftOut   []LeftOut  `json:"left_out"`
	Notes     []string   `json:"notes"`
	// SentLate says by how much requests were sent later than they were due, in the open
	// loop: where it is much, the client lacks processor time, and its figures tell of that.
	SentLate Late     `json:"sent_late"`
	Timeline []Moment `json:"timeline"`
	// Cache is what the target's cache did meanwhile; null where operators alone may know.
	Cache      *Cache    `json:"cache"`
	Thresholds []Outcome `json:"thresholds"`
}

// Endpoint is what was measured of one endpoint. Times are in milliseconds, of the
// requests that were answered as they should be and of those that timed out; null
// where there is none.
type Endpoint struct {
	Name      string     `json:"name"`
	Request   string     `json:"request,omitempty"`
	Requests  int64      `json:"requests"`
	Successes int64      `json:"successes"`
	Failures  int64      `json:"failures"`
	RPS       float64    `json:"rps"`
	Avg       Figure     `json:"avg"`
	P50       Figure     `json:"p50"`
	P95       Figure     `json:"p95"`
	P99       Figure     `json:"p99"`
	P999      Figure     `json:"p999"`
	Max       Figure     `json:"max"`
	Causes    []Failures `json:"causes"`
	// Distribution is for plots: shares of the requests, and the time within which they
	// were answered.
	Distribution []Share `json:"distribution"`
}

// Failures is how many requests failed for one cause.
type Failures struct {
	Cause
	Count int64 `json:"count"`
}

// Share of requests, in percent, that were answered within a time.
type Share struct {
	Percent float64 `json:"percent"`
	Within  Figure  `json:"within"`
}

// Late is how late requests were sent, in milliseconds.
type Late struct {
	P50 Figure `json:"p50"`
	P99 Figure `json:"p99"`
	Max Figure `json:"max"`
}

// Moment is a second or so of a run.
type Moment struct {
	Second    float64 `json:"second"`
	RPS       float64 `json:"rps"`
	FailedRPS float64 `json:"failed_rps"`
	P50       Figure  `json:"p50"`
	P95       Figure  `json:"p95"`
	P99       Figure  `json:"p99"`
}

// Cache is what a cache was asked for and had.
type Cache struct {
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
	// HitRate is in percent; null before there was anything.
	HitRate *float64 `json:"hit_rate"`
}

// report makes a report of what was recorded.
func (t *Test) report(r *records, began time.Time, measured time.Duration) *Report {
	r.lock.Lock()
	defer r.lock.Unlock()
	report := &Report{
		Target: t.target.String(), StartedAt: began.UTC().Truncate(time.Second), Loop: "closed", Users: t.plan.Users, Rate: t.plan.Rate,
		Seconds: measured.Seconds(), WarmUpSeconds: t.plan.WarmUp.Seconds(), Seed: t.plan.Seed,
		Total: r.total.endpoint("total", "", measured), Endpoints: []Endpoint{}, Timeline: append([]Moment{}, r.timeline...),
		LeftOut: append([]LeftOut{}, t.leftOut...), Notes: append([]string{}, t.notes...), Thresholds: []Outcome{},
		SentLate: Late{P50: quantile(r.late, 50), P99: quantile(r.late, 99), Max: quantile(r.late, 100)},
	}
	if t.plan.Rate > 0 {
		report.Loop, report.Users = "open", 0
	}
	for i, e := range t.endpoints {
		report.Endpoints = append(report.Endpoints, r.endpoints[i].endpoint(e.name, e.request, measured))
	}
	if n := r.limited(); n > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("%d requests were refused by the target's limits (429), and the figures tell of those more than of the server", n))
	}
	if report.Loop == "open" && report.SentLate.P99 > lateEnough {
		report.Notes = append(report.Notes, fmt.Sprintf("one of 100 requests was sent %s ms and more after it was due, and its time tells of that too: this client lacks processor time, or connections of those that wait", report.SentLate.P99))
	}
	return report
}

// lateEnough is what the report says a word about.
const lateEnough Figure = 5

// shares are those of a distribution: dense where it is interesting.
var shares = []float64{1, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 98.5, 99, 99.25, 99.5, 99.75, 99.9, 99.95, 99.99, 100}

func (r *recorder) endpoint(name, request string, measured time.Duration) Endpoint {
	e := Endpoint{
		Name: name, Request: request, Requests: r.requests, Successes: r.requests - r.failures, Failures: r.failures, Causes: r.counts(),
		Avg: none, P50: r.within(50), P95: r.within(95), P99: r.within(99), P999: r.within(99.9), Max: none,
		Distribution: []Share{},
	}
	if measured > 0 {
		e.RPS = math.Round(float64(r.requests)/measured.Seconds()*1e3) / 1e3
	}
	if n := r.histogram.TotalCount(); n > 0 {
		e.Avg = Figure(r.sum.Seconds() * 1e3 / float64(n))
		e.Max = Figure(r.most.Seconds() * 1e3)
		for _, s := range shares {
			e.Distribution = append(e.Distribution, Share{s, r.within(s)})
		}
	}
	return e
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// ReadReport reads what WriteJSON wrote.
func ReadReport(in io.Reader) (*Report, error) {
	r := &Report{}
	if err := json.NewDecoder(in).Decode(r); err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	if len(r.Endpoints) == 0 {
		return nil, fmt.Errorf("reading a report: it has no endpoints")
	}
	return r, nil
}

// cacheCounts asks what the target's cache did so far. nil where that can't be known:
// the run doesn't turn on it.
func (t *Test) cacheCounts(ctx context.Context) *Cache {
	if t.plan.OpsToken == "" {
		return nil
	}
	_, body, err := t.get(ctx, t.at(cacheStats), t.heads.of(forOperators, false))
	if err != nil {
		return nil
	}
	c := &Cache{}
	if json.Unmarshal(body, c) != nil {
		return nil
	}
	return c
}

// since is what a cache did since it had counted so much.
func (c *Cache) since(before *Cache) *Cache {
	if c == nil || before == nil || c.Hits < before.Hits || c.Misses < before.Misses { // it was restarted
		return nil
	}
	d := &Cache{Hits: c.Hits - before.Hits, Misses: c.Misses - before.Misses}
	if n := d.Hits + d.Misses; n > 0 {
		rate := math.Round(float64(d.Hits)/float64(n)*1e4) / 100
		d.HitRate = &rate
	}
	return d
}
