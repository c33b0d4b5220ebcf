// Package health says how the service does: a score from 0 to 100, made of what
// is known of six subsystems, with each reason why it is not 100. The rules are
// pure; a Board gathers the facts that they are about.
//
// It knows nothing of HTTP and of how any subsystem works: whoever builds a Board
// gives it one question for each.
package health

import "time"

// Status is how a subsystem does, or the service as a whole.
type Status string

// How a subsystem does. Unknown is only what nobody has looked at yet.
const (
	Healthy   Status = "healthy"
	Degraded  Status = "degraded"
	Unhealthy Status = "unhealthy"
	Unknown   Status = "unknown"
)

// The bands of the score, beside Healthy and Degraded.
const (
	Warning  Status = "warning"
	Critical Status = "critical"
)

// Dashboard is the answer of GET /api/v1/monitoring/system-health-dashboard.
type Dashboard struct {
	Status     Status     `json:"status" enum:"healthy,degraded,warning,critical" doc:"the band of the score: healthy from 90 on, degraded from 70, warning from 50, critical below"`
	Score      int        `json:"health_score" minimum:"0" maximum:"100" doc:"100 less the points of all penalties, never below 0"`
	Subsystems Subsystems `json:"subsystems"`
	Penalties  []Penalty  `json:"penalties" doc:"what was taken off the score, and why"`
	Uptime     float64    `json:"uptime_seconds"`
	At         time.Time  `json:"timestamp" doc:"when the subsystems had been asked, which is not done more than once a second"`
}

// Subsystems is what the service stands on.
type Subsystems struct {
	Security   Security   `json:"security"`
	Storage    Storage    `json:"azure_storage"`
	Cache      Cache      `json:"cache"`
	Pool       Pool       `json:"connection_pool"`
	Database   Database   `json:"database"`
	RecallData RecallData `json:"recall_data"`
}

// Subsystem is what all of them tell. Of the facts only Failing is among it: the
// rules make the rest.
type Subsystem struct {
	Status Status   `json:"status" enum:"healthy,degraded,unhealthy,unknown"`
	Issues []string `json:"issues" doc:"what is wrong, in words; empty when nothing is"`
	// Failing says why the subsystem can't be used as it must be; "" when it can.
	Failing string `json:"-"`
}

// Security is what the last security audit found.
type Security struct {
	Subsystem
	RunAt    *time.Time     `json:"run_at" nullable:"true" doc:"of the last audit; null before the first, when the status is unknown"`
	Worst    string         `json:"worst" enum:",LOW,MEDIUM,HIGH,CRITICAL" doc:"severity of the worst finding; empty: nothing was found"`
	Findings map[string]int `json:"findings" doc:"how many of each severity"`
	// Overdue says in words since when there should have been another audit; "" when
	// the last is what it should be.
	Overdue string `json:"-"`
}

// Storage is how the store of objects does.
type Storage struct {
	Subsystem
	Backend   string   `json:"backend" enum:"azure,disk"`
	LatencyMS *float64 `json:"latency_ms" nullable:"true" doc:"of the simplest operation, in milliseconds; null when it had no answer"`
	// Recovering is a store that answers again and is about to be used again.
	Recovering bool `json:"-"`
}

// Cache is how the cache does. It fails when its shared level does; the process goes
// on with its own.
type Cache struct {
	Subsystem
	Backend  string   `json:"backend" enum:"redis,memory"`
	HitRate  *float64 `json:"hit_rate" nullable:"true" doc:"percent, 0 to 100, since the start; null before there was traffic"`
	Requests int64    `json:"requests" doc:"times that something was looked for, since the start"`
}

// Pool is how the pools do that calls wait for: the operations on objects and the
// connections to the database.
type Pool struct {
	Subsystem
	ReuseRate *float64 `json:"reuse_rate" nullable:"true" doc:"requests to the store of objects, and calls of the database, that found a connection open already, in percent; null before there was traffic, and where nothing is connected to"`
	// Exhaustions are those of the last hour.
	Exhaustions int64 `json:"exhaustions_last_hour" doc:"times that an operation on objects found every turn taken, or a call got no connection to the database in time"`
	InUse       int   `json:"in_use" doc:"operations on objects under way and connections to the database in use"`
	Size        int   `json:"size" doc:"how many there may be"`
	// Exhausted counts the exhaustions since the start of the process; Board makes
	// Exhaustions of it.
	Exhausted int64 `json:"-"`
	// Requests and Reused count what ReuseRate is made of, since the start.
	Requests int64 `json:"-"`
	Reused   int64 `json:"-"`
}

// Database is how the database does.
type Database struct {
	Subsystem
	Backend     string   `json:"backend" enum:"postgres,sqlite"`
	Connections int      `json:"connections" doc:"open ones, in use or idle"`
	LatencyMS   *float64 `json:"latency_ms" nullable:"true" doc:"of the simplest question, in milliseconds; null when it had no answer"`
}

// RecallData is what answers rest on.
type RecallData struct {
	Subsystem
	Notices int         `json:"notices" doc:"in the catalogue"`
	Serial  int64       `json:"serial" doc:"of the catalogue"`
	Sources []SourceAge `json:"sources" doc:"one for each agency, in order of code"`
	// Loaded says that there is a catalogue.
	Loaded bool `json:"-"`
	// Outdated says in words from when the catalogue is; "" when it is held against
	// the database all the time.
	Outdated string `json:"-"`
	// Offline says that no agency is polled, as the settings want it: then none has
	// an objective to miss.
	Offline bool `json:"-"`
}

// SourceAge is how fresh one agency's notices are.
type SourceAge struct {
	Agency    string `json:"agency"`
	State     string `json:"state" enum:"ok,stale,partial,failing,never" doc:"as in /api/v1/sources"`
	Age       *int64 `json:"age_seconds" nullable:"true" doc:"since it was last fetched; null: it never was"`
	Objective int64  `json:"objective_seconds" doc:"the age from which on it counts as past its objective"`
	Past      bool   `json:"past_objective" doc:"it is older than its objective, or was never fetched, and that counts: it doesn't for a source that can't be asked for want of a key, nor while no agency is polled"`
	Reason    string `json:"reason" doc:"why the state is not ok"`
	// Withheld says that the source can't be asked for want of a key.
	Withheld bool `json:"-"`
}

// Penalty is one reason why the score is below 100.
type Penalty struct {
	Reason string `json:"reason" enum:"security_finding,storage_unhealthy,cache_hit_rate,pool_exhaustion,database_failure,stale_source,no_catalogue"`
	Points int    `json:"points" minimum:"1" doc:"what it takes off the score"`
	Why    string `json:"why" doc:"in a sentence"`
}

// Audit is what is known of the last security audit.
type Audit struct {
	RunAt    time.Time
	Every    time.Duration  // how often there is to be one; 0: nobody said
	Worst    string         // severity of the worst finding; "": nothing was found
	Counts   map[string]int // how many findings there are of each severity
	Findings []Finding      // the worst first
}

// Finding is one check of the audit that failed.
type Finding struct {
	ID, Severity, Detail, Remedy string
}
