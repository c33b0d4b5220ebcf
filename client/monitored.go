package client

import (
	"time"
)

// Health is the answer of a health check.
type Health struct {
	// One of ok.
	Status string `json:"status"`
	// What was asked, and ok or what is wrong.
	Checks map[string]string `json:"checks"`
}

// Dashboard tells how the service does as a whole.
type Dashboard struct {
	// The band of the score: healthy from 90 on, degraded from 70, warning from 50, critical below.
	// One of healthy, degraded, warning, critical.
	Status string `json:"status"`
	// 100 less the points of all penalties, never below 0.
	HealthScore int64      `json:"health_score"`
	Subsystems  Subsystems `json:"subsystems"`
	// What was taken off the score, and why.
	Penalties     []Penalty `json:"penalties"`
	UptimeSeconds float64   `json:"uptime_seconds"`
	// When the subsystems had been asked, which is not done more than once a second.
	Timestamp time.Time `json:"timestamp"`
}

// Subsystems are what the score is made of.
type Subsystems struct {
	Security       SecuritySubsystem   `json:"security"`
	AzureStorage   StorageSubsystem    `json:"azure_storage"`
	Cache          CacheSubsystem      `json:"cache"`
	ConnectionPool PoolSubsystem       `json:"connection_pool"`
	Database       DatabaseSubsystem   `json:"database"`
	RecallData     RecallDataSubsystem `json:"recall_data"`
}

// SecuritySubsystem is what the last security audit found.
type SecuritySubsystem struct {
	// Of the last audit; nil before the first, when the status is unknown.
	RunAt *time.Time `json:"run_at"`
	// Severity of the worst finding; empty: nothing was found. One of LOW, MEDIUM, HIGH, CRITICAL; or
	// empty.
	Worst string `json:"worst"`
	// How many of each severity.
	Findings map[string]int64 `json:"findings"`
	// What is wrong, in words; empty when nothing is.
	Issues []string `json:"issues"`
	// One of healthy, degraded, unhealthy, unknown.
	Status string `json:"status"`
}

// StorageSubsystem is the store of objects.
type StorageSubsystem struct {
	// One of healthy, degraded, unhealthy, unknown.
	Status string `json:"status"`
	// What is wrong, in words; empty when nothing is.
	Issues []string `json:"issues"`
	// One of azure, disk.
	Backend string `json:"backend"`
	// Of the simplest operation, in milliseconds; nil when it had no answer.
	LatencyMS *float64 `json:"latency_ms"`
}

// CacheSubsystem is the cache.
type CacheSubsystem struct {
	// One of redis, memory.
	Backend string `json:"backend"`
	// Percent, 0 to 100, since the start; nil before there was traffic.
	HitRate *float64 `json:"hit_rate"`
	// Times that something was looked for, since the start.
	Requests int64 `json:"requests"`
	// What is wrong, in words; empty when nothing is.
	Issues []string `json:"issues"`
	// One of healthy, degraded, unhealthy, unknown.
	Status string `json:"status"`
}

// PoolSubsystem are the database's and the storage's connections.
type PoolSubsystem struct {
	// Requests to the store of objects, and calls of the database, that found a connection open
	// already, in percent; nil before there was traffic, and where nothing is connected to.
	ReuseRate *float64 `json:"reuse_rate"`
	// Times that an operation on objects found every turn taken, or a call got no connection to the
	// database in time.
	ExhaustionsLastHour int64 `json:"exhaustions_last_hour"`
	// Operations on objects under way and connections to the database in use.
	InUse int64 `json:"in_use"`
	// How many there may be.
	Size int64 `json:"size"`
	// What is wrong, in words; empty when nothing is.
	Issues []string `json:"issues"`
	// One of healthy, degraded, unhealthy, unknown.
	Status string `json:"status"`
}

// DatabaseSubsystem is the database.
type DatabaseSubsystem struct {
	// One of postgres, sqlite.
	Backend string `json:"backend"`
	// Open ones, in use or idle.
	Connections int64 `json:"connections"`
	// Of the simplest question, in milliseconds; nil when it had no answer.
	LatencyMS *float64 `json:"latency_ms"`
	// What is wrong, in words; empty when nothing is.
	Issues []string `json:"issues"`
	// One of healthy, degraded, unhealthy, unknown.
	Status string `json:"status"`
}

