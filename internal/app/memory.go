package app

import (
	"os"
	"runtime/debug"
)

// servingGC is the garbage collector's target while serving: the catalogue is
// large and hardly changes, so that a heap half again as large as what is alive
// is enough; the default would double it.
const servingGC = 50

// Settle gives back what loading the catalogue needed and sets the garbage
// collector for serving, unless GOGC says otherwise.
func Settle() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(servingGC)
	}
	debug.FreeOSMemory()
}

// bulkGC is the garbage collector's target while many notices are taken in:
// what is alive is small then, and collecting it often would cost a third of
// the time.
const bulkGC = 400

// PrepareBulk sets the garbage collector for imports and polls by hand, unless
// GOGC says otherwise.
func PrepareBulk() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(bulkGC)
	}
}
