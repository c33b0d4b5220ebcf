package telemetry

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requestBuckets are the bounds of the classic buckets, in seconds: most answers
// take microseconds, and the objective is drawn at a tenth of a second.
var requestBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// methods are those that are counted apart: whoever asks may call a method
// anything.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// requests counts requests. What is known of a combination of labels is looked up
// without a lock and without garbage: requests are answered in microseconds.
type requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec

	known  *atomic.Pointer[map[requestLabels]*requestSeries]
	adding *sync.Mutex
}

type requestLabels struct {
	method, endpoint string
	status           int
}

// requestSeries are those of one combination of labels.
type requestSeries struct {
	total    prometheus.Counter
	duration prometheus.Observer
	// shown is the second in which each bucket's exemplar was made.
	shown []atomic.Int64
}

func newRequests() requests {
	labels := []string{"method", "endpoint", "status_code"}
	r := requests{
		total: counter("http_requests_total", "Requests that were answered.", labels...),
		duration: prometheus.NewHistogramVec(histogram("http_request_duration_seconds",
			"How long requests took, from their headers to the end of the answer.", requestBuckets...), labels),
		known: &atomic.Pointer[map[requestLabels]*requestSeries]{}, adding: &sync.Mutex{},
	}
	r.known.Store(&map[requestLabels]*requestSeries{})
	return r
}

// Route announces a route, before its first request: its successes and failures
// are there at 0. The endpoint is the route's template.
func (m *Metrics) Route(method, endpoint string) {
	m.requests.of(requestLabels{method, endpoint, http.StatusOK})
	m.requests.total.WithLabelValues(method, endpoint, strconv.Itoa(http.StatusInternalServerError))
}

// Request counts a request that was answered. The endpoint is the route's template,
// of which there are few; the trace id may be empty.
func (m *Metrics) Request(method, endpoint string, status int, took time.Duration, traceID string) {
	if !slices.Contains(methods, method) {
		method = other
	}
	series := m.requests.of(requestLabels{method, endpoint, status})
	series.total.Inc()
	series.observe(took.Seconds(), traceID, time.Now().Unix())
}

// of returns the series of a combination of labels, which it makes if there are
// none.
func (r *requests) of(labels requestLabels) *requestSeries {
	if s := (*r.known.Load())[labels]; s != nil {
		return s
	}
	r.adding.Lock()
	defer r.adding.Unlock()
	known := *r.known.Load()
	if s := known[labels]; s != nil {
		return s
	}
	values := []string{labels.method, labels.endpoint, strconv.Itoa(labels.status)}
	s := &requestSeries{
		total: r.total.WithLabelValues(values...), duration: r.duration.WithLabelValues(values...),
		shown: make([]atomic.Int64, len(requestBuckets)+1),
	}
	more := maps.Clone(known)
	more[labels] = s
	r.known.Store(&more)
	return s
}

// observe counts a duration. Each bucket gets an exemplar once a second: more
// would only replace it, at the price of garbage for each request.
func (s *requestSeries) observe(seconds float64, traceID string, now int64) {
	if traceID != "" {
		bucket, _ := slices.BinarySearch(requestBuckets, seconds)
		if last := s.shown[bucket].Load(); last != now && s.shown[bucket].CompareAndSwap(last, now) {
			s.duration.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": traceID})
			return
		}
	}
	s.duration.Observe(seconds)
}