// RecallDataSubsystem is the catalogue and its sources.
type RecallDataSubsystem struct {
	// In the catalogue.
	Notices int64 `json:"notices"`
	// Of the catalogue.
	Serial int64 `json:"serial"`
	// One for each agency, in order of code.
	Sources []SourceAge `json:"sources"`
	// What is wrong, in words; empty when nothing is.
	Issues []string `json:"issues"`
	// One of healthy, degraded, unhealthy, unknown.
	Status string `json:"status"`
}

// SourceAge is how old a source is, against its objective.
type SourceAge struct {
	Agency string `json:"agency"`
	// As in /api/v1/sources. One of ok, stale, partial, failing, never.
	State string `json:"state"`
	// Since it was last fetched; nil: it never was.
	AgeSeconds *int64 `json:"age_seconds"`
	// The age from which on it counts as past its objective.
	ObjectiveSeconds int64 `json:"objective_seconds"`
	// It is older than its objective, or was never fetched, and that counts: it doesn't for a source
	// that can't be asked for want of a key, nor while no agency is polled.
	PastObjective bool `json:"past_objective"`
	// Why the state is not ok.
	Reason string `json:"reason"`
}

// Penalty is what was taken off the score, and why.
type Penalty struct {
	// One of security_finding, storage_unhealthy, cache_hit_rate, pool_exhaustion, database_failure,
	// stale_source, no_catalogue.
	Reason string `json:"reason"`
	// What it takes off the score.
	Points int64 `json:"points"`
	// In a sentence.
	Why string `json:"why"`
}

// SecurityReport is what the last security audit looked at.
type SecurityReport struct {
	Checks []SecurityCheck `json:"checks"`
	// Checks that have not passed.
	Totals SecurityTotals `json:"totals"`
	// Of the worst finding. One of CRITICAL, HIGH, MEDIUM, LOW, NONE.
	RiskLevel string    `json:"risk_level"`
	RunAt     time.Time `json:"run_at"`
}

// SecurityCheck is one thing that the audit looked at.
type SecurityCheck struct {
	ID       string `json:"id"`
	Category string `json:"category"`
	// Of the finding; of a check that passed: the worst that it could have found. One of CRITICAL,
	// HIGH, MEDIUM, LOW.
	Severity string `json:"severity"`
	Passed   bool   `json:"passed"`
	// What was found; never a secret.
	Detail string `json:"detail"`
	// What to do when it has not passed.
	Remedy string `json:"remedy"`
}

// SecurityTotals are how many checks of each severity failed.
type SecurityTotals struct {
	Critical int64 `json:"CRITICAL"`
	High     int64 `json:"HIGH"`
	Medium   int64 `json:"MEDIUM"`
	Low      int64 `json:"LOW"`
}

// CacheStats tells of the cache.
type CacheStats struct {
	Enabled       bool                      `json:"enabled"`
	Backend       string                    `json:"backend"`
	Hits          int64                     `json:"hits"`
	Misses        int64                     `json:"misses"`
	HitRate       *float64                  `json:"hit_rate"`
	Invalidations int64                     `json:"invalidations"`
	Entries       int64                     `json:"entries"`
	SizeBytes     int64                     `json:"size_bytes"`
	PerOperation  map[string]OperationStats `json:"per_operation"`
	Far           *SharedCacheStats         `json:"far,omitempty"`
	// Unhealthy: the shared cache doesn't answer, and the process's own serves alone. One of healthy,
	// unhealthy.
	Status string `json:"status"`
}

// OperationStats are one use of the cache.
type OperationStats struct {
	Hits          int64    `json:"hits"`
	FarHits       int64    `json:"far_hits"`
	Misses        int64    `json:"misses"`
	HitRate       *float64 `json:"hit_rate"`
	Loads         int64    `json:"loads"`
	Invalidations int64    `json:"invalidations"`
	Entries       int64    `json:"entries"`
	SizeBytes     int64    `json:"size_bytes"`
	Errors        int64    `json:"errors"`
}

// SharedCacheStats tells of the cache that all processes share.
type SharedCacheStats struct {
	Breaker   string `json:"breaker"`
	Listening bool   `json:"listening"`
	Heard     int64  `json:"heard"`
	Failures  int64  `json:"failures"`
	Refusals  int64  `json:"refusals"`
	Openings  int64  `json:"openings"`
	Owed      int64  `json:"owed"`
}

