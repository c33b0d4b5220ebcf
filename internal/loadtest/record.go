package loadtest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Times are recorded in microseconds with three digits that tell something.
const (
	longest   = int64(10 * time.Minute / time.Microsecond)
	precision = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, precision) }

// result is what became of one request.
type result struct {
	endpoint int
	due      time.Time     // when it should have been sent
	late     time.Duration // by which it was sent later
	took     time.Duration // from when it was due to the end of the answer
	failed   *Cause
}

// recorder counts the results of one endpoint, or of all.
type recorder struct {
	histogram *hdrhistogram.Histogram
	sum, most time.Duration
	requests  int64
	failures  int64
	causes    map[Cause]int64
}

func newRecorder() *recorder { return &recorder{histogram: newHistogram(), causes: map[Cause]int64{}} }

// add counts a result. The times are of requests that were answered as they should
// be, and of those that timed out or waited for a connection too long; other
// failures have none, so that failing at once never makes a server look fast.
func (r *recorder) add(x *result) {
	r.requests++
	if x.failed != nil {
		r.failures++
		r.causes[*x.failed]++
		if x.failed.Cause != causeTimeout && x.failed.Cause != causeUnsent {
			return
		}
	}
	r.sum += x.took
	r.most = max(r.most, x.took)
	// The value is within the histogram's bounds, which is the only error.
	_ = r.histogram.RecordValue(min(max(x.took.Microseconds(), 1), longest))
}

// forget makes the recorder as new.
func (r *recorder) forget() {
	r.histogram.Reset()
	r.sum, r.most, r.requests, r.failures = 0, 0, 0, 0
	clear(r.causes)
}

// counts are the causes, the most frequent first.
func (r *recorder) counts() []Failures {
	list := []Failures{}
	for c, n := range r.causes {
		list = append(list, Failures{c, n})
	}
	slices.SortFunc(list, func(a, b Failures) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		if a.Status != b.Status {
			return a.Status - b.Status
		}
		return strings.Compare(a.Cause.Cause, b.Cause.Cause)
	})
	return list
}

// records is everything that is recorded of a run.
type records struct {
	lock      sync.Mutex
	begin     time.Time // of what is measured
	end       time.Time
	endpoints []*recorder
	total     *recorder
	lately    *recorder // since the last look
	late      *hdrhistogram.Histogram
	timeline  []Moment
}

func newRecords(endpoints int, begin, end time.Time) *records {
	r := &records{begin: begin, end: end, total: newRecorder(), lately: newRecorder(), late: newHistogram()}
	for range endpoints {
		r.endpoints = append(r.endpoints, newRecorder())
	}
	return r
}

// add records a result, if its request was due while there was measured.
func (r *records) add(x *result) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.lately.add(x)
	if x.due.Before(r.begin) || !x.due.Before(r.end) {
		return
	}
	r.endpoints[x.endpoint].add(x)
	r.total.add(x)
	_ = r.late.RecordValue(min(max(x.late.Microseconds(), 0), longest)) // within bounds
}

// look returns what came since the last look, which ended so long ago, and puts it
// on the timeline once there is measured.
func (r *records) look(now time.Time, since time.Duration) Progress {
	r.lock.Lock()
	defer r.lock.Unlock()
	l := r.lately
	p := Progress{
		Rate: float64(l.requests) / since.Seconds(), P50: quantile(l.histogram, 50), P95: quantile(l.histogram, 95), P99: quantile(l.histogram, 99),
		Requests: r.total.requests, Failures: r.total.failures, Limited: r.limited(),
	}
	if now.Sub(r.begin) > since/2 { // most of it is not of the warm-up
		r.timeline = append(r.timeline, Moment{
			Second: now.Sub(r.begin).Seconds(), RPS: p.Rate, FailedRPS: float64(l.failures) / since.Seconds(), P50: p.P50, P95: p.P95, P99: p.P99,
		})
	}
	l.forget()
	return p
}

// limited counts the requests that were refused for coming too often.
func (r *records) limited() (n int64) {
	for cause, count := range r.total.causes {
		if cause.Status == http.StatusTooManyRequests {
			n += count
		}
	}
	return n
}

// within is the time within which a share of the requests, in percent, was answered.
// A histogram knows it by its first digits, and so may say more than the most; and of
// few requests it says that a small share was answered within nothing.
func (r *recorder) within(percent float64) Figure {
	least := Figure(float64(r.histogram.Min()) / 1e3)
	return min(max(quantile(r.histogram, percent), least), Figure(r.most.Seconds()*1e3))
}

// quantile is in milliseconds; there is none of nothing.
func quantile(h *hdrhistogram.Histogram, q float64) Figure {
	if h.TotalCount() == 0 {
		return none
	}
	return Figure(float64(h.ValueAtQuantile(q)) / 1e3)
}
