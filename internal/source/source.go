// Package source says how far each agency's notices can be relied on: when they
// were last fetched, whether that is too long ago, and how many of them carry
// what people ask by. The rules are pure; a Board gathers the facts.
//
// It knows nothing of HTTP and of how notices are fetched.
package source

import (
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// State is how far a source can be relied on.
type State string

// The states. A source that was loaded from files and never polled is Stale.
const (
	OK      State = "ok"
	Stale   State = "stale"
	Partial State = "partial"
	Failing State = "failing"
	Never   State = "never"
)

// Source is one agency as GET /api/v1/sources shows it.
type Source struct {
	Agency        string     `json:"agency"`
	Name          string     `json:"name"`
	Country       string     `json:"country"`
	State         State      `json:"state" enum:"ok,stale,partial,failing,never"`
	Reason        string     `json:"reason" doc:"why the state is not ok; empty when it is"`
	LastSuccessAt *time.Time `json:"last_success_at" nullable:"true"`
	AgeSeconds    *int64     `json:"age_seconds" nullable:"true"`
	Notices       int        `json:"notices" doc:"active ones, without starter entries; withdrawn ones are not counted"`
	Starter       int        `json:"starter" doc:"starter entries that still stand in for the agency's own notices"`
	BarcodeShare  float64    `json:"barcode_share" doc:"share of the notices that carry a barcode, 0 to 1"`
	Rejected      int        `json:"rejected" doc:"records that could not become notices, kept with their reason"`
	LagSeconds    Lag        `json:"lag_seconds" doc:"from the agency's publication to being searchable here, of the newest 1,000 notices that polls brought and that were published after the first poll that succeeded; files and the first load tell nothing of it. Where an agency gives only the day, it counts from the start of that day in UTC"`
	Quality       Quality    `json:"quality" doc:"how well the notices let people find out whether they are affected"`
	Licence       string     `json:"licence"`
	Attribution   string     `json:"attribution"`
	Republish     bool       `json:"republish" doc:"whether the licence lets the notices be passed on"`

	Objective time.Duration `json:"-"` // age from which on it counts as old
	Withheld  bool          `json:"-"` // it can't be asked as things are, for want of a key
}

// Lag is how long notices took from their publication until they could be found,
// and where the time went, in seconds; null until a notice was measured.
type Lag struct {
	P50        *float64    `json:"p50" nullable:"true"`
	P95        *float64    `json:"p95" nullable:"true"`
	Seen       Percentiles `json:"seen" doc:"from the publication until it was stored"`
	Searchable Percentiles `json:"searchable" doc:"from then until a catalogue served it, to within two seconds"`
	Notices    int         `json:"notices" doc:"how many were measured"`
}

// Percentiles are a median and the 95th percentile, in seconds.
type Percentiles struct {
	P50 *float64 `json:"p50" nullable:"true"`
	P95 *float64 `json:"p95" nullable:"true"`
}

// Quality is the mean of an agency's notices, starter entries left out; see
// recall.Quality. All but Score and Flags are shares from 0 to 1.
type Quality struct {
	Score     float64                 `json:"score" doc:"mean of the notices' scores, 0 to 100: barcode 25, unit codes 20, model 20, remedy 15, image 10, contact 10, less 10 for each kind of flag"`
	Barcode   float64                 `json:"barcode" doc:"share with a barcode that is printed in full"`
	UnitCodes float64                 `json:"unit_codes" doc:"share with a lot, serial number, date code or window that was understood"`
	Model     float64                 `json:"model"`
	Image     float64                 `json:"image"`
	Remedy    float64                 `json:"remedy"`
	Contact   float64                 `json:"contact"`
	Flagged   float64                 `json:"flagged" doc:"share in which something looks wrong"`
	Flags     map[recall.FlagKind]int `json:"flags" doc:"how many notices have a flag of each kind: covers_everything, check_digit, future_date, denied_model, prose_model"`
}
