package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/cache"
)

// Monitored tells how that does which the service stands on. It asks at most
// once a second, however often it is asked, and answers within seconds.
type Monitored interface {
	Storage(ctx context.Context) StorageHealth
	Cache(ctx context.Context) CacheStats
	Database(ctx context.Context) DatabaseHealth
}

// The words for how a dependency does.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// StorageHealth tells of the store of objects.
type StorageHealth struct {
	Status    string            `json:"status" enum:"healthy,degraded,unhealthy" doc:"degraded: it answers again, and is about to be used again"`
	Backend   string            `json:"backend" enum:"azure,disk"`
	LatencyMS *float64          `json:"latency_ms" nullable:"true" doc:"of the simplest operation, in milliseconds; null when it had no answer"`
	Checks    map[string]string `json:"checks" doc:"what was looked at, and ok or what is wrong"`
	Pool      OperationPool     `json:"pool"`
	Uploads   UploadCounts      `json:"uploads"`
}

// OperationPool tells of the bound on operations that are under way.
type OperationPool struct {
	Size        int      `json:"size" doc:"operations that may be under way at the same time"`
	InUse       int      `json:"in_use"`
	Idle        int      `json:"idle"`
	Waits       int64    `json:"waits" doc:"operations that had to wait for their turn"`
	Timeouts    int64    `json:"timeouts" doc:"operations that gave up waiting"`
	Exhaustions int64    `json:"exhaustions" doc:"times that every turn was taken"`
	ReuseRate   *float64 `json:"reuse_rate" nullable:"true" doc:"requests that found a connection open already, in percent; null before there was one"`
}

// UploadCounts tells of the uploads that go on beside requests.
type UploadCounts struct {
	Workers int   `json:"workers"`
	Queued  int   `json:"queued" doc:"waiting or under way"`
	Done    int64 `json:"done"`
	Failed  int64 `json:"failed"`
}

// CacheStats tells of the cache.
type CacheStats struct {
	Status string `json:"status" enum:"healthy,unhealthy" doc:"unhealthy: the shared cache doesn't answer, and the process's own serves alone"`
	cache.Stats
}

// DatabaseHealth tells of the database.
type DatabaseHealth struct {
	Status    string          `json:"status" enum:"healthy,unhealthy"`
	Backend   string          `json:"backend" enum:"postgres,sqlite"`
	LatencyMS *float64        `json:"latency_ms" nullable:"true" doc:"of the simplest question, in milliseconds; null when it had no answer"`
	ReadOnly  bool            `json:"read_only"`
	Schema    SchemaVersions  `json:"schema"`
	Replicas  []ReplicaHealth `json:"replicas"`
	Pool      ConnectionPool  `json:"pool"`
}

// SchemaVersions are those of the database's schema and of the program.
type SchemaVersions struct {
	Present *int64 `json:"present" nullable:"true" doc:"null when the database doesn't answer"`
	Known   *int64 `json:"known" nullable:"true" doc:"the newest that this program knows; null until it has asked"`
}

// ReplicaHealth tells of a server that follows the database's.
type ReplicaHealth struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	LagBytes int64  `json:"lag_bytes"`
}

// ConnectionPool tells of the connections to the database. Counts run from the
// start of the process on.
type ConnectionPool struct {
	Size        int     `json:"size" doc:"connections that there may be"`
	Active      int     `json:"active"`
	Idle        int     `json:"idle"`
	Acquired    int64   `json:"acquired"`
	Waits       int64   `json:"waits"`
	WaitSeconds float64 `json:"wait_seconds"`
	Exhaustions int64   `json:"exhaustions" doc:"times that none was given back in time"`
}

func (s *service) registerMonitoring(api huma.API) {
	op := operation("azure-storage-health", http.MethodGet, "/api/v1/azure-storage/health", tagHealth, "How the store of objects does",
		"Of the folder in the data directory where there is no account. For operators.")
	handle[struct{}, StorageHealth](s, api, op, func(ctx context.Context, _ *struct{}) (*answer, error) {
		return s.healthy(s.Monitored.Storage(ctx))
	})
	op = operation("azure-cache-stats", http.MethodGet, "/api/v1/monitoring/azure-cache-stats", tagHealth, "How the cache does",
		"Counted from the start of the process on. For operators.")
	handle[struct{}, CacheStats](s, api, op, func(ctx context.Context, _ *struct{}) (*answer, error) {
		return s.healthy(s.Monitored.Cache(ctx))
	})
	op = operation("database-health", http.MethodGet, "/api/v1/monitoring/database", tagHealth, "How the database does",
		"Its schema, its replicas, and the pool of connections to it. For operators.")
	handle[struct{}, DatabaseHealth](s, api, op, func(ctx context.Context, _ *struct{}) (*answer, error) {
		return s.healthy(s.Monitored.Database(ctx))
	})
}

// Milliseconds is a duration as answers tell it, with three decimals.
func Milliseconds(d time.Duration) *float64 {
	ms := float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
	return &ms
}
