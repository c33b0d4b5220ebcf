package app

import (
	"context"
	"time"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// fault is what keeps a store from doing what the service needs of it, by what it
// said when it was asked how it does: it answers, takes what is new, and has a
// schema that the program can work with. Nil: nothing.
func fault(condition store.Condition, err error) error {
	switch {
	case err != nil:
		return err
	case condition.ReadOnly:
		return store.ErrReadOnly
	case condition.Schema < condition.Known:
		return store.ErrNotMigrated
	}
	return nil
}

// askStore says whether the store does what the service needs of it.
func (a *App) askStore(ctx context.Context) error { return fault(a.Store.Condition(ctx)) }

// greetOthers says in the log, once, which of those doesn't answer at the start
// that the service can go on without: a setting may be wrong.
func (a *App) greetOthers(ctx context.Context) {
	if a.Config.RedisURL != "" && a.Cache.Health(ctx).Status != "ok" && ctx.Err() == nil {
		a.Logger.Warn("the Redis that REDIS_URL names doesn't answer; going on without it until it does")
	}
	if h := a.Objects.guard.Health(ctx); h.Status == blob.Unhealthy && ctx.Err() == nil {
		a.Logger.Warn("the store of objects can't be used; what is to be stored waits until it can", "backend", h.Backend, "reason", h.Checks["account"])
	}
}

// monitorTimeout bounds what an operator waits for a dependency.
const monitorTimeout = 2 * time.Second

// monitor words for operators how that does which the service stands on.
type monitor struct{ app *App }

// Database implements api.Monitored.
func (m monitor) Database(ctx context.Context) api.DatabaseHealth {
	ctx, cancel := context.WithTimeout(ctx, monitorTimeout)
	defer cancel()
	h := api.DatabaseHealth{Status: api.Unhealthy, Backend: databaseBackend(m.app.Config), Replicas: []api.ReplicaHealth{}}
	pool := m.app.Store.PoolStats()
	h.Pool = api.ConnectionPool{
		Size: pool.Max, Active: pool.Active, Idle: pool.Idle, Acquired: pool.Acquired,
		Waits: pool.Waits, WaitSeconds: pool.WaitTime.Seconds(), Exhaustions: pool.Exhaustions,
	}
	condition, err := m.app.Store.Condition(ctx)
	if err != nil {
		return h
	}
	if fault(condition, err) == nil {
		h.Status = api.Healthy
	}
	h.LatencyMS, h.ReadOnly = api.Milliseconds(condition.Latency), condition.ReadOnly
	h.Schema = api.SchemaVersions{Present: &condition.Schema, Known: &condition.Known}
	for _, r := range condition.Replicas {
		h.Replicas = append(h.Replicas, api.ReplicaHealth{Name: r.Name, State: r.State, LagBytes: r.LagBytes})
	}
	return h
}

// Cache implements api.Monitored.
func (m monitor) Cache(ctx context.Context) api.CacheStats {
	ctx, cancel := context.WithTimeout(ctx, monitorTimeout)
	defer cancel()
	stats := api.CacheStats{Status: api.Unhealthy, Stats: m.app.Cache.Stats()}
	if m.app.Cache.Health(ctx).Status == "ok" {
		stats.Status = api.Healthy
	}
	return stats
}

// Storage implements api.Monitored.
func (m monitor) Storage(ctx context.Context) api.StorageHealth {
	h := m.app.Objects.guard.Health(ctx)
	answer := api.StorageHealth{
		Status: h.Status, Backend: h.Backend, LatencyMS: h.LatencyMS, Checks: h.Checks, Pool: api.OperationPool(h.Pool),
		Uploads: api.UploadCounts{Workers: m.app.Config.Storage.UploadWorkers},
	}
	if uploads := m.app.uploads.Load(); uploads != nil {
		s := uploads.Stats()
		answer.Uploads = api.UploadCounts{Workers: s.Workers, Queued: s.Queued, Done: s.Done, Failed: s.Failed}
	}
	return answer
}
