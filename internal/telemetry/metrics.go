package telemetry

import (
	"io"
	"log"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry gathers metrics; one for each program, or test.
type Registry = prometheus.Registry

// NewRegistry makes an empty one.
func NewRegistry() *Registry { return prometheus.NewRegistry() }

// The values of labels that are known from the start. Series of them are there at
// 0 before the first event, so that its increase isn't missed.
var (
	// Verdicts are recall.Outcome's.
	Verdicts = []string{"affected", "need_code", "not_affected", "no_match", "cannot_tell"}
	// Severities are those of the security audit.
	Severities = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW"}
	// PollStates are how polls end; see store.RunState.
	PollStates = []string{"done", "partial", "failed"}
	// LimitDecisions are what a rate limit does with a request: it allows or limits
	// it, or can't tell, as its store doesn't answer, and lets it pass.
	LimitDecisions = []string{"allowed", "limited", "unknown"}
	// LoginOutcomes are what becomes of attempts to log in.
	LoginOutcomes = []string{"done", "refused", "locked", "limited", "failed"}
	// ObjectOperations are blob.GuardOptions.Observe's.
	ObjectOperations = []string{"put", "get", "head", "list", "copy", "delete"}
	// UploadResults are what becomes of an upload: stored, or there already, or not.
	UploadResults = []string{"stored", "exists", "failed"}
	// BreakerStates are those of what stands before a server that may fail.
	BreakerStates = []string{"closed", "half_open", "open"}
	// SourceStates are source.State's.
	SourceStates = []string{"ok", "stale", "partial", "failing", "never"}
)

// other stands for every value of a label that isn't known: labels are bounded.
const other = "other"

// among returns a label's value if it is known, else other.
func among(known []string, value string) string {
	if slices.Contains(known, value) {
		return value
	}
	return other
}

// Options say what is known of the program before anything happens.
type Options struct {
	Version    string
	Agencies   []string // codes
	Operations []string // of the database; see store.Operations
	Backend    string   // of the store of objects: azure or disk
}

// Metrics counts what happens in one program. Its methods are safe for concurrent
// use and never wait for anybody.
type Metrics struct {
	registry *prometheus.Registry
	requests requests
	state    stateCollector

	verdicts         *prometheus.CounterVec
	queries          *prometheus.HistogramVec
	queryErrors      *prometheus.CounterVec
	uploads          *prometheus.CounterVec
	uploadTimes      *prometheus.HistogramVec
	objects          *prometheus.HistogramVec
	objectErrors     *prometheus.CounterVec
	rejected         *prometheus.CounterVec
	polls            *prometheus.CounterVec
	auditFailures    *prometheus.CounterVec
	findings         *prometheus.GaugeVec
	limits           *prometheus.CounterVec
	refused          prometheus.Counter
	logins           *prometheus.CounterVec
	certificateUntil *prometheus.GaugeVec
	backend          string
	agencies         []string
	operations       []string
}

// histogram makes options with classic buckets, and native ones for those who
// scrape them: each of those is at most a tenth wider than the one before it.
func histogram(name, help string, buckets ...float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

// NewMetrics registers every metric with a registry.
func NewMetrics(registry *Registry, o Options) *Metrics {
	m := &Metrics{
		registry: registry, requests: newRequests(), backend: o.Backend, agencies: o.Agencies, operations: o.Operations,
		verdicts: counter("verdicts_total", "Verdicts that were given, by what they say; each unit of a batch counts, and an answer from memory.", "verdict"),
		queries: prometheus.NewHistogramVec(histogram("database_query_duration_seconds",
			"How long operations on the database took, with what the caller did with each row meanwhile.",
			.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 30), []string{"operation"}),
		queryErrors: counter("database_errors_total", "Operations on the database that failed; that nothing was found is no failure.", "operation"),
		uploads: counter("azure_blob_uploads_total",
			"Attempts to store an object, whatever keeps the objects: stored, exists (it was there already) or failed.", "backend", "result"),
		uploadTimes: prometheus.NewHistogramVec(histogram("azure_blob_upload_duration_seconds", "How long attempts to store an object took.",
			.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60), []string{"backend", "result"}),
		objects: prometheus.NewHistogramVec(histogram("crownsafe_storage_operation_duration_seconds",
			"How long operations on the store of objects took; a get until its content begins.",
			.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60), []string{"backend", "operation"}),
		objectErrors: counter("crownsafe_storage_errors_total", "Operations on the store of objects that failed; that nothing was found is no failure.", "backend", "operation"),
		rejected:     counter("recall_ingest_rejected_total", "Records that this process has read in polls and that could not become notices.", "agency"),
		polls:        counter("crownsafe_recall_polls_total", "Polls of agencies' feeds by this process, by how they ended.", "agency", "state"),
		auditFailures: counter("security_audit_failures_total",
			"Checks of the security audit that failed, counted again in each run.", "severity"),
		findings: gauge("crownsafe_security_findings", "Checks that failed in the last run of the security audit.", "severity"),
		limits:   counter("crownsafe_rate_limit_decisions_total", "What rate limits did with requests; unknown: their store didn't answer, and the request passed.", "decision"),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "crownsafe_connections_refused_total", Help: "Connections that were closed at once because their address had too many open."}),
		logins: counter("crownsafe_logins_total", "Attempts to log in, by what became of them.", "outcome"),
		certificateUntil: gauge("crownsafe_tls_peer_certificate_expiry_timestamp_seconds",
			"When the first certificate ends of the chain that a server showed last; absent without TLS.", "peer"),
	}
	m.state.backend = o.Backend
	registry.MustRegister(
		m.requests.total, m.requests.duration, &m.state,
		m.verdicts, m.queries, m.queryErrors, m.uploads, m.uploadTimes, m.objects, m.objectErrors, m.rejected, m.polls,
		m.auditFailures, m.findings, m.limits, m.refused, m.logins, m.certificateUntil,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsScheduler, collectors.MetricsMemory)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(), buildInfo(o.Version),
	)
	m.begin()
	return m
}

