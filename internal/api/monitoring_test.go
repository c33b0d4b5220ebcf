package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/cache"
)

// fixedMonitored does as it is told.
type fixedMonitored struct {
	storage  StorageHealth
	cache    CacheStats
	database DatabaseHealth
}

func (m *fixedMonitored) Storage(context.Context) StorageHealth   { return m.storage }
func (m *fixedMonitored) Cache(context.Context) CacheStats        { return m.cache }
func (m *fixedMonitored) Database(context.Context) DatabaseHealth { return m.database }

func wellMonitored() *fixedMonitored {
	return &fixedMonitored{
		StorageHealth{Status: Healthy, Backend: "azure", LatencyMS: Milliseconds(1500 * time.Microsecond), Checks: map[string]string{"reachable": "ok"}, Pool: OperationPool{Size: 10, Idle: 10}},
		CacheStats{Healthy, cache.Stats{Enabled: true, Backend: "redis", PerOperation: map[string]cache.OperationStats{"signed-url": {Hits: 2}}, Far: &cache.FarStats{}}},
		DatabaseHealth{Status: Healthy, Backend: "postgres", Replicas: []ReplicaHealth{}},
	}
}

// TestMonitoringHasTheContractsFields names them one by one: clients do so too.
func TestMonitoringHasTheContractsFields(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(d *Dependencies) {
		d.Monitored, d.Operators = wellMonitored(), Operators{Token: showing(operatorsToken)}
	})
	const away, shown = "203.0.113.9:5000", "Authorization: Bearer " + operatorsToken
	for target, fields := range map[string][]string{
		"/api/v1/azure-storage/health":         {"backend", "checks", "latency_ms", "pool", "status", "uploads"},
		"/api/v1/azure-storage/health pool":    {"exhaustions", "idle", "in_use", "reuse_rate", "size", "timeouts", "waits"},
		"/api/v1/azure-storage/health uploads": {"done", "failed", "queued", "workers"},
		"/api/v1/monitoring/azure-cache-stats": {"backend", "enabled", "entries", "far", "hit_rate", "hits", "invalidations", "misses", "per_operation", "size_bytes", "status"},
		"/api/v1/monitoring/database":          {"backend", "latency_ms", "pool", "read_only", "replicas", "schema", "status"},
		"/api/v1/monitoring/database pool":     {"acquired", "active", "exhaustions", "idle", "size", "wait_seconds", "waits"},
	} {
		target, part, _ := strings.Cut(target, " ")
		if r := b.from(t, away, target); r.StatusCode != 401 {
			t.Errorf("%s answers %d to anybody", target, r.StatusCode)
		}
		object := decode[map[string]json.RawMessage](t, b.from(t, away, target, shown), 200)
		if part != "" {
			whole := object
			object = nil
			if err := json.Unmarshal(whole[part], &object); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(object))); diff != "" {
			t.Errorf("%s %s: %s", target, part, diff)
		}
	}
}

// TestRatesAreNullBeforeThereWasTraffic holds what has no value yet apart from 0.
func TestRatesAreNullBeforeThereWasTraffic(t *testing.T) {
	t.Parallel()
	m := wellMonitored()
	b := newBench(t, func(d *Dependencies) { d.Monitored, d.Operators = m, Operators{Token: showing(operatorsToken)} })
	ask := func(target string) map[string]any {
		return decode[map[string]any](t, b.from(t, "203.0.113.9:5000", target, "Authorization: Bearer "+operatorsToken), 200)
	}
	if got := ask("/api/v1/monitoring/azure-cache-stats")["hit_rate"]; got != nil {
		t.Errorf("hit_rate %v", got)
	}
	half := 50.0
	m.cache.HitRate = &half
	if got := ask("/api/v1/monitoring/azure-cache-stats")["hit_rate"]; got != 50.0 {
		t.Errorf("hit_rate %v", got)
	}
	if got := ask("/api/v1/azure-storage/health")["latency_ms"]; got != 1.5 {
		t.Errorf("latency_ms %v", got)
	}
	m.storage.LatencyMS = nil
	if got := ask("/api/v1/azure-storage/health")["latency_ms"]; got != nil {
		t.Errorf("latency_ms %v", got)
	}
}

// TestHealthzTellsOfCacheAndStorage: the service goes on without them, so that
// they are told of and never the reason for a 503.
func TestHealthzTellsOfCacheAndStorage(t *testing.T) {
	t.Parallel()
	m := wellMonitored()
	b := newBench(t, func(d *Dependencies) { d.Monitored = m })
	for _, c := range []struct{ cache, storage, saysCache, saysStorage string }{
		{Healthy, Healthy, "ok", "ok"}, {Unhealthy, Healthy, "no answer", "ok"}, {Healthy, Unhealthy, "ok", "no answer"},
	} {
		m.cache.Status, m.storage.Status = c.cache, c.storage
		got := decode[Health](t, b.get(t, "/api/healthz"), 200)
		if got.Status != "ok" || got.Checks["cache"] != c.saysCache || got.Checks["storage"] != c.saysStorage {
			t.Errorf("with %+v healthz says %+v", c, got)
		}
	}
}

// silentMonitored are dependencies that say nothing for as long as they may.
type silentMonitored struct{ *fixedMonitored }

func (m silentMonitored) Storage(ctx context.Context) StorageHealth {
	time.Sleep(pingTimeout)
	return m.fixedMonitored.Storage(ctx)
}

func (m silentMonitored) Cache(ctx context.Context) CacheStats {
	time.Sleep(pingTimeout)
	return m.fixedMonitored.Cache(ctx)
}

// TestHealthzAsksAllAtOnce: a monitor waits for the slowest of those that are
// silent, and not for one after the other.
func TestHealthzAsksAllAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(d *Dependencies) {
			d.Monitored = silentMonitored{wellMonitored()}
			d.Ping = func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}
		})
		began := time.Now()
		r := b.get(t, "/api/healthz")
		if took := time.Since(began); took != pingTimeout || r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("healthz answered %d after %s, want 503 after %s", r.StatusCode, took, pingTimeout)
		}
	})
}