// StorageHealth tells of the store of objects.
type StorageHealth struct {
	// Degraded: it answers again, and is about to be used again. One of healthy, degraded, unhealthy.
	Status string `json:"status"`
	// One of azure, disk.
	Backend string `json:"backend"`
	// Of the simplest operation, in milliseconds; nil when it had no answer.
	LatencyMS *float64 `json:"latency_ms"`
	// What was looked at, and ok or what is wrong.
	Checks  map[string]string `json:"checks"`
	Pool    OperationPool     `json:"pool"`
	Uploads UploadCounts      `json:"uploads"`
}

// OperationPool are operations under way and connections.
type OperationPool struct {
	// Operations that may be under way at the same time.
	Size  int64 `json:"size"`
	InUse int64 `json:"in_use"`
	Idle  int64 `json:"idle"`
	// Operations that had to wait for their turn.
	Waits int64 `json:"waits"`
	// Operations that gave up waiting.
	Timeouts int64 `json:"timeouts"`
	// Times that every turn was taken.
	Exhaustions int64 `json:"exhaustions"`
	// Requests that found a connection open already, in percent; nil before there was one.
	ReuseRate *float64 `json:"reuse_rate"`
}

// UploadCounts are the uploads beside requests.
type UploadCounts struct {
	Workers int64 `json:"workers"`
	// Waiting or under way.
	Queued int64 `json:"queued"`
	Done   int64 `json:"done"`
	Failed int64 `json:"failed"`
}

// DatabaseHealth tells of the database.
type DatabaseHealth struct {
	// One of healthy, unhealthy.
	Status string `json:"status"`
	// One of postgres, sqlite.
	Backend string `json:"backend"`
	// Of the simplest question, in milliseconds; nil when it had no answer.
	LatencyMS *float64        `json:"latency_ms"`
	ReadOnly  bool            `json:"read_only"`
	Schema    SchemaVersions  `json:"schema"`
	Replicas  []ReplicaHealth `json:"replicas"`
	Pool      ConnectionPool  `json:"pool"`
}

// SchemaVersions are migrations: those present, and those that the program knows.
type SchemaVersions struct {
	// Nil when the database doesn't answer.
	Present *int64 `json:"present"`
	// The newest that this program knows; nil until it has asked.
	Known *int64 `json:"known"`
}

// ReplicaHealth is a replica of the database.
type ReplicaHealth struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	LagBytes int64  `json:"lag_bytes"`
}

// ConnectionPool are the database's connections.
type ConnectionPool struct {
	// Connections that there may be.
	Size        int64   `json:"size"`
	Active      int64   `json:"active"`
	Idle        int64   `json:"idle"`
	Acquired    int64   `json:"acquired"`
	Waits       int64   `json:"waits"`
	WaitSeconds float64 `json:"wait_seconds"`
	// Times that none was given back in time.
	Exhaustions int64 `json:"exhaustions"`
}

// LogLevels are the levels at which the service logs.
type LogLevels struct {
	// Of the packages that have none of their own. One of debug, info, warn, error.
	Default string `json:"default"`
	// Debug, info, warn or error, by package.
	Packages map[string]string `json:"packages"`
	// The packages that there are.
	Known []string `json:"known"`
}

// LogLevelSettings are levels to set.
type logLevelSettings struct {
	// Of the packages that have none of their own. One of debug, info, warn, error.
	Default string `json:"default"`
	// Debug, info, warn or error, by package.
	Packages map[string]string `json:"packages"`
}

// QuarantinePage is one page of what could not become notices.
type QuarantinePage struct {
	Items []RejectedRecord `json:"items"`
	// Absent on the last page.
	NextCursor string `json:"next_cursor,omitempty"`
}

// RejectedRecord is a record that could not become a notice.
type RejectedRecord struct {
	// The record's number as far as it could be read, else empty.
	NativeID string `json:"native_id"`
	Reason   string `json:"reason"`
	// The beginning of the record.
	Excerpt string `json:"excerpt"`
	// Key of the payload in the archive.
	Raw string `json:"raw"`
	// Of the record in the payload, from 1.
	Position int64 `json:"position"`
	// When the payload was fetched; of a file: when it was last changed.
	SeenAt time.Time `json:"seen_at"`
}