// begin makes the series of every label value that is known.
func (m *Metrics) begin() {
	each(m.verdicts, Verdicts)
	each(m.queryErrors, m.operations)
	each(m.rejected, m.agencies)
	each(m.auditFailures, Severities)
	each(m.limits, LimitDecisions)
	each(m.logins, LoginOutcomes)
	for _, operation := range m.operations {
		m.queries.WithLabelValues(operation)
	}
	for _, severity := range Severities {
		m.findings.WithLabelValues(severity)
	}
	for _, result := range UploadResults {
		m.uploads.WithLabelValues(m.backend, result)
		m.uploadTimes.WithLabelValues(m.backend, result)
	}
	for _, operation := range ObjectOperations {
		m.objects.WithLabelValues(m.backend, operation)
		m.objectErrors.WithLabelValues(m.backend, operation)
	}
	for _, agency := range m.agencies {
		for _, state := range PollStates {
			m.polls.WithLabelValues(agency, state)
		}
	}
}

func each(c *prometheus.CounterVec, values []string) {
	for _, v := range values {
		c.WithLabelValues(v)
	}
}

// Handler answers a scrape: Prometheus text, OpenMetrics with exemplars, or
// protobuf with native histograms, as the request accepts. It isn't compressed:
// that would take longer than everything else, and scrapers are near.
func (m *Metrics) Handler(complaints io.Writer) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, DisableCompression: true,
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: log.New(complaints, "metrics: ", 0),
	})
}

// Verdict counts a verdict that was given.
func (m *Metrics) Verdict(verdict string) { m.verdicts.WithLabelValues(among(Verdicts, verdict)).Inc() }

// Query counts an operation on the database.
func (m *Metrics) Query(operation string, took time.Duration, failed bool) {
	operation = among(m.operations, operation)
	m.queries.WithLabelValues(operation).Observe(took.Seconds())
	if failed {
		m.queryErrors.WithLabelValues(operation).Inc()
	}
}

// Object counts an operation on the store of objects.
func (m *Metrics) Object(operation string, took time.Duration, failed bool) {
	operation = among(ObjectOperations, operation)
	m.objects.WithLabelValues(m.backend, operation).Observe(took.Seconds())
	if failed {
		m.objectErrors.WithLabelValues(m.backend, operation).Inc()
	}
}

// Upload counts an attempt to store an object, one of UploadResults.
func (m *Metrics) Upload(result string, took time.Duration) {
	result = among(UploadResults, result)
	m.uploads.WithLabelValues(m.backend, result).Inc()
	m.uploadTimes.WithLabelValues(m.backend, result).Observe(took.Seconds())
}

// Poll counts a poll that has ended, and the records that it rejected.
func (m *Metrics) Poll(agency, state string, rejected int) {
	agency = among(m.agencies, agency)
	m.polls.WithLabelValues(agency, among(PollStates, state)).Inc()
	m.rejected.WithLabelValues(agency).Add(float64(rejected))
}

// Audited counts a run of the security audit: how many checks failed of each
// severity.
func (m *Metrics) Audited(failures map[string]int) {
	for _, severity := range Severities {
		m.findings.WithLabelValues(severity).Set(float64(failures[severity]))
		m.auditFailures.WithLabelValues(severity).Add(float64(failures[severity]))
	}
}

// ConnectionRefused counts a connection that was closed because its address had too
// many open.
func (m *Metrics) ConnectionRefused() { m.refused.Inc() }

// RateLimited counts what a rate limit did with a request, one of LimitDecisions.
func (m *Metrics) RateLimited(decision string) {
	m.limits.WithLabelValues(among(LimitDecisions, decision)).Inc()
}

// Login counts an attempt to log in, one of LoginOutcomes.
func (m *Metrics) Login(outcome string) {
	m.logins.WithLabelValues(among(LoginOutcomes, outcome)).Inc()
}

// CertificateSeen notes when the certificate of a server that was connected to
// will end.
func (m *Metrics) CertificateSeen(peer string, until time.Time) {
	m.certificateUntil.WithLabelValues(peer).Set(float64(until.Unix()))
}

func buildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "crownsafe_build_info", Help: "1, with the version of the program.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
}
