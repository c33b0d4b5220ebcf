package telemetry

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ask := c.ask.Load()
	if ask == nil {
		return
	}
	s, to := (*ask)(), collecting(ch)
	to.send(uptime, s.UptimeSeconds)
	to.send(healthScore, s.HealthScore)
	s.Database.collect(to)
	s.Storage.collect(to, c.backend)
	for _, cache := range s.Caches {
		cache.collect(to, s.FarCache != nil)
	}
	s.FarCache.collect(to)
	for _, source := range s.Sources {
		source.collect(to)
	}
	count(to, catalogueSerial, s.Catalogue.Serial)
	count(to, catalogueNotices, s.Catalogue.Notices)
	to.send(catalogueAge, s.Catalogue.AgeSeconds)
	s.Backups.collect(to)
}

func (b *Backups) collect(to collecting) {
	if b == nil {
		return
	}
	if !math.IsNaN(b.AgeSeconds) {
		to.send(backupAge, b.AgeSeconds)
	}
	unrestorable := 0
	if b.Unrestorable {
		unrestorable = 1
	}
	count(to, backupUnrestorable, unrestorable)
	count(to, backupBytes, b.Bytes)
	to.send(backupSeconds, b.Seconds)
	count(to, backupFailures, b.Failures)
}

func (c *Connections) collect(to collecting) {
	count(to, databaseActive, c.Active)
	count(to, databaseIdle, c.Idle)
	count(to, databaseMax, c.Max)
	count(to, databaseWaits, c.Waits)
	to.send(databaseWaitTime, c.WaitSeconds)
	count(to, databaseExhaustions, c.Exhaustions)
}

func (s *Storage) collect(to collecting, backend string) {
	count(to, storageBytes, s.StoredBytes, backend, "stored")
	count(to, storageBytes, s.QueuedBytes, backend, "queued")
	count(to, storageInUse, s.InUse)
	count(to, storageSize, s.Size)
	count(to, storageWaits, s.Waits)
	count(to, storageTimeouts, s.Timeouts)
	count(to, storageExhaustions, s.Exhaustions)
	count(to, uploadsQueued, s.Queued)
	count(to, uploadsFinished, s.Done, "stored")
	count(to, uploadsFinished, s.Failed, "failed")
	count(to, uploadRetries, s.Retries)
	to.oneOf(breakerState, BreakerStates, s.Breaker, "storage")
}

// collect tells of each level that there is. What the near level lost was looked
// for in the far one.
func (c *Cache) collect(to collecting, far bool) {
	count(to, cacheHits, c.NearHits, c.Name, "near")
	count(to, cacheMisses, c.FarHits+c.Lost, c.Name, "near")
	count(to, cacheBytes, c.Bytes, c.Name, "near")
	count(to, cacheErrors, c.Errors, c.Name)
	if far {
		count(to, cacheHits, c.FarHits, c.Name, "far")
		count(to, cacheMisses, c.Lost, c.Name, "far")
	}
}

func (f *FarCache) collect(to collecting) {
	if f == nil {
		return
	}
	count(to, cacheFailures, f.Failures)
	count(to, cacheRefusals, f.Refusals)
	count(to, cacheOpenings, f.Openings)
	to.oneOf(breakerState, BreakerStates, f.Breaker, "cache")
}

func (s *Source) collect(to collecting) {
	to.send(sourceAge, s.AgeSeconds, s.Agency)
	to.send(sourceObjective, s.Objective, s.Agency)
	to.send(sourcePolled, truth(s.Polled), s.Agency)
	to.send(sourceGuarded, truth(s.Guarded), s.Agency)
	to.send(ingestLag, s.LagSeconds, s.Agency)
	to.send(ingestMedianLag, s.MedianLagSeconds, s.Agency)
	count(to, sourceNotices, s.Notices, s.Agency)
	count(to, sourceRejections, s.Rejections, s.Agency)
	to.oneOf(sourceState, SourceStates, s.State, s.Agency)
}
