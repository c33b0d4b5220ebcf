package app

import (
	"errors"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of the memory that the process may have is for Go's heap
// and stacks; the rest is for what the garbage collector doesn't see.
const memoryShare = 0.9

// LimitMemory lets the garbage collector keep within the memory that the process's
// control group may have, unless GOMEMLIMIT says otherwise. Without it the collector
// knows of no limit, and the system ends the process when it is above.
func LimitMemory(logger *slog.Logger) { limitMemory(memlimit.FromCgroup, logger) }

func limitMemory(allowed memlimit.Provider, logger *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	most, err := allowed()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit), errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
		logger.Debug("there is no limit to the memory")
		return
	case err != nil:
		logger.Info("how much memory there may be could not be read; going on without a limit", "error", err)
		return
	}
	limit := int64(memoryShare * float64(most))
	debug.SetMemoryLimit(limit)
	logger.Info("the memory is limited as the control group says", "limit_bytes", limit)
}

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
