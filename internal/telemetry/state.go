package telemetry

import (
	"math"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// State is what is measured at a scrape, of what is in memory.
type State struct {
	UptimeSeconds float64
	// HealthScore is 0 to 100; NaN: it isn't known.
	HealthScore float64
	Database    Connections
	Storage     Storage
	Caches      []Cache
	// FarCache is the cache that processes share; nil: there is none.
	FarCache  *FarCache
	Sources   []Source
	Catalogue Catalogue
	// Backups is what is known of backups; nil: none were ever made.
	Backups *Backups
}

// Backups is what is known of the store's backups.
type Backups struct {
	// AgeSeconds is that of the newest that could be restored; NaN: none was tried.
	AgeSeconds   float64
	Unrestorable bool    // the newest that was tried can't be restored
	Bytes        int64   // of the newest, as it is stored
	Seconds      float64 // that it took to make the newest
	Failures     int64   // of this process, since its start
}

// Connections is a pool of connections to the database. Counts run from the start
// of the process on.
type Connections struct {
	Active, Idle, Max  int
	Waits, Exhaustions int64
	WaitSeconds        float64
}

// Storage is the store of objects. Counts run from the start of the process on.
type Storage struct {
	InUse, Size                  int // operations under way, and how many there may be
	Waits, Timeouts, Exhaustions int64
	Breaker                      string // one of BreakerStates
	StoredBytes                  int64  // of all objects, when they were last counted
	Queued                       int    // uploads that wait or are under way
	QueuedBytes                  int64
	Done, Failed, Retries        int64 // uploads beside requests
}

// Cache is what is kept for one use.
type Cache struct {
	Name                    string
	NearHits, FarHits, Lost int64 // Lost was found nowhere
	Bytes                   int64 // in this process
	Errors                  int64
}

// FarCache is the cache that processes share.
type FarCache struct {
	Breaker                      string // one of BreakerStates
	Failures, Refusals, Openings int64
}

// Source is one agency. Seconds that aren't known are NaN.
type Source struct {
	Agency  string
	State   string // one of SourceStates
	Polled  bool   // by this program, as things are set
	Guarded bool   // the last poll's dump was not believed
	Notices int
	// Rejections are on record, whoever made them.
	Rejections                   int
	AgeSeconds, Objective        float64
	LagSeconds, MedianLagSeconds float64 // LagSeconds is the 95th percentile
}

// Catalogue is what answers are read from.
type Catalogue struct {
	Serial     int64
	Notices    int
	AgeSeconds float64 // since it was known to be all that the store holds; NaN: it never was
}

// Unknown is a number that nobody knows.
func Unknown() float64 { return math.NaN() }

// Follow lets scrapes ask for the state from now on. It must come from memory and
// at once: a scrape works whatever is down.
func (m *Metrics) Follow(state func() State) { m.state.ask.Store(&state) }

// stateCollector collects a State.
type stateCollector struct {
	ask     atomic.Pointer[func() State]
	backend string // of the store of objects
}

// measure is a metric that is read at a scrape.
type measure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

var measures []measure

func measured(kind prometheus.ValueType, name, help string, labels ...string) measure {
	m := measure{prometheus.NewDesc(name, help, labels, nil), kind}
	measures = append(measures, m)
	return m
}

const (
	aGauge   = prometheus.GaugeValue
	aCounter = prometheus.CounterValue
)

var (
	uptime      = measured(aGauge, "app_uptime_seconds", "How long the process has been running.")
	healthScore = measured(aGauge, "app_health_score", "The health score, 0 to 100; NaN until it is known.")

	databaseActive      = measured(aGauge, "database_connections_active", "Connections to the database that are in use.")
	databaseIdle        = measured(aGauge, "crownsafe_database_connections_idle", "Connections to the database that are open and not in use.")
	databaseMax         = measured(aGauge, "crownsafe_database_connections_max", "Connections to the database that there may be.")
	databaseWaits       = measured(aCounter, "crownsafe_database_pool_waits_total", "Times that somebody had to wait for a connection to the database.")
	databaseWaitTime    = measured(aCounter, "crownsafe_database_pool_wait_seconds_total", "How long was waited for connections to the database.")
	databaseExhaustions = measured(aCounter, "crownsafe_database_pool_exhaustions_total", "Times that no connection to the database came free in time.")

	storageBytes       = measured(aGauge, "azure_blob_storage_bytes", "Bytes of objects: stored, when they were last counted, or queued for their upload.", "backend", "result")
	storageInUse       = measured(aGauge, "crownsafe_storage_pool_in_use", "Operations on the store of objects that are under way.")
	storageSize        = measured(aGauge, "crownsafe_storage_pool_size", "Operations on the store of objects that may be under way.")
	storageWaits       = measured(aCounter, "crownsafe_storage_pool_waits_total", "Operations on the store of objects that had to wait for their turn.")
	storageTimeouts    = measured(aCounter, "crownsafe_storage_pool_timeouts_total", "Operations on the store of objects that waited for their turn in vain.")
	storageExhaustions = measured(aCounter, "crownsafe_storage_pool_exhaustions_total", "Operations on the store of objects that found every turn taken.")
	uploadsQueued      = measured(aGauge, "crownsafe_uploads_queued", "Uploads beside requests that wait or are under way.")
	uploadsFinished    = measured(aCounter, "crownsafe_uploads_finished_total", "Uploads beside requests that have ended, stored or failed for good.", "result")
	uploadRetries      = measured(aCounter, "crownsafe_upload_retries_total", "Uploads beside requests that have to be tried again.")

	cacheHits     = measured(aCounter, "cache_hits_total", "Values that a level of the cache had.", "cache", "level")
	cacheMisses   = measured(aCounter, "cache_misses_total", "Values that a level of the cache was asked for and hadn't.", "cache", "level")
	cacheBytes    = measured(aGauge, "cache_size_bytes", "Bytes in the cache of this process.", "cache", "level")
	cacheErrors   = measured(aCounter, "crownsafe_cache_errors_total", "Values that the shared cache failed on, or that couldn't be read.", "cache")
	cacheFailures = measured(aCounter, "crownsafe_cache_failures_total", "Times that the shared cache didn't answer in time.")
	cacheRefusals = measured(aCounter, "crownsafe_cache_refusals_total", "Times that the shared cache refused a value.")
	cacheOpenings = measured(aCounter, "crownsafe_cache_breaker_openings_total", "Times that the shared cache was given up on.")
	breakerState  = measured(aGauge, "crownsafe_breaker_state", "1 for the state that a breaker is in, 0 for the others.", "breaker", "state")

	sourceAge        = measured(aGauge, "recall_source_age_seconds", "How long ago an agency's feed was last read whole; NaN: never.", "agency")
	sourceNotices    = measured(aGauge, "recall_source_notices", "An agency's active notices, without starter entries.", "agency")
	ingestLag        = measured(aGauge, "recall_ingest_lag_seconds", "How long notices took from publication until they could be found, 95th percentile; NaN: none was measured.", "agency")
	ingestMedianLag  = measured(aGauge, "crownsafe_recall_ingest_lag_median_seconds", "How long notices took from publication until they could be found, median; NaN: none was measured.", "agency")
	sourceObjective  = measured(aGauge, "crownsafe_recall_source_objective_seconds", "The age from which on an agency's notices are stale.", "agency")
	sourcePolled     = measured(aGauge, "crownsafe_recall_source_polled", "1 for an agency that is polled, 0 for one that can't be as things are set.", "agency")
	sourceState      = measured(aGauge, "crownsafe_recall_source_state", "1 for the state that a source is in, 0 for the others.", "agency", "state")
	sourceGuarded    = measured(aGauge, "crownsafe_recall_shrink_guard_tripped", "1 while an agency's last complete dump was not believed, as it lacked too much.", "agency")
	sourceRejections = measured(aGauge, "crownsafe_recall_rejections", "Records of an agency that could not become notices and are on record.", "agency")

	catalogueSerial  = measured(aGauge, "catalogue_serial", "The serial number of the catalogue that answers are read from.")
	catalogueNotices = measured(aGauge, "crownsafe_catalogue_notices", "Notices in the catalogue that answers are read from.")
	catalogueAge     = measured(aGauge, "crownsafe_catalogue_age_seconds", "How long ago the catalogue was known to be all that the database holds; NaN: never.")

	backupAge          = measured(aGauge, "crownsafe_backup_age_seconds", "The age of the newest backup that was verified; absent where there is none.")
	backupUnrestorable = measured(aGauge, "crownsafe_backup_unrestorable", "1 while the newest backup that somebody tried to restore can't be.")
	backupBytes        = measured(aGauge, "crownsafe_backup_size_bytes", "Bytes of the newest backup as it is stored.")
	backupSeconds      = measured(aGauge, "crownsafe_backup_duration_seconds", "How long it took to make the newest backup.")
	backupFailures     = measured(aCounter, "crownsafe_backup_failures_total", "Scheduled backups that could not be made or verified by this process.")
)

// Describe implements prometheus.Collector.
func (*stateCollector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range measures {
		to <- m.desc
	}
}

// collecting sends what was measured.
type collecting chan<- prometheus.Metric

func (to collecting) send(m measure, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
}

// count is send for a whole number.
func count[N int | int64](to collecting, m measure, n N, labels ...string) {
	to.send(m, float64(n), labels...)
}

// oneOf sends 1 for the state that something is in and 0 for the others.
func (to collecting) oneOf(m measure, known []string, state, of string) {
	for _, s := range known {
		to.send(m, truth(s == state), of, s)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
