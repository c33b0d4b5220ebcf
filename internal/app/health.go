package app

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/health"
)

// openHealth makes the board that tells how the service does, by a clock and by what
// the last security audit found.
func (a *App) openHealth(now func() time.Time, audited func() *health.Audit) {
	a.Health = health.NewBoard(health.Questions{
		Backends: health.Backends{Storage: backendOf(a.Config), Cache: a.Cache.Backend(), Database: databaseBackend(a.Config)},
		Security: func(context.Context) *health.Audit { return audited() }, Storage: a.storageHealth, Cache: a.cacheHealth,
		Pool: a.poolHealth, Database: a.databaseHealth, RecallData: a.recallHealth,
	}, now)
}

func (a *App) storageHealth(ctx context.Context) health.Storage {
	h := a.Objects.guard.Health(ctx)
	s := health.Storage{LatencyMS: h.LatencyMS, Recovering: h.Status == blob.Degraded}
	if h.Status == blob.Unhealthy {
		s.Failing = h.Checks["account"]
	}
	return s
}

func (a *App) cacheHealth(ctx context.Context) health.Cache {
	stats := a.Cache.Stats()
	c := health.Cache{HitRate: stats.HitRate, Requests: stats.Hits + stats.Misses}
	if a.Cache.Health(ctx).Status != "ok" {
		c.Failing = "the shared cache doesn't answer; the process goes on with its own"
	}
	return c
}

// poolHealth counts for both pools together. Connections to the database that
// nobody counts, as SQLite's, are left out of what was reused.
func (a *App) poolHealth(context.Context) health.Pool {
	operations, connections := a.Objects.guard.Pool(), a.Store.PoolStats()
	p := health.Pool{
		InUse: operations.InUse + connections.Active, Size: operations.Size + connections.Max,
		Exhausted: operations.Exhaustions + connections.Exhaustions,
	}
	p.Requests, p.Reused = a.Objects.guard.Connections()
	if connections.Opened > 0 {
		p.Requests += connections.Acquired
		p.Reused += max(0, connections.Acquired-connections.Opened)
	}
	return p
}

func (a *App) databaseHealth(ctx context.Context) health.Database {
	pool := a.Store.PoolStats()
	d := health.Database{Connections: pool.Active + pool.Idle}
	condition, err := a.Store.Condition(ctx)
	if fault := fault(condition, err); fault != nil {
		d.Failing = api.DatabaseFault(fault)
	}
	if err == nil {
		d.LatencyMS = api.Milliseconds(condition.Latency)
	}
	return d
}

// followedWithin is how long ago the catalogue may have been held against the
// database, as it is several times a second, to count as up to date.
const followedWithin = 30 * time.Second

func (a *App) recallHealth(context.Context) health.RecallData {
	snap := a.Catalogue.Current()
	d := health.RecallData{Notices: snap.Len(), Serial: snap.Serial(), Loaded: snap.Loaded(), Offline: a.Config.Offline}
	if d.Loaded && (snap.Restored() || time.Since(snap.FreshAt()) > followedWithin) {
		d.Outdated = "as of " + snap.FreshAt().UTC().Format(time.RFC3339) + "; the database has not been read since"
	}
	for _, src := range a.Sources.List(snap) {
		d.Sources = append(d.Sources, health.SourceAge{
			Agency: src.Agency, State: string(src.State), Age: src.AgeSeconds, Reason: src.Reason,
			Objective: int64(src.Objective.Seconds()), Withheld: src.Withheld,
		})
	}
	return d
}
