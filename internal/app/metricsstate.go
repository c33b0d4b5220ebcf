package app

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/telemetry"
)

// stateSince gathers what a scrape tells, of what is in memory: nobody is asked.
func (a *App) stateSince(started time.Time) func() telemetry.State {
	descriptions := map[string]agency.Description{}
	for _, ag := range a.Runner.Agencies {
		descriptions[ag.Describe().Code] = ag.Describe()
	}
	return func() telemetry.State {
		s := telemetry.State{
			UptimeSeconds: time.Since(started).Seconds(), HealthScore: a.Health.Score(),
			Database: a.connections(), Storage: a.storageState(), Sources: a.sourceStates(descriptions), Catalogue: a.catalogueState(), Backups: a.backupState(),
		}
		s.Caches, s.FarCache = cacheStates(a.Cache.Stats())
		return s
	}
}

func (a *App) connections() telemetry.Connections {
	pool := a.Store.PoolStats()
	return telemetry.Connections{
		Active: pool.Active, Idle: pool.Idle, Max: pool.Max,
		Waits: pool.Waits, Exhaustions: pool.Exhaustions, WaitSeconds: pool.WaitTime.Seconds(),
	}
}

func (a *App) storageState() telemetry.Storage {
	pool := a.Objects.guard.Pool()
	s := telemetry.Storage{
		InUse: pool.InUse, Size: pool.Size, Waits: pool.Waits, Timeouts: pool.Timeouts, Exhaustions: pool.Exhaustions,
		Breaker: a.Objects.guard.Breaker(), StoredBytes: a.stored.Load(),
	}
	if uploads := a.uploads.Load(); uploads != nil {
		u := uploads.Stats()
		s.Queued, s.QueuedBytes, s.Done, s.Failed, s.Retries = u.Queued, u.Bytes, u.Done, u.Failed, u.Retries
	}
	return s
}

func cacheStates(stats cache.Stats) ([]telemetry.Cache, *telemetry.FarCache) {
	var list []telemetry.Cache
	for _, use := range slices.Sorted(maps.Keys(stats.PerOperation)) {
		one := stats.PerOperation[use]
		list = append(list, telemetry.Cache{
			Name: use, NearHits: one.Hits - one.FarHits, FarHits: one.FarHits, Lost: one.Misses, Bytes: one.SizeBytes, Errors: one.Errors,
		})
	}
	if stats.Far == nil {
		return list, nil
	}
	return list, &telemetry.FarCache{
		Breaker:  strings.ReplaceAll(stats.Far.Breaker, "-", "_"),
		Failures: stats.Far.Failures, Refusals: stats.Far.Refusals, Openings: stats.Far.Openings,
	}
}

func (a *App) sourceStates(descriptions map[string]agency.Description) []telemetry.Source {
	guarded := map[string]bool{}
	for _, known := range a.Sources.Known() {
		guarded[known.Record.Agency] = known.Record.LastPoll != nil && ingest.Guarded(*known.Record.LastPoll)
	}
	var list []telemetry.Source
	for _, s := range a.Sources.List(a.Catalogue.Current()) {
		d := descriptions[s.Agency]
		list = append(list, telemetry.Source{
			Agency: s.Agency, State: string(s.State), Polled: d.Withheld == "" && !a.Config.Offline, Guarded: guarded[s.Agency],
			Notices: s.Notices, Rejections: s.Rejected, AgeSeconds: ageOf(s), Objective: d.Objective.Seconds(),
			LagSeconds: orUnknown(s.LagSeconds.P95), MedianLagSeconds: orUnknown(s.LagSeconds.P50),
		})
	}
	return list
}

func ageOf(s source.Source) float64 {
	if s.AgeSeconds == nil {
		return telemetry.Unknown()
	}
	return float64(*s.AgeSeconds)
}

func orUnknown(v *float64) float64 {
	if v == nil {
		return telemetry.Unknown()
	}
	return *v
}

func (a *App) catalogueState() telemetry.Catalogue {
	snap := a.Catalogue.Current()
	c := telemetry.Catalogue{Serial: snap.Serial(), Notices: snap.Len(), AgeSeconds: telemetry.Unknown()}
	if fresh := snap.FreshAt(); !fresh.IsZero() {
		c.AgeSeconds = time.Since(fresh).Seconds()
	}
	return c
}
