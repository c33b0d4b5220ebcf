package store

import (
	"context"
	"strings"
	"time"
)

// MissesToWithdraw is how many complete dumps in a row a notice must be missing
// from before it counts as withdrawn: one may be a mishap of the agency's.
const MissesToWithdraw = 2

// Dump is what a complete dump of an agency's notices showed.
type Dump struct {
	Agency  string
	Present []string // the ids that it held
	Missing []string // the ids of the active notices that it should have held and did not
}

// DumpOutcome is what a dump changed.
type DumpOutcome struct {
	Withdrawn int // notices that were missing for the last time
	Restored  int // notices that were withdrawn for being missing and are back
}

// Dumps keeps count of what complete dumps lack. Whether a dump is complete and
// can be believed is the caller's to decide.
type Dumps interface {
	// ActiveNotices calls yield with every active notice of an agency, in order of
	// id, from one consistent view; starter entries and superseded ids are left
	// out. An error from yield stops it and is returned.
	ActiveNotices(ctx context.Context, agency string, yield func(Stored) error) error
	// SettleDump holds a dump against what is stored, in one transaction. A notice
	// that is missing in MissesToWithdraw dumps in a row is withdrawn, as by
	// Withdraw; one that is present, or that a Live copy showed meanwhile, is
	// counted from the beginning again. A present notice that was withdrawn for
	// being missing becomes active by a further revision; one that its agency
	// withdrew by its own word stays so. Ids that are not stored, superseded or
	// withdrawn already are passed over.
	SettleDump(ctx context.Context, d Dump, now time.Time) (DumpOutcome, error)
}

// Arrival is a notice's way from its publication into a catalogue.
type Arrival struct {
	PublishedAt  time.Time // the agency's word; where it gives a day only, the start of that day in UTC
	SeenAt       time.Time // when it was stored
	SearchableAt time.Time // when a catalogue first served it
}

// Arrivals measures how long notices take. Those with Incoming.Timed are measured.
type Arrivals interface {
	// Served notes that a catalogue serves every change up to a serial since a
	// time. The first word counts. It is cheap when nothing waits for it.
	Served(ctx context.Context, serial int64, at time.Time) error
	// Arrivals returns an agency's notices that are served, newest first, at most
	// limit (0: all).
	Arrivals(ctx context.Context, agency string, limit int) ([]Arrival, error)
}

var punctuation = strings.NewReplacer("-", "", "/", "", ".", "", " ", "")

// RecordKey returns a record's number as rejections are matched by it: without
// the agency's code, without the dashes, slashes, full stops and blanks that
// formats and ids write differently, in lower case.
func RecordKey(agency, id string) string {
	return strings.ToLower(punctuation.Replace(strings.TrimPrefix(id, agency+":")))
}
