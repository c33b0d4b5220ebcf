package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
)

// suffix ends the name of every snapshot.
const suffix = ".snapshot"

// nameOf returns the name of a store's snapshot at a serial, the same in every
// process of one version of the program.
func nameOf(store string, serial int64) string {
	return fmt.Sprintf("%s-%019d%s", lineOf(store), serial, suffix)
}

// lineOf names the line of a store's snapshots that follow one another. Programs
// that can't read one another's, as during an update, have lines of their own, so
// that each finds what it can use.
func lineOf(store string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", format, catalogue.RecordShape(), store))
	return hex.EncodeToString(sum[:8])
}

// entry is a snapshot as a list shows it, which doesn't look into files.
type entry struct {
	name     string
	line     string
	serial   int64
	modified time.Time
	object   bool // among the objects; else in the folder
}

// entryOf reads a name; false: it is no snapshot's.
func entryOf(name string, modified time.Time, object bool) (entry, bool) {
	line, rest, ok := strings.Cut(strings.TrimSuffix(name, suffix), "-")
	serial, err := strconv.ParseInt(rest, 10, 64)
	if !ok || err != nil || serial < 0 || len(line) != 16 || !strings.HasSuffix(name, suffix) {
		return entry{}, false
	}
	return entry{name: name, line: line, serial: serial, modified: modified, object: object}, true
}

// uploading is how much younger than its file an object may be that was made of it.
const uploading = saveTimeout

// newestFirst puts snapshots in the order in which they are to be tried: of the
// line that was written to last, that of the highest serial; of equals what was
// written last, and a file before the object that was made of it. The serials of
// two lines can't be compared.
func newestFirst(list []entry) {
	last := map[string]time.Time{}
	for _, e := range list {
		if e.modified.After(last[e.line]) {
			last[e.line] = e.modified
		}
	}
	slices.SortStableFunc(list, func(a, b entry) int {
		return cmp.Or(last[b.line].Compare(last[a.line]), cmp.Compare(a.line, b.line),
			cmp.Compare(b.serial, a.serial), b.written().Compare(a.written()))
	})
}

// ownFirst moves the snapshots of a line before all others.
func ownFirst(list []entry, line string) {
	place := func(e entry) int {
		if e.line == line {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(place(a), place(b)) })
}

func (e *entry) written() time.Time {
	if e.object {
		return e.modified.Add(-uploading)
	}
	return e.modified
}

const (
	// kept is how many snapshots of its line a process keeps in each place.
	kept = 3
	// settled is how much later than a snapshot of a higher serial a catalogue must
	// have been all that the store held for that snapshot to be of a history that a
	// restored backup took back. A process that can't reach the store only lags
	// behind the others, however long.
	settled = 15 * time.Minute
	// foreignKept is how long snapshots of other lines are kept: after a move or
	// an update they are the way back.
	foreignKept = 7 * 24 * time.Hour
)

// present is what a process knows when it looks what may go.
type present struct {
	line    string
	serial  int64
	freshAt time.Time // until then its catalogue was known to be all that the store held
	now     time.Time
}

// superfluous returns what of one place may go now that the snapshot of a line
// and a serial is there.
func superfluous(list []entry, p present) []entry {
	newestFirst(list)
	var out []entry
	own := 0
	for _, e := range list {
		var drop bool
		switch {
		case e.line != p.line:
			drop = p.now.Sub(e.modified) > foreignKept
		case e.serial > p.serial:
			drop = p.freshAt.Sub(e.modified) > settled // else another process is ahead
		default:
			own++
			drop = own > kept
		}
		if drop {
			out = append(out, e)
		}
	}
	return out
}
